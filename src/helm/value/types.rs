//! Go's types, as far as templates meet them.

/// A Go type: of a value, or of a function's parameter. `reflect.Type` in Go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: any value, and nil. As the type of a value: nil.
    Any,
    /// `bool`.
    Bool,
    /// `int`: literals, `len`, `int`, indices.
    Int,
    /// `int32`: runes.
    Int32,
    /// `int64`: `--set`, `add`, `int64`, seconds.
    Int64,
    /// `uint`.
    Uint,
    /// `uint8`: what indexing a string or bytes gives.
    Uint8,
    /// `uint32`.
    Uint32,
    /// `uint64`: the parts of a semantic version.
    Uint64,
    /// `float64`: every number read from YAML or JSON.
    Float64,
    /// `string`.
    String,
    /// `[]interface {}`.
    Anys,
    /// `[]string`.
    Strings,
    /// `[]int`.
    Ints,
    /// `[]uint8`.
    Bytes,
    /// `[][]interface {}`: what `chunk` gives.
    Lists,
    /// `[]map[string]interface {}`.
    Maps,
    /// A slice of objects, by its full name, such as `[]*chart.Maintainer`.
    Slice(&'static str),
    /// `map[string]interface {}`.
    Map,
    /// `chartutil.Values` in name, a map otherwise: `.Values`, `.Template`.
    Values,
    /// `map[string]string`: `split`, annotations of a chart.
    StringMap,
    /// A type known by name only: `time.Time`, `*semver.Version`, …
    Object(&'static str, Kind),
    /// `reflect.Value`: the parameters of Go's own functions, which take everything, nil included.
    Reflect,
}

/// What Go calls the kind of a type; `reflect.Kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No type at all: nil.
    Invalid,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int32`
    Int32,
    /// `int64`
    Int64,
    /// `uint`
    Uint,
    /// `uint8`
    Uint8,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `float64`
    Float64,
    /// `string`
    String,
    /// `slice`
    Slice,
    /// `map`
    Map,
    /// `struct`
    Struct,
    /// `ptr`
    Ptr,
    /// `func`
    Func,
    /// `interface`: only of types, never of values.
    Interface,
}

impl Kind {
    /// The name, as `kindOf` prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
            Self::Func => "func",
            Self::Interface => "interface",
        }
    }
}

impl Type {
    /// The name, as `%T` and Go's errors print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Anys => "[]interface {}",
            Self::Strings => "[]string",
            Self::Ints => "[]int",
            Self::Bytes => "[]uint8",
            Self::Lists => "[][]interface {}",
            Self::Maps => "[]map[string]interface {}",
            Self::Slice(name) | Self::Object(name, _) => name,
            Self::Map => "map[string]interface {}",
            Self::Values => "chartutil.Values",
            Self::StringMap => "map[string]string",
            Self::Reflect => "reflect.Value",
        }
    }

    /// The kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Any => Kind::Interface,
            Self::Bool => Kind::Bool,
            Self::Int => Kind::Int,
            Self::Int32 => Kind::Int32,
            Self::Int64 => Kind::Int64,
            Self::Uint => Kind::Uint,
            Self::Uint8 => Kind::Uint8,
            Self::Uint32 => Kind::Uint32,
            Self::Uint64 => Kind::Uint64,
            Self::Float64 => Kind::Float64,
            Self::String => Kind::String,
            Self::Anys | Self::Strings | Self::Ints | Self::Bytes | Self::Lists | Self::Maps | Self::Slice(_) => Kind::Slice,
            Self::Map | Self::Values | Self::StringMap => Kind::Map,
            Self::Object(_, kind) => kind,
            Self::Reflect => Kind::Struct,
        }
    }

    /// The type of the elements of a list or map; `Any` for what has none.
    #[must_use]
    pub fn elem(self) -> Self {
        match self {
            Self::Strings | Self::StringMap => Self::String,
            Self::Ints => Self::Int,
            Self::Bytes => Self::Uint8,
            Self::Lists => Self::Anys,
            Self::Maps => Self::Map,
            Self::Slice(name) => Self::Object(name.strip_prefix("[]").unwrap_or(name), Kind::Ptr),
            _ => Self::Any,
        }
    }

    /// Whether nil may be given where this type is wanted; `canBeNil` of text/template.
    #[must_use]
    pub fn can_be_nil(self) -> bool {
        matches!(self, Self::Reflect) || matches!(self.kind(), Kind::Interface | Kind::Slice | Kind::Map | Kind::Ptr | Kind::Func)
    }

    /// Whether a value of this type may be given where `wanted` is; `reflect.Type.AssignableTo`.
    #[must_use]
    pub fn assignable_to(self, wanted: Self) -> bool {
        match wanted {
            Self::Any | Self::Reflect => true,
            // A named map type and its underlying type are assignable both ways.
            Self::Map | Self::Values => matches!(self, Self::Map | Self::Values),
            _ => self == wanted,
        }
    }
}
