//! values.schema.json: `pkg/chartutil/jsonschema.go`, over what github.com/santhosh-tekuri/jsonschema/v6 says and how.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12. A schema is held against that of schemas first; what it refers to outside itself is asked of the host.

mod draft;
mod format;
mod instance;
mod keywords;
mod meta;
mod remote;
mod report;
mod resolve;
mod validator;

use std::fmt::Write as _;

use super::chart::tree::Tree;
use super::func::{Host, url_error};
use super::json;
use super::strconv::quote;
use super::value::{Map, Value};
use report::Report;
use resolve::Document;
use validator::Validator;

/// `ValidateAgainstSchema`: holds the values of a chart and of its dependencies against their schemas. The error is Helm's text, chart by chart.
pub(crate) fn validate(chart: &Tree, values: &Map, host: &mut dyn Host) -> Result<(), String> {
    let mut out = String::new();
    if let Some(schema) = &chart.schema
        && let Err(error) = told(schema, values, host)
    {
        let _ = write!(out, "{}:\n{error}", chart.name());
    }
    for child in &chart.dependencies {
        match values.get(child.name()) {
            None | Some(Value::Nil) => {}
            Some(Value::Map(inner)) => {
                if let Err(error) = validate(child, &inner, host) {
                    out.push_str(&error);
                }
            }
            Some(other) => {
                let (name, typ) = (child.name(), other.type_name());
                let _ = writeln!(out, "{name}:\ninvalid type for values: expected object (map), got {typ}");
            }
        }
    }
    if out.is_empty() { Ok(()) } else { Err(out) }
}

/// Holds values against a schema that needs nothing from outside.
#[cfg(test)]
pub(crate) fn single(schema: &[u8], values: &Map) -> Result<(), String> {
    told(schema, values, &mut Alone)
}

/// A schema that needs nothing from outside, read once to hold many values.
#[cfg(test)]
pub(crate) struct Prepared(Document);

#[cfg(test)]
impl Prepared {
    /// Reads a schema.
    pub(crate) fn new(schema: &[u8]) -> Result<Self, String> {
        let schema = json::unmarshal(schema)?;
        check_meta(&schema, remote::OWN)?;
        let mut document = Document::new(schema);
        document.fetch(&mut |_| Err("nothing is fetched".to_owned()))?;
        Ok(Self(document))
    }

    /// Holds values against it.
    pub(crate) fn holds(&self, values: &Map) -> Result<(), String> {
        match Validator::new(&self.0).run(&Value::Map(values.clone())) {
            Ok(()) => Ok(()),
            Err(report::Failure::Invalid(report)) => Err(Report::root(report).to_string()),
            Err(report::Failure::Schema(error)) => Err(error),
        }
    }
}

/// Gives nothing.
#[cfg(test)]
struct Alone;

#[cfg(test)]
impl Host for Alone {
    fn random(&mut self, _: &mut [u8]) {}

    fn now(&mut self) -> (i64, u32) {
        (0, 0)
    }
}

/// `ValidateAgainstSingleSchema`; what there is to say of references is told to the host.
pub(crate) fn told(schema: &[u8], values: &Map, host: &mut dyn Host) -> Result<(), String> {
    // The schema is read as a stream there, whose end has a word of its own.
    let schema = json::unmarshal(schema).map_err(|error| error.replace("unexpected end of JSON input", "unexpected EOF"))?;
    check_meta(&schema, remote::OWN)?;
    let mut document = Document::new(schema);
    document.fetch(&mut |url| host.fetch_schema(url))?;
    let mut validator = Validator::new(&document);
    let outcome = validator.run(&Value::Map(values.clone()));
    document.warnings().iter().for_each(|text| host.warn(text));
    match outcome {
        Ok(()) => Ok(()),
        Err(report::Failure::Invalid(report)) => Err(Report::root(report).to_string() + "\n"),
        Err(report::Failure::Schema(error)) => Err(error),
    }
}

/// Holds a schema against the schema of schemas of its edition.
fn check_meta(schema: &Value, url: &str) -> Result<(), String> {
    if let Value::Map(map) = schema
        && let Some(id) = draft::text(map, "$id")
        && url_error(&id).is_some()
    {
        return Err(format!("error in parsing id at {}", quote(&format!("{url}#"))));
    }
    let version = draft::named_version(schema)?;
    let meta = Document::of_schemas(version);
    match Validator::new(&meta).run(schema) {
        Ok(()) => Ok(()),
        Err(report::Failure::Invalid(report)) => Err(format!(
            "{} is not valid against metaschema: jsonschema validation failed with '{}'\n{}",
            quote(&format!("{url}#")),
            meta::address(version),
            Report::root(report)
        )),
        Err(report::Failure::Schema(error)) => Err(error),
    }
}
