//! `charts:`, and what releases of charts have in common.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::manifests::{beside, input, rules, texts};
use super::syntax;
use crate::diag::{Place, shown};
use crate::input::{Node, Value};
use crate::stack::TextPart;
use crate::stack::charts::{ChartRef, MARK, Release};
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::schema;

/// The most characters of a release's name (Helm, `ValidateReleaseName`).
const MOST_NAME: usize = 53;

/// Reads `charts:`.
pub(super) fn charts(reader: &mut Reader<'_>, stack: &Fields<'_>) -> Vec<Release> {
    let Some(entry) = stack.get("charts") else { return Vec::new() };
    let mut releases = Vec::new();
    for entry in reader.named(&entry.value, "charts") {
        let path = join("charts", &entry.key);
        let Some(fields) = reader.fields(&entry.value, &path, &schema::CHART) else { continue };
        let chart = chart(reader, &fields);
        let name = name_of(reader, &fields, "name").unwrap_or_else(|| entry.key.clone());
        release_name(reader, &name, &entry.key_place);
        let namespace = if fields.get("namespace").is_none() {
            reader.required(&fields, "namespace", "<namespace>");
            None
        } else {
            name_of(reader, &fields, "namespace")
        };
        let values = values(reader, &fields);
        let values_files = values_files(reader, &fields);
        let with_crds = reader.boolean(&fields, "crds").unwrap_or(true);
        let with_hooks = reader.boolean(&fields, "hooks").unwrap_or(true);
        let adoptable = reader.boolean(&fields, "adoptable").unwrap_or(false);
        let rules = rules(reader, &fields);
        let (Some(chart), Some(namespace)) = (chart, namespace) else { continue };
        releases.push(Release {
            section: path,
            name,
            namespace,
            chart,
            given: json!({}),
            values_files,
            values: vec![values],
            with_crds,
            with_hooks,
            adoptable,
            rules,
            after: Vec::new(),
            place: entry.key_place.clone(),
        });
    }
    releases
}

/// Two releases of one name in one namespace would be one to Helm, and are a mistake to everyone.
pub(super) fn distinct(reader: &mut Reader<'_>, releases: &[Release]) {
    let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for release in releases {
        if let Some(other) = seen.insert((&release.namespace, &release.name), &release.section) {
            let detail =
                format!("`{}` and `{other}` are both release {} in namespace {}", release.section, release.name, release.namespace);
            reader.error("chart/same-release", "two releases of one name", detail, &release.place, "give one of them another `name`");
        }
    }
}

fn chart(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<ChartRef> {
    let chart = reader.required(fields, "chart", "<name, path or oci://…>");
    let repository = reader.string_of(fields, "repository");
    let version = version(reader, fields);
    let chart = chart?;
    let is_remote = |text: &str| ["oci://", "https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
    let name = if repository.is_some() || is_remote(&chart.text) { chart.text.clone() } else { beside(&chart) };
    let repository = repository.map(|repository| if is_remote(&repository.text) { repository.text } else { beside(&repository) });
    Some(ChartRef { name, repository, version: version.unwrap_or_default(), place: chart.place })
}

/// A version, or a range: what Helm takes is decided when the chart is fetched.
pub(super) fn version(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let version = reader.string_of(fields, "version")?;
    if version.text.contains(char::is_whitespace) {
        let detail = format!("{} is no version of a chart", shown(&version.text));
        reader.error(
            "chart/version",
            "bad version of a chart",
            detail,
            &version.place,
            "write it like `1.31.0`, `~1.31` or `>=1.31,<1.33`",
        );
    }
    Some(version.text)
}

/// A name of Kubernetes'.
pub(super) fn name_of(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    let Spanned { text, place } = reader.string_of(fields, key)?;
    if let Err(why) = syntax::dns_label(&text) {
        reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&text)), &place, "");
    }
    Some(text)
}

/// Holds a release's name to what Helm takes.
pub(super) fn release_name(reader: &mut Reader<'_>, name: &str, place: &Place) {
    if name.len() > MOST_NAME || syntax::dns_label(name).is_err() {
        let detail = format!("{} is no name of a release", shown(name));
        let help = "up to 53 lower-case letters, digits and `-`; say another one by `name`";
        reader.error("chart/release-name", "bad name of a release", detail, place, help);
    }
}

/// `values:`, with variables put in and outputs marked; an empty map where there are none.
pub(super) fn values(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Json {
    let nothing = Json::Object(Map::new());
    let Some(node) = fields.value("values") else { return nothing };
    let path = fields.at("values");
    if node.entries().is_none() {
        let detail = format!("`{path}` is a map, and this is {}", node.kind());
        reader.error("stack/wrong-type", "value of the wrong type", detail, &node.place, "");
        return nothing;
    }
    value(reader, node, &path).unwrap_or(nothing)
}

/// A value of values: scalars as Helm reads them, texts with outputs in them marked for the rendering.
fn value(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Json> {
    match &node.value {
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| Some((entry.key.clone(), value(reader, &entry.value, &join(path, &entry.key))?)));
            entries.collect::<Option<Map<_, _>>>().map(Json::Object)
        }
        Value::List(items) => items.iter().map(|item| value(reader, item, path)).collect::<Option<Vec<_>>>().map(Json::Array),
        Value::Scalar { text, .. } if text.contains("${") => {
            let part = |part: TextPart| match part {
                TextPart::Literal(literal) => literal,
                TextPart::Output { certificate, output } => format!("{MARK}certificates.{certificate}.{}{MARK}", output.as_str()),
                TextPart::Hostname { load_balancer } => format!("{MARK}load_balancers.{load_balancer}.hostname{MARK}"),
            };
            Some(Json::String(reader.text_of_all(node, path)?.0.into_iter().map(part).collect()))
        }
        Value::Scalar { .. } => input(reader, node, path),
    }
}

/// `values_files:`
pub(super) fn values_files(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<(String, Place)> {
    texts(reader, fields, "values_files").into_iter().map(|file| (beside(&file), file.place)).collect()
}

/// Whether a source of charts is a folder.
pub(super) fn is_folder(source: &str) -> bool {
    !source.contains("://")
}
