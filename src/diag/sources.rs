//! The texts that diagnostics point into.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Place;

/// The files that were read, by the name that a [`Place`] holds. Files that may hold secrets, such as variable files, are never put in: a
/// diagnostic about them names the place without showing the line.
#[derive(Clone, Default)]
pub struct Sources {
    files: BTreeMap<Arc<str>, Vec<Box<str>>>,
    hidden: BTreeSet<(Arc<str>, usize)>,
}

impl Sources {
    /// Adds a file's text.
    pub fn add(&mut self, file: &Arc<str>, text: &str) {
        self.files.insert(Arc::clone(file), lines(text).map(Box::from).collect());
    }

    /// Takes what another has over.
    pub fn append(&mut self, other: Self) {
        self.files.extend(other.files);
        self.hidden.extend(other.hidden);
    }

    /// Never shows the lines of a place again, nor as many further lines as given: a secret stands there.
    pub fn hide(&mut self, place: &Place, further: usize) {
        self.hidden.extend((place.line..=place.line + further).map(|line| (Arc::clone(&place.file), line)));
    }

    /// The line of a place, without its line break; absent when the file isn't known or is shorter, and when the line is hidden.
    pub fn line(&self, place: &Place) -> Option<&str> {
        if self.hidden.contains(&(Arc::clone(&place.file), place.line)) {
            return None;
        }
        self.files.get(&place.file)?.get(place.line.checked_sub(1)?).map(|line| &**line)
    }

    /// The place of the `nth` (from 0) occurrence of `needle` at or after the start of `place`.
    pub fn find(&self, place: &Place, needle: &str, nth: usize) -> Option<Place> {
        let lines = self.files.get(&place.file)?;
        let mut left = nth;
        for (index, line) in lines.iter().enumerate().skip(place.line.checked_sub(1)?) {
            let skipped = if index + 1 == place.line { place.column - 1 } else { 0 };
            let mut start = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
            while let Some(at) = line[start..].find(needle) {
                if left == 0 {
                    let column = line[..start + at].chars().count() + 1;
                    return Some(Place { line: index + 1, column, length: needle.chars().count(), ..place.clone() });
                }
                left -= 1;
                start += at + needle.len();
            }
        }
        None
    }
}

/// Lines as YAML counts them: ended by LF, CR LF or CR.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}
