//! The keywords of objects, arrays, strings, numbers, and those that join schemas.

use super::draft;
use super::instance::{self, equals};
use super::report::{Failure, Kind, Report, grouped, join, quote};
use super::validator::{Check, Validator};
use crate::helm::json;
use crate::helm::value::{Map, Value};

type Result<T = (), E = Failure> = std::result::Result<T, E>;

/// A count in words.
fn counted(keyword: &str, got: usize, want: usize) -> String {
    format!("{keyword}: got {}, want {}", grouped(&got.to_string()), grouped(&want.to_string()))
}

fn missing(object: &Map, required: &[String]) -> Vec<String> {
    required.iter().filter(|name| !object.has(name)).cloned().collect()
}

impl Validator<'_> {
    fn add(&self, check: &mut Check, words: impl Into<String>) {
        check.found.push(self.report(words));
    }

    fn add_with(&self, check: &mut Check, words: impl Into<String>, causes: Vec<Report>) {
        check.found.push(Report { location: self.location.clone(), kind: Kind::Words(words.into()), causes });
    }

    pub(super) fn object(&mut self, check: &mut Check, object: &Map) -> Result {
        let schema = check.schema.clone();
        if let Some(least) = draft::count(&schema, "minProperties").filter(|least| object.len() < *least) {
            self.add(check, counted("minProperties", object.len(), least));
        }
        if let Some(most) = draft::count(&schema, "maxProperties").filter(|most| object.len() > *most) {
            self.add(check, counted("maxProperties", object.len(), most));
        }
        let absent = missing(object, &draft::texts(&schema, "required").unwrap_or_default());
        match absent.as_slice() {
            [] => {}
            [one] => self.add(check, format!("missing property {}", quote(one))),
            more => self.add(check, format!("missing properties {}", join(more))),
        }
        self.dependencies(check, object, &schema)?;
        self.properties(check, object, &schema)?;
        if self.version() >= 6
            && let Some(names) = schema.get("propertyNames")
        {
            for (name, _) in object.to_vec() {
                let text = name.to_string();
                let mut outcome = self.check_part(check, &names, &Value::Str(name), String::new())?;
                if let Some(report) = outcome.take() {
                    let causes = if matches!(report.kind, Kind::Group) { report.causes } else { vec![report] };
                    let causes = causes.into_iter().map(without_location).collect();
                    self.add_with(check, format!("invalid propertyName {}", quote(&text)), causes);
                }
            }
        }
        Ok(())
    }

    fn dependencies(&mut self, check: &mut Check, object: &Map, schema: &Map) -> Result {
        let keywords: &[&str] =
            if self.version() >= 2019 { &["dependencies", "dependentSchemas", "dependentRequired"] } else { &["dependencies"] };
        for keyword in keywords {
            for (name, dependency) in draft::map(schema, keyword).unwrap_or_default().to_vec() {
                if !object.has(&name) {
                    continue;
                }
                if let Value::List(_) = dependency {
                    let wanted: Map = [("names", dependency)].into_iter().collect();
                    let absent = missing(object, &draft::texts(&wanted, "names").unwrap_or_default());
                    if !absent.is_empty() {
                        self.add(check, format!("properties {} required, if {} exists", join(&absent), quote(&name.to_str())));
                    }
                } else {
                    let found = self.check_self(check, &dependency, false)?;
                    check.found.extend(found);
                }
            }
        }
        Ok(())
    }

    fn properties(&mut self, check: &mut Check, object: &Map, schema: &Map) -> Result {
        let properties = draft::map(schema, "properties").unwrap_or_default();
        let patterns = draft::map(schema, "patternProperties").unwrap_or_default().to_vec();
        let additional = schema.get("additionalProperties");
        let mut not_allowed = Vec::new();
        for (name, value) in object.to_vec() {
            if check.quick && !check.found.is_empty() {
                return Ok(());
            }
            let token = name.to_string();
            let mut evaluated = false;
            if let Some(inner) = properties.get(&name) {
                evaluated = true;
                let found = self.check_part(check, &inner, &value, token.clone())?;
                check.found.extend(found);
            }
            for (pattern, inner) in &patterns {
                if self.regex(&pattern.to_str(), "patternProperties")?.is_match(name.as_bytes()) {
                    evaluated = true;
                    let found = self.check_part(check, inner, &value, token.clone())?;
                    check.found.extend(found);
                }
            }
            if !evaluated && let Some(additional) = &additional {
                evaluated = true;
                match additional {
                    Value::Bool(false) => not_allowed.push(token.clone()),
                    Value::Bool(true) => {}
                    inner => {
                        let found = self.check_part(check, inner, &value, token.clone())?;
                        check.found.extend(found);
                    }
                }
            }
            if evaluated {
                check.unevaluated.props.remove(&token);
            }
        }
        if !not_allowed.is_empty() {
            self.add(check, format!("additional properties {} not allowed", join(&not_allowed)));
        }
        Ok(())
    }

    pub(super) fn array(&mut self, check: &mut Check, array: &[Value]) -> Result {
        let schema = check.schema.clone();
        if let Some(least) = draft::count(&schema, "minItems").filter(|least| array.len() < *least) {
            self.add(check, counted("minItems", array.len(), least));
        }
        if let Some(most) = draft::count(&schema, "maxItems").filter(|most| array.len() > *most) {
            self.add(check, counted("maxItems", array.len(), most));
        }
        if draft::truth(&schema, "uniqueItems") {
            let pairs = (1..array.len()).flat_map(|second| (0..second).map(move |first| (first, second)));
            if let Some((first, second)) = pairs.into_iter().find(|(first, second)| equals(&array[*first], &array[*second], 0)) {
                self.add(check, format!("items at {first} and {second} are equal"));
            }
        }
        let (each, rest) = if self.version() >= 2020 {
            (draft::list(&schema, "prefixItems").unwrap_or_default(), schema.get("items"))
        } else {
            match schema.get("items") {
                Some(Value::List(each)) => (each.to_vec(), schema.get("additionalItems")),
                all => (Vec::new(), all),
            }
        };
        let fixed = each.len().min(array.len());
        for (index, (inner, item)) in each.iter().zip(array).enumerate() {
            let found = self.check_part(check, inner, item, index.to_string())?;
            check.found.extend(found);
        }
        match rest {
            None | Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) if self.version() < 2020 && !each.is_empty() => {
                if fixed < array.len() {
                    self.add(check, format!("last {} additionalItem(s) not allowed", array.len() - fixed));
                }
            }
            Some(inner) => {
                for (index, item) in array.iter().enumerate().skip(fixed) {
                    let found = self.check_part(check, &inner, item, index.to_string())?;
                    check.found.extend(found);
                }
            }
        }
        self.contains(check, array, &schema)
    }

    fn contains(&mut self, check: &mut Check, array: &[Value], schema: &Map) -> Result {
        let Some(inner) = schema.get("contains").filter(|_| self.version() >= 6) else { return Ok(()) };
        let (mut causes, mut matched) = (Vec::new(), Vec::new());
        for (index, item) in array.iter().enumerate() {
            if let Some(report) = self.check_part(check, &inner, item, index.to_string())? {
                causes.push(report);
                continue;
            }
            matched.push(index.to_string());
            if self.version() >= 2020 {
                check.unevaluated.items.remove(&index);
            }
        }
        let bound = |key: &str| draft::count(schema, key).filter(|_| self.version() >= 2019);
        let (least, most) = (bound("minContains"), bound("maxContains"));
        let at = matched.join(" ");
        match least {
            Some(least) if matched.len() < least => {
                let words = if matched.is_empty() {
                    format!("min {least} items required to match contains schema, but none matched")
                } else {
                    format!("min {least} items required to match contains schema, but matched {} items at {at}", matched.len())
                };
                self.add_with(check, words, causes);
            }
            None if matched.is_empty() => self.add_with(check, "no items match contains schema", causes),
            _ => {}
        }
        if let Some(most) = most.filter(|most| matched.len() > *most) {
            self.add(check, format!("max {most} items required to match contains schema, but matched {} items at {at}", matched.len()));
        }
        Ok(())
    }

    pub(super) fn string(&mut self, check: &mut Check, text: &str) -> Result {
        let schema = check.schema.clone();
        let length = text.chars().count();
        if let Some(least) = draft::count(&schema, "minLength").filter(|least| length < *least) {
            self.add(check, counted("minLength", length, least));
        }
        if let Some(most) = draft::count(&schema, "maxLength").filter(|most| length > *most) {
            self.add(check, counted("maxLength", length, most));
        }
        if let Some(pattern) = draft::text(&schema, "pattern")
            && !self.regex(&pattern, "pattern")?.is_match(text.as_bytes())
        {
            self.add(check, format!("{} does not match pattern {}", quote(text), quote(&pattern)));
        }
        Ok(())
    }

    pub(super) fn number(&self, check: &mut Check) {
        let Some(number) = instance::number(&check.value) else { return };
        let schema = check.schema.clone();
        let shown = |number: f64| grouped(&json::format_float(number).unwrap_or_default());
        let bound = |key: &str| draft::number(&schema, key);
        let (mut least, mut most) = (bound("minimum"), bound("maximum"));
        let (mut above, mut below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
        // In draft 4 these were booleans beside the bounds.
        if draft::truth(&schema, "exclusiveMinimum") {
            above = least.take();
        }
        if draft::truth(&schema, "exclusiveMaximum") {
            below = most.take();
        }
        let mut fail = |keyword: &str, want: f64| {
            check.found.push(self.report(format!("{keyword}: got {}, want {}", shown(number), shown(want))));
        };
        if let Some(want) = least.filter(|want| number < *want) {
            fail("minimum", want);
        }
        if let Some(want) = most.filter(|want| number > *want) {
            fail("maximum", want);
        }
        if let Some(want) = above.filter(|want| number <= *want) {
            fail("exclusiveMinimum", want);
        }
        if let Some(want) = below.filter(|want| number >= *want) {
            fail("exclusiveMaximum", want);
        }
        if let Some(want) = bound("multipleOf").filter(|want| !is_multiple(number, *want)) {
            fail("multipleOf", want);
        }
    }

    pub(super) fn conditions(&mut self, check: &mut Check) -> Result {
        let schema = check.schema.clone();
        if let Some(not) = schema.get("not")
            && self.check_self(check, &not, true)?.is_none()
        {
            self.add(check, "'not' failed");
        }
        if let Some(all) = draft::list(&schema, "allOf") {
            let mut causes = Vec::new();
            for inner in &all {
                causes.extend(self.check_self(check, inner, false)?);
            }
            if !causes.is_empty() {
                self.add_with(check, "'allOf' failed", causes);
            }
        }
        if let Some(any) = draft::list(&schema, "anyOf") {
            let (mut causes, mut matched) = (Vec::new(), false);
            for inner in &any {
                if let Some(report) = self.check_self(check, inner, false)? {
                    causes.push(report);
                    continue;
                }
                matched = true;
                // What is left unevaluated is known only when all have been held against it.
                if check.unevaluated.props.is_empty() && check.unevaluated.items.is_empty() {
                    break;
                }
            }
            if !matched {
                self.add_with(check, "'anyOf' failed", causes);
            }
        }
        if let Some(one) = draft::list(&schema, "oneOf") {
            self.one_of(check, &one)?;
        }
        if self.version() >= 7
            && let Some(condition) = schema.get("if")
        {
            let branch = if self.check_self(check, &condition, true)?.is_none() { "then" } else { "else" };
            if let Some(inner) = schema.get(branch) {
                let found = self.check_self(check, &inner, false)?;
                check.found.extend(found);
            }
        }
        Ok(())
    }

    fn one_of(&mut self, check: &mut Check, schemas: &[Value]) -> Result {
        let (mut causes, mut matched) = (Vec::new(), None);
        for (index, inner) in schemas.iter().enumerate() {
            match (self.check_self(check, inner, matched.is_some())?, matched) {
                (Some(report), None) => causes.push(report),
                (Some(_), Some(_)) => {}
                (None, None) => matched = Some(index),
                (None, Some(first)) => {
                    self.add(check, format!("'oneOf' failed, subschemas {first}, {index} matched"));
                    break;
                }
            }
        }
        if matched.is_none() {
            self.add_with(check, "'oneOf' failed, none matched", causes);
        }
        Ok(())
    }

    pub(super) fn unevaluated(&mut self, check: &mut Check) -> Result {
        let schema = check.schema.clone();
        match (check.value.clone(), schema.get("unevaluatedProperties"), schema.get("unevaluatedItems")) {
            (Value::Map(map), Some(inner), _) => {
                for name in std::mem::take(&mut check.unevaluated.props) {
                    if let Some(value) = map.get(&name) {
                        let found = self.check_part(check, &inner, &value, name)?;
                        check.found.extend(found);
                    }
                }
            }
            (Value::List(list), _, Some(inner)) => {
                for index in std::mem::take(&mut check.unevaluated.items) {
                    if let Some(value) = list.get(index) {
                        let found = self.check_part(check, &inner, &value, index.to_string())?;
                        check.found.extend(found);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Findings about a name of a property have no place of their own.
fn without_location(mut report: Report) -> Report {
    report.location.clear();
    report.causes = report.causes.into_iter().map(without_location).collect();
    report
}

/// Whether the number is a whole multiple, decimal places counted as they are written.
fn is_multiple(number: f64, of: f64) -> bool {
    if of == 0.0 {
        return true;
    }
    let quotient = number / of;
    (quotient - quotient.round()).abs() < 1e-9
}
