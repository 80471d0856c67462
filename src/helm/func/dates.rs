//! Dates: sprig's `date.go`.

use super::cast::{ParseIntError, parse_int};
use super::time::{Location, TIME, Time, duration, parse};
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Type, Value};

const SECOND: i64 = 1_000_000_000;

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("now", &[], |runtime, _| Ok(Time::now(runtime.host()).into_value())),
    Func::fixed("date", &[Type::String, Type::Any], |runtime, args| {
        let time = taken(runtime, args.value(1), true);
        Ok(written(runtime, &time, args.str(0)?.as_bytes(), "Local"))
    }),
    Func::fixed("htmlDate", &[Type::Any], |runtime, args| {
        let time = taken(runtime, args.value(0), true);
        Ok(written(runtime, &time, b"2006-01-02", "Local"))
    }),
    Func::fixed("htmlDateInZone", &[Type::Any, Type::String], |runtime, args| {
        let time = taken(runtime, args.value(0), true);
        Ok(written(runtime, &time, b"2006-01-02", &args.text(1)?))
    }),
    Func::fixed("dateInZone", &[Type::String, Type::Any, Type::String], date_in_zone),
    Func::fixed("date_in_zone", &[Type::String, Type::Any, Type::String], date_in_zone),
    Func::fixed("dateModify", &[Type::String, TIME], date_modify),
    Func::fixed("date_modify", &[Type::String, TIME], date_modify),
    Func::fixed("mustDateModify", &[Type::String, TIME], must_date_modify),
    Func::fixed("must_date_modify", &[Type::String, TIME], must_date_modify),
    Func::fixed("ago", &[Type::Any], ago),
    Func::fixed("duration", &[Type::Any], seconds),
    Func::fixed("durationRound", &[Type::Any], duration_round),
    Func::fixed("toDate", &[Type::String, Type::String], |runtime, args| {
        let read = parse::parse(runtime.host(), args.str(0)?.as_bytes(), args.str(1)?.as_bytes());
        Ok(read.unwrap_or_else(|_| Time::zero()).into_value())
    }),
    Func::fixed("mustToDate", &[Type::String, Type::String], |runtime, args| {
        let read = parse::parse(runtime.host(), args.str(0)?.as_bytes(), args.str(1)?.as_bytes());
        Ok(read.map_err(FuncError::new)?.into_value())
    }),
    Func::fixed("unixEpoch", &[TIME], |_, args| Ok(Value::from(time(args, 0)?.unix.to_string()))),
];

/// The time that sprig takes a value for: itself, seconds since 1970, or the present.
fn taken(runtime: &mut dyn Runtime, value: &Value, int32: bool) -> Time {
    match value {
        Value::Int(typ, unix) if *typ != Type::Int32 || int32 => Time::from_unix(runtime.host(), *unix),
        _ => Time::of(value).cloned().unwrap_or_else(|| Time::now(runtime.host())),
    }
}

fn time(args: Args<'_>, index: usize) -> Result<&Time, FuncError> {
    Time::of(args.value(index)).ok_or_else(|| FuncError::new(format!("expected time.Time; got {}", args.value(index).type_name())))
}

fn written(runtime: &mut dyn Runtime, time: &Time, layout: &[u8], zone: &str) -> Value {
    let location = match zone {
        "Local" => Location::local(runtime.host(), time.unix),
        // What can't be found is UTC.
        name => Location::load(name).unwrap_or(Location::Utc),
    };
    Value::str(time.within(location).format(layout))
}

fn date_in_zone(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let time = taken(runtime, args.value(1), true);
    Ok(written(runtime, &time, args.str(0)?.as_bytes(), &args.text(2)?))
}

fn date_modify(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(match duration::parse(&args.text(0)?) {
        Ok(nanos) => time(args, 1)?.add(nanos).into_value(),
        Err(_) => args.value(1).clone(),
    })
}

fn must_date_modify(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let nanos = duration::parse(&args.text(0)?).map_err(FuncError::new)?;
    Ok(time(args, 1)?.add(nanos).into_value())
}

fn ago(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let time = taken(runtime, args.value(0), false);
    let passed = Time::now(runtime.host()).sub(&time);
    Ok(Value::from(duration::format(duration::round(passed, SECOND))))
}

fn seconds(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let seconds = match args.value(0) {
        Value::Str(text) => match parse_int(text.as_bytes(), 10) {
            Ok(number) | Err(ParseIntError::Range(number)) => number,
            Err(ParseIntError::Syntax) => 0,
        },
        Value::Int(Type::Int64, number) => *number,
        _ => 0,
    };
    Ok(Value::from(duration::format(seconds.wrapping_mul(SECOND))))
}

fn duration_round(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let nanos = match args.value(0) {
        Value::Str(text) => duration::parse(&text.to_str()).unwrap_or(0),
        Value::Int(Type::Int64, number) => *number,
        other => match Time::of(other) {
            Some(time) => Time::now(runtime.host()).sub(time),
            None => 0,
        },
    };
    let size = nanos.unsigned_abs() / 1_000_000_000;
    let exact = nanos.unsigned_abs().is_multiple_of(1_000_000_000);
    // Each unit counts from just above one of it.
    for (unit, name) in [(365 * 86_400, "y"), (30 * 86_400, "mo"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] {
        if size > unit || (size == unit && !exact) {
            return Ok(Value::from(format!("{}{name}", size / unit)));
        }
    }
    Ok(Value::from("0s"))
}
