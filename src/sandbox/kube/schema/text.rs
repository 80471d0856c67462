//! The table of built-in types, as it is written in `types.txt`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::{Field, Items, Scalar, Struct, Type, Written};

static TABLE: LazyLock<BTreeMap<&'static str, Struct>> = LazyLock::new(|| read(include_str!("types.txt")));

/// All built-in types by name.
pub(super) fn table() -> &'static BTreeMap<&'static str, Struct> {
    &TABLE
}

fn read(text: &'static str) -> BTreeMap<&'static str, Struct> {
    let mut table: BTreeMap<&'static str, Struct> = BTreeMap::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(field) = line.strip_prefix("  ") {
            if let (Some((name, field)), Some(of)) = (read_field(field), table.get_mut(current)) {
                of.fields.insert(name.to_owned(), field);
            }
            continue;
        }
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        current = name;
        let short = name.rsplit('.').next().unwrap_or(name).to_owned();
        table.insert(name, Struct { name: short, atomic: rest == "atomic", ..Struct::default() });
    }
    table
}

fn read_field(line: &'static str) -> Option<(&'static str, Field)> {
    let (name, rest) = line.split_once(": ")?;
    let (of, default) = rest.split_once(" = ").map_or((rest, None), |(of, default)| (of, Some(default)));
    let marks = &name[name.trim_end_matches(['*', '?', '#']).len()..];
    let required = marks.contains('*');
    let written = match (marks.contains('?'), marks.contains('#')) {
        (true, _) => Written::UnlessZero,
        (_, true) => Written::Always,
        _ => Written::AsGiven,
    };
    let of = read_type(of)?;
    let default = match default {
        Some(text) => serde_json::from_str(text).ok(),
        // The API's document gives required single values their zero as a default.
        None if required || written == Written::Always => zero(&of),
        None => None,
    };
    Some((name.trim_end_matches(['*', '?', '#']), Field { of, required, written, default }))
}

fn read_type(text: &'static str) -> Option<Type> {
    let (text, atomic) = text.strip_prefix('!').map_or((text, false), |text| (text, true));
    if let Some(of) = text.strip_prefix("map<").and_then(|text| text.strip_suffix('>')) {
        return Some(Type::Map { of: Arc::new(read_type(of)?), atomic });
    }
    if let Some(of) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        return Some(Type::List { of: Arc::new(read_type(of)?), by: Items::Set });
    }
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let (of, by) = match list.rsplit_once(" by ") {
            Some((of, keys)) => (of, Items::Keys(keys.split(',').map(str::to_owned).collect())),
            None => (list, Items::Atomic),
        };
        return Some(Type::List { of: Arc::new(read_item(of)?), by });
    }
    Some(match text {
        "string" => Type::Scalar(Scalar::String),
        "bytes" => Type::Scalar(Scalar::Bytes),
        "bool" => Type::Scalar(Scalar::Bool),
        "int32" => Type::Scalar(Scalar::Int32),
        "int64" => Type::Scalar(Scalar::Int64),
        "number" => Type::Scalar(Scalar::Number),
        "time" => Type::Scalar(Scalar::Time),
        "microtime" => Type::Scalar(Scalar::MicroTime),
        "quantity" => Type::Scalar(Scalar::Quantity),
        "int-or-string" => Type::Scalar(Scalar::IntOrString),
        "any" => Type::Any,
        name => Type::Named { name, atomic },
    })
}

fn read_item(text: &'static str) -> Option<Type> {
    if text == "any" { Some(Type::AnyAtomic) } else { read_type(text) }
}

fn zero(of: &Type) -> Option<Value> {
    match of {
        Type::Scalar(Scalar::String) => Some(json!("")),
        Type::Scalar(Scalar::Int32 | Scalar::Int64) => Some(json!(0)),
        Type::Scalar(Scalar::Bool) => Some(json!(false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_in_the_table_is_a_type_of_the_table() {
        fn names<'a>(of: &'a Type, found: &mut Vec<&'a str>) {
            match of {
                Type::Named { name, .. } => found.push(name),
                Type::Map { of, .. } | Type::List { of, .. } => names(of, found),
                _ => {}
            }
        }
        assert!(table().len() > 250);
        for (name, of) in table() {
            let mut found = Vec::new();
            of.fields.values().for_each(|field| names(&field.of, &mut found));
            for other in found {
                assert!(table().contains_key(other), "{name} uses {other}");
            }
        }
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("types.txt").lines().filter(|line| line.starts_with("  ")).count();
        assert_eq!(table().values().map(|of| of.fields.len()).sum::<usize>(), lines);
    }

    #[test]
    fn lists_know_what_tells_their_items_apart() {
        let port = &table()["core.v1.ServiceSpec"].fields["ports"].of;
        assert!(matches!(port, Type::List { by: Items::Keys(keys), .. } if *keys == ["port", "protocol"]));
        assert_eq!(table()["core.v1.ServicePort"].fields["protocol"].default, Some(json!("TCP")));
        assert!(table()["meta.v1.LabelSelector"].atomic);
    }
}
