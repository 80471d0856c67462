//! Which dependencies are in, and what they give to their parents: `pkg/chartutil/dependencies.go`.

use super::coalesce::{coalesce_values, tables};
use super::warnings::Warnings;
use crate::helm::chart::tree::Tree;
use crate::helm::chart::{Dependency, ImportValue};
use crate::helm::func::semver::{Constraints, Version};
use crate::helm::strconv::quote;
use crate::helm::value::{Map, Value};

/// `ProcessDependenciesWithMerge`.
pub(crate) fn process_dependencies(chart: &mut Tree, values: &Map, warnings: &mut Warnings) -> Result<(), String> {
    enabled(chart, values, "", warnings)?;
    chart.settle();
    imports(chart, warnings)
}

/// `IsCompatibleRange`.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Version::new(version), Constraints::new(constraint)) {
        (Ok(version), Ok(constraints)) => constraints.check(&version),
        _ => false,
    }
}

/// `processDependencyEnabled`: takes out what conditions and tags disable, and gives aliases their names.
fn enabled(chart: &mut Tree, values: &Map, path: &str, warnings: &mut Warnings) -> Result<(), String> {
    let Some(requirements) = chart.metadata.dependencies.as_mut() else { return Ok(()) };
    let fits = |req: &Dependency, chart: &Tree| chart.name() == req.name && is_compatible(&req.version, &chart.metadata.version);
    let existing = std::mem::take(&mut chart.dependencies);
    let mut charts: Vec<Tree> = existing.iter().filter(|chart| !requirements.iter().any(|req| fits(req, chart))).cloned().collect();
    for req in requirements.iter_mut() {
        if let Some(found) = existing.iter().find(|chart| fits(req, chart)) {
            let mut found = found.clone();
            if !req.alias.is_empty() {
                found.metadata.name.clone_from(&req.alias);
            }
            charts.push(found);
        }
        if !req.alias.is_empty() {
            req.name.clone_from(&req.alias);
        }
        req.enabled = true;
    }
    chart.dependencies = charts;
    let all = coalesce_values(chart, values, false, warnings)?;
    by_tags(chart.wanted(), &all, warnings);
    by_conditions(chart.wanted(), &all, path, warnings);
    let removed: Vec<String> = chart.wanted().iter().filter(|req| !req.enabled).map(|req| req.name.clone()).collect();
    chart.dependencies.retain(|chart| !removed.contains(&chart.metadata.name));
    if let Some(requirements) = chart.metadata.dependencies.as_mut() {
        requirements.retain(|req| !removed.contains(&req.name));
    }
    for child in &mut chart.dependencies {
        let inner = format!("{path}{}.", child.metadata.name);
        enabled(child, &all, &inner, warnings)?;
    }
    // An empty list is none in Go, where it is appended to nil.
    if chart.metadata.dependencies.as_ref().is_some_and(Vec::is_empty) {
        chart.metadata.dependencies = None;
    }
    Ok(())
}

fn by_tags(requirements: &mut [Dependency], values: &Map, warnings: &mut Warnings) {
    let Some(Value::Map(tags)) = values.get("tags") else { return };
    for req in requirements {
        let mut given = Vec::new();
        for tag in &req.tags {
            match tags.get(tag) {
                Some(Value::Bool(on)) => given.push(on),
                Some(_) => warnings.say(format!("Warning: Tag '{tag}' for chart {} returned non-bool value", req.name)),
                None => {}
            }
        }
        req.enabled = given.contains(&true) || given.is_empty();
    }
}

fn by_conditions(requirements: &mut [Dependency], values: &Map, path: &str, warnings: &mut Warnings) {
    for req in requirements {
        for condition in req.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            match path_value(values, &format!("{path}{condition}")) {
                Some(Value::Bool(on)) => {
                    req.enabled = on;
                    break;
                }
                Some(_) => warnings.say(format!("Warning: Condition path '{condition}' for chart {} returned non-bool value", req.name)),
                None => {}
            }
        }
    }
}

/// `Values.PathValue`.
fn path_value(values: &Map, path: &str) -> Option<Value> {
    let (table_path, key) = path.rsplit_once('.').map_or((None, path), |(table, key)| (Some(table), key));
    let found = match table_path {
        Some(path) => table(values, path).ok()?,
        None => values.clone(),
    };
    found.get(key).filter(|value| !matches!(value, Value::Map(_)))
}

/// `Values.Table`; the error is the step that is no table.
fn table(values: &Map, path: &str) -> Result<Map, String> {
    let mut found = values.clone();
    for step in path.split('.') {
        match found.get(step) {
            Some(Value::Map(inner)) => found = inner,
            _ => return Err(format!("{} is not a table", quote(step))),
        }
    }
    Ok(found)
}

/// `processDependencyImportValues`, the children first.
fn imports(chart: &mut Tree, warnings: &mut Warnings) -> Result<(), String> {
    for child in &mut chart.dependencies {
        imports(child, warnings)?;
    }
    let Some(requirements) = chart.metadata.dependencies.clone() else { return Ok(()) };
    let all = coalesce_values(chart, &Map::new(), true, warnings)?;
    let imported = Map::new();
    for req in &requirements {
        for import in &req.import_values {
            let (child, parent, whose) = match import {
                ImportValue::Export(key) => (format!("exports.{key}"), ".", String::new()),
                ImportValue::Table { child, parent } => (child.clone(), parent.as_str(), format!(" from chart {}", req.name)),
            };
            match table(&all, &format!("{}.{child}", req.name)) {
                Ok(found) => tables(&imported, &wrap(parent, found), "", true, warnings)?,
                Err(missing) => warnings.say(format!("Warning: ImportValues missing table{whose}: {missing}")),
            }
        }
    }
    let Value::Map(all) = Value::Map(all).deep_copy()? else { return Ok(()) };
    tables(&all, &imported, "", true, warnings)?;
    chart.values = all;
    Ok(())
}

/// `pathToMap`.
fn wrap(path: &str, data: Map) -> Map {
    if path == "." {
        return data;
    }
    path.rsplit('.').fold(data, |inner, step| [(step, Value::Map(inner))].into_iter().collect())
}
