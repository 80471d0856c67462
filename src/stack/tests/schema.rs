//! The schema and the parser, held against each other: what one takes the other takes, key by key.

use serde_json::{Value as Json, json};

use super::*;
use crate::helm::schema::{Prepared, single};
use crate::helm::yaml;
use crate::stack::schema::{STACK, Section, Shape, document};

/// A stack in which every section stands, so that a key of any can be set.
fn base() -> Json {
    json!({
        "version": 1,
        "stack": "a",
        "aws": {"region": "eu-west-1", "prices": {"as_of": "2026-02-18", "fqdn": 7, "wildcard": 79}},
        "cluster": {"context": "c"},
        "certificates": {"edge": {
            "domain": "a.example.com", "export": true, "zone": {"name": "example.com"},
            "secrets_manager": {"name": "edge", "replicas": [{"region": "us-east-1"}], "layout": {"c": "certificate", "k": "private_key"}}, "tls_secrets": [{"namespace": "a", "name": "b"}],
        }},
        "namespaces": {"a": {}},
        "state": {},
        "timeouts": {},
        "manifests": {"a": {"files": "x.yaml", "rules": [{"for": "configmap/a/b"}], "templates": [{"template": "autoscaling"}]}},
        "istio": {"version": "1.31.0", "tags": ["prod"], "base": {}, "istiod": {}, "cni": {}, "ztunnel": {}, "ingress": {"a": {}},
            "revisions": {"a": {"version": "1.32.0", "tags": ["canary"]}}, "batches": [{"namespaces": ["a"]}], "rules": [{"for": "configmap/a/b"}]},
        "charts": {"a": {"chart": "b", "namespace": "c", "rules": [{"for": "configmap/a/b"}]}},
        "gateways": {"a": {"ingress": {"namespace": "a", "service": "b"}, "servers": [
            {"port": 443, "protocol": "HTTPS", "certificate": "edge", "tls": {}},
        ]}},
        "load_balancers": {"a": {
            "ingress": {"namespace": "a", "service": "b"}, "ports": {}, "health_check": {}, "ingress_class": {"name": "alb"}, "zone": {"name": "example.com"},
        }},
        "moved": [{"from": "certificates.old", "to": "certificates.edge"}],
        "released": ["certificates.gone"],
        "vars": {"v": {"default": "x"}},
    })
}

/// Sets the value at a path of keys and indices.
fn set(mut document: Json, path: &[String], value: Json) -> Json {
    let mut at = &mut document;
    // Of ways to name a cluster or a zone one may stand.
    match path {
        [section, _] if section == "cluster" => at["cluster"] = json!({}),
        [section, key, zone, _] if zone == "zone" => at[section.as_str()][key.as_str()]["zone"] = json!({}),
        _ => {}
    }
    for step in path {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step.as_str()],
        };
    }
    *at = value;
    document
}

/// Every key of every section with its path.
fn keys() -> Vec<(Vec<String>, &'static Shape)> {
    fn section(of: &'static Section, path: &[String], found: &mut Vec<(Vec<String>, &'static Shape)>) {
        for key in of.keys {
            let path = [path, &[key.name.to_owned()]].concat();
            found.push((path.clone(), &key.takes));
            shape(&key.takes, &path, found);
        }
    }
    fn shape(of: &'static Shape, path: &[String], found: &mut Vec<(Vec<String>, &'static Shape)>) {
        match of {
            Shape::Map(of) => section(of, path, found),
            Shape::Named(_, each) => {
                let name = match path.last().unwrap().as_str() {
                    "certificates" => "edge",
                    "vars" => "v",
                    _ => "a",
                };
                shape(each, &[path, &[name.to_owned()]].concat(), found);
            }
            Shape::List(each) => shape(each, &[path, &["0".to_owned()]].concat(), found),
            // A zone as a map stands for its lists as well.
            Shape::Either(several) => several.iter().filter(|one| matches!(one, Shape::Map(_))).for_each(|one| shape(one, path, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    section(&STACK, &[], &mut found);
    found
}

/// Values that a shape takes.
fn samples(of: &Shape) -> Vec<Json> {
    match of {
        // A name, and a pattern of addresses and a path as well.
        Shape::Text => vec![json!("a.example.com")],
        Shape::Object => vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})],
        Shape::Values => vec![json!({"a": {"b": [1, null]}})],
        Shape::Any => vec![json!(1), json!([{"a": null}])],
        Shape::Form(_, example) => vec![json!(example)],
        Shape::OneOf(words) => words.iter().map(|word| json!(word)).collect(),
        Shape::Boolean => vec![json!(true), json!(false)],
        Shape::Number => vec![json!(7)],
        Shape::Map(_) => Vec::new(),
        Shape::Named(_, each) => samples(each).into_iter().map(|one| json!({"a": one})).collect(),
        Shape::List(each) => samples(each).into_iter().map(|one| json!([one])).collect(),
        Shape::Either(several) => several.iter().flat_map(samples).collect(),
    }
}

thread_local! {
    /// The schema, read: that costs more than asking it.
    static SCHEMA: Prepared = Prepared::new(document().to_string().as_bytes()).unwrap();
}

fn is_valid(document_: &Json) -> Result<(), String> {
    let values = yaml::unmarshal_map(document_.to_string().as_bytes()).unwrap().unwrap();
    SCHEMA.with(|schema| schema.holds(&values))
}

/// Errors about the form of a value, as against those about what it means together with others.
fn is_about_form(shown: &str) -> bool {
    ["stack/unknown-key", "stack/wrong-type", "stack/bad-value", "stack/name", "stack/version", "aws/region", "aws/account", "bad duration"]
        .iter()
        .any(|code| shown.contains(code))
}

#[test]
fn every_key_of_the_schema_is_taken_by_the_parser() {
    assert!(is_valid(&base()).is_ok(), "{:?}", is_valid(&base()));
    let all = keys();
    assert!(all.len() > 60, "{}", all.len());
    for (path, takes) in all {
        for sample in samples(takes) {
            let stack = set(base(), &path, sample.clone());
            let (_, shown) = one(&stack.to_string());
            assert!(!is_about_form(&shown), "{path:?}: {sample}\n{shown}");
            // `extends` and a file that has it are judged by what is extended.
            is_valid(&stack).unwrap_or_else(|error| panic!("{path:?}: {sample}: {error}"));
        }
    }
}

#[test]
fn every_key_of_the_schema_is_read_and_its_type_is_checked_by_both() {
    for (path, takes) in keys() {
        let key = path.last().unwrap().as_str();
        if path == ["extends"] || path == ["vars", "v", "description"] {
            continue; // The first is followed before the sections are read; of the second nothing is used.
        }
        let wrong = match takes {
            Shape::Map(_) | Shape::Named(..) | Shape::Object | Shape::Values => json!("x"),
            Shape::List(_) => json!({"x": "y"}),
            Shape::Either(_) => json!([[["x"]]]),
            _ => json!({"x": ["y"]}),
        };
        let stack = set(base(), &path, wrong);
        let (_, shown) = one(&stack.to_string());
        let told = shown.contains("error[")
            && (shown.contains(&format!("{key}`")) || shown.contains(&format!("{key}[0]`")) || key == "default" || shown.contains("`v`"));
        assert!(told, "{path:?}: nobody reads it:\n{shown}");
        assert!(is_valid(&stack).is_err(), "{path:?}: the schema takes {stack}");
    }
}

#[test]
fn a_key_that_is_unknown_to_the_parser_is_unknown_to_the_schema() {
    let mut sections: Vec<Vec<String>> = keys().into_iter().map(|(path, _)| path[..path.len() - 1].to_vec()).collect();
    sections.dedup();
    for path in sections {
        let stack = set(base(), &[path.clone(), vec!["certificats".to_owned()]].concat(), json!("x"));
        assert!(one(&stack.to_string()).1.contains("stack/unknown-key"), "{path:?}");
        assert!(is_valid(&stack).is_err(), "{path:?}");
    }
}

#[test]
fn texts_of_the_wrong_form_are_refused_and_references_are_taken() {
    for (path, takes) in keys() {
        if !matches!(takes, Shape::Form(..) | Shape::OneOf(_) | Shape::Boolean | Shape::Number) {
            continue;
        }
        let wrong = set(base(), &path, json!("no such $ thing"));
        assert!(is_valid(&wrong).is_err(), "{path:?}");
        assert!(one(&wrong.to_string()).1.contains("error["), "{path:?}");
        assert!(is_valid(&set(base(), &path, json!("${vars.v}"))).is_ok(), "{path:?}");
    }
}

#[test]
fn the_examples_fit_and_name_the_schema() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["demo", "overlay"] {
        let text = std::fs::read_to_string(root.join(format!("stacks/{name}.yaml"))).unwrap();
        assert!(text.starts_with("# yaml-language-server: $schema=../docs/schema/stack.json\n"), "{name}");
        let values = yaml::unmarshal_map(text.as_bytes()).unwrap().unwrap();
        single(document().to_string().as_bytes(), &values).unwrap_or_else(|error| panic!("{name}: {error}"));
        let typo = yaml::unmarshal_map(text.replace("secrets_manager:", "secret_manager:").as_bytes()).unwrap().unwrap();
        assert!(single(document().to_string().as_bytes(), &typo).is_err(), "{name}");
    }
    let file = std::fs::read_to_string(root.join("docs/schema/stack.json")).unwrap();
    assert!(file == format!("{:#}\n", document()), "write it anew: meshform schema stack > docs/schema/stack.json");
}

#[test]
fn the_page_about_the_stack_file_names_every_key() {
    let page = include_str!("../../../docs/stack-file.md");
    let words: BTreeSet<&str> = page.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let missing: Vec<String> =
        keys().into_iter().map(|(path, _)| path.last().unwrap().clone()).filter(|key| !words.contains(key.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
