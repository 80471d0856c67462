//! `merge` and its kin: `dario.cat/mergo` over maps of any values.
//!
//! The first map is changed in place and given back; what it takes over from the others is shared with them, not copied.

use super::dicts::unnamed;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Kind, Map, Type, Value, check_depth};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::variadic("merge", &[Type::Map, Type::Map], |runtime, args| merge(runtime, args, false)),
    Func::variadic("mustMerge", &[Type::Map, Type::Map], |runtime, args| merge(runtime, args, false)),
    Func::variadic("mergeOverwrite", &[Type::Map, Type::Map], |runtime, args| merge(runtime, args, true)),
    Func::variadic("mustMergeOverwrite", &[Type::Map, Type::Map], |runtime, args| merge(runtime, args, true)),
];

fn merge(_: &mut dyn Runtime, args: Args<'_>, overwrite: bool) -> Result<Value, FuncError> {
    let mut into = args.map(0)?.clone();
    for from in args.rest(1) {
        let Value::Map(from) = from else { continue };
        if into.is_nil() && !from.is_nil() {
            into = Map::new();
        }
        deep_merge(&into, from, overwrite, 0)?;
    }
    Ok(unnamed(&into))
}

/// `deepMerge` for two maps.
fn deep_merge(into: &Map, from: &Map, overwrite: bool, depth: usize) -> Result<(), FuncError> {
    check_depth(depth)?;
    // A map merged into itself stays as it is.
    if into.same(from) {
        return Ok(());
    }
    for (key, value) in from.to_vec() {
        check_depth(depth)?;
        if is_nil(&value) {
            if overwrite {
                into.set(key, value);
            }
            continue;
        }
        let found = into.get(&key);
        if let (Value::Map(value), Some(Value::Map(found))) = (&value, &found) {
            deep_merge(found, value, overwrite, depth + 1)?;
        }
        // Asked after the merge: a map that was empty may not be any more.
        if let Some(found) = found.as_ref().filter(|found| !is_empty(found)) {
            match value.kind() {
                Kind::Slice => {
                    if overwrite {
                        into.set(key, value);
                    }
                    continue;
                }
                Kind::Map if found.kind() == Kind::Map => continue,
                _ => {}
            }
            if !overwrite {
                continue;
            }
        }
        into.set(key, value);
    }
    Ok(())
}

/// Nil, or a map or list that Go's reflection calls nil.
fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Nil)
}

/// mergo's `isEmptyValue`: structs never are.
fn is_empty(value: &Value) -> bool {
    !matches!(value.kind(), Kind::Struct | Kind::Ptr) && !value.truth()
}
