//! From the merged document to the [`Stack`], with every rule that needs no network.

mod aws;
mod certificates;
mod charts;
mod cluster;
mod deliveries;
mod gateways;
mod istio;
mod layout;
mod load_balancers;
mod manifests;
mod names;
mod namespaces;
mod origins;
mod ownership;
mod syntax;
mod timeouts;
mod zones;

pub(crate) use ownership::{is_of_charts, section};

use crate::diag::{Diagnostics, Failed, Sources};
use crate::stack::file::StackFile;
use crate::stack::parse::{Fields, Reader};
use crate::stack::vars::{self, Vars};
use crate::stack::{Stack, StateLocation, schema};

/// The sections that say whose world it is.
const HEAD: &[&str] = &["version", "stack", "aws", "cluster", "state", "timeouts", "moved", "released"];

/// Checks the document, telling all problems at once. Lines that hold secrets by mistake are hidden in `sources`.
pub fn check(file: &StackFile, vars: &Vars, sources: &mut Sources, diags: &mut Diagnostics) -> Result<Stack, Failed> {
    let values = vars::settle(file, vars, sources, diags);
    let certificates = file.node.get("certificates").and_then(|entry| entry.value.entries()).unwrap_or(&[]);
    let keys = certificates.iter().map(|entry| entry.key.as_str()).collect();
    let load_balancers = file.node.get("load_balancers").and_then(|entry| entry.value.entries()).unwrap_or(&[]);
    let load_balancers = load_balancers.iter().map(|entry| entry.key.as_str()).collect();
    let mut reader = Reader { values: &values, sources, diags, certificates: keys, load_balancers };
    let stack = document(&mut reader, file);
    if let (Some(stack), Some(fields)) = (&stack, reader.fields(&file.node, "", &schema::STACK)) {
        ownership::against_sections(&mut reader, stack, &fields);
    }
    diags.sort();
    diags.check()?;
    let mut stack = stack.ok_or(Failed)?;
    stack.secret_vars = values.into_secrets();
    Ok(stack)
}

/// Checks only what a destroy needs to know: whose world it is, and where its state is kept. What the stack wants is of no weight then, and
/// so a variable needs a value only where these sections name it.
pub fn check_head(file: &StackFile, vars: &Vars, sources: &mut Sources, diags: &mut Diagnostics) -> Result<Stack, Failed> {
    let mut problems = Diagnostics::default();
    let values = vars::settle(file, vars, sources, &mut problems);
    let head = file.only(HEAD);
    for name in values.missing().filter(|name| head.node.mentions(&format!("${{vars.{name}}}"))) {
        let detail = format!("{} has no value, and the stack's head names it", crate::diag::shown(name));
        let help = format!("give --var {name}=…, or set {}{name}", vars::ENV_PREFIX);
        diags.push(crate::diag::Diagnostic::error("var/no-value", "variable without a value", detail).help(help));
    }
    let mut reader = Reader { values: &values, sources, diags, certificates: Vec::new(), load_balancers: Vec::new() };
    let stack = document(&mut reader, &head);
    diags.sort();
    diags.check()?;
    stack.ok_or(Failed)
}

fn document(reader: &mut Reader<'_>, file: &StackFile) -> Option<Stack> {
    let fields = reader.fields(&file.node, "", &schema::STACK)?;
    version(reader, &fields);
    for section in schema::STACK.later {
        if let Some(entry) = fields.get(section) {
            let detail = format!("this version does not handle `{section}`");
            reader.error("stack/not-yet", "section not handled yet", detail, &entry.key_place, "remove it, or use a later version");
        }
    }
    let name = name(reader, &fields);
    let aws = aws::aws(reader, &fields);
    let cluster = cluster::cluster(reader, &fields);
    let state = state(reader, &fields);
    let timeouts = timeouts::timeouts(reader, &fields);
    let namespaces = namespaces::namespaces(reader, &fields);
    let mut certificates = certificates::certificates(reader, &fields, aws.as_ref());
    let manifests = manifests::manifests(reader, &fields);
    let istio = istio::istio(reader, &fields);
    let charts = charts::charts(reader, &fields);
    let gateways = gateways::gateways(reader, &fields, istio.as_ref(), &mut certificates);
    let load_balancers = load_balancers::load_balancers(reader, &fields, istio.as_ref(), &certificates, aws.as_ref());
    in_a_cluster(reader, &fields, &["istio", "charts", "gateways", "load_balancers"]);
    let moved = ownership::moved(reader, &fields);
    let (released, released_charts) = ownership::released(reader, &fields);
    let secret_vars = std::collections::BTreeMap::new();
    let (name, state, timeouts) = (name?, state?, timeouts?);
    let stack = Stack {
        name,
        aws,
        cluster,
        state,
        timeouts,
        namespaces,
        certificates,
        manifests,
        istio,
        charts,
        gateways,
        load_balancers,
        moved,
        released,
        released_charts,
        secret_vars,
    };
    charts::distinct(reader, &stack.releases());
    Some(stack)
}

/// What is in a cluster needs one.
fn in_a_cluster(reader: &mut Reader<'_>, stack: &Fields<'_>, sections: &[&str]) {
    if stack.get("cluster").is_some() {
        return;
    }
    for section in sections {
        if let Some(entry) = stack.get(section) {
            let help = "add `cluster: {eks: <name>}` or `cluster: {context: <name>}`";
            let detail = format!("`{section}` has no cluster to be in");
            reader.error("kubernetes/no-cluster", "no cluster", detail, &entry.key_place, help);
        }
    }
}

fn version(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let Some(version) = reader.required(fields, "version", "1") else { return };
    if version.text == "1" {
        return;
    }
    let newer = version.text.parse::<u64>().is_ok_and(|number| number > 1);
    let help = if newer { "use a newer meshform" } else { "write `version: 1`" };
    let detail = format!("this meshform reads version 1, and the stack says {}", crate::diag::shown(&version.text));
    reader.error("stack/version", "stack version not supported", detail, &version.place, help);
}

fn name(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let name = reader.required(fields, "stack", "<name>")?;
    if let Err(why) = syntax::dns_label(&name.text) {
        let help = "the name stands in tags and labels: up to 63 lower-case letters, digits and `-`, such as `shop-prod`";
        reader.error("stack/name", "bad stack name", format!("{} {why}", crate::diag::shown(&name.text)), &name.place, help);
    }
    Some(name.text)
}

fn state(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StateLocation> {
    let Some(node) = fields.value("state") else { return Some(StateLocation::Local { path: ".meshform".to_owned() }) };
    let state = reader.fields(node, "state", &schema::STATE)?;
    for later in schema::STATE.later {
        if let Some(entry) = state.get(later) {
            let detail = format!("this version does not keep state in `{later}`");
            reader.error("stack/not-yet", "section not handled yet", detail, &entry.key_place, "use `local: <folder>`");
        }
    }
    if state.get("local").is_none() {
        return Some(StateLocation::Local { path: ".meshform".to_owned() });
    }
    reader.string_of(&state, "local").map(|path| StateLocation::Local { path: path.text })
}
