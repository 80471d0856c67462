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
    /// What it says as it is sent, with a line break at its end.
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
            let (head, document) = read(text).map_err(|error| format!("YAML parse error on {path}: {error}"))?;
            let Head { api_version, kind, name, annotations } = head;
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

/// The head of a document as Helm sees it, and the document as it is sent. Helm looks at the head of a trimmed text, and sends it with a line break at
/// its end (`k8s.io/apimachinery`, `YAMLReader`): a block that ends the document has one.
fn read(text: &str) -> Result<(Head, Node), String> {
    let sent = [text, "\n"].concat();
    let Ok(document) = yaml::parse(sent.as_bytes()) else {
        // What is wrong with it is told as Helm meets it.
        let trimmed = yaml::parse(text.as_bytes())?;
        return Ok((Head::of(&trimmed)?, trimmed));
    };
    let head = Head::of(&document)?;
    let has_break = |text: &String| text.ends_with('\n');
    let ends_in_head =
        has_break(&head.kind) || has_break(&head.name) || has_break(&head.api_version) || head.annotations.values().any(has_break);
    Ok((if ends_in_head { Head::of(&yaml::parse(text.as_bytes())?)? } else { head }, document))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(text: &str) -> Result<(Vec<Manifest>, Vec<Hook>), String> {
        sort_manifests(&[("chart/templates/all.yaml".to_owned(), Str::from(text))].into_iter().collect(), |_| {})
    }

    #[test]
    fn a_block_at_the_end_of_a_document_has_its_line_break() {
        let (manifests, _) =
            sorted("kind: A\ntext: |\n  one\n---\nkind: B\ntext: |-\n  two\n---\nkind: C\ntext: >\n  three\n").expect("three documents");
        let texts: Vec<Option<String>> = manifests.iter().map(|one| one.document.get("text").and_then(Node::to_text)).collect();
        assert_eq!(texts, [Some("one\n".to_owned()), Some("two".to_owned()), Some("three\n".to_owned())]);
        assert!(manifests.iter().all(|one| !one.text.ends_with('\n')));
    }

    #[test]
    fn the_head_is_of_the_trimmed_text() {
        let (_, hooks) = sorted("kind: A\nmetadata:\n  annotations:\n    helm.sh/hook: pre-install\n    helm.sh/hook-weight: |\n      5\n")
            .expect("a hook");
        assert_eq!(hooks[0].weight, 5);
    }

    #[test]
    fn errors_name_the_lines_of_the_trimmed_text() {
        let told = sorted("kind: A\ntext: 'one\n\n").expect_err("no YAML");
        assert_eq!(
            told,
            format!("YAML parse error on chart/templates/all.yaml: {}", yaml::parse(b"kind: A\ntext: 'one").expect_err("no YAML"))
        );
    }
}
