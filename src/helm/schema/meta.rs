//! What a schema of each edition may look like: the keywords by the kind of their values, from which the schema of schemas is made. A
//! values.schema.json is held against it before it is used, as Helm does.

use std::collections::BTreeMap;

use crate::helm::value::{List, Map, Value};

/// What the value of a keyword has to be.
#[derive(Clone, Copy)]
enum Kind {
    Schema,
    /// A schema, or true or false: for draft 4, where those are no schemas.
    SchemaOrTruth,
    Schemas,
    SchemaOrSchemas,
    /// Schemas by names.
    Table,
    /// The same, where the names are regular expressions.
    Patterns,
    /// Schemas, or lists of names, by names.
    Dependencies,
    /// Lists of names by names.
    Names,
    Count,
    /// A count that is nothing by default: in the old editions a schema of its own.
    CountFromZero,
    Number,
    Positive,
    Truth,
    Text,
    Regex,
    Address,
    Reference,
    /// A reference without a fragment.
    Identity,
    Anchor,
    /// Strings, each once.
    Strings,
    Types,
    Items,
    Examples,
    Any,
}

use Kind::{
    Address, Anchor, Any, Count, CountFromZero, Dependencies, Examples, Identity, Items, Names, Number, Patterns, Positive, Reference,
    Regex, Schema, SchemaOrSchemas, SchemaOrTruth, Schemas, Strings, Table, Text, Truth, Types,
};

type Keywords = &'static [(&'static str, Kind)];

/// Keywords that all editions have.
#[rustfmt::skip]
const COMMON: Keywords = &[
    ("title", Text), ("description", Text), ("default", Any), ("maximum", Number), ("minimum", Number), ("maxLength", Count),
    ("minLength", CountFromZero), ("pattern", Regex), ("maxItems", Count), ("minItems", CountFromZero), ("uniqueItems", Truth),
    ("maxProperties", Count), ("minProperties", CountFromZero), ("required", Strings), ("multipleOf", Positive), ("enum", Items),
    ("type", Types), ("format", Text),
];
/// How schemas lie in one another until 2019.
#[rustfmt::skip]
const NESTED: Keywords = &[
    ("definitions", Table), ("properties", Table), ("patternProperties", Table), ("dependencies", Dependencies), ("allOf", Schemas),
    ("anyOf", Schemas), ("oneOf", Schemas), ("not", Schema), ("items", SchemaOrSchemas),
];
#[rustfmt::skip]
const DRAFT_4: Keywords = &[
    ("id", Text), ("$schema", Address), ("exclusiveMaximum", Truth), ("exclusiveMinimum", Truth), ("additionalItems", SchemaOrTruth),
    ("additionalProperties", SchemaOrTruth), ("$ref", Text),
];
#[rustfmt::skip]
const DRAFT_6: Keywords = &[
    ("$id", Reference), ("$schema", Address), ("$ref", Reference), ("exclusiveMaximum", Number), ("exclusiveMinimum", Number),
    ("additionalItems", Schema), ("additionalProperties", Schema), ("contains", Schema), ("propertyNames", Schema), ("const", Any),
];
#[rustfmt::skip]
const DRAFT_7: Keywords = &[
    ("$comment", Text), ("readOnly", Truth), ("writeOnly", Truth), ("examples", Examples), ("contentMediaType", Text),
    ("contentEncoding", Text), ("if", Schema), ("then", Schema), ("else", Schema), ("patternProperties", Patterns),
];
/// The vocabularies of 2019 and 2020, in their order; the first column says which edition has a keyword: 0 both.
#[rustfmt::skip]
const VOCABULARIES: &[&[(u16, &str, Kind)]] = &[
    &[
        (0, "$id", Identity), (0, "$schema", Address), (0, "$ref", Reference), (0, "$anchor", Anchor), (0, "$comment", Text),
        (0, "$defs", Table), (2019, "$recursiveRef", Reference), (2019, "$recursiveAnchor", Truth), (2020, "$dynamicRef", Reference),
        (2020, "$dynamicAnchor", Anchor),
    ],
    &[
        (2019, "additionalItems", Schema), (2019, "unevaluatedItems", Schema), (2019, "unevaluatedProperties", Schema),
        (2019, "items", SchemaOrSchemas), (2020, "items", Schema), (2020, "prefixItems", Schemas), (0, "contains", Schema),
        (0, "additionalProperties", Schema), (0, "properties", Table), (0, "patternProperties", Patterns), (0, "dependentSchemas", Table),
        (0, "propertyNames", Schema), (0, "if", Schema), (0, "then", Schema), (0, "else", Schema), (0, "allOf", Schemas),
        (0, "anyOf", Schemas), (0, "oneOf", Schemas), (0, "not", Schema),
    ],
    &[(2020, "unevaluatedItems", Schema), (2020, "unevaluatedProperties", Schema)],
    &[
        (0, "multipleOf", Positive), (0, "maximum", Number), (0, "exclusiveMaximum", Number), (0, "minimum", Number),
        (0, "exclusiveMinimum", Number), (0, "maxLength", Count), (0, "minLength", Count), (0, "pattern", Regex), (0, "maxItems", Count),
        (0, "minItems", Count), (0, "uniqueItems", Truth), (0, "maxContains", Count), (0, "minContains", Count),
        (0, "maxProperties", Count), (0, "minProperties", Count), (0, "required", Strings), (0, "dependentRequired", Names),
        (0, "const", Any), (0, "enum", Items), (0, "type", Types),
    ],
    &[
        (0, "title", Text), (0, "description", Text), (0, "default", Any), (0, "deprecated", Truth), (0, "readOnly", Truth),
        (0, "writeOnly", Truth), (0, "examples", Examples),
    ],
    &[(0, "format", Text)],
    &[(0, "contentMediaType", Text), (0, "contentEncoding", Text), (0, "contentSchema", Schema)],
];

/// The address of an edition's schema of schemas.
pub(super) fn address(version: u16) -> String {
    match version {
        4 | 6 | 7 => format!("http://json-schema.org/draft-0{version}/schema#"),
        2019 => "https://json-schema.org/draft/2019-09/schema#".to_owned(),
        _ => "https://json-schema.org/draft/2020-12/schema#".to_owned(),
    }
}

/// The schema of schemas of an edition.
pub(super) fn schema(version: u16) -> Value {
    if version >= 2019 {
        return of_vocabularies(version);
    }
    let own: &[Keywords] = match version {
        4 => &[COMMON, NESTED, DRAFT_4],
        6 => &[COMMON, NESTED, DRAFT_6],
        _ => &[COMMON, NESTED, DRAFT_6, DRAFT_7],
    };
    // What comes later counts.
    let keywords: BTreeMap<&str, Kind> = own.concat().into_iter().collect();
    let mut entries = vec![
        ("type", if version == 4 { text("object") } else { texts(&["object", "boolean"]) }),
        ("properties", properties(keywords.into_iter(), version)),
    ];
    if version == 4 {
        let of = |bound: &str| Value::List(List::new(vec![text(bound)]));
        entries.push(("dependencies", map([("exclusiveMaximum", of("maximum")), ("exclusiveMinimum", of("minimum"))])));
    }
    map(entries)
}

fn of_vocabularies(version: u16) -> Value {
    let kinds = || texts(&["object", "boolean"]);
    let all: Vec<Value> = VOCABULARIES
        .iter()
        .map(|vocabulary| {
            let keywords = vocabulary.iter().filter(|(edition, ..)| *edition == 0 || *edition == version);
            let properties = properties(keywords.map(|(_, name, kind)| (*name, *kind)), version);
            map([("type", kinds()), ("properties", properties)])
        })
        .collect();
    let old = [("definitions", Table), ("dependencies", Dependencies)];
    map([("allOf", Value::List(List::new(all))), ("type", kinds()), ("properties", properties(old.into_iter(), version))])
}

fn properties<'a>(keywords: impl Iterator<Item = (&'a str, Kind)>, version: u16) -> Value {
    map(keywords.map(|(name, kind)| (name, shape(kind, version))))
}

/// The schema of a keyword's value.
fn shape(kind: Kind, version: u16) -> Value {
    let whole = || map([("$ref", text("#"))]);
    let of_type = |name: &str| map([("type", text(name))]);
    let formatted = |format: &str| map([("type", text("string")), ("format", text(format))]);
    let count = || map([("type", text("integer")), ("minimum", Value::int(0))]);
    let table = |inner: Value| map([("type", text("object")), ("additionalProperties", inner)]);
    let many = |inner: Value| [("type", text("array")), ("minItems", Value::int(1)), ("items", inner)];
    let either = |one: Value, other: Value| map([("anyOf", Value::List(List::new(vec![one, other])))]);
    let strings = || {
        let least = (version == 4).then_some(("minItems", Value::int(1)));
        map([("type", text("array")), ("items", of_type("string")), ("uniqueItems", Value::Bool(true))].into_iter().chain(least))
    };
    match kind {
        Schema => whole(),
        SchemaOrTruth => either(of_type("boolean"), whole()),
        Schemas => map(many(whole())),
        SchemaOrSchemas => either(whole(), map(many(whole()))),
        Table => table(whole()),
        Patterns => {
            let names = map([("format", text("regex"))]);
            map([("type", text("object")), ("additionalProperties", whole()), ("propertyNames", names)])
        }
        Dependencies => table(either(whole(), strings())),
        Names => table(strings()),
        Count => count(),
        CountFromZero => map([("allOf", Value::List(List::new(vec![count(), Value::Map(Map::new())])))]),
        Number => of_type("number"),
        Positive if version == 4 => map([("type", text("number")), ("minimum", Value::int(0)), ("exclusiveMinimum", Value::Bool(true))]),
        Positive => map([("type", text("number")), ("exclusiveMinimum", Value::int(0))]),
        Truth => of_type("boolean"),
        Text => of_type("string"),
        Regex => formatted("regex"),
        Address => formatted("uri"),
        Reference => formatted("uri-reference"),
        Identity => map([("type", text("string")), ("format", text("uri-reference")), ("pattern", text("^[^#]*#?$"))]),
        Anchor => {
            let pattern = if version == 2019 { "^[A-Za-z][-A-Za-z0-9.:_]*$" } else { "^[A-Za-z_][-A-Za-z0-9._]*$" };
            map([("type", text("string")), ("pattern", text(pattern))])
        }
        Strings => strings(),
        Types => {
            let names = || map([("enum", texts(&["array", "boolean", "integer", "null", "number", "object", "string"]))]);
            let list = many(names()).into_iter().chain([("uniqueItems", Value::Bool(true))]);
            either(names(), map(list))
        }
        // An enum of nothing is an error in the old editions.
        Items if version < 2019 => map([("type", text("array")), ("minItems", Value::int(1)), ("uniqueItems", Value::Bool(true))]),
        Items | Examples => of_type("array"),
        Any => Value::Bool(true),
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn texts(texts: &[&str]) -> Value {
    Value::List(List::new(texts.iter().map(|one| text(one)).collect::<Vec<_>>()))
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}
