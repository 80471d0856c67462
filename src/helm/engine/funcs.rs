//! Helm's own functions: `pkg/engine/funcs.go`, and those that `engine.go` binds.

use crate::helm::func::{Args, Func, FuncError, Runtime};
use crate::helm::json;
use crate::helm::value::{List, Map, Str, Type, Value};
use crate::helm::yaml;

/// What the engine takes for the bounds of a message that `fail` or `required` gave.
pub(super) const WARN_START: &str = "HELM_ERR_START";
/// Its end.
pub(super) const WARN_END: &str = "HELM_ERR_END";

/// The table.
pub(crate) const FUNCS: &[Func] = &[
    Func::fixed("fail", &[Type::String], fail),
    Func::fixed("fromJson", &[Type::String], from_json),
    Func::fixed("fromJsonArray", &[Type::String], from_json_array),
    Func::fixed("fromToml", &[Type::String], from_toml),
    Func::fixed("fromYaml", &[Type::String], from_yaml),
    Func::fixed("fromYamlArray", &[Type::String], from_yaml_array),
    Func::fixed("include", &[Type::String, Type::Any], include),
    Func::fixed("lookup", &[Type::String, Type::String, Type::String, Type::String], lookup),
    Func::fixed("required", &[Type::String, Type::Any], required),
    Func::fixed("toJson", &[Type::Any], to_json),
    Func::fixed("toToml", &[Type::Any], to_toml),
    Func::fixed("toYaml", &[Type::Any], to_yaml),
    Func::fixed("toYamlPretty", &[Type::Any], to_yaml_pretty),
    Func::fixed("tpl", &[Type::String, Type::Any], tpl),
];

type Outcome = Result<Value, FuncError>;

/// A value too deep to be written is an error even where Helm swallows errors: there it would have ended the process.
fn swallow(text: Result<Str, FuncError>) -> Outcome {
    match text {
        Ok(text) => Ok(Value::Str(text)),
        Err(error) if error.is_limit() => Err(error),
        Err(_) => Ok(Value::from("")),
    }
}

fn without_newline(text: &Str) -> Str {
    Str::from(text.as_bytes().strip_suffix(b"\n").unwrap_or(text.as_bytes()))
}

fn include(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    Ok(Value::Str(runtime.include(&args.text(0)?, args.value(1).clone())?))
}

fn tpl(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    Ok(Value::Str(runtime.tpl(args.str(0)?, args.value(1).clone())?))
}

fn warn(words: &Str) -> FuncError {
    FuncError::new(format!("{WARN_START}{words}{WARN_END}"))
}

fn required(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    let missing = match args.value(1) {
        Value::Nil => true,
        Value::Str(text) => text.is_empty(),
        _ => false,
    };
    match (missing, runtime.lint()) {
        (false, _) => Ok(args.value(1).clone()),
        (true, true) => {
            let text = format!("[INFO] Missing required value: {}", args.str(0)?);
            runtime.host().warn(&text);
            Ok(Value::from(""))
        }
        (true, false) => Err(warn(args.str(0)?)),
    }
}

fn fail(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    if !runtime.lint() {
        return Err(warn(args.str(0)?));
    }
    let text = format!("[INFO] Fail: {}", args.str(0)?);
    runtime.host().warn(&text);
    Ok(Value::from(""))
}

fn lookup(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    let (api_version, kind, namespace, name) = (args.text(0)?, args.text(1)?, args.text(2)?, args.text(3)?);
    runtime.host().lookup(&api_version, &kind, &namespace, &name)
}

fn to_yaml(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    swallow(yaml::marshal(args.value(0)).map(|text| without_newline(&text)))
}

fn to_yaml_pretty(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    swallow(yaml::marshal_pretty(args.value(0)).map(|text| without_newline(&text)))
}

fn to_json(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    swallow(json::marshal(args.value(0), true))
}

fn with_error(error: String) -> Value {
    Value::Map([("Error", Value::from(error))].into_iter().collect())
}

fn from_yaml(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    let text = args.str(0)?;
    if let Some(map) = runtime.last_read().take(text) {
        return Ok(Value::Map(map));
    }
    Ok(match yaml::unmarshal_map(text.as_bytes()) {
        Ok(map) => {
            let map = map.unwrap_or_default();
            runtime.last_read().keep(text, &map);
            Value::Map(map)
        }
        Err(error) => with_error(error),
    })
}

fn from_yaml_array(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    Ok(match yaml::unmarshal(args.str(0)?.as_bytes()) {
        Ok(Value::List(list)) => Value::List(list),
        Ok(Value::Nil) => Value::List(List::new(Vec::new())),
        Ok(other) => Value::from(vec![Value::from(yaml::mismatch(&other, "[]interface {}"))]),
        Err(error) => Value::from(vec![Value::from(error)]),
    })
}

fn json_mismatch(value: &Value, wanted: &str) -> String {
    yaml::mismatch(value, wanted).replacen("error unmarshaling JSON: while decoding JSON: ", "", 1)
}

fn from_json(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    Ok(match json::unmarshal(args.str(0)?.as_bytes()) {
        Ok(Value::Map(map)) => Value::Map(map),
        Ok(Value::Nil) => Value::Map(Map::nil(Type::Map)),
        Ok(other) => with_error(json_mismatch(&other, "map[string]interface {}")),
        Err(error) => with_error(error),
    })
}

fn from_json_array(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    Ok(match json::unmarshal(args.str(0)?.as_bytes()) {
        Ok(Value::List(list)) => Value::List(list),
        Ok(Value::Nil) => Value::List(List::nil(Type::Anys)),
        Ok(other) => Value::from(vec![Value::from(json_mismatch(&other, "[]interface {}"))]),
        Err(error) => Value::from(vec![Value::from(error)]),
    })
}

fn to_toml(_: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    // A panic of the Go package, which the template engine catches.
    if matches!(args.value(0), Value::Nil) {
        return Err(FuncError::new("reflect: call of reflect.Value.Type on zero Value"));
    }
    match crate::helm::toml::marshal(args.value(0)) {
        Ok(text) => Ok(Value::Str(text)),
        Err(error) if error.is_limit() => Err(error),
        Err(error) => Ok(Value::from(error.message())),
    }
}

fn from_toml(runtime: &mut dyn Runtime, args: Args<'_>) -> Outcome {
    match crate::helm::toml::unmarshal(runtime.host(), args.str(0)?) {
        Ok(value) => Ok(value),
        Err(error) if error.is_limit() => Err(error),
        Err(error) => Ok(with_error(error.message().to_owned())),
    }
}
