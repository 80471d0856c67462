//! values.schema.json: `pkg/chartutil/jsonschema.go`, over what github.com/santhosh-tekuri/jsonschema/v6 says and how.
//!
//! Drafts 4, 6, 7, 2019-09 and 2020-12. Nothing is fetched: references lead within the schema.

mod draft;
mod format;
mod instance;
mod keywords;
mod report;
mod resolve;
mod validator;

use std::fmt::Write as _;

use super::chart::tree::Tree;
use super::func::Host;
use super::json;
use super::value::{Map, Value};
use report::Report;
use resolve::Document;
use validator::Validator;

/// `ValidateAgainstSchema`: holds the values of a chart and of its dependencies against their schemas. The error is Helm's text, chart by chart.
pub(crate) fn validate(chart: &Tree, values: &Map, host: &mut dyn Host) -> Result<(), String> {
    let mut out = String::new();
    if let Some(schema) = &chart.schema
        && let Err(error) = told(schema, values, &mut |text| host.warn(text))
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

/// `ValidateAgainstSingleSchema`.
pub(crate) fn single(schema: &[u8], values: &Map) -> Result<(), String> {
    told(schema, values, &mut |_| ())
}

/// The same; what there is to say of references goes to `warn`.
fn told(schema: &[u8], values: &Map, warn: &mut dyn FnMut(&str)) -> Result<(), String> {
    // The schema is read as a stream there, whose end has a word of its own.
    let schema = json::unmarshal(schema).map_err(|error| error.replace("unexpected end of JSON input", "unexpected EOF"))?;
    let document = Document::new(schema);
    let mut validator = Validator::new(&document);
    let outcome = validator.run(&Value::Map(values.clone()));
    document.warnings().iter().for_each(|text| warn(text));
    match outcome {
        Ok(()) => Ok(()),
        Err(report::Failure::Invalid(report)) => Err(Report::root(report).to_string() + "\n"),
        Err(report::Failure::Schema(error)) => Err(error),
    }
}
