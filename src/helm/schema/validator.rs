//! The walk over schema and values: `validator.go` of the Go package.

use std::collections::{BTreeSet, HashMap};

use regex::bytes::Regex;

use super::draft;
use super::instance::{equals, is_integer, type_of};
use super::report::{Failure, Kind, Report, display, quote};
use super::resolve::{Document, Target};
use crate::helm::func::re2;
use crate::helm::strconv;
use crate::helm::value::{Map, Value};

/// How deep schemas may lead into one another for one value, and values into values.
const MAX_NESTING: usize = 2000;
/// How many schemas are held against values altogether.
const MAX_CHECKS: u64 = 20_000_000;

/// The parts of a value that no keyword has looked at yet; asked for by `unevaluatedProperties` and `unevaluatedItems`.
#[derive(Debug, Clone, Default)]
pub(super) struct Unevaluated {
    pub(super) props: BTreeSet<String>,
    pub(super) items: BTreeSet<usize>,
}

impl Unevaluated {
    fn is_empty(&self) -> bool {
        self.props.is_empty() && self.items.is_empty()
    }

    fn merge(&mut self, other: &Self) {
        self.props.retain(|name| other.props.contains(name));
        self.items.retain(|index| other.items.contains(index));
    }
}

/// The outcome for one value: what is left unevaluated, or what is wrong.
pub(super) type Outcome = Result<Result<Unevaluated, Report>, Failure>;

/// One value held against one schema.
pub(super) struct Check {
    pub(super) value: Value,
    pub(super) schema: Map,
    pub(super) unevaluated: Unevaluated,
    pub(super) found: Vec<Report>,
    /// Only whether it fits is asked.
    pub(super) quick: bool,
}

pub(super) struct Validator<'d> {
    document: &'d Document,
    regexes: HashMap<String, Regex>,
    pub(super) location: Vec<String>,
    /// The schemas that lead to the present one for the same value, by identity; a new value starts a new list.
    scopes: Vec<Vec<Map>>,
    checks: u64,
}

impl<'d> Validator<'d> {
    pub(super) fn new(document: &'d Document) -> Self {
        Self { document, regexes: HashMap::new(), location: Vec::new(), scopes: vec![Vec::new()], checks: 0 }
    }

    pub(super) fn version(&self) -> u16 {
        self.document.version
    }

    /// Validates from the root.
    pub(super) fn run(&mut self, value: &Value) -> Result<(), Failure> {
        let root = self.document.root.clone();
        match self.check(&root, value, false, false)? {
            Ok(_) => Ok(()),
            Err(report) => Err(Failure::Invalid(report)),
        }
    }

    pub(super) fn report(&self, words: impl Into<String>) -> Report {
        Report { location: self.location.clone(), kind: Kind::Words(words.into()), causes: Vec::new() }
    }

    /// A regular expression of the schema.
    pub(super) fn regex(&mut self, pattern: &str, keyword: &str) -> Result<Regex, Failure> {
        if let Some(regex) = self.regexes.get(pattern) {
            return Ok(regex.clone());
        }
        let regex = re2::compile(pattern)
            .map_err(|error| Failure::Schema(format!("invalid regex {} at {keyword}: {error}", strconv::quote(pattern))))?;
        self.regexes.insert(pattern.to_owned(), regex.clone());
        Ok(regex)
    }

    /// Another schema for the same value.
    pub(super) fn check_self(&mut self, check: &mut Check, schema: &Value, quick: bool) -> Result<Option<Report>, Failure> {
        let needs = !check.unevaluated.is_empty();
        match self.check(schema, &check.value, check.quick || quick, needs)? {
            Ok(unevaluated) => {
                check.unevaluated.merge(&unevaluated);
                Ok(None)
            }
            Err(report) => Ok(Some(report)),
        }
    }

    /// A schema for a part of the value.
    pub(super) fn check_part(&mut self, check: &Check, schema: &Value, part: &Value, token: String) -> Result<Option<Report>, Failure> {
        self.location.push(token);
        self.scopes.push(Vec::new());
        let outcome = self.check(schema, part, check.quick, false);
        self.scopes.pop();
        self.location.pop();
        Ok(outcome?.err())
    }

    fn check(&mut self, schema: &Value, value: &Value, quick: bool, needs: bool) -> Outcome {
        self.checks += 1;
        let depth = self.scopes.len() + self.scopes.last().map_or(0, Vec::len);
        if self.checks > MAX_CHECKS || depth > MAX_NESTING {
            return Err(Failure::Schema("the schema is nested too deep, or takes too long".to_owned()));
        }
        let schema = match schema {
            Value::Bool(true) => return Ok(Ok(unevaluated(value, None, needs))),
            Value::Bool(false) => return Ok(Err(self.report("false schema"))),
            Value::Map(map) => map.clone(),
            _ => return Err(Failure::Schema("a schema must be an object or a boolean".to_owned())),
        };
        let scope = self.scopes.last_mut();
        if scope.as_ref().is_some_and(|scope| scope.iter().any(|other| other.same(&schema))) {
            return Ok(Err(self.report("references lead back to themselves causing reference cycle")));
        }
        if let Some(scope) = scope {
            scope.push(schema.clone());
        }
        let unevaluated = unevaluated(value, Some((&schema, self.version())), needs);
        let outcome = self.keywords(Check { value: value.clone(), schema, unevaluated, found: Vec::new(), quick });
        if let Some(scope) = self.scopes.last_mut() {
            scope.pop();
        }
        outcome
    }

    fn keywords(&mut self, mut check: Check) -> Outcome {
        let only_reference = self.version() < 2019 && check.schema.has("$ref");
        if !only_reference && let Some(words) = self.first_keywords(&check) {
            return Ok(Err(self.report(words)));
        }
        if let Some(reference) = draft::text(&check.schema, "$ref") {
            let found = self.reference(&mut check, &reference)?;
            if only_reference {
                return Ok(match found {
                    Some(report) => Err(report),
                    None => Ok(check.unevaluated),
                });
            }
            check.found.extend(found);
        }
        match check.value.clone() {
            Value::Map(map) => self.object(&mut check, &map)?,
            Value::List(list) => self.array(&mut check, &list.to_vec())?,
            Value::Str(text) => self.string(&mut check, &text.to_str())?,
            _ => self.number(&mut check),
        }
        if check.found.is_empty() || !check.quick {
            if self.version() >= 2019 {
                for keyword in ["$recursiveRef", "$dynamicRef"] {
                    if let Some(reference) = draft::text(&check.schema, keyword) {
                        let found = self.reference(&mut check, &reference)?;
                        check.found.extend(found);
                    }
                }
            }
            self.conditions(&mut check)?;
            if self.version() >= 2019 {
                self.unevaluated(&mut check)?;
            }
        }
        let Check { mut found, unevaluated, .. } = check;
        Ok(match found.len() {
            0 => Ok(unevaluated),
            1 => Err(found.remove(0)),
            _ => Err(Report { location: self.location.clone(), kind: Kind::Group, causes: found }),
        })
    }

    /// `type`, `const`, `enum` and `format`: the first that fails ends the check.
    fn first_keywords(&self, check: &Check) -> Option<String> {
        let Check { value, schema, .. } = check;
        let wanted: Vec<String> = match schema.get("type") {
            Some(Value::Str(name)) => vec![name.to_str().into_owned()],
            Some(Value::List(_)) => draft::texts(schema, "type").unwrap_or_default(),
            _ => Vec::new(),
        };
        let is = type_of(value);
        let fits = |name: &String| name == is || name == "integer" && is_integer(value);
        if !wanted.is_empty() && !wanted.iter().any(fits) {
            return Some(format!("got {is}, want {}", sorted_types(&wanted).join(" or ")));
        }
        if self.version() >= 6
            && let Some(constant) = schema.get("const")
            && !equals(value, &constant, 0)
        {
            return Some(match constant {
                Value::List(_) | Value::Map(_) => "'const' failed".to_owned(),
                other => format!("value must be {}", display(&other)),
            });
        }
        if let Some(allowed) = draft::list(schema, "enum")
            && !allowed.iter().any(|item| equals(value, item, 0))
        {
            let primitive = !allowed.iter().any(|item| matches!(item, Value::List(_) | Value::Map(_)));
            return Some(match allowed.as_slice() {
                [one] if primitive => format!("value must be {}", display(one)),
                all if primitive => format!("value must be one of {}", all.iter().map(display).collect::<Vec<_>>().join(", ")),
                _ => "'enum' failed".to_owned(),
            });
        }
        if self.document.asserts_formats
            && let Some(name) = draft::text(schema, "format")
            && let Value::Str(text) = value
            && let Err(error) = super::format::check(&name, &text.to_str())
        {
            return Some(format!("{} is not valid {name}: {error}", quote(&text.to_str())));
        }
        None
    }

    fn reference(&mut self, check: &mut Check, reference: &str) -> Result<Option<Report>, Failure> {
        let target = match self.document.resolve(reference).map_err(Failure::Schema)? {
            Target::Anything => return Ok(None),
            Target::Schema(schema) => schema,
        };
        let Some(report) = self.check_self(check, &target, false)? else { return Ok(None) };
        let causes = if matches!(report.kind, Kind::Group) { report.causes } else { vec![report] };
        Ok(Some(Report { location: self.location.clone(), kind: Kind::Reference, causes }))
    }
}

/// The order in which the Go package names types.
fn sorted_types(wanted: &[String]) -> Vec<&str> {
    ["null", "boolean", "number", "integer", "string", "array", "object"]
        .into_iter()
        .filter(|name| wanted.iter().any(|other| other == name))
        .collect()
}

/// `unevalFrom`.
fn unevaluated(value: &Value, schema: Option<(&Map, u16)>, needs: bool) -> Unevaluated {
    let mut out = Unevaluated::default();
    let has = |keys: &[&str]| schema.is_some_and(|(schema, _)| keys.iter().any(|key| schema.has(key)));
    match value {
        Value::Map(map) if !has(&["additionalProperties"]) && (needs || has(&["unevaluatedProperties"])) => {
            out.props = map.keys().iter().map(ToString::to_string).collect();
        }
        Value::List(list) if needs || has(&["unevaluatedItems"]) => {
            let (all, some) = match schema {
                Some((schema, 2020)) => (schema.has("items"), draft::list(schema, "prefixItems").map_or(0, |items| items.len())),
                Some((schema, _)) => match schema.get("items") {
                    Some(Value::List(items)) => (schema.has("additionalItems"), items.len()),
                    Some(_) => (true, 0),
                    None => (false, 0),
                },
                None => (false, 0),
            };
            if !all {
                out.items = (some..list.len()).collect();
            }
        }
        _ => {}
    }
    out
}
