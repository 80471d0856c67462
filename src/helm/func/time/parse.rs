//! How Go's `time` reads a time by a layout.

use std::fmt::Write as _;

use super::calendar::days_in;
use super::layout::{MONTHS, Part, WEEKDAYS, next};
use super::{Location, Time, days};
use crate::helm::func::Host;

/// What was found so far.
#[derive(Default)]
struct Found {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone: Option<String>,
}

/// Why a part can't be read.
enum Fault {
    /// It is not of that form.
    Bad,
    /// It is too large.
    Range(&'static str),
}

type Read<'a, T> = Result<(T, &'a [u8]), Fault>;

/// `time.ParseInLocation(layout, value, time.Local)`; the error in Go's words.
pub(in crate::helm::func) fn parse(host: &mut dyn Host, layout: &[u8], value: &[u8]) -> Result<Time, String> {
    let failed = |part: &[u8], left: &[u8]| {
        format!("parsing time {} as {}: cannot parse {} as {}", quote(value), quote(layout), quote(left), quote(part))
    };
    let told = |message: &str| format!("parsing time {}: {message}", quote(value));
    let mut found = Found::default();
    let (mut rest_layout, mut left) = (layout, value);
    loop {
        let (before, part) = match next(rest_layout) {
            Some((before, part, text, after)) => {
                rest_layout = after;
                (before, Some((part, text)))
            }
            None => (rest_layout, None),
        };
        left = skip(left, before).map_err(|left| failed(before, left))?;
        let Some((part, text)) = part else { break };
        left = match found.read(part, left, rest_layout) {
            Ok(left) => left,
            Err(Fault::Bad) => return Err(failed(text, left)),
            Err(Fault::Range(what)) => return Err(told(&format!("{what} out of range"))),
        };
    }
    if !left.is_empty() {
        return Err(told(&format!("extra text: {}", quote(left))));
    }
    found.finish(host).map_err(told)
}

/// `time`'s own quoting: all that is not ASCII is in hexadecimal.
fn quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=b'~' | 0x7f => out.push(char::from(*byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}

/// Takes what stands between two parts; spaces match any number of spaces.
fn skip<'a>(mut value: &'a [u8], mut prefix: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    let cut = |text: &[u8]| text.iter().take_while(|b| **b == b' ').count();
    while let Some(letter) = prefix.first() {
        if *letter == b' ' {
            if value.first().is_some_and(|b| *b != b' ') {
                return Err(value);
            }
            prefix = &prefix[cut(prefix)..];
            value = &value[cut(value)..];
        } else if value.first() == Some(letter) {
            prefix = &prefix[1..];
            value = &value[1..];
        } else {
            return Err(value);
        }
    }
    Ok(value)
}

fn digit(text: &[u8], at: usize) -> Option<i64> {
    text.get(at).filter(|b| b.is_ascii_digit()).map(|b| i64::from(b - b'0'))
}

/// One or two digits; two where they are fixed.
fn number(text: &[u8], fixed: bool) -> Read<'_, i64> {
    match (digit(text, 0), digit(text, 1)) {
        (Some(tens), Some(ones)) => Ok((tens * 10 + ones, &text[2..])),
        (Some(ones), None) if !fixed => Ok((ones, &text[1..])),
        _ => Err(Fault::Bad),
    }
}

fn name<'a>(names: &[&str], length: Option<usize>, text: &'a [u8]) -> Read<'a, i64> {
    for (index, name) in (0..).zip(names) {
        let name = &name.as_bytes()[..length.unwrap_or(name.len())];
        if text.len() >= name.len() && text[..name.len()].eq_ignore_ascii_case(name) {
            return Ok((index, &text[name.len()..]));
        }
    }
    Err(Fault::Bad)
}

fn bounded<'a>(read: Read<'a, i64>, range: std::ops::Range<i64>, what: &'static str) -> Read<'a, i64> {
    let (found, left) = read?;
    if range.contains(&found) { Ok((found, left)) } else { Err(Fault::Range(what)) }
}

/// A fraction of a second with its point.
fn nanoseconds(text: &[u8], length: usize) -> Result<u32, Fault> {
    let digits = text.get(1..length.min(10)).filter(|_| matches!(text.first(), Some(b'.' | b','))).ok_or(Fault::Bad)?;
    let mut nanos = 0;
    for index in 0..9 {
        let digit = match digits.get(index) {
            None => 0,
            Some(digit) if digit.is_ascii_digit() => u32::from(digit - b'0'),
            Some(_) => return Err(Fault::Bad),
        };
        nanos = nanos * 10 + digit;
    }
    Ok(nanos)
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

impl Found {
    /// Reads one part; gives what is left.
    fn read<'a>(&mut self, part: Part, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Fault> {
        let left;
        match part {
            Part::Year => {
                let (year, rest) = number(text, true)?;
                (self.year, left) = (year + if year >= 69 { 1900 } else { 2000 }, rest);
            }
            Part::LongYear => {
                let four: Option<Vec<i64>> = (0..4).map(|at| digit(text, at)).collect();
                self.year = four.ok_or(Fault::Bad)?.iter().fold(0, |year, digit| year * 10 + digit);
                left = &text[4..];
            }
            Part::Month | Part::LongMonth => {
                let (month, rest) = name(&MONTHS, (part == Part::Month).then_some(3), text)?;
                (self.month, left) = (Some(month + 1), rest);
            }
            Part::NumMonth | Part::ZeroMonth => {
                let (month, rest) = bounded(number(text, part == Part::ZeroMonth), 1..13, "month")?;
                (self.month, left) = (Some(month), rest);
            }
            Part::Weekday | Part::LongWeekday => (_, left) = name(&WEEKDAYS, (part == Part::Weekday).then_some(3), text)?,
            Part::Day | Part::UnderDay | Part::ZeroDay => {
                let text = text.strip_prefix(b" ").filter(|_| part == Part::UnderDay).unwrap_or(text);
                let (day, rest) = number(text, part == Part::ZeroDay)?;
                (self.day, left) = (Some(day), rest);
            }
            Part::UnderYearDay | Part::ZeroYearDay => {
                let spaces = if part == Part::UnderYearDay { text.iter().take(2).take_while(|b| **b == b' ').count() } else { 0 };
                let text = &text[spaces..];
                let count = digits(text).min(3);
                if count == 0 || (part == Part::ZeroYearDay && count != 3) {
                    return Err(Fault::Bad);
                }
                self.year_day = Some((0..count).filter_map(|at| digit(text, at)).fold(0, |sum, digit| sum * 10 + digit));
                left = &text[count..];
            }
            Part::Hour => (self.hour, left) = bounded(number(text, false), 0..24, "hour")?,
            Part::Hour12 | Part::ZeroHour12 => (self.hour, left) = bounded(number(text, part == Part::ZeroHour12), 0..13, "hour")?,
            Part::Minute | Part::ZeroMinute => (self.minute, left) = bounded(number(text, part == Part::ZeroMinute), 0..60, "minute")?,
            Part::Second | Part::ZeroSecond => left = self.read_second(part, text, layout)?,
            Part::UpperPm | Part::LowerPm => {
                let (am, pm): (&[u8], &[u8]) = if part == Part::UpperPm { (b"AM", b"PM") } else { (b"am", b"pm") };
                let two = text.get(..2).ok_or(Fault::Bad)?;
                self.afternoon = Some(if two == pm {
                    true
                } else if two == am {
                    false
                } else {
                    return Err(Fault::Bad);
                });
                left = &text[2..];
            }
            Part::Offset { z: true, .. } if text.starts_with(b"Z") => (self.utc, left) = (true, &text[1..]),
            Part::Offset { colons, fields, .. } => {
                let (offset, rest) = offset(text, colons, fields)?;
                (self.offset, left) = (Some(offset), rest);
            }
            Part::ZoneName if text.starts_with(b"UTC") => (self.utc, left) = (true, &text[3..]),
            Part::ZoneName => {
                let length = zone_length(text).ok_or(Fault::Bad)?;
                self.zone = Some(String::from_utf8_lossy(&text[..length]).into_owned());
                left = &text[length..];
            }
            Part::Fraction { digits, trimmed: false } => {
                if text.len() < digits + 1 {
                    return Err(Fault::Bad);
                }
                (self.nanos, left) = (nanoseconds(text, digits + 1)?, &text[digits + 1..]);
            }
            Part::Fraction { .. } => left = self.read_fraction(text)?,
        }
        Ok(left)
    }

    fn read_fraction<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Fault> {
        if !matches!(text.first(), Some(b'.' | b',')) || digit(text, 1).is_none() {
            return Ok(text);
        }
        let length = 1 + digits(&text[1..]);
        self.nanos = nanoseconds(text, length)?;
        Ok(&text[length..])
    }

    /// Seconds, with a fraction even where the layout has none.
    fn read_second<'a>(&mut self, part: Part, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Fault> {
        let (second, left) = bounded(number(text, part == Part::ZeroSecond), 0..60, "second")?;
        self.second = second;
        match next(layout) {
            Some((_, Part::Fraction { .. }, ..)) => Ok(left),
            _ => self.read_fraction(left),
        }
    }

    fn finish(mut self, host: &mut dyn Host) -> Result<Time, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(year_day) = self.year_day {
            self.use_year_day(year_day)?;
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if day < 1 || day > days_in(self.year, month) {
            return Err("day out of range");
        }
        let unix = days(self.year, month, day) * 86_400 + self.hour * 3600 + self.minute * 60 + self.second;
        let time = |unix, location| Ok(Time { unix, nanos: self.nanos, location });
        if self.utc {
            return time(unix, Location::Utc);
        }
        if let Some(offset) = self.offset {
            let unix = unix - offset;
            let local = Location::local(host, unix);
            let (now, name) = local.at(unix);
            let zone = self.zone.unwrap_or_default();
            let is_local = now == offset && (zone.is_empty() || zone == name);
            return time(unix, if is_local { local } else { Location::Fixed(offset, zone) });
        }
        let local = Location::local(host, unix);
        let (offset, name) = local.at(unix);
        match self.zone {
            Some(zone) if zone != name => {
                // Nobody knows the offset, but for GMT's.
                let offset = zone.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok()).map_or(0, |hours| hours * 3600);
                time(unix, Location::Fixed(offset, zone))
            }
            _ => {
                let unix = unix - offset;
                let location = Location::local(host, unix);
                time(unix, location)
            }
        }
    }

    /// Month and day from the day of the year.
    fn use_year_day(&mut self, year_day: i64) -> Result<(), &'static str> {
        let length = days(self.year + 1, 1, 1) - days(self.year, 1, 1);
        if year_day < 1 || year_day > length {
            return Err("day-of-year out of range");
        }
        let date = super::civil((days(self.year, 1, 1) + year_day - 1) * 86_400);
        if self.month.is_some_and(|month| month != date.month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|day| day != date.day) {
            return Err("day-of-year does not match day");
        }
        (self.month, self.day) = (Some(date.month), Some(date.day));
        Ok(())
    }
}

/// `+01:00`, `-0130`, `+01`.
fn offset(text: &[u8], colons: bool, fields: u8) -> Read<'_, i64> {
    let length = 1 + usize::from(fields) * 2 + if colons { usize::from(fields) - 1 } else { 0 };
    let own = text.get(..length).ok_or(Fault::Bad)?;
    let mut parts = [0; 3];
    let mut left = &own[1..];
    for (index, part) in parts.iter_mut().take(usize::from(fields)).enumerate() {
        if colons && index > 0 {
            left = left.strip_prefix(b":").ok_or(Fault::Bad)?;
        }
        (*part, left) = number(left, true)?;
    }
    for (part, most, what) in
        [(parts[0], 24, "time zone offset hour"), (parts[1], 60, "time zone offset minute"), (parts[2], 60, "time zone offset second")]
    {
        if part > most {
            return Err(Fault::Range(what));
        }
    }
    let seconds = (parts[0] * 60 + parts[1]) * 60 + parts[2];
    let signed = match own[0] {
        b'+' => seconds,
        b'-' => -seconds,
        _ => return Err(Fault::Bad),
    };
    Ok((signed, &text[length..]))
}

/// The length of what looks like a zone's abbreviation.
fn zone_length(text: &[u8]) -> Option<usize> {
    let signed = |text: &[u8]| {
        let count = digits(text.get(1..)?);
        let hours: u32 = std::str::from_utf8(&text[1..=count]).ok()?.parse().ok()?;
        (matches!(text[0], b'+' | b'-') && hours <= 23).then_some(1 + count)
    };
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + if rest.is_empty() { 0 } else { signed(rest).unwrap_or(0) });
    }
    if matches!(text[0], b'+' | b'-') {
        return signed(text);
    }
    match text.iter().take(6).take_while(|b| b.is_ascii_uppercase()).count() {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}
