//! Reads the files that `manifests:` name.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, Failed, Place, Sources, shown};
use crate::render::{ManifestFile, ManifestFiles};
use crate::stack::Stack;
use crate::stack::manifests::ManifestSource;

/// Most bytes of one file: a bundle of large CustomResourceDefinitions has two million.
pub const MAX_BYTES: u64 = 16 << 20;
/// Most files of a stack.
pub const MAX_FILES: usize = 4096;

/// Reads them all; their texts go to `sources`, so that diagnostics can show lines. All problems are told before it fails.
pub fn load(stack: &Stack, sources: &mut Sources, diags: &mut Diagnostics) -> Result<ManifestFiles, Failed> {
    let mut files = ManifestFiles::new();
    let mut count = 0;
    let sets = stack.manifests.values().flat_map(|set| &set.sources);
    for (path, place, is_needed) in sets.filter_map(|source| match source {
        ManifestSource::File { path, place } => Some((path, place, true)),
        // A template may be a built-in one.
        ManifestSource::Template(used) => Some((&used.path, &used.place, false)),
        ManifestSource::Inline { .. } => None,
    }) {
        if files.contains_key(path) || (!is_needed && !Path::new(path).exists()) {
            continue;
        }
        let mut read = Vec::new();
        match paths(Path::new(path)) {
            Ok(paths) if paths.is_empty() => {
                let detail = format!("{} holds no `.yaml`, `.yml` or `.json`", shown(path));
                diags.push(Diagnostic::error("manifest/not-found", "manifest not found", detail).at(place));
            }
            Ok(paths) => {
                for path in paths {
                    count += 1;
                    if count > MAX_FILES {
                        let detail = format!("more than {MAX_FILES} files of manifests");
                        diags.push(Diagnostic::error("manifest/too-large", "too many manifests", detail).at(place));
                        return Err(Failed);
                    }
                    read.extend(file(&path, place, sources, diags));
                }
            }
            Err(error) => unreadable(path, &error, place, diags),
        }
        files.insert(path.clone(), read);
    }
    diags.check()?;
    Ok(files)
}

/// The file of this path, or the manifests in the folder of this path, in the order of their names.
fn paths(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let is_manifest = path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|one| extension == *one));
        if is_manifest && fs::metadata(&path)?.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn file(path: &Path, place: &Place, sources: &mut Sources, diags: &mut Diagnostics) -> Option<ManifestFile> {
    let name: Arc<str> = Arc::from(path.to_string_lossy().replace('\\', "/"));
    let mut bytes = Vec::new();
    let read = fs::metadata(path).and_then(|metadata| {
        // Asked before opening: to open a pipe waits for its writer.
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        unreadable(&name, &error, place, diags);
        return None;
    }
    if bytes.len() as u64 > MAX_BYTES {
        let detail = format!("{} has more than {MAX_BYTES} bytes", shown(&name));
        diags.push(Diagnostic::error("manifest/too-large", "too many manifests", detail).at(place));
        return None;
    }
    if let Ok(text) = String::from_utf8(bytes) {
        sources.add(&name, &text);
        Some(ManifestFile { name, text })
    } else {
        let detail = format!("{} is not UTF-8", shown(&name));
        diags.push(Diagnostic::error("manifest/yaml", "manifest can't be read", detail).at(place));
        None
    }
}

fn unreadable(path: &str, error: &io::Error, place: &Place, diags: &mut Diagnostics) {
    let diagnostic = if error.kind() == io::ErrorKind::NotFound {
        let detail = format!("{} does not exist", shown(path));
        Diagnostic::error("manifest/not-found", "manifest not found", detail).help("paths are relative to the file that names them")
    } else {
        Diagnostic::error("file/unreadable", "file can't be read", format!("{}: {error}", shown(path)))
    };
    diags.push(diagnostic.at(place));
}
