//! The rules of the code's shape, held by reading it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The modules in their order: each uses only those before it (docs of the crate, "The map").
const ORDER: &[&[&str]] = &[
    &["addr", "diag", "secret", "input", "fields"],
    &["stack", "resource", "material", "event", "observed", "state"],
    &["helm", "render", "compose", "graph", "ready", "permissions", "plan"],
    &["clock", "source", "store", "provider", "sandbox"],
    &["observe", "apply"],
    &["ops"],
    &["cli"],
];
/// How many of these groups are pure.
const PURE_GROUPS: usize = 3;

/// What the pure modules may not know of: time, files, the environment, the network, and waiting.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "Instant::now",
];

/// The files in which secret bytes are laid bare, each for its reason.
const BARE: &[(&str, &str)] = &[
    ("secret.rs", "where the types are"),
    ("material/key.rs", "an exported key, or that of a file, is decrypted, and compared with its certificate"),
    ("render/charts.rs", "what a chart looks up is given to its templates"),
    ("material/document.rs", "a secret's value that is taken over is held against what would be written"),
    ("source/chart/http.rs", "a server's login becomes a header"),
    ("source/chart/login.rs", "what a helper program says is read"),
    ("source/chart/oci.rs", "a registry's login becomes a header"),
    ("render/charts.rs", "an object that a chart looks up becomes a value for it"),
    ("provider/aws/ecr.rs", "a login is taken out of the answer that holds it"),
    ("provider/aws/acm.rs", "the passphrase of an export is sent, and the key of an import"),
    ("provider/aws/secretsmanager.rs", "a secret's document is sent"),
    ("provider/kube/connect.rs", "a bearer token becomes a header"),
    ("provider/kube/live.rs", "a live Secret's key is compared with its certificate"),
    ("provider/kube/mod.rs", "an object's body is sent"),
    ("provider/kube/body.rs", "a Secret's values become part of an object's body"),
    ("apply/objects.rs", "key and certificate become a Secret's data, and are compared with it"),
];

/// A line of a source file that isn't a comment or a test.
struct Line {
    file: String,
    number: usize,
    text: String,
}

impl Line {
    fn place(&self) -> String {
        format!("src/{}:{}: {}", self.file, self.number, self.text.trim())
    }

    /// The top module that the file belongs to.
    fn module(&self) -> &str {
        self.file.split('/').next().unwrap().trim_end_matches(".rs")
    }
}

fn sources() -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut lines = Vec::new();
    for path in files {
        let file = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        let is_test = file.split('/').any(|part| part == "tests" || part == "tests.rs");
        if is_test {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate() {
            // Tests stand at the end of a file; a module of tests in a file of its own is only named.
            if line.trim() == "mod tests {" {
                break;
            }
            if !line.trim_start().starts_with("//") {
                lines.push(Line { file: file.clone(), number: index + 1, text: line.to_owned() });
            }
        }
    }
    assert!(lines.len() > 5_000, "only {} lines were read", lines.len());
    lines
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules that a line names by `crate::`, nested lists (`use crate::{a, b::c}`) among them.
fn used(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        // `$crate::` and `some_crate::` are other things.
        if line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &line[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (index, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && c.is_ascii_alphabetic() => {
                        found.push(word(&list[index..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(word(rest));
        }
    }
    found
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())]
}

#[test]
fn a_module_uses_only_modules_before_it() {
    let rank: BTreeMap<&str, usize> = ORDER.concat().into_iter().enumerate().map(|(index, module)| (module, index)).collect();
    let mut wrong = Vec::new();
    for line in sources() {
        if ["lib", "main"].contains(&line.module()) {
            continue;
        }
        let Some(own) = rank.get(line.module()) else {
            wrong.push(format!("{} has no place in the order", line.file));
            continue;
        };
        for used in used(&line.text) {
            match rank.get(used) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!("`{}` uses `{used}`, which comes later: {}", line.module(), line.place())),
                // A macro or a constant at the crate's root.
                None if used.chars().any(|c| c.is_ascii_uppercase()) => {}
                None => wrong.push(format!("`{used}` has no place in the order: {}", line.place())),
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn uses_are_read_in_all_their_forms() {
    assert_eq!(used("use crate::addr::Addr;"), ["addr"]);
    assert_eq!(used("use crate::{addr::{Addr, Kind}, plan, state::State};"), ["addr", "plan", "state"]);
    assert_eq!(used("fn f(x: &crate::graph::Graph) -> crate::plan::Plan {"), ["graph", "plan"]);
    assert_eq!(used("other_crate::x()"), Vec::<&str>::new());
}

#[test]
fn the_order_names_each_module_of_the_crate_once() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap();
    let mut declared: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut ordered = ORDER.concat();
    declared.sort_unstable();
    ordered.sort_unstable();
    assert_eq!(declared, ordered);
}

#[test]
fn the_pure_modules_know_no_clock_file_environment_or_network() {
    let pure = ORDER[..PURE_GROUPS].concat();
    let wrong: Vec<String> = sources()
        .iter()
        .filter(|line| pure.contains(&line.module()))
        .filter(|line| IMPURE.iter().any(|word| line.text.contains(word)))
        .map(Line::place)
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn secret_bytes_are_laid_bare_in_few_files_and_each_is_named() {
    let mut wrong: Vec<String> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for line in sources() {
        if line.text.contains("expose_secret(") || line.text.contains("expose_pem(") {
            if !BARE.iter().any(|(file, _)| *file == line.file) {
                wrong.push(line.place());
            }
            seen.push(line.file);
        }
    }
    assert!(wrong.is_empty(), "secret bytes are laid bare outside the list:\n{}", wrong.join("\n"));
    let idle: Vec<&str> = BARE.iter().map(|(file, _)| *file).filter(|file| !seen.iter().any(|seen| seen == file)).collect();
    assert!(idle.is_empty(), "these need not be in the list: {idle:?}");
}

#[test]
fn one_implementation_of_tls_is_in_the_tree() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let packages: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    for unwanted in ["aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys", "openssl", "openssl-sys", "native-tls", "boring", "boring-sys"] {
        assert!(!packages.contains(&unwanted), "{unwanted} is in Cargo.lock");
    }
    assert!(packages.contains(&"ring") && packages.contains(&"rustls"), "the lock file is not read rightly");
}
