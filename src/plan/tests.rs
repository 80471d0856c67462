//! Decisions and their order, without a world.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use crate::addr::Addr;
use crate::diag::{Diagnostics, Sources};
use crate::event::Origin;
use crate::graph::Graph;
use crate::observed::{Condition, Coverage, Deposed, Found, FoundZone, Observed, Owner, RecordNeed, ZoneChoice};
use crate::plan::{Action, Plan, Policy};
use crate::resource::certificate::{CertificateFacts, Dates, LeafFacts, ValidationRecord};
use crate::resource::{Attr, Resource, Spec};
use crate::stack::{self, File, Files, Stack, Vars};
use crate::state::State;

const STACK: &str = r#"
version: 1
stack: t
aws: { region: eu-west-1 }
cluster: { context: here }
namespaces: { a: {}, b: {} }
certificates:
  one:
    domain: one.example.com
    names: ["*.one.example.com", two.example.com]
    export: true
    secrets_manager: t/one
    tls_secrets: [{ namespace: a, name: one }, { namespace: b, name: one }]
  two:
    domain: two.example.com
    export: true
    tls_secrets: [{ namespace: b, name: two }]
"#;

fn stack(text: &str) -> Stack {
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let name = std::sync::Arc::from("t.yaml");
    let file = File::read(&name, text.as_bytes(), &mut sources, &mut diags).unwrap();
    let file = stack::parse(&Files { files: vec![file] }, &mut diags).unwrap();
    stack::check(&file, &Vars::default(), &mut sources, &mut diags).unwrap_or_else(|_| panic!("{diags:?}"))
}

fn graph(resources: Vec<Resource>) -> Graph {
    Graph::build(resources, &mut Diagnostics::default()).unwrap()
}

fn leaf(name: &str) -> LeafFacts {
    let hash = |what: &str| crate::secret::sha256_hex(format!("{name} {what}").as_bytes());
    LeafFacts {
        serial: "01".into(),
        leaf_sha256: hash("leaf"),
        chain_sha256: hash("chain"),
        public_key_sha256: hash("key"),
        not_before: 0,
        not_after: 4_000_000_000,
    }
}

fn zone(observed: &mut Observed, base: &str) {
    let zone = FoundZone { id: "Z1".into(), name: "example.com".into(), role: None };
    observed.zones.insert(Addr::validation_record(base), ZoneChoice::Found(zone));
}

fn empty_world() -> Observed {
    let mut observed = Observed { coverage: Coverage { aws: true, records: true, secrets: true, objects: true }, ..Observed::default() };
    for base in ["one.example.com", "two.example.com"] {
        zone(&mut observed, base);
    }
    observed
}

fn make(graph: &Graph, observed: &Observed, state: &State, policy: &Policy) -> Plan {
    Plan::make(graph, observed, state, policy, "2026-01-01T00:00:00Z".parse().unwrap())
}

fn state() -> State {
    State { lineage: "0123456789abcdef".into(), ..State::empty("t") }
}

/// A world in which everything is as the plan of an empty world wants it.
fn full_world(graph: &Graph, state: &State) -> Observed {
    let mut observed = empty_world();
    let plan = make(graph, &observed, state, &Policy::default());
    for step in &plan.steps {
        let resource = graph.get(&step.addr).unwrap();
        let mut attrs = step.after.clone().unwrap();
        let mut certificate = None;
        match &resource.spec {
            Spec::Certificate(spec) => {
                let record = |base: &String| ValidationRecord { base_domain: base.clone(), name: format!("_x.{base}"), value: "v".into() };
                certificate = Some(CertificateFacts {
                    records: spec.base_domains().iter().map(record).collect(),
                    dates: Some(Dates::default()),
                    leaf: Some(leaf(&spec.key)),
                });
            }
            Spec::ValidationRecord(spec) => {
                let name = format!("_x.{}", spec.base_domain);
                attrs.extend(crate::resource::validation_record::attrs("Z1", &name, "v", 300));
            }
            Spec::Secret(spec) => attrs.extend(spec.attrs(Some(&leaf(spec.certificate.name())), Some(String::new()))),
            Spec::Manifest(_) | Spec::AliasRecord(_) => {}
            Spec::Object(spec) => attrs.extend(spec.attrs(spec.certificate.as_ref().map(|addr| leaf(addr.name())).as_ref())),
        }
        let found = Found {
            id: format!("id of {}", step.addr),
            owner: Owner::Us { lineage: Some(state.lineage.clone()) },
            generation: 1,
            origin: Some(Origin::Created),
            condition: Condition::Good,
            warning: None,
            attrs,
            ours: BTreeSet::new(),
            managers: std::collections::BTreeMap::new(),
            certificate,
        };
        observed.resources.insert(step.addr.clone(), found);
    }
    observed
}

fn summary(plan: &Plan) -> Vec<(String, Action)> {
    plan.steps.iter().filter(|step| step.counts).map(|step| (step.addr.to_string(), step.action)).collect()
}

/// The steps in an order in which each starts after what it waits for; those of a circle are missing.
fn playable(plan: &Plan) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    loop {
        let next = (0..plan.steps.len())
            .find(|node| !order.contains(node) && plan.steps[*node].starts_after.iter().all(|(before, _)| order.contains(before)));
        match next {
            Some(node) => order.push(node),
            None => return order,
        }
    }
}

#[test]
fn in_an_empty_world_everything_is_created_after_what_it_needs() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let plan = make(&graph, &empty_world(), &state(), &Policy::default());
    assert_eq!(plan.steps.len(), graph.resources().count());
    assert!(plan.steps.iter().all(|step| step.action == Action::Create));
    let order = playable(&plan);
    assert_eq!(order.len(), plan.steps.len(), "a circle");
    let place = |addr: &Addr| order.iter().position(|node| plan.steps[*node].addr == *addr).unwrap();
    for resource in graph.resources() {
        for (needed, _) in resource.needs.iter().filter(|_| !resource.needs_any()) {
            assert!(place(needed) < place(&resource.addr), "{} before {needed}", resource.addr);
        }
    }
}

#[test]
fn in_a_world_as_it_should_be_nothing_is_done() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let plan = make(&graph, &full_world(&graph, &state()), &state(), &Policy::default());
    assert_eq!(summary(&plan), []);
    assert!(plan.is_rebuilt && plan.is_empty() && plan.refusals.is_empty());
}

#[test]
fn the_order_of_the_input_does_not_show() {
    let resources = crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default());
    let reference = make(&graph(resources.clone()), &empty_world(), &state(), &Policy::default());
    for shift in 1..resources.len() {
        let mut shuffled = resources.clone();
        shuffled.rotate_left(shift);
        shuffled.swap(0, shift % 3);
        let plan = make(&graph(shuffled), &empty_world(), &state(), &Policy::default());
        assert_eq!(format!("{:?}", plan.steps), format!("{:?}", reference.steps));
    }
}

#[test]
fn a_destroy_goes_against_the_references() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let mut observed = full_world(&graph, &state());
    for base in ["one.example.com", "two.example.com"] {
        observed.record_needs.insert(Addr::validation_record(base), RecordNeed::Free);
    }
    let policy = Policy { destroy: true, ..Policy::default() };
    let plan = make(&Graph::default(), &observed, &state(), &policy);
    assert!(plan.steps.iter().all(|step| step.action == Action::Delete), "{:?}", summary(&plan));
    let order = playable(&plan);
    assert_eq!(order.len(), graph.resources().count(), "a circle");
    let place = |addr: &str| order.iter().position(|node| plan.steps[*node].addr.to_string() == addr).unwrap();
    assert!(place("secret/b/two") < place("namespace/b"));
    assert!(place("acm_validation_record.two.example.com") < place("acm_certificate.two"));
    assert!(place("acm_validation_record.two.example.com") < place("acm_certificate.one"));
}

#[test]
fn records_that_others_need_or_may_need_stay() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let mut observed = full_world(&graph, &state());
    let one = Addr::validation_record("one.example.com");
    observed.record_needs.insert(one.clone(), RecordNeed::NeededBy(vec!["arn of another".into()]));
    observed.record_needs.insert(Addr::validation_record("two.example.com"), RecordNeed::Unknown("denied".into()));
    let plan = make(&Graph::default(), &observed, &state(), &Policy { destroy: true, ..Policy::default() });
    for step in plan.steps.iter().filter(|step| step.addr.to_string().starts_with("acm_validation_record")) {
        assert_eq!(step.action, Action::Release, "{}", step.addr);
    }
}

#[test]
fn a_changed_certificate_is_replaced_and_its_deliveries_wait_for_it() {
    let before = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let observed = full_world(&before, &state());
    let changed = STACK.replace("domain: two.example.com", "domain: two.example.com\n    key_algorithm: EC_secp384r1");
    let after = graph(crate::compose::compose(&stack(&changed), Vec::new(), &mut Diagnostics::default()));
    let plan = make(&after, &observed, &state(), &Policy::default());
    assert_eq!(summary(&plan), [("acm_certificate.two".to_owned(), Action::Replace), ("secret/b/two".to_owned(), Action::Update)]);
    let delivery = plan.steps.iter().find(|step| step.addr.to_string() == "secret/b/two").unwrap();
    assert!(delivery.changes.iter().all(|change| matches!(change.after, Some(Attr::Unknown(_)))));
    let old = plan.steps.iter().find(|step| step.is_deposed).unwrap();
    assert!(!old.counts && old.starts_after.len() == 2, "the old one goes after the new one and its delivery: {old:?}");
    assert_eq!(playable(&plan).len(), plan.steps.len());
}

#[test]
fn a_deposed_certificate_in_use_does_not_make_a_plan_non_empty() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let mut observed = full_world(&graph, &state());
    let addr = Addr::certificate("one");
    let deposed = |in_use_by: Vec<String>| vec![Deposed { id: "old".into(), generation: 1, in_use_by, origin: None }];
    observed.deposed.insert(addr.clone(), deposed(vec!["alb".into()]));
    assert!(make(&graph, &observed, &state(), &Policy::default()).is_empty());
    observed.deposed.insert(addr, deposed(Vec::new()));
    assert_eq!(summary(&make(&graph, &observed, &state(), &Policy::default())), [("acm_certificate.one".to_owned(), Action::Delete)]);
}

#[test]
fn states_of_other_worlds_are_refused() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let mut known = state();
    known.serial = 7;
    known.account = Some("111122223333".into());
    let mut observed = empty_world();
    observed.identity.account = Some("444455556666".into());
    let plan = make(&graph, &observed, &known, &Policy::default());
    assert_eq!(plan.refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), ["plan/other-world"]);
    let mut observed = empty_world();
    observed.lineages = vec!["one".into(), "two".into()];
    let plan = make(&graph, &observed, &state(), &Policy::default());
    assert_eq!(plan.refusals.iter().map(|refusal| refusal.code).collect::<Vec<_>>(), ["plan/lineages"]);
    assert!(plan.steps.is_empty());
}

#[test]
fn what_is_charged_is_reckoned_by_name() {
    let graph = graph(crate::compose::compose(&stack(STACK), Vec::new(), &mut Diagnostics::default()));
    let prices = stack(STACK).aws.unwrap().prices;
    let plan = make(&graph, &empty_world(), &state(), &Policy { prices: Some(prices), ..Policy::default() });
    let charges: Vec<(String, f64)> = plan.cost.at_issue.iter().map(|charge| (charge.addr.to_string(), charge.dollars)).collect();
    assert_eq!(charges, [("acm_certificate.one".to_owned(), 7.0 + 79.0 + 7.0), ("acm_certificate.two".to_owned(), 7.0)]);
}
