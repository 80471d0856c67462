//! Reads a stack's files: the stack and all that it extends.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Failed, Place, Sources, shown};
use crate::input::MAX_BYTES;
use crate::stack::{File, Files};

/// Most levels of files that extend one another.
pub const MAX_LEVELS: usize = 16;
/// Most files of one stack.
pub const MAX_FILES: usize = 256;

/// Reads a stack, named by path, or by a bare name for `stacks/<name>.yaml` (then `.yml`) under the working directory, with all files that it
/// extends. Their texts go to `sources`, so that diagnostics can show lines. All problems are told before it fails.
pub fn load(stack: &str, sources: &mut Sources, diags: &mut Diagnostics) -> Result<Files, Failed> {
    load_in(Path::new(""), stack, sources, diags)
}

/// The same under another directory than the working directory.
pub fn load_in(base: &Path, stack: &str, sources: &mut Sources, diags: &mut Diagnostics) -> Result<Files, Failed> {
    let Some(path) = locate(base, stack) else {
        let detail = if is_bare(stack) {
            format!("neither stacks/{stack}.yaml nor stacks/{stack}.yml exists")
        } else {
            format!("{} does not exist", shown(stack))
        };
        let help = "name a stack by its path, or by a name for `stacks/<name>.yaml`";
        diags.push(Diagnostic::error("file/not-found", "stack not found", detail).help(help));
        return Err(Failed);
    };
    let mut loader = Loader { base, sources, diags, files: Files::default(), seen: BTreeSet::new(), open: Vec::new() };
    let whole = loader.visit(&path, None);
    let files = loader.files;
    if whole && !diags.has_errors() { Ok(files) } else { Err(Failed) }
}

fn is_bare(stack: &str) -> bool {
    !stack.contains(['/', '\\']) && Path::new(stack).extension().is_none_or(|e| e != "yaml" && e != "yml")
}

fn locate(base: &Path, stack: &str) -> Option<PathBuf> {
    let given = PathBuf::from(stack);
    let named = [format!("stacks/{stack}.yaml"), format!("stacks/{stack}.yml")].map(PathBuf::from);
    let candidates = if is_bare(stack) { named.into_iter().chain([given]).collect() } else { vec![given] };
    let exists = |path: &PathBuf| !is_bare(stack) && base.join(path).exists() || base.join(path).is_file();
    candidates.into_iter().find(exists)
}

struct Loader<'a> {
    base: &'a Path,
    sources: &'a mut Sources,
    diags: &'a mut Diagnostics,
    files: Files,
    /// Files read already, by their real path.
    seen: BTreeSet<PathBuf>,
    /// The files from the stack down to the one being read, by their real path.
    open: Vec<PathBuf>,
}

impl Loader<'_> {
    /// Reads a file and, before it, what it extends. `from` is where it is named.
    fn visit(&mut self, path: &Path, from: Option<&Place>) -> bool {
        let real = match self.base.join(path).canonicalize() {
            Ok(real) => real,
            Err(error) => return self.cannot_read(path, from, &error),
        };
        let at = |diagnostic: Diagnostic| match from {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        };
        if self.open.contains(&real) {
            let detail = format!("{} extends itself, directly or through others", shown(&path.to_string_lossy()));
            self.diags.push(
                at(Diagnostic::error("file/extends-cycle", "files extend one another in a circle", detail)).help("remove this entry"),
            );
            return false;
        }
        if self.seen.contains(&real) {
            return true;
        }
        if self.open.len() >= MAX_LEVELS || self.seen.len() >= MAX_FILES {
            let detail = format!("more than {MAX_LEVELS} levels or {MAX_FILES} files");
            self.diags.push(at(Diagnostic::error("file/extends-depth", "too many files extend one another", detail)));
            return false;
        }
        let bytes = match read(&self.base.join(path)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let detail = format!("{} is a directory, a device or another special file", shown(&path.to_string_lossy()));
                self.diags.push(at(Diagnostic::error("file/special", "not a regular file", detail)));
                return false;
            }
            Err(error) => return self.cannot_read(path, from, &error),
        };
        self.seen.insert(real.clone());
        let name: Arc<str> = Arc::from(path.to_string_lossy().replace('\\', "/"));
        let Ok(file) = File::read(&name, &bytes, self.sources, self.diags) else { return false };
        self.open.push(real);
        let mut whole = true;
        for (extended, place) in file.extends(self.diags) {
            let next = tidy(&path.parent().unwrap_or(Path::new("")).join(&extended));
            whole &= self.visit(&next, Some(&place));
        }
        self.open.pop();
        self.files.files.push(file);
        whole
    }

    fn cannot_read(&mut self, path: &Path, from: Option<&Place>, error: &io::Error) -> bool {
        let name = shown(&path.to_string_lossy());
        let diagnostic = if error.kind() == io::ErrorKind::NotFound {
            let diagnostic = Diagnostic::error("file/not-found", "stack not found", format!("{name} does not exist"));
            if from.is_some() { diagnostic.help("paths are relative to the file that extends them") } else { diagnostic }
        } else {
            Diagnostic::error("file/unreadable", "file can't be read", format!("{name}: {error}"))
        };
        self.diags.push(match from {
            Some(place) => diagnostic.at(place),
            None => diagnostic,
        });
        false
    }
}

/// A regular file's bytes, up to one more than are allowed; nothing for other kinds of file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Asked before opening: to open a pipe waits for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// A path without `.` and, where names allow, without `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::diag::{Style, human};

    /// A name, the files, the stack to load, and how the diagnostics begin.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

    /// Loads `stack` from a folder with these files: the names read in order, and the diagnostics as shown.
    fn loaded(files: &[(&str, &str)], stack: &str) -> (Option<Vec<String>>, String) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
        let read = load_in(folder.path(), stack, &mut sources, &mut diags).ok();
        (read.map(|read| read.files.iter().map(|file| file.name.to_string()).collect()), human(&diags, &sources, Style::Plain))
    }

    #[test]
    fn a_stack_is_found_by_path_and_by_name() {
        let files = [("stacks/a.yaml", "x: 1"), ("stacks/b.yml", "x: 1"), ("c.yaml", "x: 1"), ("stacks/d.yaml", "x: 1"), ("d", "x: 1")];
        for (stack, wanted) in [
            ("a", "stacks/a.yaml"),
            ("b", "stacks/b.yml"),
            ("c.yaml", "c.yaml"),
            ("stacks/a.yaml", "stacks/a.yaml"),
            ("d", "stacks/d.yaml"),
            ("./d", "./d"),
        ] {
            assert_eq!(loaded(&files, stack), (Some(vec![wanted.to_owned()]), String::new()), "{stack}");
        }
    }

    #[test]
    fn what_is_extended_comes_first_and_once() {
        let files = [
            ("s/top.yaml", "extends: [mid/a.yaml, mid/b.yaml]"),
            ("s/mid/a.yaml", "extends: ../base.yaml"),
            ("s/mid/b.yaml", "extends: ../base.yaml"),
            ("s/base.yaml", "x: 1"),
        ];
        let wanted = ["s/base.yaml", "s/mid/a.yaml", "s/mid/b.yaml", "s/top.yaml"].map(str::to_owned).to_vec();
        assert_eq!(loaded(&files, "s/top.yaml"), (Some(wanted), String::new()));
    }

    #[test]
    fn files_that_cannot_be_read_are_told_where_they_are_named() {
        let tower: Vec<(String, String)> = (0..20).map(|n| (format!("f{n}.yaml"), format!("extends: f{}.yaml", n + 1))).collect();
        let tower: Vec<(&str, &str)> = tower.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let cases: [Case<'_>; 5] = [
            (
                "an unknown name",
                &[],
                "prod",
                "error[file/not-found]: stack not found\n   = neither stacks/prod.yaml nor stacks/prod.yml exists\n",
            ),
            (
                "an unknown file",
                &[("a.yaml", "extends: b.yaml")],
                "a.yaml",
                "error[file/not-found]: stack not found\n  --> a.yaml:1:10\n   |  extends: b.yaml\n   |           ^^^^^^ `b.yaml` does not exist\n",
            ),
            (
                "a circle",
                &[("a.yaml", "extends: b.yaml"), ("b.yaml", "extends: ./a.yaml")],
                "a.yaml",
                "error[file/extends-cycle]: files extend one another in a circle\n  --> b.yaml:1:10\n",
            ),
            (
                "a folder",
                &[("a.yaml", "extends: [b]"), ("b/c", "")],
                "a.yaml",
                "error[file/special]: not a regular file\n  --> a.yaml:1:11\n",
            ),
            ("too many levels", &tower, "f0.yaml", "error[file/extends-depth]: too many files extend one another\n  --> f15.yaml:1:10\n"),
        ];
        for (name, files, stack, wanted) in cases {
            let (read, shown) = loaded(files, stack);
            assert_eq!(read, None, "{name}");
            assert!(shown.starts_with(wanted), "{name}: {shown}");
        }
    }
}
