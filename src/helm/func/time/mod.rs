//! Times and durations as Go's `time` has them.

mod calendar;
pub(super) mod duration;
pub(super) mod layout;
pub(super) mod parse;
pub(crate) mod toml;

use std::any::Any;
use std::rc::Rc;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{FuncError, Host, Runtime};
use crate::helm::value::{Kind, Method, Object, Str, Type, Value};

pub(super) use calendar::{Civil, civil, days};

/// `time.Time` as a type.
pub(super) const TIME: Type = Type::Object("time.Time", Kind::Struct);
const DURATION: Type = Type::Object("time.Duration", Kind::Int64);
const MONTH: Type = Type::Object("time.Month", Kind::Int);
const WEEKDAY: Type = Type::Object("time.Weekday", Kind::Int);
/// Seconds from the year 1, where Go's zero time is, to 1970.
pub(super) const ZERO_UNIX: i64 = -62_135_596_800;
const NANOS: i64 = 1_000_000_000;

/// Where a time is looked at from.
#[derive(Clone, Debug)]
pub(super) enum Location {
    /// UTC.
    Utc,
    /// An offset in seconds with its abbreviation, which may be empty.
    Fixed(i64, String),
    /// A zone of the IANA database.
    Zone(TimeZone),
}

impl Location {
    /// Offset and abbreviation at a moment.
    pub(super) fn at(&self, unix: i64) -> (i64, String) {
        match self {
            Self::Utc => (0, "UTC".to_owned()),
            Self::Fixed(offset, name) => (*offset, name.clone()),
            Self::Zone(zone) => {
                let moment =
                    jiff::Timestamp::from_second(unix).unwrap_or(if unix < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX });
                let info = zone.to_offset_info(moment);
                (i64::from(info.offset().seconds()), info.abbreviation().to_owned())
            }
        }
    }

    /// `time.LoadLocation`, but for `Local`. Unlike the database's own look-up Go's tells capitals from small letters.
    pub(super) fn load(name: &str) -> Option<Self> {
        if name.is_empty() || name == "UTC" {
            return Some(Self::Utc);
        }
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (zone.iana_name() == Some(name)).then_some(Self::Zone(zone))
    }

    /// `time.Local` at a moment.
    pub(super) fn local(host: &mut dyn Host, unix: i64) -> Self {
        let (offset, name) = host.local_zone(unix);
        if offset == 0 && name == "UTC" { Self::Utc } else { Self::Fixed(i64::from(offset), name) }
    }
}

/// A `time.Time`.
#[derive(Clone, Debug)]
pub(super) struct Time {
    pub(super) unix: i64,
    pub(super) nanos: u32,
    pub(super) location: Location,
}

impl Time {
    /// The present.
    pub(super) fn now(host: &mut dyn Host) -> Self {
        let (unix, nanos) = host.now();
        Self { unix, nanos: nanos.min(999_999_999), location: Location::local(host, unix) }
    }

    /// A moment in seconds since 1970.
    pub(super) fn from_unix(host: &mut dyn Host, unix: i64) -> Self {
        Self { unix, nanos: 0, location: Location::local(host, unix) }
    }

    /// Go's zero time.
    pub(super) fn zero() -> Self {
        Self { unix: ZERO_UNIX, nanos: 0, location: Location::Utc }
    }

    /// The time that a value is.
    pub(super) fn of(value: &Value) -> Option<&Self> {
        if let Value::Object(object) = value { object.as_any().downcast_ref() } else { None }
    }

    /// Later by so many nanoseconds.
    pub(super) fn add(&self, nanos: i64) -> Self {
        let sum = i64::from(self.nanos) + nanos.rem_euclid(NANOS);
        let unix = self.unix.wrapping_add(nanos.div_euclid(NANOS)).wrapping_add(sum / NANOS);
        Self { unix, nanos: u32::try_from(sum % NANOS).unwrap_or(0), location: self.location.clone() }
    }

    /// The nanoseconds from another time to this one, bounded as in Go.
    pub(super) fn sub(&self, other: &Self) -> i64 {
        let seconds = i128::from(self.unix) - i128::from(other.unix);
        let nanos = seconds * i128::from(NANOS) + i128::from(self.nanos) - i128::from(other.nanos);
        i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
    }

    /// The same moment, looked at from elsewhere.
    pub(super) fn within(&self, location: Location) -> Self {
        Self { location, ..self.clone() }
    }

    /// Date and clock where it is looked at from, with offset and abbreviation.
    pub(super) fn civil(&self) -> (Civil, i64, String) {
        let (offset, name) = self.location.at(self.unix);
        (civil(self.unix.wrapping_add(offset)), offset, name)
    }

    /// `Time.Format`
    pub(super) fn format(&self, layout: &[u8]) -> Vec<u8> {
        layout::format(self, layout)
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(Rc::new(self))
    }

    fn after(&self, other: &Self) -> bool {
        (self.unix, self.nanos) > (other.unix, other.nanos)
    }
}

impl Object for Time {
    fn typ(&self) -> Type {
        TIME
    }

    fn method(&self, name: &str) -> Option<Method> {
        let params: &'static [Type] = match name {
            "Format" => &[Type::String],
            "Add" => &[DURATION],
            "AddDate" => &[Type::Int, Type::Int, Type::Int],
            "Sub" | "After" | "Before" | "Equal" | "Compare" => &[TIME],
            "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond"
            | "Weekday" | "YearDay" | "UTC" | "Local" | "String" | "IsZero" => &[],
            _ => return None,
        };
        Some(Method { params, variadic: false })
    }

    fn call(&self, runtime: &mut dyn Runtime, name: &str, args: &[Value]) -> Result<Value, FuncError> {
        let int = |index: usize| if let Some(Value::Int(_, number)) = args.get(index) { *number } else { 0 };
        let other = args.first().and_then(Self::of);
        let at = self.civil().0;
        Ok(match name {
            "Format" => match args {
                [Value::Str(layout)] => Value::str(self.format(layout.as_bytes())),
                _ => Value::from(""),
            },
            "Add" => {
                let nanos = if let Some(Value::Object(object)) = args.first() { object.number() } else { None };
                self.add(nanos.unwrap_or_else(|| int(0))).into_value()
            }
            "AddDate" => self.add_date(int(0), int(1), int(2)).into_value(),
            "Sub" => duration_value(other.map_or(0, |other| self.sub(other))),
            "After" => Value::Bool(other.is_some_and(|other| self.after(other))),
            "Before" => Value::Bool(other.is_some_and(|other| other.after(self))),
            "Equal" => Value::Bool(other.is_some_and(|other| (self.unix, self.nanos) == (other.unix, other.nanos))),
            "Compare" => Value::int(other.map_or(0, |other| (self.unix, self.nanos).cmp(&(other.unix, other.nanos)) as i64)),
            "Unix" => Value::int64(self.unix),
            "UnixMilli" => Value::int64(self.unix.wrapping_mul(1000).wrapping_add(i64::from(self.nanos / 1_000_000))),
            "UnixMicro" => Value::int64(self.unix.wrapping_mul(1_000_000).wrapping_add(i64::from(self.nanos / 1000))),
            "UnixNano" => Value::int64(self.unix.wrapping_mul(NANOS).wrapping_add(i64::from(self.nanos))),
            "Year" => Value::int(at.year),
            "Month" => Number::value(MONTH, at.month),
            "Day" => Value::int(at.day),
            "Hour" => Value::int(at.hour),
            "Minute" => Value::int(at.minute),
            "Second" => Value::int(at.second),
            "Nanosecond" => Value::int(i64::from(self.nanos)),
            "Weekday" => Number::value(WEEKDAY, at.weekday),
            "YearDay" => Value::int(at.year_day),
            "UTC" => self.within(Location::Utc).into_value(),
            "Local" => self.within(Location::local(runtime.host(), self.unix)).into_value(),
            "String" => Value::Str(self.print()?),
            "IsZero" => Value::Bool((self.unix, self.nanos) == (ZERO_UNIX, 0)),
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }

    fn print(&self) -> Result<Str, FuncError> {
        Ok(self.format(b"2006-01-02 15:04:05.999999999 -0700 MST").into())
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        if !(0..10_000).contains(&self.civil().0.year) {
            return Err(FuncError::new("Time.MarshalJSON: year outside of range [0,9999]"));
        }
        Ok(Value::str(self.format(b"2006-01-02T15:04:05.999999999Z07:00")))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Time {
    /// `AddDate`: the fields are added, and what overflows is carried.
    fn add_date(&self, years: i64, months: i64, days_more: i64) -> Self {
        let (at, offset, _) = self.civil();
        let months = at.year.wrapping_add(years).wrapping_mul(12).wrapping_add(at.month - 1).wrapping_add(months);
        let day = days(months.div_euclid(12), months.rem_euclid(12) + 1, 1).wrapping_add(at.day - 1).wrapping_add(days_more);
        let unix = day.wrapping_mul(86_400).wrapping_add(at.hour * 3600 + at.minute * 60 + at.second).wrapping_sub(offset);
        // The offset may be another on the new date.
        let now = self.location.at(unix).0;
        Self { unix: unix.wrapping_add(offset).wrapping_sub(now), nanos: self.nanos, location: self.location.clone() }
    }
}

/// A named integer type of Go's `time`.
struct Number {
    typ: Type,
    number: i64,
}

impl Number {
    fn value(typ: Type, number: i64) -> Value {
        Value::Object(Rc::new(Self { typ, number }))
    }
}

/// A `time.Duration`.
pub(super) fn duration_value(nanos: i64) -> Value {
    Number::value(DURATION, nanos)
}

impl Object for Number {
    fn typ(&self) -> Type {
        self.typ
    }

    fn method(&self, name: &str) -> Option<Method> {
        let known =
            name == "String" || (self.typ == DURATION && matches!(name, "Seconds" | "Minutes" | "Hours" | "Milliseconds" | "Nanoseconds"));
        known.then_some(Method { params: &[], variadic: false })
    }

    #[expect(clippy::cast_precision_loss, reason = "as Go reckons")]
    fn call(&self, _: &mut dyn Runtime, name: &str, _: &[Value]) -> Result<Value, FuncError> {
        let parts = |unit: i64| Value::Float((self.number / unit) as f64 + (self.number % unit) as f64 / unit as f64);
        Ok(match name {
            "Seconds" => parts(NANOS),
            "Minutes" => parts(60 * NANOS),
            "Hours" => parts(3600 * NANOS),
            "Milliseconds" => Value::int64(self.number / 1_000_000),
            "Nanoseconds" => Value::int64(self.number),
            _ => Value::Str(self.print()?),
        })
    }

    fn print(&self) -> Result<Str, FuncError> {
        let index = usize::try_from(self.number).unwrap_or(usize::MAX);
        Ok(match self.typ {
            MONTH => layout::MONTHS.get(index.wrapping_sub(1)).map_or_else(String::new, |name| (*name).to_owned()),
            WEEKDAY => layout::WEEKDAYS.get(index).map_or_else(String::new, |name| (*name).to_owned()),
            _ => duration::format(self.number),
        }
        .into())
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        Ok(Value::int64(self.number))
    }

    fn number(&self) -> Option<i64> {
        Some(self.number)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
