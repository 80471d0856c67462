//! TOML as `toToml` and `fromToml` have it: github.com/BurntSushi/toml.

mod write;

use super::func::FuncError;
use super::value::{List, Map, Str, Type, Value};

/// `toml.Encoder.Encode`.
pub(crate) fn marshal(value: &Value) -> Result<Str, FuncError> {
    write::marshal(value)
}

/// `toml.Unmarshal` into a map. The words of errors are those of the reader here, not Go's; times become strings.
pub(crate) fn unmarshal(text: &Str) -> Result<Value, String> {
    let table: toml::Table = text.to_str().parse().map_err(|error: toml::de::Error| format!("toml: {}", error.message()))?;
    Ok(table_value(table))
}

fn table_value(table: toml::Table) -> Value {
    Value::Map(table.into_iter().map(|(key, value)| (key, self::value(value))).collect::<Map>())
}

fn value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::int64(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Table(table) => table_value(table),
        toml::Value::Array(items) => {
            let tables = !items.is_empty() && items.iter().all(toml::Value::is_table);
            let typ = if tables { Type::Maps } else { Type::Anys };
            Value::List(List::typed(typ, items.into_iter().map(self::value).collect()))
        }
    }
}
