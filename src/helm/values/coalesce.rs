//! Values of charts and users put together: `pkg/chartutil/coalesce.go`.

use std::collections::BTreeSet;

use super::warnings::Warnings;
use crate::helm::chart::tree::Tree;
use crate::helm::func::FuncError;
use crate::helm::strconv::quote;
use crate::helm::value::{Map, Str, Value, check_depth};

/// The key whose values all charts share.
const GLOBAL: &str = "global";

/// Puts a chart's values, and those of its dependencies, under the user's. With `merge` nulls stay (`MergeValues`), without they take a
/// key away (`CoalesceValues`).
pub(crate) fn coalesce_values(chart: &Tree, values: &Map, merge: bool, warnings: &mut Warnings) -> Result<Map, Error> {
    let Value::Map(copy) = Value::Map(values.clone()).deep_copy()? else { return Ok(Map::new()) };
    let copy = if copy.is_nil() { Map::new() } else { copy };
    coalesce(chart, &copy, "", merge, warnings)?;
    Ok(copy)
}

/// What stops the merge.
pub(crate) type Error = String;

impl From<FuncError> for Error {
    fn from(error: FuncError) -> Self {
        error.to_string()
    }
}

/// The prefix is that of the paths in warnings.
fn coalesce(chart: &Tree, dest: &Map, prefix: &str, merge: bool, warnings: &mut Warnings) -> Result<(), Error> {
    let prefix = joined(prefix, chart.name());
    own_values(chart, dest, &prefix, merge, warnings)?;
    for child in &chart.dependencies {
        let name = child.name();
        let inner = match dest.get(name) {
            None => Map::new(),
            Some(Value::Map(inner)) => inner,
            // The message prints the value with %t, which is meant for booleans.
            Some(other) => return Err(format!("type mismatch on {name}: {}", percent_t(&other)?)),
        };
        dest.set(name, Value::Map(inner.clone()));
        globals(&inner, dest, &prefix, warnings)?;
        coalesce(child, &inner, &prefix, merge, warnings)?;
    }
    Ok(())
}

/// `concatPrefix`.
fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// `%t`.
fn percent_t(value: &Value) -> Result<String, FuncError> {
    Ok(match value {
        Value::Bool(truth) => truth.to_string(),
        Value::Nil => "%!t(<nil>)".to_owned(),
        Value::List(list) => {
            let items: Vec<String> = list.to_vec().iter().map(percent_t).collect::<Result<_, _>>()?;
            format!("[{}]", items.join(" "))
        }
        other => format!("%!t({}={})", other.type_name(), other.print()?),
    })
}

/// `coalesceGlobals`: the parent's globals win over the child's.
fn globals(dest: &Map, src: &Map, prefix: &str, warnings: &mut Warnings) -> Result<(), Error> {
    let to = match dest.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(_) => {
            warnings.say(format!("warning: skipping globals because destination {GLOBAL} is not a table."));
            return Ok(());
        }
    };
    let from = match src.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(_) => {
            warnings.say(format!("warning: skipping globals because source {GLOBAL} is not a table."));
            return Ok(());
        }
    };
    for (key, value) in from.to_vec() {
        match (&value, to.get(&key)) {
            (Value::Map(table), None) => to.set(key, Value::Map(shallow(table))),
            (Value::Map(table), Some(Value::Map(old))) => {
                let table = shallow(table);
                tables(&table, &old, &joined(prefix, &key.to_str()), true, warnings)?;
                to.set(key, Value::Map(table));
            }
            (Value::Map(_), Some(_)) => {
                warnings.say(format!("Conflict: cannot merge map onto non-map for {}. Skipping.", quote(&key.to_str())));
            }
            (_, Some(Value::Map(_))) => warnings.say(format!("key {} is table. Skipping", key.to_str())),
            _ => to.set(key, value),
        }
    }
    dest.set(GLOBAL, Value::Map(to));
    Ok(())
}

fn shallow(map: &Map) -> Map {
    map.to_vec().into_iter().collect()
}

/// `coalesceValues`: the chart's own values under what is there.
fn own_values(chart: &Tree, dest: &Map, prefix: &str, merge: bool, warnings: &mut Warnings) -> Result<(), Error> {
    let Value::Map(copy) = Value::Map(chart.values.clone()).deep_copy()? else { return Ok(()) };
    for (key, value) in copy.to_vec() {
        match dest.get(&key) {
            None => dest.set(key, value),
            Some(Value::Nil) if !merge => {
                dest.remove(&key);
            }
            Some(Value::Map(table)) => match &value {
                Value::Map(source) => {
                    let is_child = chart.dependencies.iter().any(|child| key == child.name());
                    tables(&table, source, &joined(prefix, &key.to_str()), merge || is_child, warnings)?;
                }
                Value::Nil => {}
                _ => warnings.say(format!("warning: skipped value for {prefix}.{}: Not a table.", key.to_str())),
            },
            Some(_) => {}
        }
    }
    Ok(())
}

/// `coalesceTablesFullKey`: the source under the destination.
pub(super) fn tables(dest: &Map, src: &Map, prefix: &str, merge: bool, warnings: &mut Warnings) -> Result<(), Error> {
    nested(dest, src, prefix, merge, warnings, 0)
}

fn nested(dest: &Map, src: &Map, prefix: &str, merge: bool, warnings: &mut Warnings, depth: usize) -> Result<(), Error> {
    check_depth(depth)?;
    let given: BTreeSet<Str> = src.to_vec().into_iter().filter(|(_, value)| !matches!(value, Value::Nil)).map(|(key, _)| key).collect();
    for (key, value) in dest.to_vec() {
        if matches!(value, Value::Nil) {
            src.set(key, Value::Nil);
        }
    }
    for (key, value) in src.to_vec() {
        let path = || joined(prefix, &key.to_str());
        match (dest.get(&key), &value) {
            (Some(Value::Nil), _) if !merge && given.contains(&key) => {
                dest.remove(&key);
            }
            (None, _) => dest.set(key, value),
            (Some(Value::Map(table)), Value::Map(source)) => nested(&table, source, &path(), merge, warnings, depth + 1)?,
            (Some(_), Value::Map(_)) => {
                warnings.say(format!("warning: cannot overwrite table with non table for {} ({})", path(), value.print()?));
            }
            (Some(Value::Map(_)), Value::Nil) => {}
            (Some(Value::Map(_)), _) => {
                warnings.say(format!("warning: destination for {} is a table. Ignoring non-table value ({})", path(), value.print()?));
            }
            _ => {}
        }
    }
    Ok(())
}
