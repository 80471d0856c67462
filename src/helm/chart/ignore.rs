//! .helmignore: `internal/ignore/rules.go`.

use super::{ChartError, path_match};

/// The rules of a .helmignore, and Helm's own.
pub(super) struct Rules(Vec<Pattern>);

struct Pattern {
    shape: String,
    negate: bool,
    must_dir: bool,
    /// Without a slash the pattern is held against the last part of a path.
    base_only: bool,
}

impl Rules {
    /// Parses the file; its absence is an empty one.
    pub(super) fn parse(text: &str) -> Result<Self, ChartError> {
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let mut rules = Self(Vec::new());
        for line in text.lines().chain(["templates/.?*"]) {
            rules.add(line.trim())?;
        }
        Ok(rules)
    }

    fn add(&mut self, rule: &str) -> Result<(), ChartError> {
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err(ChartError::new("double-star (**) syntax is not supported"));
        }
        if path_match::matches(rule, "abc").is_none() {
            return Err(ChartError::new("syntax error in pattern"));
        }
        let (negate, rule) = rule.strip_prefix('!').map_or((false, rule), |rule| (true, rule));
        let (must_dir, rule) = rule.strip_suffix('/').map_or((false, rule), |rule| (true, rule));
        let base_only = !rule.contains('/');
        let shape = rule.strip_prefix('/').unwrap_or(rule).to_owned();
        self.0.push(Pattern { shape, negate, must_dir, base_only });
        Ok(())
    }

    /// Whether a path within the chart is left out.
    pub(super) fn ignore(&self, path: &str, is_dir: bool) -> bool {
        for rule in &self.0 {
            let name = if rule.base_only { path.rsplit('/').next().unwrap_or(path) } else { path };
            let matched = path_match::matches(&rule.shape, name).unwrap_or(false);
            if rule.negate {
                if rule.must_dir && !is_dir || !matched {
                    return true;
                }
            } else if matched && (!rule.must_dir || is_dir) {
                return true;
            }
        }
        false
    }

    /// Whether a file is left out, itself or with a folder that it is in.
    pub(super) fn ignore_file(&self, path: &str) -> bool {
        path.match_indices('/').any(|(end, _)| self.ignore(&path[..end], true)) || self.ignore(path, false)
    }
}
