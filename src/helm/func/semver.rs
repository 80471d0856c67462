//! Versions and constraints as Helm compares them.
//!
//! Follows `github.com/Masterminds/semver/v3`: versions may lack minor and patch and begin with `v`; a constraint is `||` of groups, each an
//! "and" of comparisons. A prerelease satisfies only a group that names a prerelease itself.

use std::cmp::Ordering;
use std::fmt;

use crate::helm::strconv;

/// The longest version that is read.
const MOST_VERSION_BYTES: usize = 256;
/// The longest constraint that is read.
const MOST_CONSTRAINT_BYTES: usize = 512;
/// The most groups of a constraint.
const MOST_GROUPS: usize = 32;

/// Why a version or a constraint can't be read, in the words of the Go package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SemverError(String);

impl SemverError {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A version; `v1.2` is read as 1.2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// What follows `-`, or nothing.
    pub prerelease: String,
    /// What follows `+`, or nothing.
    pub metadata: String,
    /// The text that was read.
    pub original: String,
}

impl Version {
    /// Reads a version leniently, as `NewVersion` does.
    pub fn new(text: &str) -> Result<Self, SemverError> {
        if text.len() > MOST_VERSION_BYTES {
            return Err(SemverError::new(format!("version string is too long (max {MOST_VERSION_BYTES} bytes)")));
        }
        let parts = Loose::read(text, |b| b.is_ascii_digit()).filter(|parts| parts.end == text.len());
        let parts = parts.ok_or_else(|| SemverError::new("invalid semantic version"))?;
        let version = Self {
            major: segment(parts.numbers[0])?,
            minor: segment(parts.numbers[1])?,
            patch: segment(parts.numbers[2])?,
            prerelease: parts.prerelease.to_owned(),
            metadata: parts.metadata.to_owned(),
            original: text.to_owned(),
        };
        check_prerelease(&version.prerelease)?;
        Ok(version)
    }

    /// Reads a version strictly, as `StrictNewVersion` does: three numbers, no `v`, no leading zero.
    pub fn strict(text: &str) -> Result<Self, SemverError> {
        if text.is_empty() {
            return Err(SemverError::new("version string empty"));
        }
        if text.len() > MOST_VERSION_BYTES {
            return Err(SemverError::new(format!("version string is too long (max {MOST_VERSION_BYTES} bytes)")));
        }
        let parts: Vec<&str> = text.splitn(3, '.').collect();
        let [major, minor, rest] = parts[..] else { return Err(SemverError::new("invalid semantic version")) };
        let (rest, metadata) = rest.split_once('+').map_or((rest, None), |(rest, metadata)| (rest, Some(metadata)));
        // Nothing after the mark is an empty identifier.
        if metadata == Some("") {
            return Err(SemverError::new("invalid metadata string"));
        }
        check_metadata(metadata.unwrap_or_default())?;
        let (patch, prerelease) = rest.split_once('-').map_or((rest, None), |(patch, prerelease)| (patch, Some(prerelease)));
        if prerelease == Some("") {
            return Err(SemverError::new("invalid prerelease string"));
        }
        check_prerelease(prerelease.unwrap_or_default())?;
        let numbers = [major, minor, patch];
        for number in numbers {
            if !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(SemverError::new("invalid characters in version"));
            }
            if number.len() > 1 && number.starts_with('0') {
                return Err(SemverError::new("version segment starts with 0"));
            }
        }
        let read = |text: &str| match text.parse() {
            Ok(number) => Ok(number),
            Err(_) if text.is_empty() => Err(SemverError::new("strconv.ParseUint: parsing \"\": invalid syntax")),
            Err(_) => Err(SemverError::new(format!("strconv.ParseUint: parsing \"{text}\": value out of range"))),
        };
        Ok(Self {
            major: read(major)?,
            minor: read(minor)?,
            patch: read(patch)?,
            prerelease: prerelease.unwrap_or_default().to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// The order of versions; metadata is of no weight. This is not `Ord`: versions that compare equal may differ.
    pub fn compare(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch).cmp(&(other.major, other.minor, other.patch)).then_with(|| {
            match (self.prerelease.is_empty(), other.prerelease.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            }
        })
    }

    /// The next version of the same minor.
    #[must_use]
    pub fn inc_patch(&self) -> Self {
        let patch = if self.prerelease.is_empty() { self.patch.wrapping_add(1) } else { self.patch };
        self.bare(self.major, self.minor, patch)
    }

    /// The next minor version.
    #[must_use]
    pub fn inc_minor(&self) -> Self {
        self.bare(self.major, self.minor.wrapping_add(1), 0)
    }

    /// The next major version.
    #[must_use]
    pub fn inc_major(&self) -> Self {
        self.bare(self.major.wrapping_add(1), 0, 0)
    }

    /// The same with another prerelease, which may be none.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, SemverError> {
        check_prerelease(prerelease)?;
        let version = Self { prerelease: prerelease.to_owned(), ..self.clone() };
        Ok(version.renamed(&self.original))
    }

    /// The same with other metadata, which may be none.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, SemverError> {
        check_metadata(metadata)?;
        let version = Self { metadata: metadata.to_owned(), ..self.clone() };
        Ok(version.renamed(&self.original))
    }

    fn renamed(mut self, before: &str) -> Self {
        self.original = format!("{}{self}", if before.starts_with('v') { "v" } else { "" });
        self
    }

    fn bare(&self, major: u64, minor: u64, patch: u64) -> Self {
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        let original = format!("{prefix}{major}.{minor}.{patch}");
        Self { major, minor, patch, prerelease: String::new(), metadata: String::new(), original }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn check_metadata(text: &str) -> Result<(), SemverError> {
    if text.is_empty() || text.split('.').all(is_identifier) { Ok(()) } else { Err(SemverError::new("invalid metadata string")) }
}

fn check_prerelease(text: &str) -> Result<(), SemverError> {
    for one in text.split('.').filter(|_| !text.is_empty()) {
        if !one.is_empty() && one.bytes().all(|b| b.is_ascii_digit()) {
            if one.len() > 1 && one.starts_with('0') {
                return Err(SemverError::new("version segment starts with 0"));
            }
        } else if !is_identifier(one) {
            return Err(SemverError::new("invalid prerelease string"));
        }
    }
    Ok(())
}

fn segment(text: &str) -> Result<u64, SemverError> {
    if text.is_empty() {
        return Ok(0);
    }
    let range = |_| SemverError::new(format!("error parsing version segment: strconv.ParseUint: parsing \"{text}\": value out of range"));
    text.parse().map_err(range)
}

fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if a == b => {}
            (Some(a), Some(b)) => {
                return match (a.parse::<u64>(), b.parse::<u64>()) {
                    (Ok(a), Ok(b)) => a.cmp(&b).then(Ordering::Less),
                    (Ok(_), Err(_)) => Ordering::Less,
                    (Err(_), Ok(_)) => Ordering::Greater,
                    (Err(_), Err(_)) => a.cmp(b),
                };
            }
        }
    }
}

/// The parts of a text that begins like a version.
struct Loose<'a> {
    numbers: [&'a str; 3],
    prerelease: &'a str,
    metadata: &'a str,
    end: usize,
}

impl<'a> Loose<'a> {
    /// Reads as much as belongs to a version; `in_number` says what a number may consist of.
    fn read(text: &'a str, in_number: impl Fn(u8) -> bool) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = usize::from(bytes.first() == Some(&b'v'));
        let run = |from: usize, accept: &dyn Fn(u8) -> bool| from + bytes[from..].iter().take_while(|b| accept(**b)).count();
        let mut numbers = [""; 3];
        for (index, number) in numbers.iter_mut().enumerate() {
            let from = if index == 0 { at } else { at + 1 };
            if index > 0 && bytes.get(at) != Some(&b'.') {
                break;
            }
            let to = run(from, &in_number);
            if to == from {
                if index == 0 {
                    return None;
                }
                break;
            }
            *number = &text[from..to];
            at = to;
        }
        let identifiers = |from: usize| {
            let accept: &dyn Fn(u8) -> bool = &|b| b.is_ascii_alphanumeric() || b == b'-';
            let mut end = run(from, accept);
            if end == from {
                return None;
            }
            while bytes.get(end) == Some(&b'.') {
                let next = run(end + 1, accept);
                if next == end + 1 {
                    break;
                }
                end = next;
            }
            Some(end)
        };
        let mut suffix = |mark: u8| {
            let end = (bytes.get(at) == Some(&mark)).then(|| identifiers(at + 1)).flatten()?;
            let found = &text[at + 1..end];
            at = end;
            Some(found)
        };
        let prerelease = suffix(b'-').unwrap_or_default();
        let metadata = suffix(b'+').unwrap_or_default();
        Some(Self { numbers, prerelease, metadata, end: at })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// The operators, the longer ones first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::TildeOrEqual),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

/// Which part of a comparison's version is left open: `1.x` leaves the minor, `1.2` the patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    All,
}

#[derive(Clone, Debug)]
struct Comparison {
    operator: Operator,
    version: Version,
    open: Open,
}

/// What a version is held against, such as `>=1.2.0-0 <2 || ^3`.
#[derive(Clone, Debug)]
pub struct Constraints {
    groups: Vec<Vec<Comparison>>,
}

impl Constraints {
    /// Reads a constraint, as `NewConstraint` does.
    pub fn new(text: &str) -> Result<Self, SemverError> {
        if text.len() > MOST_CONSTRAINT_BYTES {
            return Err(SemverError::new(format!("constraint string is too long (max {MOST_CONSTRAINT_BYTES} bytes)")));
        }
        let text = rewrite_ranges(text);
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > MOST_GROUPS {
            return Err(SemverError::new(format!("too many constraint groups (max {MOST_GROUPS})")));
        }
        Ok(Self { groups: groups.into_iter().map(group).collect::<Result<_, _>>()? })
    }

    /// Whether a version satisfies it.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let prereleases = group.iter().any(|one| !one.version.prerelease.is_empty());
            group.iter().all(|one| (version.prerelease.is_empty() || prereleases) && one.check(version))
        })
    }
}

fn spaces(text: &str, from: usize) -> usize {
    // What `\s` is in Go.
    from + text.as_bytes()[from..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')).count()
}

fn constrained(text: &str) -> Option<Loose<'_>> {
    // The Go package's set of characters has the bar in it: a number with one fails later.
    Loose::read(text, |b| b.is_ascii_digit() || matches!(b, b'x' | b'X' | b'*' | b'|'))
}

/// One group: comparisons with spaces or commas between them.
fn group(text: &str) -> Result<Vec<Comparison>, SemverError> {
    let improper = || SemverError::new(format!("improper constraint: {}", strconv::quote(text)));
    let mut comparisons = Vec::new();
    let mut at = spaces(text, 0);
    loop {
        let (word, operator) = OPERATORS.into_iter().find(|(word, _)| text[at..].starts_with(word)).unwrap_or(("", Operator::TildeOrEqual));
        let from = spaces(text, at + word.len());
        let parts = constrained(&text[from..]).ok_or_else(improper)?;
        comparisons.push(comparison(operator, &parts)?);
        let end = from + parts.end;
        at = spaces(text, end);
        if at == text.len() {
            return Ok(comparisons);
        }
        if text.as_bytes()[at] == b',' {
            at = spaces(text, at + 1);
        } else if at == end {
            return Err(improper());
        }
    }
}

fn comparison(operator: Operator, parts: &Loose<'_>) -> Result<Comparison, SemverError> {
    let is_x = |text: &str| matches!(text, "" | "x" | "X" | "*");
    let [major, minor, patch] = parts.numbers;
    let (open, numbers) = if is_x(major) {
        (Open::All, "0.0.0".to_owned())
    } else if is_x(minor) {
        (Open::Minor, format!("{major}.0.0"))
    } else if is_x(patch) {
        (Open::Patch, format!("{major}.{minor}.0"))
    } else {
        (Open::Nothing, format!("{major}.{minor}.{patch}"))
    };
    let mut text = numbers;
    for (mark, suffix) in [('-', parts.prerelease), ('+', parts.metadata)] {
        // An open version keeps its prerelease alone.
        if !suffix.is_empty() && (mark == '-' || open == Open::Nothing) {
            text.push(mark);
            text.push_str(suffix);
        }
    }
    let version = Version::new(&text).map_err(|_| SemverError::new("constraint parser error"))?;
    Ok(Comparison { operator, version, open })
}

impl Comparison {
    fn check(&self, version: &Version) -> bool {
        match self.operator {
            Operator::TildeOrEqual if self.open != Open::Nothing => self.tilde(version),
            Operator::TildeOrEqual => version.compare(&self.version).is_eq(),
            Operator::NotEqual => self.not_equal(version),
            Operator::Greater => self.greater(version),
            Operator::Less => version.compare(&self.version).is_lt(),
            Operator::GreaterEqual => version.compare(&self.version).is_ge(),
            Operator::LessEqual => self.less_equal(version),
            Operator::Tilde => self.tilde(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn not_equal(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_ne(),
            _ if own.major != version.major => true,
            Open::All => own.minor != version.minor || own.patch != version.patch || version.compare(own).is_ne(),
            Open::Minor => false,
            Open::Patch => {
                let prerelease = !version.prerelease.is_empty() || !own.prerelease.is_empty();
                own.minor != version.minor || (prerelease && compare_prereleases(&version.prerelease, &own.prerelease).is_ne())
            }
        }
    }

    fn greater(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_gt(),
            _ if version.major != own.major => version.major > own.major,
            Open::Minor => false,
            Open::Patch => version.minor > own.minor,
            Open::All => version.compare(own).is_gt(),
        }
    }

    fn less_equal(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_le(),
            _ => version.major < own.major || (version.major == own.major && (version.minor <= own.minor || self.open == Open::Minor)),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        // `~0.0.0` takes everything from there on.
        if (own.major, own.minor, own.patch) == (0, 0, 0) && matches!(self.open, Open::Nothing | Open::All) {
            return true;
        }
        version.major == own.major && (version.minor == own.minor || self.open == Open::Minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        if own.major > 0 || self.open == Open::Minor {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.open == Open::Patch {
            return version.minor == own.minor;
        }
        version.minor == 0 && own.patch == version.patch
    }
}

/// Rewrites `1.2 - 2.3` to `>= 1.2, <= 2.3 `.
fn rewrite_ranges(text: &str) -> String {
    let mut made = text.to_owned();
    let mut at = 0;
    while at < text.len() {
        let Some((first, second, end)) = text.is_char_boundary(at).then(|| range(text, at)).flatten() else {
            at += 1;
            continue;
        };
        made = made.replacen(&text[at..end], &format!(">= {first}, <= {second} "), 1);
        at = end;
    }
    made
}

/// A range at this place, and where it ends.
fn range(text: &str, at: usize) -> Option<(&str, &str, usize)> {
    let from = spaces(text, at);
    let first = from + constrained(&text[from..])?.end;
    let dash = spaces(text, first);
    if dash == first || text.as_bytes().get(dash) != Some(&b'-') {
        return None;
    }
    let next = spaces(text, dash + 1);
    if next == dash + 1 {
        return None;
    }
    let second = next + constrained(&text[next..])?.end;
    Some((&text[from..first], &text[next..second], spaces(text, second)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn constraints_hold_as_in_helm() {
        for (constraint, version, expected) in [
            (">=1.22-0", "v1.31.4-eks-1234567", true),
            (">=1.22", "1.31.4-eks-1", false),
            ("^1.2.3", "1.9.0", true),
            ("^0.2.3", "0.3.0", false),
            ("~1.2", "1.3.0", false),
            ("1.2 - 1.4.5", "1.4.5", true),
            ("*", "0.1.0", true),
            ("!=1.2.x", "1.2.9", false),
            ("<1 || >=2, <3", "2.9.9", true),
        ] {
            let found = Constraints::new(constraint).unwrap().check(&Version::new(version).unwrap());
            assert_eq!(found, expected, "{constraint} {version}");
        }
    }

    #[test]
    fn what_is_no_version_or_constraint_is_refused() {
        assert_eq!(Version::new("1.2.3.4").unwrap_err().to_string(), "invalid semantic version");
        assert_eq!(Version::new("").unwrap_err().to_string(), "invalid semantic version");
        assert_eq!(Version::strict("1.2").unwrap_err().to_string(), "invalid semantic version");
        assert_eq!(Constraints::new("").unwrap_err().to_string(), "improper constraint: \"\"");
        assert_eq!(Constraints::new(">=a").unwrap_err().to_string(), "improper constraint: \">=a\"");
    }
}
