//! Real Helm: what it says to a chart, values and flags, kept by a hash of all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshform::helm::{Host, RenderError, Show, ValueSource, render};
use meshform::source::chart::folder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{KUBE_VERSION, Still, options};

/// What `tests/helm/reference` made ready.
#[derive(Deserialize)]
pub(super) struct Reference {
    helm: PathBuf,
    cache: PathBuf,
    pub(super) charts: BTreeMap<String, PathBuf>,
}

/// What came of a chart: its text, or an error without its `Error: `.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Text(String),
    Failed(String),
}

/// One rendering: values and flags.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    /// What it is about.
    pub(super) label: String,
    /// A values file, as JSON.
    pub(super) values: Option<serde_json::Value>,
    /// The values of `--set`.
    pub(super) set: Vec<String>,
    pub(super) set_string: Vec<String>,
    pub(super) set_json: Vec<String>,
    pub(super) set_literal: Vec<String>,
    pub(super) kube_version: Option<String>,
    pub(super) api_versions: Vec<String>,
    pub(super) is_upgrade: bool,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) show: Show,
}

impl Case {
    pub(super) fn named(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: &str| flags.extend([name.to_owned(), value.to_owned()]);
        for (name, values) in [
            ("--set", &self.set),
            ("--set-string", &self.set_string),
            ("--set-json", &self.set_json),
            ("--set-literal", &self.set_literal),
            ("--api-versions", &self.api_versions),
            ("--show-only", &self.show.show_only),
        ] {
            for value in values {
                flag(name, value);
            }
        }
        flag("--kube-version", self.kube_version.as_deref().unwrap_or(KUBE_VERSION));
        flag("--namespace", self.namespace.as_deref().unwrap_or("default"));
        for (name, on) in [
            ("--is-upgrade", self.is_upgrade),
            ("--include-crds", self.show.include_crds),
            ("--no-hooks", self.show.no_hooks),
            ("--skip-tests", self.show.skip_tests),
        ] {
            if on {
                flags.push(name.to_owned());
            }
        }
        flags
    }

    fn values_text(&self) -> Option<String> {
        self.values.as_ref().map(|values| serde_json::to_string_pretty(values).unwrap())
    }

    fn release(&self) -> &str {
        self.name.as_deref().unwrap_or("release")
    }
}

impl Reference {
    /// The one that `tests/helm/reference run` names.
    pub(super) fn read() -> Self {
        let file = std::env::var("MESHFORM_HELM_REFERENCE").expect("run by `tests/helm/reference run -- cargo test --features helm`");
        serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
    }

    /// What Helm says.
    pub(super) fn helm(&self, chart: &Path, case: &Case) -> Answer {
        let values = case.values_text();
        let hash = self.key(chart, case, values.as_deref());
        let kept = self.cache.join("answers").join(hash);
        if let Ok(text) = std::fs::read(&kept) {
            return serde_json::from_slice(&text).unwrap();
        }
        let out = self.run(chart, case, values.as_deref());
        let answer = if out.status.success() {
            Answer::Text(String::from_utf8(out.stdout).unwrap())
        } else {
            let told = String::from_utf8_lossy(&out.stderr).into_owned();
            let error = told.find("Error: ").map_or(told.as_str(), |at| &told[at + "Error: ".len()..]);
            let hint = "\n\nUse --debug flag to render out invalid YAML";
            Answer::Failed(error.trim_end().trim_end_matches(hint).trim_end().to_owned())
        };
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::write(&kept, serde_json::to_vec(&answer).unwrap()).unwrap();
        answer
    }

    /// Helm itself, with nothing of this process's environment.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.helm);
        command.env_clear().env("HOME", &self.cache).env("TZ", "UTC");
        command
    }

    fn run(&self, chart: &Path, case: &Case, values: Option<&str>) -> std::process::Output {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(&self.helm);
        command.env_clear().env("HOME", folder.path()).env("TZ", "UTC").current_dir(folder.path());
        command.arg("template").arg(case.release()).arg(chart).args(case.flags());
        if let Some(values) = values {
            std::fs::write(folder.path().join("values.yaml"), values).unwrap();
            command.args(["--values", "values.yaml"]);
        }
        command.output().unwrap()
    }

    /// What Helm says on its standard error beside an error: each line once, in the order of the alphabet, without the place in Helm's source.
    pub(super) fn warnings(&self, chart: &Path, case: &Case) -> Vec<String> {
        let out = self.run(chart, case, case.values_text().as_deref());
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        let place = |line: &str| line.split_once(".go:").and_then(|(_, rest)| rest.split_once(": ")).map(|(_, rest)| rest.to_owned());
        let lines = told.lines().filter(|line| line.contains(".go:") || line.starts_with("WARNING"));
        let lines: std::collections::BTreeSet<String> = lines.map(|line| place(line).unwrap_or_else(|| line.to_owned())).collect();
        lines.into_iter().collect()
    }

    fn key(&self, chart: &Path, case: &Case, values: Option<&str>) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{} {:?} {:?} {values:?}", self.helm.display(), case.release(), case.flags()));
        for (name, data) in files(chart) {
            hash.update(name);
            hash.update(Sha256::digest(&data));
        }
        super::hexadecimal(&hash.finalize())
    }
}

/// What meshform says.
pub(super) fn ours(chart: &Path, case: &Case) -> Answer {
    ours_by(chart, case, &mut Still::new())
}

/// What meshform says, with a host of the test's own.
pub(super) fn ours_by(chart: &Path, case: &Case, host: &mut (dyn Host + Send)) -> Answer {
    let mut wanted = options(case.release(), case.namespace.as_deref().unwrap_or("default"));
    if let Some(version) = &case.kube_version {
        wanted.kube_version = meshform::helm::KubeVersion::parse(version).unwrap();
    }
    wanted.api_versions.clone_from(&case.api_versions);
    wanted.is_upgrade = case.is_upgrade;
    let mut sources: Vec<ValueSource> = Vec::new();
    sources.extend(case.values_text().map(|text| ValueSource::File("values.yaml".to_owned(), text.into_bytes())));
    sources.extend(case.set.iter().cloned().map(ValueSource::Set));
    sources.extend(case.set_string.iter().cloned().map(ValueSource::SetString));
    sources.extend(case.set_json.iter().cloned().map(ValueSource::SetJson));
    sources.extend(case.set_literal.iter().cloned().map(ValueSource::SetLiteral));
    let chart = match folder::read(chart) {
        Ok(fetched) => fetched.chart,
        Err(error) => return Answer::Failed(error.to_string()),
    };
    let printed = render(&chart, &sources, &wanted, host)
        .map_err(|error: RenderError| error.to_string())
        .and_then(|release| release.print(&case.show));
    match printed {
        Ok(text) => Answer::Text(text),
        Err(error) => Answer::Failed(error.trim_end().to_owned()),
    }
}

/// Of several problems of one schema Helm tells in any order.
pub(super) fn in_order(error: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = error.lines().collect();
    if error.contains("meet the specifications of the schema") {
        lines.sort_unstable();
    }
    lines
}

/// All files of a folder by their paths in it.
pub(super) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}
