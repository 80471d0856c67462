//! Layouts such as `2006-01-02`: how Go's `time` writes a time.

use std::fmt::Write as _;

use super::Time;

/// The months' names.
pub(in crate::helm::func) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
/// The days' names.
pub(in crate::helm::func) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A part of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// A numeric zone: whether `Z` stands for UTC, whether there are colons, how many of hours, minutes and seconds there are.
    Offset {
        z: bool,
        colons: bool,
        fields: u8,
    },
    /// Fractions of a second: how many digits, and whether trailing zeros go.
    Fraction {
        digits: usize,
        trimmed: bool,
    },
}

/// What is before a part, the part, its text, what is after it.
type Found<'a> = (&'a [u8], Part, &'a [u8], &'a [u8]);

/// The first part of a layout: what is before it, the part, its text, what is after it.
pub(super) fn next(layout: &[u8]) -> Option<Found<'_>> {
    (0..layout.len()).find_map(|at| {
        let (lead, part, length) = part(&layout[at..])?;
        let from = at + lead;
        Some((&layout[..from], part, &layout[from..from + length], &layout[from + length..]))
    })
}

/// The part that a text begins with: how many letters are to be skipped first, the part, its length.
fn part(text: &[u8]) -> Option<(usize, Part, usize)> {
    const OFFSETS: [(&[u8], bool, u8); 5] =
        [(b"070000", false, 3), (b"07:00:00", true, 3), (b"0700", false, 2), (b"07:00", true, 2), (b"07", false, 1)];
    let small_follows = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let found = |part, length| Some((0, part, length));
    match text {
        [b'J', b'a', b'n', b'u', b'a', b'r', b'y', ..] => found(Part::LongMonth, 7),
        [b'J', b'a', b'n', ..] if !small_follows(3) => found(Part::Month, 3),
        [b'M', b'o', b'n', b'd', b'a', b'y', ..] => found(Part::LongWeekday, 6),
        [b'M', b'o', b'n', ..] if !small_follows(3) => found(Part::Weekday, 3),
        [b'M', b'S', b'T', ..] => found(Part::ZoneName, 3),
        [b'0', b'1', ..] => found(Part::ZeroMonth, 2),
        [b'0', b'2', ..] => found(Part::ZeroDay, 2),
        [b'0', b'3', ..] => found(Part::ZeroHour12, 2),
        [b'0', b'4', ..] => found(Part::ZeroMinute, 2),
        [b'0', b'5', ..] => found(Part::ZeroSecond, 2),
        [b'0', b'6', ..] => found(Part::Year, 2),
        [b'0', b'0', b'2', ..] => found(Part::ZeroYearDay, 3),
        [b'1', b'5', ..] => found(Part::Hour, 2),
        [b'1', ..] => found(Part::NumMonth, 1),
        [b'2', b'0', b'0', b'6', ..] => found(Part::LongYear, 4),
        [b'2', ..] => found(Part::Day, 1),
        [b'_', b'2', b'0', b'0', b'6', ..] => Some((1, Part::LongYear, 4)),
        [b'_', b'2', ..] => found(Part::UnderDay, 2),
        [b'_', b'_', b'2', ..] => found(Part::UnderYearDay, 3),
        [b'3', ..] => found(Part::Hour12, 1),
        [b'4', ..] => found(Part::Minute, 1),
        [b'5', ..] => found(Part::Second, 1),
        [b'P', b'M', ..] => found(Part::UpperPm, 2),
        [b'p', b'm', ..] => found(Part::LowerPm, 2),
        [mark @ (b'-' | b'Z'), rest @ ..] => {
            let (form, colons, fields) = OFFSETS.iter().find(|(form, ..)| rest.starts_with(form))?;
            found(Part::Offset { z: *mark == b'Z', colons: *colons, fields: *fields }, form.len() + 1)
        }
        [b'.' | b',', digit @ (b'0' | b'9'), ..] => {
            let digits = text[1..].iter().take_while(|b| *b == digit).count();
            let ends = !text.get(1 + digits).is_some_and(u8::is_ascii_digit);
            ends.then_some((0, Part::Fraction { digits, trimmed: *digit == b'9' }, digits + 1))
        }
        _ => None,
    }
}

/// `Time.Format`
pub(super) fn format(time: &Time, mut layout: &[u8]) -> Vec<u8> {
    let (at, offset, zone) = time.civil();
    let mut out = Vec::with_capacity(layout.len() + 10);
    let name = |names: &[&str], index: i64| usize::try_from(index).ok().and_then(|i| names.get(i)).map_or("", |name| *name).to_owned();
    while let Some((before, part, text, after)) = next(layout) {
        out.extend_from_slice(before);
        layout = after;
        let hour12 = if at.hour % 12 == 0 { 12 } else { at.hour % 12 };
        let written = match part {
            Part::LongMonth => name(&MONTHS, at.month - 1),
            Part::Month => name(&MONTHS, at.month - 1)[..3].to_owned(),
            Part::NumMonth => at.month.to_string(),
            Part::ZeroMonth => format!("{:02}", at.month),
            Part::LongWeekday => name(&WEEKDAYS, at.weekday),
            Part::Weekday => name(&WEEKDAYS, at.weekday)[..3].to_owned(),
            Part::Day => at.day.to_string(),
            Part::UnderDay => format!("{:2}", at.day),
            Part::ZeroDay => format!("{:02}", at.day),
            Part::UnderYearDay => format!("{:3}", at.year_day),
            Part::ZeroYearDay => format!("{:03}", at.year_day),
            Part::Hour => format!("{:02}", at.hour),
            Part::Hour12 => hour12.to_string(),
            Part::ZeroHour12 => format!("{hour12:02}"),
            Part::Minute => at.minute.to_string(),
            Part::ZeroMinute => format!("{:02}", at.minute),
            Part::Second => at.second.to_string(),
            Part::ZeroSecond => format!("{:02}", at.second),
            Part::LongYear if at.year < 0 => format!("-{:04}", at.year.unsigned_abs()),
            Part::LongYear => format!("{:04}", at.year),
            Part::Year => format!("{:02}", at.year.unsigned_abs() % 100),
            Part::UpperPm => if at.hour >= 12 { "PM" } else { "AM" }.to_owned(),
            Part::LowerPm => if at.hour >= 12 { "pm" } else { "am" }.to_owned(),
            Part::ZoneName if !zone.is_empty() => zone.clone(),
            // A zone without a name shows its offset.
            Part::ZoneName => offset_text(offset, false, 2),
            Part::Offset { z: true, .. } if offset == 0 => "Z".to_owned(),
            Part::Offset { colons, fields, .. } => offset_text(offset, colons, fields),
            Part::Fraction { digits, trimmed } => fraction(time.nanos, digits, trimmed, char::from(text[0])),
        };
        out.extend_from_slice(written.as_bytes());
    }
    out.extend_from_slice(layout);
    out
}

fn offset_text(offset: i64, colons: bool, fields: u8) -> String {
    let size = offset.unsigned_abs();
    // A zone with no minutes to show is signed by what is shown.
    let sign = if offset < 0 && size >= 60 { '-' } else { '+' };
    let colon = if colons { ":" } else { "" };
    let mut text = format!("{sign}{:02}", size / 3600);
    if fields > 1 {
        let _ = write!(text, "{colon}{:02}", size / 60 % 60);
    }
    if fields > 2 {
        let _ = write!(text, "{colon}{:02}", size % 60);
    }
    text
}

fn fraction(nanos: u32, digits: usize, trimmed: bool, mark: char) -> String {
    let mut text = format!("{nanos:09}");
    text.truncate(digits.min(9));
    while text.len() < digits {
        text.push('0');
    }
    if trimmed {
        text.truncate(text.trim_end_matches('0').len());
        if text.is_empty() {
            return text;
        }
    }
    format!("{mark}{text}")
}
