//! Chart.yaml: `pkg/lint/rules/chartfile.go`.

use super::addresses;
use super::{Findings, Severity};
use crate::helm::chart::Metadata;
use crate::helm::func::semver::{Constraints, Version};
use crate::helm::strconv::quote;
use crate::helm::yaml::{self, Node};

const FILE: &str = "Chart.yaml";

/// Holds the file against its rules. Those after the first need a file that can be read.
pub(super) fn check(text: &[u8], findings: &mut Findings) {
    let mut about = Metadata::default();
    let read = yaml::parse(text).and_then(|node| about.read(&node).map(|()| node));
    let node = match read {
        Ok(node) => node,
        // Helm reads such an entry, and has a word for it.
        Err(error) if error.starts_with("validation: maintainers") => {
            return findings.add(Severity::Error, FILE, Some("a maintainer entry is empty".to_owned()));
        }
        Err(error) => return findings.add(Severity::Error, FILE, Some(format!("unable to parse YAML\n\t{error}"))),
    };
    for (severity, problem) in [
        (Severity::Error, name(&about)),
        (Severity::Error, api_version(&about)),
        (Severity::Error, no_text(&node, "version")),
        (Severity::Error, version(&about)),
        (Severity::Error, no_text(&node, "appVersion")),
        (Severity::Error, maintainers(&about)),
        (Severity::Error, sources(&about)),
        (Severity::Info, about.icon.is_empty().then(|| "icon is recommended".to_owned())),
        (Severity::Error, icon(&about)),
        (Severity::Error, of_version_two(&about, !about.chart_type.is_empty(), "chart type is not valid in apiVersion '{}'. It is")),
        (
            Severity::Error,
            of_version_two(
                &about,
                about.dependencies.as_ref().is_some_and(|list| !list.is_empty()),
                "dependencies are not valid in the Chart file with apiVersion '{}'. They are",
            ),
        ),
    ] {
        findings.add(severity, FILE, problem);
    }
}

fn name(about: &Metadata) -> Option<String> {
    if about.name.is_empty() {
        return Some("name is required".to_owned());
    }
    about.name.contains('/').then(|| format!("chart name {} is invalid", quote(&about.name)))
}

fn api_version(about: &Metadata) -> Option<String> {
    const WANTED: &str = "The value must be either \"v1\" or \"v2\"";
    match about.api_version.as_str() {
        "v1" | "v2" => None,
        "" => Some(format!("apiVersion is required. {WANTED}")),
        other => Some(format!("apiVersion '{other}' is not valid. {WANTED}")),
    }
}

/// A value that has to be a string, and is none.
fn no_text(node: &Node, key: &str) -> Option<String> {
    let kind = match node.get(key)? {
        Node::Str(_) => return None,
        Node::Null => "<nil>",
        Node::Bool(_) => "bool",
        Node::List(_) => "[]interface {}",
        Node::Map(_) => "map[string]interface {}",
        _ => "float64",
    };
    Some(format!("{key} should be of type string but it's of type {kind}"))
}

fn version(about: &Metadata) -> Option<String> {
    const LOWEST: &str = "0.0.0-0";
    if about.version.is_empty() {
        return Some("version is required".to_owned());
    }
    let Ok(version) = Version::new(&about.version) else {
        return Some(format!("version '{}' is not a valid SemVer", about.version));
    };
    let fits = Constraints::new(&format!(">{LOWEST}")).is_ok_and(|constraints| constraints.check(&version));
    (!fits).then(|| format!("version {} is less than or equal to {}", quote(&about.version), quote(LOWEST)))
}

fn maintainers(about: &Metadata) -> Option<String> {
    about.maintainers.iter().find_map(|person| {
        if person.name.is_empty() {
            return Some("each maintainer requires a name".to_owned());
        }
        if !person.email.is_empty() && !addresses::is_email(&person.email) {
            return Some(format!("invalid email '{}' for maintainer '{}'", person.email, person.name));
        }
        let wrong = !person.url.is_empty() && !addresses::is_url(&person.url);
        wrong.then(|| format!("invalid url '{}' for maintainer '{}'", person.url, person.name))
    })
}

fn sources(about: &Metadata) -> Option<String> {
    let wrong = about.sources.iter().find(|source| !addresses::is_request_url(source));
    wrong.map(|source| format!("invalid source URL '{source}'"))
}

fn icon(about: &Metadata) -> Option<String> {
    let wrong = !about.icon.is_empty() && !addresses::is_request_url(&about.icon);
    wrong.then(|| format!("invalid icon URL '{}'", about.icon))
}

fn of_version_two(about: &Metadata, is_there: bool, words: &str) -> Option<String> {
    let told = words.replacen("{}", &about.api_version, 1);
    (is_there && about.api_version != "v2").then(|| format!("{told} valid in apiVersion 'v2'"))
}
