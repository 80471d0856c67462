//! Times of TOML: with an offset, or local ones, whose zone's name tells in which form they were written.

use super::parse::parse;
use super::{Location, Time};
use crate::helm::func::Host;
use crate::helm::value::{Object, Value};

const DATETIME: &str = "datetime-local";
const DATE: &str = "date-local";
const CLOCK: &str = "time-local";

/// The forms that are tried, and what the zone of those without an offset is called.
const FORMS: [(&str, Option<&str>); 7] = [
    ("2006-01-02T15:04:05.999999999Z07:00", None),
    ("2006-01-02T15:04:05.999999999", Some(DATETIME)),
    ("2006-01-02", Some(DATE)),
    ("15:04:05.999999999", Some(CLOCK)),
    ("2006-01-02T15:04Z07:00", None),
    ("2006-01-02T15:04", Some(DATETIME)),
    ("15:04", Some(CLOCK)),
];

/// A time with capital `T` and `Z`; `None` if it is in no form of TOML.
pub(crate) fn read(host: &mut dyn Host, text: &str) -> Option<Value> {
    let (time, form, zone) =
        FORMS.iter().find_map(|(form, zone)| Some((parse(host, form.as_bytes(), text.as_bytes()).ok()?, form, zone)))?;
    // Go takes numbers of one digit where two are wanted; TOML doesn't.
    let places = form.bytes().zip(text.bytes()).take_while(|(wanted, _)| !matches!(wanted, b'.' | b'Z'));
    if places.into_iter().any(|(wanted, found)| !wanted.is_ascii_digit() && wanted != found) {
        return None;
    }
    Some(
        match zone {
            None => time,
            Some(zone) => {
                let now = host.now().0;
                let offset = i64::from(host.local_zone(now).0);
                Time { unix: time.unix - offset, nanos: time.nanos, location: Location::Fixed(offset, (*zone).to_owned()) }
            }
        }
        .into_value(),
    )
}

/// A time as TOML has it; `None` if the object is no time.
pub(crate) fn written(object: &dyn Object) -> Option<String> {
    let time: &Time = object.as_any().downcast_ref()?;
    let form = match &time.location {
        Location::Fixed(_, zone) => FORMS.iter().find(|(_, named)| *named == Some(zone.as_str())).map_or(FORMS[0].0, |(form, _)| form),
        _ => FORMS[0].0,
    };
    Some(String::from_utf8_lossy(&time.format(form.as_bytes())).into_owned())
}
