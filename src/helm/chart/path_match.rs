//! `filepath.Match`: shell patterns in which `*` stops at slashes.

/// Whether the pattern matches the whole name; none where the pattern is malformed.
#[must_use]
pub(crate) fn matches(pattern: &str, name: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    check(&pattern)?;
    Some(from(&pattern, &name))
}

/// Finds malformed patterns ahead: a class without its end, an escape of nothing.
fn check(pattern: &[char]) -> Option<()> {
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            '\\' => after.get(1..)?,
            '[' => class(after, '\0')?.1,
            _ => after,
        };
    }
    Some(())
}

fn from(mut pattern: &[char], mut name: &[char]) -> bool {
    // The last star seen, and where it began to match: greedy matching with one step back is enough.
    let mut star: Option<(&[char], &[char])> = None;
    loop {
        if let Some(('*', after)) = pattern.split_first() {
            pattern = after;
            star = Some((after, name));
            continue;
        }
        if pattern.is_empty() && name.is_empty() {
            return true;
        }
        let stepped = name.split_first().and_then(|(rune, rest)| one(pattern, *rune).map(|after| (after, rest)));
        if let Some((after, rest)) = stepped {
            (pattern, name) = (after, rest);
            continue;
        }
        match star {
            Some((after, at)) => match at.split_first() {
                Some((rune, rest)) if *rune != '/' => {
                    star = Some((after, rest));
                    (pattern, name) = (after, rest);
                }
                _ => return false,
            },
            None => return false,
        }
    }
}

/// Matches one rune; what remains of the pattern.
fn one(pattern: &[char], rune: char) -> Option<&[char]> {
    let (first, after) = pattern.split_first()?;
    match first {
        '?' => (rune != '/').then_some(after),
        '[' => {
            let (found, after) = class(after, rune)?;
            found.then_some(after)
        }
        '\\' => {
            let (literal, after) = after.split_first()?;
            (*literal == rune).then_some(after)
        }
        literal => (*literal == rune).then_some(after),
    }
}

/// A class after its bracket: whether the rune is in it, and what follows.
fn class(pattern: &[char], rune: char) -> Option<(bool, &[char])> {
    let (negated, mut rest) = match pattern.split_first()? {
        ('^', after) => (true, after),
        _ => (false, pattern),
    };
    let mut found = false;
    let mut ranges = 0;
    loop {
        if let Some((']', after)) = rest.split_first()
            && ranges > 0
        {
            return Some((found != negated, after));
        }
        let (low, after) = member(rest)?;
        let mut high = low;
        rest = after;
        if let Some(('-', after)) = rest.split_first() {
            (high, rest) = member(after)?;
        }
        found |= (low..=high).contains(&rune);
        ranges += 1;
    }
}

fn member(pattern: &[char]) -> Option<(char, &[char])> {
    match pattern.split_first()? {
        ('-' | ']', _) => None,
        ('\\', after) => after.split_first().map(|(rune, rest)| (*rune, rest)),
        (rune, after) => Some((*rune, after)),
    }
}
