//! `.Files`: `pkg/engine/files.go`.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::glob::Glob;
use crate::helm::func::{Args, FuncError, Runtime};
use crate::helm::json;
use crate::helm::value::{Kind, List, Map, Method, Object, Str, Type, Value};
use crate::helm::yaml;

/// The files of a chart that are neither templates nor known to Helm.
pub(super) struct Files(pub(super) BTreeMap<Str, Rc<[u8]>>);

impl Files {
    fn get(&self, name: &Str) -> Rc<[u8]> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    fn glob(&self, pattern: &str) -> Self {
        let glob = Glob::new(pattern);
        Self(self.0.iter().filter(|(name, _)| glob.matches(name.as_bytes())).map(|(name, data)| (name.clone(), Rc::clone(data))).collect())
    }

    /// The files by the last part of their path, as YAML.
    fn flat(&self, text: impl Fn(&[u8]) -> Str) -> Value {
        let map: Map = self.0.iter().map(|(name, data)| (base(name), Value::Str(text(data)))).collect();
        yaml::marshal(&Value::Map(map)).map_or(Value::from(""), |yaml| Value::from(trim_newline(&yaml)))
    }

    fn lines(&self, name: &Str) -> List {
        let data = self.get(name);
        if data.is_empty() {
            return List::strings(Vec::<Str>::new());
        }
        let data = data.strip_suffix(b"\n").unwrap_or(&data);
        List::strings(data.split(|byte| *byte == b'\n').map(Str::from))
    }
}

fn trim_newline(text: &Str) -> Str {
    Str::from(text.as_bytes().strip_suffix(b"\n").unwrap_or(text.as_bytes()))
}

/// `path.Base`.
fn base(name: &Str) -> Str {
    Str::from(name.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default())
}

impl Object for Files {
    fn typ(&self) -> Type {
        Type::Object("engine.files", Kind::Map)
    }

    fn method(&self, name: &str) -> Option<Method> {
        let params: &'static [Type] = match name {
            "Get" | "GetBytes" | "Glob" | "Lines" => &[Type::String],
            "AsConfig" | "AsSecrets" => &[],
            _ => return None,
        };
        Some(Method { params, variadic: false })
    }

    fn call(&self, _: &mut dyn Runtime, name: &str, args: &[Value]) -> Result<Value, FuncError> {
        let args = Args(args);
        Ok(match name {
            "Get" => Value::str(self.get(args.str(0)?)),
            "GetBytes" => Value::List(List::bytes(self.get(args.str(0)?))),
            "Glob" => Value::Object(Rc::new(self.glob(&args.text(0)?))),
            "Lines" => Value::List(self.lines(args.str(0)?)),
            "AsConfig" => self.flat(|data| Str::from(data)),
            _ => self.flat(|data| Str::from(json::base64(data))),
        })
    }

    fn print(&self) -> Result<Str, FuncError> {
        self.map().print()
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        Ok(self.map())
    }

    fn entries(&self) -> Option<Vec<(Str, Value)>> {
        Some(self.0.iter().map(|(name, data)| (name.clone(), Value::List(List::bytes(Rc::clone(data))))).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Files {
    fn map(&self) -> Value {
        Value::Map(self.entries().unwrap_or_default().into_iter().collect())
    }
}
