//! What a rendering gives: manifests in their order, hooks, CRDs, notes; `pkg/releaseutil` and `pkg/release`.

mod head;
mod order;
mod print;
mod split;

use std::collections::BTreeMap;

pub use print::Show;

use super::strconv::quote;
use super::value::Str;
use super::yaml::{self, Node};
use head::Head;
use split::split_manifests;

/// A document that a template gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The template's path, from the chart's name on.
    pub source: String,
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// The document, without spaces around it.
    pub text: String,
    /// What it says.
    pub document: Node,
}

/// A document that belongs to a moment of the release's life; `release.Hook`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// The document.
    pub manifest: Manifest,
    /// The moments, such as `pre-install` and `test`.
    pub events: Vec<String>,
    /// Hooks of one moment run by ascending weight.
    pub weight: i64,
    /// When it is deleted again, such as `hook-succeeded`.
    pub delete_policies: Vec<String>,
    /// When its log is shown.
    pub output_log_policies: Vec<String>,
}

impl Hook {
    /// Whether it is a test.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.events.iter().any(|event| event == "test")
    }
}

/// A rendered release.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendered {
    /// The documents in the order of installation.
    pub manifests: Vec<Manifest>,
    /// The hooks, ordered alike.
    pub hooks: Vec<Hook>,
    /// The files under `crds/`, by full path, with their text.
    pub crds: Vec<(String, String)>,
    /// The chart's NOTES.txt, rendered.
    pub notes: String,
}

/// The moments that Helm knows.
const EVENTS: &[&str] =
    &["pre-install", "post-install", "pre-delete", "post-delete", "pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback", "test"];

/// `SortManifests`: splits the files into documents, tells hooks from the rest, and puts both into the order of installation.
/// What Helm says of hooks that it doesn't know goes to `warn`.
pub(crate) fn sort_manifests(files: &BTreeMap<String, Str>, mut warn: impl FnMut(&str)) -> Result<(Vec<Manifest>, Vec<Hook>), String> {
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let content = content.to_str();
        if path.rsplit('/').next().is_some_and(|base| base.starts_with('_')) || content.trim().is_empty() {
            continue;
        }
        for text in split_manifests(&content) {
            let wrong = |error: String| format!("YAML parse error on {path}: {error}");
            let document = yaml::parse(text.as_bytes()).map_err(wrong)?;
            let Head { api_version, kind, name, annotations } = Head::of(&document).map_err(wrong)?;
            let manifest = Manifest { source: path.clone(), api_version, kind, name, text: text.to_owned(), document };
            match annotations.get("helm.sh/hook") {
                None => manifests.push(manifest),
                Some(events) => match hook(manifest, events, &annotations) {
                    Some(hook) => hooks.push(hook),
                    None => warn(&format!("info: skipping unknown hook: {}", quote(events))),
                },
            }
        }
    }
    manifests.sort_by(|one: &Manifest, two| order::compare(&one.kind, &two.kind));
    hooks.sort_by(|one: &Hook, two| order::compare(&one.manifest.kind, &two.manifest.kind));
    Ok((manifests, hooks))
}

/// None where a moment is unknown: Helm drops such a hook.
fn hook(manifest: Manifest, events: &str, annotations: &BTreeMap<String, String>) -> Option<Hook> {
    let events = events.split(',').map(|event| {
        let event = event.trim().to_lowercase();
        if event == "test-success" { Some("test".to_owned()) } else { EVENTS.contains(&event.as_str()).then_some(event) }
    });
    let list =
        |key: &str| annotations.get(key).map_or_else(Vec::new, |words| words.split(',').map(|word| word.trim().to_lowercase()).collect());
    Some(Hook {
        events: events.collect::<Option<_>>()?,
        weight: annotations.get("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or(0),
        delete_policies: list("helm.sh/hook-delete-policy"),
        output_log_policies: list("helm.sh/hook-output-log-policy"),
        manifest,
    })
}
