//! Comparison of basic values: `eq`, `lt` and kin of `text/template/funcs.go`.

use std::fmt::Write as _;

use super::operand::Operand;
use crate::helm::func::FuncError;
use crate::helm::value::{Kind, Value, check_depth};

/// What Go compares as one kind.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Basic {
    Invalid,
    Bool,
    Int,
    Float,
    String,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(..) => Basic::Int,
        Value::Uint(..) => Basic::Uint,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::String,
        Value::Object(object) if object.number().is_some() => Basic::Int,
        _ => Basic::Invalid,
    }
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        Value::Object(object) => object.number().unwrap_or(0),
        _ => 0,
    }
}

fn uint(value: &Value) -> u64 {
    if let Value::Uint(_, number) = value { *number } else { 0 }
}

fn incompatible(one: &Operand, two: &Operand) -> FuncError {
    FuncError::new(format!("incompatible types for comparison: {} and {}", one.type_name(), two.type_name()))
}

/// `eq`: whether the first equals any of the others.
pub(super) fn eq(operands: &[Operand]) -> Result<bool, FuncError> {
    let Some((first, others)) = operands.split_first() else { return Err(FuncError::new("missing argument for comparison")) };
    let one = first.clone().unwrap();
    if others.is_empty() {
        return Err(FuncError::new("missing argument for comparison"));
    }
    for other in others {
        let two = other.clone().unwrap();
        if equal(&one, &two)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[expect(clippy::float_cmp, reason = "Go compares floats exactly, too")]
fn equal(one: &Operand, two: &Operand) -> Result<bool, FuncError> {
    let (a, b) = (&one.value, &two.value);
    Ok(match (basic(a), basic(b)) {
        (Basic::Int, Basic::Uint) => u64::try_from(int(a)).is_ok_and(|number| number == uint(b)),
        (Basic::Uint, Basic::Int) => u64::try_from(int(b)).is_ok_and(|number| number == uint(a)),
        (Basic::Bool, Basic::Bool) => matches!((a, b), (Value::Bool(a), Value::Bool(b)) if a == b),
        (Basic::Int, Basic::Int) => int(a) == int(b),
        (Basic::Uint, Basic::Uint) => uint(a) == uint(b),
        (Basic::Float, Basic::Float) => matches!((a, b), (Value::Float(a), Value::Float(b)) if a == b),
        (Basic::String, Basic::String) => matches!((a, b), (Value::Str(a), Value::Str(b)) if a == b),
        (Basic::Invalid, Basic::Invalid) => return equal_others(one, two),
        _ if one.is_valid() && two.is_valid() => return Err(incompatible(one, two)),
        _ => false,
    })
}

/// Values that are not basic: equal if both are nil, else an error for what Go can't compare.
fn equal_others(one: &Operand, two: &Operand) -> Result<bool, FuncError> {
    let (a, b) = (&one.value, &two.value);
    if one.is_valid() && two.is_valid() && a.kind() != b.kind() {
        let (mut first, mut second) = (String::new(), String::new());
        as_text(a, &mut first, 0)?;
        as_text(b, &mut second, 0)?;
        return Err(FuncError::new(format!("non-comparable types {first}: {}, {}: {second}", one.type_name(), two.type_name())));
    }
    if is_nil(one) || is_nil(two) {
        return Ok(is_nil(one) == is_nil(two));
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if a.typ().kind() == Kind::Ptr => Ok(std::rc::Rc::ptr_eq(a, b)),
        (Value::Object(object), Value::Object(_)) if object.typ().kind() == Kind::Struct => a.deep_equal(b),
        _ => {
            let mut shown = String::new();
            as_text(b, &mut shown, 0)?;
            Err(FuncError::new(format!("non-comparable type {shown}: {}", two.type_name())))
        }
    }
}

/// What `%s` makes of a list or a map: of what is no text inside it the type is told.
fn as_text(value: &Value, out: &mut String, depth: usize) -> Result<(), FuncError> {
    check_depth(depth)?;
    match value {
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.to_vec().iter().enumerate() {
                out.push_str(if index > 0 { " " } else { "" });
                as_text(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("map[");
            for (index, (key, item)) in map.to_vec().iter().enumerate() {
                out.push_str(if index > 0 { " " } else { "" });
                out.push_str(&key.to_str());
                out.push(':');
                as_text(item, out, depth + 1)?;
            }
            out.push(']');
        }
        Value::Nil | Value::Str(_) | Value::Object(_) => out.push_str(&value.print()?.to_str()),
        other => {
            let _ = write!(out, "%!s({}={})", other.type_name(), other.print()?);
        }
    }
    Ok(())
}

fn is_nil(operand: &Operand) -> bool {
    match &operand.value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

/// `lt`.
pub(super) fn lt(one: &Operand, two: &Operand) -> Result<bool, FuncError> {
    let (one, two) = (one.clone().unwrap(), two.clone().unwrap());
    let (a, b) = (&one.value, &two.value);
    let invalid = || FuncError::new("invalid type for comparison");
    match (basic(a), basic(b)) {
        (Basic::Invalid, _) | (_, Basic::Invalid) | (Basic::Bool, Basic::Bool) => Err(invalid()),
        (Basic::Int, Basic::Uint) => Ok(u64::try_from(int(a)).map_or(true, |number| number < uint(b))),
        (Basic::Uint, Basic::Int) => Ok(u64::try_from(int(b)).is_ok_and(|number| uint(a) < number)),
        (Basic::Int, Basic::Int) => Ok(int(a) < int(b)),
        (Basic::Uint, Basic::Uint) => Ok(uint(a) < uint(b)),
        (Basic::Float, Basic::Float) => Ok(matches!((a, b), (Value::Float(a), Value::Float(b)) if a < b)),
        (Basic::String, Basic::String) => Ok(matches!((a, b), (Value::Str(a), Value::Str(b)) if a < b)),
        _ => Err(incompatible(&one, &two)),
    }
}

/// `le`.
pub(super) fn le(one: &Operand, two: &Operand) -> Result<bool, FuncError> {
    Ok(lt(one, two)? || eq(&[one.clone(), two.clone()])?)
}
