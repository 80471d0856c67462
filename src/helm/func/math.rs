//! Arithmetic: sprig's `numeric.go` and the number functions of its table.

use super::cast::{ParseIntError, parse_int, to_float64, to_int64};
use super::decimal::Decimal;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{List, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("atoi", &[Type::String], atoi),
    Func::fixed("int64", &[Type::Any], |_, args| Ok(Value::int64(to_int64(args.value(0))))),
    Func::fixed("int", &[Type::Any], |_, args| Ok(Value::int(to_int64(args.value(0))))),
    Func::fixed("float64", &[Type::Any], |_, args| Ok(Value::Float(to_float64(args.value(0))))),
    Func::fixed("toDecimal", &[Type::Any], to_decimal),
    Func::variadic("seq", &[Type::Int], seq),
    Func::fixed("until", &[Type::Int], until),
    Func::fixed("untilStep", &[Type::Int, Type::Int, Type::Int], until_step),
    Func::fixed("add1", &[Type::Any], |_, args| Ok(Value::int64(to_int64(args.value(0)).wrapping_add(1)))),
    Func::variadic("add", &[Type::Any], |_, args| Ok(Value::int64(fold(0, args.rest(0), i64::wrapping_add)))),
    Func::fixed("sub", &[Type::Any, Type::Any], |_, args| Ok(Value::int64(to_int64(args.value(0)).wrapping_sub(to_int64(args.value(1)))))),
    Func::fixed("div", &[Type::Any, Type::Any], |_, args| divide(args, i64::wrapping_div)),
    Func::fixed("mod", &[Type::Any, Type::Any], |_, args| divide(args, i64::wrapping_rem)),
    Func::variadic("mul", &[Type::Any, Type::Any], |_, args| {
        Ok(Value::int64(fold(to_int64(args.value(0)), args.rest(1), i64::wrapping_mul)))
    }),
    Func::fixed("add1f", &[Type::Any], |_, args| decimals(args.value(0), &[Value::int(1)], |a, b| Ok(a.add(b)))),
    Func::variadic("addf", &[Type::Any], |_, args| decimals(&Value::Float(0.0), args.rest(0), |a, b| Ok(a.add(b)))),
    Func::variadic("subf", &[Type::Any, Type::Any], |_, args| decimals(args.value(0), args.rest(1), |a, b| Ok(a.sub(b)))),
    Func::variadic("divf", &[Type::Any, Type::Any], |_, args| decimals(args.value(0), args.rest(1), Decimal::div)),
    Func::variadic("mulf", &[Type::Any, Type::Any], |_, args| decimals(args.value(0), args.rest(1), |a, b| Ok(a.mul(b)))),
    Func::variadic("biggest", &[Type::Any, Type::Any], max),
    Func::variadic("max", &[Type::Any, Type::Any], max),
    Func::variadic("min", &[Type::Any, Type::Any], |_, args| Ok(Value::int64(fold(to_int64(args.value(0)), args.rest(1), i64::min)))),
    Func::variadic("maxf", &[Type::Any, Type::Any], |_, args| Ok(Value::Float(fold_float(args, larger)))),
    Func::variadic("minf", &[Type::Any, Type::Any], |_, args| Ok(Value::Float(fold_float(args, smaller)))),
    Func::fixed("ceil", &[Type::Any], |_, args| Ok(Value::Float(to_float64(args.value(0)).ceil()))),
    Func::fixed("floor", &[Type::Any], |_, args| Ok(Value::Float(to_float64(args.value(0)).floor()))),
    Func::variadic("round", &[Type::Any, Type::Int, Type::Float64], round),
    Func::fixed("randInt", &[Type::Int, Type::Int], rand_int).rolling(),
];

fn atoi(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int(match parse_int(args.str(0)?.as_bytes(), 10) {
        Ok(number) | Err(ParseIntError::Range(number)) => number,
        Err(ParseIntError::Syntax) => 0,
    }))
}

fn to_decimal(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int64(parse_int(args.value(0).print()?.as_bytes(), 8).unwrap_or(0)))
}

fn fold(first: i64, rest: &[Value], with: fn(i64, i64) -> i64) -> i64 {
    rest.iter().fold(first, |sum, value| with(sum, to_int64(value)))
}

fn divide(args: Args<'_>, with: fn(i64, i64) -> i64) -> Result<Value, FuncError> {
    match to_int64(args.value(1)) {
        0 => Err(FuncError::new("runtime error: integer divide by zero")),
        by => Ok(Value::int64(with(to_int64(args.value(0)), by))),
    }
}

fn max(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::int64(fold(to_int64(args.value(0)), args.rest(1), i64::max)))
}

fn fold_float(args: Args<'_>, with: fn(f64, f64) -> f64) -> f64 {
    args.rest(1).iter().fold(to_float64(args.value(0)), |found, value| with(found, to_float64(value)))
}

/// `math.Max`: unlike Rust's, what is not a number wins, but for infinity.
fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == 0.0 && b == 0.0 {
        if a.is_sign_negative() { b } else { a }
    } else if a > b {
        a
    } else {
        b
    }
}

fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

fn decimals(first: &Value, rest: &[Value], with: impl Fn(&Decimal, &Decimal) -> Result<Decimal, String>) -> Result<Value, FuncError> {
    let mut found = Decimal::new(to_float64(first)).map_err(FuncError::new)?;
    for value in rest {
        let next = Decimal::new(to_float64(value)).map_err(FuncError::new)?;
        found = with(&found, &next).map_err(FuncError::new)?;
    }
    Ok(Value::Float(found.to_float()))
}

fn round(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let on = if args.len() > 2 { args.float(2)? } else { 0.5 };
    let power = power_of_ten(args.int(1)?);
    let digit = power * to_float64(args.value(0));
    let rounded = if digit.fract() >= on { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(rounded / power))
}

/// `math.Pow(10, exponent)`, by the same steps: a faster way may differ in the last bit.
fn power_of_ten(exponent: i64) -> f64 {
    if exponent == 0 {
        return 1.0;
    }
    // 10 is 0.625 × 2⁴.
    let (mut fraction, mut scale) = (0.625, 4i64);
    let (mut power, mut shift) = (1.0, 0i64);
    let mut left = exponent.unsigned_abs();
    while left != 0 {
        if scale > 1 << 12 {
            shift += scale;
            break;
        }
        if left & 1 == 1 {
            power *= fraction;
            shift += scale;
        }
        fraction *= fraction;
        scale <<= 1;
        if fraction < 0.5 {
            fraction += fraction;
            scale -= 1;
        }
        left >>= 1;
    }
    if exponent < 0 {
        (power, shift) = (1.0 / power, -shift);
    }
    let half = i32::try_from(shift.clamp(-4000, 4000) / 2).unwrap_or(0);
    let other = i32::try_from(shift.clamp(-4000, 4000)).unwrap_or(0) - half;
    power * 2f64.powi(half) * 2f64.powi(other)
}

/// What a value of a list takes.
const ITEM_BYTES: usize = size_of::<Value>();

/// The numbers of `untilStep`.
fn numbers(runtime: &mut dyn Runtime, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, FuncError> {
    let span = i128::from(stop) - i128::from(start);
    let step = i128::from(step);
    if span == 0 || step == 0 || (span < 0) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = (span.abs() + step.abs() - 1) / step.abs();
    let bytes = usize::try_from(count).ok().and_then(|count| count.checked_mul(ITEM_BYTES));
    runtime.spend(bytes.unwrap_or(usize::MAX))?;
    Ok((0..count).filter_map(|index| i64::try_from(i128::from(start) + index * step).ok()).collect())
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(List::typed(Type::Ints, numbers.into_iter().map(Value::int).collect()))
}

fn until(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let count = args.int(0)?;
    numbers(runtime, 0, count, if count < 0 { -1 } else { 1 }).map(ints)
}

fn until_step(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    numbers(runtime, args.int(0)?, args.int(1)?, args.int(2)?).map(ints)
}

fn seq(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let (start, step, end) = match args.len() {
        1 => (1, None, args.int(0)?),
        2 => (args.int(0)?, None, args.int(1)?),
        3 => (args.int(0)?, Some(args.int(1)?), args.int(2)?),
        _ => return Ok(Value::from("")),
    };
    let towards = if end < start { -1 } else { 1 };
    if towards < 0 && step.is_some_and(|step| step > 0) {
        return Ok(Value::from(""));
    }
    let found = numbers(runtime, start, end.wrapping_add(towards), step.unwrap_or(towards))?;
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    Ok(Value::from(texts.join(" ")))
}

fn rand_int(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let (min, max) = (args.int(0)?, args.int(1)?);
    match u64::try_from(max.wrapping_sub(min)) {
        Ok(below) if below > 0 => {
            let drawn = super::random::below(runtime, below).cast_signed();
            Ok(Value::int(drawn.wrapping_add(min)))
        }
        _ => Err(FuncError::new("invalid argument to Intn")),
    }
}
