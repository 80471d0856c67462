//! What follows from a seed: a chart, values, and what is asked of them.

use std::collections::BTreeMap;

use meshform::helm::{Chart, Limits, RenderError, Show, ValueSource, name_from_template, render, yaml};

use super::super::{Still, options};
use super::guard::Corpus;
use super::mutate::{self, Dice};
use super::{archive, expression};

/// A chart's files by their paths.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The broken inputs: one that does not end, one that panics, one that takes all memory. The others are sound.
pub(super) const HANGS: u64 = 1;
pub(super) const PANICS: u64 = 3;
pub(super) const GROWS: u64 = 4;

/// How an input ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Rendered,
    Refused(String),
    /// By a limit of ours.
    Limited(String),
}

/// The charts that inputs are made from.
pub(super) fn charts(corpus: Corpus) -> Vec<Files> {
    match corpus {
        Corpus::Own => vec![own()],
        #[cfg(feature = "helm")]
        Corpus::Official => {
            super::super::reference::Reference::read().charts.values().map(|path| super::super::reference::files(path)).collect()
        }
        Corpus::Broken => Vec::new(),
    }
}

/// A chart that has a little of everything.
fn own() -> Files {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: own\nversion: 1.2.3\nkubeVersion: '>=1.20-0'\ndependencies:\n- name: below\n  version: '*'\n  condition: below.enabled\n  import-values: [data]\n",
        ),
        (
            "values.yaml",
            "a: &a {b: 1, c: [x, 'y', 2.5, null]}\nd:\n  <<: *a\n  text: |\n    one\n    two\n  folded: >-\n    three\n    four\nbelow: {enabled: true}\nnames: [one, two]\non: yes\n",
        ),
        (
            "values.schema.json",
            r##"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "definitions": {"n": {"type": ["number", "null"], "minimum": 0}},
              "properties": {"names": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "uniqueItems": true},
              "a": {"properties": {"b": {"$ref": "#/definitions/n"}}, "additionalProperties": {"oneOf": [{"type": "array"}, {"const": 1}]}}}}"##,
        ),
        ("templates/_x.tpl", "{{- define \"x\" -}}{{ .Release.Name | trunc 20 | trimSuffix \"-\" }}{{- end -}}\n"),
        (
            "templates/a.yaml",
            "{{- range $i, $n := .Values.names }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include \"x\" $ }}-{{ $n }}\n  labels: {{- dict \"a\" $i | toYaml | nindent 4 }}\ndata:\n  {{- with $.Values.d }}\n  d: {{ toYaml . | quote }}\n  {{- else }}\n  e: {{ fail \"no\" }}\n  {{- end }}\n  f: {{ tpl \"{{ .Values.a.b }}\" $ | quote }}\n  g: {{ $.Files.Get \"notes.txt\" | sha256sum }}\n{{- end }}\n",
        ),
        (
            "templates/hook.yaml",
            "kind: Job\nmetadata:\n  name: {{ printf \"%s-%04d\" .Chart.Name 7 }}\n  annotations: {helm.sh/hook: 'pre-install,test', helm.sh/hook-weight: \"-5\"}\n{{ if .Capabilities.APIVersions.Has \"v1\" }}spec: {a: {{ semverCompare \">=1.20\" .Capabilities.KubeVersion.Version }}}{{ end }}\n",
        ),
        ("templates/NOTES.txt", "{{ regexReplaceAll \"(o)(n)\" \"one\" \"${2}$1\" }} {{ now | date \"2006\" | len }}\n"),
        ("charts/below/Chart.yaml", "apiVersion: v2\nname: below\nversion: 0.1.0\n"),
        ("charts/below/values.yaml", "exports: {data: {imported: 1}}\nlist: [{a: 1}, {b: 2}]\n"),
        ("charts/below/templates/b.yaml", "kind: Secret\ndata: {{ range .Values.list }}\n- {{ toJson . }}{{ end }}\n"),
        ("crds/c.yaml", "kind: CustomResourceDefinition\nmetadata: {name: c}\n"),
        ("notes.txt", "anything\n"),
        (".helmignore", "# no copies\n*.bak\n"),
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}

/// Tries the input of a seed.
pub(super) fn attempt(corpus: Corpus, charts: &[Files], seed: u64) -> Outcome {
    if corpus == Corpus::Broken {
        return broken(seed);
    }
    let mut dice = Dice::new(seed);
    let files = dice.pick(charts).clone();
    let mut values = Vec::new();
    let chart = match dice.below(20) {
        0..=8 => Chart::load(changed(files, charts, "templates/", &mut dice)),
        9 | 10 => Chart::load(changed(files, charts, "values.yaml", &mut dice)),
        11 => Chart::load(changed(files, charts, "values.schema.json", &mut dice)),
        12 => Chart::load(changed(files, charts, "Chart.yaml", &mut dice)),
        13 => Chart::load(changed(files, charts, "", &mut dice)),
        14 | 15 => Chart::from_tgz(&archive::damaged(&files, &mut dice)),
        16 => {
            let text = files.get("values.yaml").cloned().unwrap_or_default();
            values.push(ValueSource::File("v.yaml".to_owned(), mutate::text(text, b"{{", &mut dice)));
            Chart::load(files)
        }
        17 => {
            values.push(flag(&mut dice));
            Chart::load(files)
        }
        _ => Chart::load(bare(&mut dice)),
    };
    let chart = match chart {
        Ok(chart) => chart,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let mut wanted = options("release", "default");
    // Smaller than a user's, since the test isn't optimised.
    wanted.limits = Limits { steps: 500_000, bytes: 64 << 20 };
    wanted.strict = dice.chance(10);
    wanted.lint = dice.chance(10);
    if dice.chance(50) {
        let _ = name_from_template(&expression::action(&mut dice), &mut Still::new());
    }
    let show = Show { include_crds: dice.chance(3), ..Show::default() };
    match render(&chart, &values, &wanted, &mut Still::new()) {
        Ok(release) => match release.print(&show) {
            Ok(_) => Outcome::Rendered,
            Err(error) => Outcome::Refused(error),
        },
        Err(RenderError::Limit(error)) => Outcome::Limited(error),
        Err(error) => Outcome::Refused(error.to_string()),
    }
}

/// A chart with one to three of its files changed, all of whose names begin alike.
fn changed(mut files: Files, charts: &[Files], begin: &str, dice: &mut Dice) -> Files {
    let names: Vec<String> = files.keys().filter(|name| name.starts_with(begin)).cloned().collect();
    for _ in 0..=dice.below(6) / 5 {
        let name = if names.is_empty() { begin.to_owned() } else { dice.pick(&names).clone() };
        let other: Vec<&Vec<u8>> = dice.pick(charts).values().collect();
        let other = (*dice.pick(&other)).clone();
        let text = files.remove(&name).unwrap_or_default();
        files.insert(name, mutate::text(text, &other, dice));
    }
    files
}

/// A chart of actions alone.
fn bare(dice: &mut Dice) -> Files {
    let text: String = (0..=dice.below(2)).map(|_| expression::action(dice) + "\n").collect();
    let mut files = Files::new();
    files.insert("Chart.yaml".to_owned(), b"apiVersion: v2\nname: bare\nversion: 0.1.0\n".to_vec());
    files.insert("values.yaml".to_owned(), b"a: {b: [1, x]}\n".to_vec());
    files.insert("templates/a.yaml".to_owned(), format!("{{{{ define \"x\" }}}}{{{{ . }}}}{{{{ end }}}}{text}").into_bytes());
    files
}

/// A flag such as `--set`.
fn flag(dice: &mut Dice) -> ValueSource {
    const TEXTS: &[&str] =
        &["a.b=1", "a[0].b={x,y}", "a[70000]=1", "a=1,b.c[1][2]=z", "a\\.b=\"x\"", "a={{{{", "a[-1]=x", "global.x=null", "a.b"];
    let text = String::from_utf8_lossy(&mutate::text(dice.pick(TEXTS).as_bytes().to_vec(), b"[9].a={,}\\=", dice)).into_owned();
    match dice.below(4) {
        0 => ValueSource::Set(text),
        1 => ValueSource::SetString(text),
        2 => ValueSource::SetJson(text),
        _ => ValueSource::SetLiteral(text),
    }
}

/// See [`HANGS`].
fn broken(seed: u64) -> Outcome {
    match seed {
        HANGS => loop {
            std::hint::spin_loop();
        },
        PANICS => panic!("on purpose"),
        GROWS => {
            let all: Vec<u8> = Vec::with_capacity(4 << 30);
            Outcome::Refused(format!("there was room for {}", std::hint::black_box(&all).capacity()))
        }
        _ => match yaml::parse(b"a: [1]") {
            Ok(_) => Outcome::Rendered,
            Err(error) => Outcome::Refused(error),
        },
    }
}
