//! What `helm template` prints: `cmd/helm/template.go`.

use super::Rendered;
use super::split::split_manifests;
use crate::helm::chart::path_matches;

/// What is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Show {
    /// `--include-crds`
    pub include_crds: bool,
    /// `--no-hooks`
    pub no_hooks: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
    /// `--show-only`: patterns of template paths within the chart.
    pub show_only: Vec<String>,
}

impl Rendered {
    /// The text that `helm template` prints, or its complaint about a template that isn't there.
    pub fn print(&self, show: &Show) -> Result<String, String> {
        let mut manifest = String::new();
        let mut put = |source: &str, text: &str| {
            for part in ["---\n# Source: ", source, "\n", text, "\n"] {
                manifest.push_str(part);
            }
        };
        if show.include_crds {
            for (source, text) in &self.crds {
                put(source, text);
            }
        }
        for document in &self.manifests {
            put(&document.source, &document.text);
        }
        let mut out = manifest.trim().to_owned();
        out.push('\n');
        if !show.no_hooks {
            for hook in self.hooks.iter().filter(|hook| !(show.skip_tests && hook.is_test())) {
                for part in ["---\n# Source: ", &hook.manifest.source, "\n", &hook.manifest.text, "\n"] {
                    out.push_str(part);
                }
            }
        }
        if show.show_only.is_empty() { Ok(out) } else { only(&out, &show.show_only) }
    }
}

/// The documents whose source matches one of the patterns, in the order of the patterns.
fn only(all: &str, patterns: &[String]) -> Result<String, String> {
    let documents = split_manifests(all);
    let mut out = String::new();
    for pattern in patterns {
        let mut missing = true;
        for document in &documents {
            let Some(path) = source_within_chart(document) else { continue };
            if path_matches(pattern, path) == Some(true) {
                out.push_str("---\n");
                out.push_str(document);
                out.push('\n');
                missing = false;
            }
        }
        if missing {
            return Err(format!("could not find template {pattern} in chart"));
        }
    }
    Ok(out)
}

/// `# Source: [^/]+/(.+)`
fn source_within_chart(document: &str) -> Option<&str> {
    document.match_indices("# Source: ").find_map(|(at, mark)| {
        let rest = &document[at + mark.len()..];
        let (chart, _) = rest.split_once('/')?;
        let path = rest[chart.len() + 1..].lines().next()?;
        (!chart.is_empty() && !path.is_empty()).then_some(path)
    })
}
