//! Which dependencies are in, and what they give to their parents: `pkg/chartutil/dependencies.go`.

use super::coalesce::{coalesce_values, tables};
use crate::helm::chart::tree::Tree;
use crate::helm::chart::{Dependency, ImportValue};
use crate::helm::func::semver::{Constraints, Version};
use crate::helm::value::{Map, Value};

/// `ProcessDependenciesWithMerge`.
pub(crate) fn process_dependencies(chart: &mut Tree, values: &Map) -> Result<(), String> {
    enabled(chart, values, "")?;
    chart.settle();
    imports(chart)
}

/// `IsCompatibleRange`.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    match (Version::new(version), Constraints::new(constraint)) {
        (Ok(version), Ok(constraints)) => constraints.check(&version),
        _ => false,
    }
}

/// `processDependencyEnabled`: takes out what conditions and tags disable, and gives aliases their names.
fn enabled(chart: &mut Tree, values: &Map, path: &str) -> Result<(), String> {
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
    let all = coalesce_values(chart, values, false)?;
    by_tags(chart.wanted(), &all);
    by_conditions(chart.wanted(), &all, path);
    let removed: Vec<String> = chart.wanted().iter().filter(|req| !req.enabled).map(|req| req.name.clone()).collect();
    chart.dependencies.retain(|chart| !removed.contains(&chart.metadata.name));
    if let Some(requirements) = chart.metadata.dependencies.as_mut() {
        requirements.retain(|req| !removed.contains(&req.name));
    }
    for child in &mut chart.dependencies {
        let inner = format!("{path}{}.", child.metadata.name);
        enabled(child, &all, &inner)?;
    }
    // An empty list is none in Go, where it is appended to nil.
    if chart.metadata.dependencies.as_ref().is_some_and(Vec::is_empty) {
        chart.metadata.dependencies = None;
    }
    Ok(())
}

fn by_tags(requirements: &mut [Dependency], values: &Map) {
    let Some(Value::Map(tags)) = values.get("tags") else { return };
    for req in requirements {
        let given: Vec<bool> =
            req.tags.iter().filter_map(|tag| if let Some(Value::Bool(on)) = tags.get(tag) { Some(on) } else { None }).collect();
        req.enabled = given.contains(&true) || given.is_empty();
    }
}

fn by_conditions(requirements: &mut [Dependency], values: &Map, path: &str) {
    for req in requirements {
        for condition in req.condition.trim().split(',').filter(|condition| !condition.is_empty()) {
            if let Some(Value::Bool(on)) = path_value(values, &format!("{path}{condition}")) {
                req.enabled = on;
                break;
            }
        }
    }
}

/// `Values.PathValue`.
fn path_value(values: &Map, path: &str) -> Option<Value> {
    let (table_path, key) = path.rsplit_once('.').map_or((None, path), |(table, key)| (Some(table), key));
    let found = match table_path {
        Some(path) => table(values, path)?,
        None => values.clone(),
    };
    found.get(key).filter(|value| !matches!(value, Value::Map(_)))
}

/// `Values.Table`.
fn table(values: &Map, path: &str) -> Option<Map> {
    let mut found = values.clone();
    for step in path.split('.') {
        match found.get(step) {
            Some(Value::Map(inner)) => found = inner,
            _ => return None,
        }
    }
    Some(found)
}

/// `processDependencyImportValues`, the children first.
fn imports(chart: &mut Tree) -> Result<(), String> {
    for child in &mut chart.dependencies {
        imports(child)?;
    }
    let Some(requirements) = chart.metadata.dependencies.clone() else { return Ok(()) };
    let all = coalesce_values(chart, &Map::new(), true)?;
    let imported = Map::new();
    for req in &requirements {
        for import in &req.import_values {
            let (child, parent) = match import {
                ImportValue::Export(key) => (format!("exports.{key}"), "."),
                ImportValue::Table { child, parent } => (child.clone(), parent.as_str()),
            };
            if let Some(found) = table(&all, &format!("{}.{child}", req.name)) {
                tables(&imported, &wrap(parent, found), true, 0)?;
            }
        }
    }
    let Value::Map(all) = Value::Map(all).deep_copy()? else { return Ok(()) };
    tables(&all, &imported, true, 0)?;
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
