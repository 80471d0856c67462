//! `semver` and `semverCompare`: sprig's `semver.go`.

use std::any::Any;
use std::rc::Rc;

use super::semver::{Constraints, Version};
use super::{Func, FuncError, Runtime};
use crate::helm::value::{Kind, Method, Object, Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("semver", &[Type::String], |_, args| Ok(VersionValue::value(Version::new(&args.text(0)?).map_err(told)?))),
    Func::fixed("semverCompare", &[Type::String, Type::String], |_, args| {
        let constraint = Constraints::new(&args.text(0)?).map_err(told)?;
        Ok(Value::Bool(constraint.check(&Version::new(&args.text(1)?).map_err(told)?)))
    }),
];

/// `*semver.Version` as a type.
const POINTER: Type = Type::Object("*semver.Version", Kind::Ptr);
/// `semver.Version` as a type: what `IncMajor` and its kin give.
const STRUCT: Type = Type::Object("semver.Version", Kind::Struct);

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err wants")]
fn told(error: super::semver::SemverError) -> FuncError {
    FuncError::new(error.to_string())
}

struct VersionValue {
    version: Version,
    typ: Type,
}

impl VersionValue {
    fn value(version: Version) -> Value {
        Value::Object(Rc::new(Self { version, typ: POINTER }))
    }

    fn plain(version: Version) -> Value {
        Value::Object(Rc::new(Self { version, typ: STRUCT }))
    }
}

impl Object for VersionValue {
    fn typ(&self) -> Type {
        self.typ
    }

    fn method(&self, name: &str) -> Option<Method> {
        let params: &'static [Type] = match name {
            "Major" | "Minor" | "Patch" | "Prerelease" | "Metadata" | "Original" | "String" | "IncMajor" | "IncMinor" | "IncPatch" => &[],
            "Compare" | "Equal" | "LessThan" | "GreaterThan" | "LessThanEqual" | "GreaterThanEqual" => &[POINTER],
            "SetPrerelease" | "SetMetadata" => &[Type::String],
            _ => return None,
        };
        Some(Method { params, variadic: false })
    }

    fn call(&self, _: &mut dyn Runtime, name: &str, args: &[Value]) -> Result<Value, FuncError> {
        let version = &self.version;
        let other =
            args.first().and_then(|value| if let Value::Object(object) = value { object.as_any().downcast_ref::<Self>() } else { None });
        let order = || other.map(|other| version.compare(&other.version)).ok_or_else(super::lists::nil_pointer);
        let text = || if let Some(Value::Str(text)) = args.first() { text.to_str().into_owned() } else { String::new() };
        Ok(match name {
            "Major" => Value::Uint(Type::Uint64, version.major),
            "Minor" => Value::Uint(Type::Uint64, version.minor),
            "Patch" => Value::Uint(Type::Uint64, version.patch),
            "Prerelease" => Value::from(version.prerelease.as_str()),
            "Metadata" => Value::from(version.metadata.as_str()),
            "Original" => Value::from(version.original.as_str()),
            "String" => Value::from(version.to_string()),
            "IncMajor" => Self::plain(version.inc_major()),
            "IncMinor" => Self::plain(version.inc_minor()),
            "IncPatch" => Self::plain(version.inc_patch()),
            "SetPrerelease" => Self::plain(version.with_prerelease(&text()).map_err(told)?),
            "SetMetadata" => Self::plain(version.with_metadata(&text()).map_err(told)?),
            "Compare" => Value::int(order()? as i64),
            "Equal" => Value::Bool(other.is_some() && order()?.is_eq()),
            "LessThan" => Value::Bool(order()?.is_lt()),
            "GreaterThan" => Value::Bool(order()?.is_gt()),
            "LessThanEqual" => Value::Bool(order()?.is_le()),
            "GreaterThanEqual" => Value::Bool(order()?.is_ge()),
            _ => return Err(FuncError::new(format!("no method {name}"))),
        })
    }

    fn print(&self) -> Result<Str, FuncError> {
        Ok(self.version.to_string().into())
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        Ok(Value::from(self.version.to_string()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
