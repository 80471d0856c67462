//! `render`

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Value, json};

use crate::addr::Addr;
use crate::cli::args::render::RenderArgs;
use crate::cli::context::{Context, WithCharts};
use crate::cli::exit::Exit;
use crate::cli::report;
use crate::graph::Graph;
use crate::helm::KubeVersion;
use crate::observe::known_outputs;
use crate::resource::hole::Outputs;
use crate::resource::object::ObjectSpec;
use crate::resource::{Milestone, Spec};
use crate::store::Store as _;

pub(in crate::cli) async fn run(context: &Context, args: &RenderArgs) -> Exit {
    let version = match args.kube_version.as_deref().map(KubeVersion::parse).transpose() {
        Ok(version) => version,
        Err(error) => return report::usage(&format!("--kube-version: {error}"), "write it like 1.36 or v1.36.3"),
    };
    let loaded = match context.load(&args.stack, WithCharts::Offline(version, args.api_versions.clone())).await {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let state = match loaded.store.read() {
        Ok(state) => state,
        Err(error) => return report::failed(&error.into()),
    };
    let (objects, left_out) = objects(&loaded.graph, &known_outputs(&state));
    if !left_out.is_empty() {
        let names: Vec<String> = left_out.iter().map(ToString::to_string).collect();
        eprintln!("note: Secrets are left out, as their values would be in the open: {}", names.join(", "));
    }
    if args.json {
        let all: Vec<&Value> = objects.iter().map(|(_, object)| object).collect();
        println!("{:#}", json!(all));
        return Exit::Done;
    }
    let written = match &args.output_dir {
        Some(folder) => write(folder, &objects),
        None => objects.iter().try_for_each(|(_, object)| {
            yaml(object).map(|text| {
                print!("---\n{text}");
            })
        }),
    };
    match written {
        Ok(()) => Exit::Done,
        Err(error) => {
            eprintln!("error: {error}");
            Exit::Failed
        }
    }
}

/// The objects, those first that others wait for; and the Secrets that are left out.
fn objects(graph: &Graph, outputs: &Outputs) -> (Vec<(Addr, Value)>, Vec<Addr>) {
    let (mut objects, mut left_out) = (Vec::new(), Vec::new());
    for (addr, _) in graph.order().into_iter().filter(|(_, point)| *point == Milestone::Created) {
        let object = match graph.get(&addr).map(|resource| &resource.spec) {
            Some(Spec::Object(object)) => Cow::Borrowed(object),
            // Hooks are Helm's way, and have no place among objects that something else applies.
            Some(Spec::Manifest(spec)) if spec.hook.is_none() => {
                Cow::Owned(spec.filled(|source, output| outputs.get(&(source.clone(), output)).cloned()).0.object)
            }
            _ => continue,
        };
        if object.kind == "Secret" && object.api_version == "v1" {
            left_out.push(addr);
        } else {
            objects.push((addr, whole(&object)));
        }
    }
    (objects, left_out)
}

fn whole(object: &ObjectSpec) -> Value {
    let mut whole = json!({"apiVersion": object.api_version, "kind": object.kind, "metadata": {"name": object.name}});
    if let Some(namespace) = &object.namespace {
        whole["metadata"]["namespace"] = json!(namespace);
    }
    for (key, value) in object.body.as_object().into_iter().flatten() {
        if key == "metadata" {
            for (key, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !crate::fields::is_nothing(value)) {
                whole["metadata"][key] = value.clone();
            }
        } else {
            whole[key] = value.clone();
        }
    }
    whole
}

/// An object as Helm's `toYaml` writes it.
fn yaml(object: &Value) -> Result<String, String> {
    let value = crate::helm::json::unmarshal(object.to_string().as_bytes())?;
    let text = crate::helm::yaml::marshal(&value).map_err(|error| error.to_string())?;
    Ok(text.to_str().into_owned())
}

/// A file for each, in a folder for each namespace.
fn write(folder: &Path, objects: &[(Addr, Value)]) -> Result<(), String> {
    for (addr, object) in objects {
        let Addr::Kube { kind, group, namespace, name } = addr else { continue };
        let folder = folder.join(namespace.as_deref().unwrap_or("_cluster"));
        // Names of RBAC may hold colons, which not every file system takes.
        let kind = if group.is_empty() { kind.clone() } else { format!("{kind}.{group}") };
        let path = folder.join(format!("{kind}_{}.yaml", name.replace(':', "_")));
        let failed = |error: std::io::Error| format!("{} can't be written: {error}", path.display());
        std::fs::create_dir_all(&folder).map_err(failed)?;
        std::fs::write(&path, yaml(object)?).map_err(failed)?;
    }
    eprintln!("{} files written to {}", objects.len(), folder.display());
    Ok(())
}
