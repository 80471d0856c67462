//! The tables of `functions/`: what Helm's engine makes of single calls. `functions/regenerate` writes what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use meshform::helm::{Chart, KubeVersion, RenderError, Show, ValueSource, func, render};

use super::{Still, options};

/// Rows whose outcome is another than Helm's, each for its reason. `docs/helm.md` lists them; a row that comes out alike must leave this list.
const KNOWN: &[(&str, &str)] = &[("{{ 1i }}", "complex numbers are not read: nothing in a chart takes one")];

/// A row: its file, its template, what is expected.
pub(super) struct Row {
    pub(super) table: String,
    template: String,
    expected: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm/functions")
}

fn rows() -> Vec<Row> {
    rows_of(&folder())
}

/// The rows of the tables in a folder.
pub(super) fn rows_of(folder: &Path) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt")) {
        let table = file.file_stem().unwrap().to_str().unwrap();
        for line in std::fs::read_to_string(file).unwrap().lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix("  ") {
                None => rows.push(Row { table: table.to_owned(), template: line.to_owned(), expected: String::new() }),
                Some(expected) => expected.clone_into(&mut rows.last_mut().unwrap().expected),
            }
        }
    }
    rows
}

/// As `regenerate` writes it.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => write!(out, "\\x{:02x}", u32::from(letter)).unwrap(),
            _ => out.push(letter),
        }
    }
    out
}

/// The text of one template. A chart's documents are read as YAML and trimmed; its notes are printed as they are.
pub(super) fn rendered(template: &str, values: &[ValueSource]) -> Result<String, RenderError> {
    let files = [("Chart.yaml", "apiVersion: v2\nname: table\nversion: 0.1.0\n"), ("templates/NOTES.txt", template)];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect();
    let chart = Chart::load(files).unwrap();
    // The cluster that Helm's engine takes as given in `main.go`.
    let mut options = options("row", "default");
    options.kube_version = KubeVersion::parse("v1.20.0").unwrap();
    render(&chart, values, &options, &mut Still::new()).map(|release| {
        assert_eq!(release.print(&Show::default()).unwrap().trim(), "");
        release.notes
    })
}

/// Renders each row with the folder's values: how many rows each table has, and what differs.
pub(super) fn compare(folder: &Path) -> (BTreeMap<String, usize>, Vec<String>) {
    let values = std::fs::read(folder.join("values.yaml")).unwrap();
    let values = [ValueSource::File("values.yaml".to_owned(), values)];
    let (mut wrong, mut count) = (Vec::new(), BTreeMap::<String, usize>::new());
    for row in rows_of(folder) {
        *count.entry(row.table.clone()).or_default() += 1;
        let found = match rendered(&row.template, &values) {
            Ok(text) => format!("= {}", escaped(&text)),
            Err(error) => format!("! {}", escaped(&error.to_string().replace("table/templates/NOTES.txt", "table/templates/row"))),
        };
        let known = KNOWN.iter().any(|(template, _)| *template == row.template);
        if known == (found == row.expected) {
            wrong.push(format!("{}: {}\n  expected {}\n  found    {found}", row.table, row.template, row.expected));
        }
    }
    (count, wrong)
}

#[test]
fn functions_give_what_helm_gives() {
    let (count, wrong) = compare(&folder());
    let total: usize = count.values().sum();
    println!("{total} rows: {count:?}");
    assert!(total > 1_000, "only {total} rows were read");
    assert!(wrong.is_empty(), "{} of {total} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_function_has_at_least_two_rows() {
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows() {
        let letters = row.template.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in letters.collect::<BTreeSet<_>>() {
            *words.entry(word.to_owned()).or_default() += 1;
        }
    }
    let lacking: Vec<&str> = func::names().filter(|name| words.get(*name).copied().unwrap_or(0) < 2).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
