//! What a person sees of a large change, and what it costs to show it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::diff::Diff;
use super::human;
use super::paint::Paint;
use crate::addr::Addr;
use crate::cli::context;
use crate::diag::{Diagnostics, Sources};
use crate::fields::differences;
use crate::graph::Graph;
use crate::observed::{Condition, Coverage, Forecast, Found, Observed, Outcome, Owner};
use crate::plan::{Plan, Policy};
use crate::resource::object::flatten;
use crate::resource::{ANNOTATION_LINEAGE, Spec};
use crate::stack::{self, File, Files, Vars};
use crate::state::State;

/// As many lines of text as a file of settings has; one of them is another one in the next version.
fn settings(number: usize, version: usize) -> String {
    let lines = (0..40).map(|line| format!("key{line} = {}", if line == number % 40 { version } else { line }));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn object(number: usize, version: usize) -> Value {
    let metadata = json!({"name": format!("o-{number:04}"), "namespace": "n", "labels": {"app": "a"}});
    if number.is_multiple_of(200) {
        let pod =
            json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": format!("example/c:{version}")}]}});
        let selector = json!({"matchLabels": {"app": "a"}});
        return json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"selector": selector, "template": pod}});
    }
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"settings": settings(number, version), "n": version.to_string()}})
}

fn graph(count: usize) -> Graph {
    let objects: Vec<Value> = (0..count).map(|number| object(number, 2)).collect();
    let text = json!({"version": 1, "stack": "t", "cluster": {"context": "c"}, "namespaces": {"n": {}}, "manifests": {"all": {"objects": objects, "replace": true}}});
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let file = File::read(&Arc::from("t.yaml"), text.to_string().as_bytes(), &mut sources, &mut diags).unwrap();
    let file = stack::parse(&Files { files: vec![file] }, &mut diags).unwrap();
    let stack = stack::check(&file, &Vars::default(), &mut sources, &mut diags).unwrap_or_else(|_| panic!("{diags:?}"));
    context::graph(&stack, Vec::new(), &mut sources, &mut diags).unwrap_or_else(|_| panic!("{diags:?}")).0
}

fn found(addr: &Addr, body: &Value) -> Found {
    let owner = Owner::Us { lineage: Some("l".into()) };
    let (attrs, ours, managers) = (flatten(body), BTreeSet::new(), BTreeMap::new());
    Found {
        id: format!("uid of {addr}"),
        owner,
        generation: 1,
        origin: None,
        condition: Condition::Good,
        warning: None,
        attrs,
        ours,
        managers,
        certificate: None,
    }
}

/// What a plan rests on once the server has answered: computed from its answers.
fn observed(desired: &Graph) -> Observed {
    let mut observed = Observed { coverage: Coverage { objects: true, secrets: true, ..Coverage::default() }, ..Observed::default() };
    for (number, resource) in desired.resources().filter(|resource| matches!(resource.spec, Spec::Manifest(_))).enumerate() {
        let number_of = resource.addr.name().strip_prefix("o-").and_then(|number| number.parse().ok()).unwrap_or(number);
        let (live, tried) = (object(number_of, 1), object(number_of, 2));
        let differences = differences(&live, &tried, &[]);
        let outcome = match number_of {
            7 => Outcome::Immutable { says: "field is immutable".into(), differences },
            _ => Outcome::Tried { attrs: flatten(&tried), differences, turns_back: false },
        };
        let forecast = Forecast { sent: "s".into(), live: Some("l".into()), fields: None, body: None, data: None, waits: None, outcome };
        observed.forecasts.insert(resource.addr.clone(), forecast);
        observed.resources.insert(resource.addr.clone(), found(&resource.addr, &live));
    }
    let namespace = Addr::namespace("n");
    let marks = json!({"metadata": {"annotations": {ANNOTATION_LINEAGE: "l"}}});
    observed.resources.insert(namespace.clone(), found(&namespace, &marks));
    let gone: Addr = "configmap/n/gone".parse().unwrap();
    observed.resources.insert(gone.clone(), found(&gone, &object(1, 1)));
    observed
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn showing_a_thousand_changed_objects_costs_less_than_computing_them_and_tells_the_gravest_last() {
    let desired = graph(1000);
    let prior = State { lineage: "l".into(), serial: 1, ..State::empty("t") };
    let make = || {
        Plan::make(
            &desired,
            &observed(&desired),
            &prior,
            &Policy { declared: desired.clone(), ..Policy::default() },
            jiff::Timestamp::UNIX_EPOCH,
        )
    };
    let plan = make();
    assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
    let changed = plan.steps.iter().filter(|step| step.counts && step.addr.is_kube()).count();
    assert!(changed > 1000, "{changed}");
    for diff in [Diff::Short, Diff::Full] {
        // One after the other, so that a busy machine slows both.
        let (mut computed, mut shown) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            let began = Instant::now();
            let plan = make();
            computed.push(began.elapsed());
            let began = Instant::now();
            let text = human::plan(&plan, Paint::new(true), diff);
            shown.push(began.elapsed());
            assert!(text.lines().count() > 2000);
        }
        let (computed, shown) = (median(computed), median(shown));
        println!("showing costs {:.2} of computing ({diff:?})", shown.as_secs_f64() / computed.as_secs_f64());
        assert!(shown < computed, "{shown:?} to show, {computed:?} to compute ({diff:?})");
    }
    let text = human::plan(&plan, Paint::new(false), Diff::Short);
    let (_, gravest) = text.split_once("The gravest of it:").unwrap();
    let lines: Vec<&str> = gravest.lines().filter(|line| line.starts_with("  ")).collect();
    assert!(lines[0].contains("o-0007 is replaced") && lines[1].contains("configmap/n/gone is deleted"), "{gravest}");
    assert!(lines[2..5].iter().all(|line| line.contains("starts its pods anew")), "{gravest}");
    assert!(gravest.lines().count() < 12, "they are what a person sees at the end: {gravest}");
}
