//! The edge of a mesh: gateways, load balancers, and the records that lead to them.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use kube::api::{Api, DynamicObject};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::crash::kill_everywhere;
use super::lab::{Lab, Raw, block_on};

/// A zone's worth of edge: the gateway's Service is a manifest, and its kind is there.
const STACK: &str = r#"version: 1
stack: lab
aws: { region: eu-west-1, account: "000000000000", tags: { team: edge } }
cluster: { eks: demo }
namespaces: { istio-ingress: {} }
certificates:
  edge: { domain: shop.example.com, names: ["*.shop.example.com"], zone: example.com, export: true }
manifests:
  mesh:
    objects:
      - apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: { name: gateways.networking.istio.io }
        spec:
          group: networking.istio.io
          scope: Namespaced
          names: { plural: gateways, singular: gateway, kind: Gateway, listKind: GatewayList }
          versions:
            - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }
      - apiVersion: v1
        kind: Service
        metadata: { name: istio-public, namespace: istio-ingress }
        spec:
          type: NodePort
          selector: { istio: public }
          ports: [{ name: status-port, port: 15021 }, { name: http2, port: 80 }, { name: https, port: 443 }]
gateways:
  public:
    ingress: { namespace: istio-ingress, service: istio-public }
    servers: [{ port: 443, protocol: HTTPS, certificate: edge }]
load_balancers:
  public:
    ingress: { namespace: istio-ingress, service: istio-public }
    scheme: internet-facing
    certificate: edge
    backend_protocol: HTTPS
    hosts: [shop.example.com, "*.shop.example.com"]
"#;

const INGRESS: &str = "ingress.networking.k8s.io/istio-ingress/public";
const GATEWAY: &str = "gateway.networking.istio.io/istio-ingress/public";
const RECORD: &str = "route53_record.shop.example.com";
const WILDCARD: &str = "route53_record.*.shop.example.com";

fn objects(raw: &Raw, group: &str, kind: &str, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(raw.kube.clone(), namespace, &ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind)))
}

fn ingress(raw: &Raw) -> Option<Value> {
    let found = block_on(objects(raw, "networking.k8s.io", "Ingress", "istio-ingress").get_opt("public")).unwrap();
    found.map(|object| serde_json::to_value(&object).unwrap())
}

fn annotation(object: &Value, name: &str) -> String {
    object["metadata"]["annotations"][format!("alb.ingress.kubernetes.io/{name}")].as_str().unwrap_or_default().to_owned()
}

fn hostname(object: &Value) -> String {
    object["status"]["loadBalancer"]["ingress"][0]["hostname"].as_str().unwrap_or_default().to_owned()
}

fn zone(raw: &Raw, name: &str) -> String {
    let zones = block_on(raw.route53.list_hosted_zones().send()).unwrap();
    zones.hosted_zones().iter().find(|zone| zone.name() == name).unwrap().id().to_owned()
}

/// The records of the zone that aren't its own and not those of validation: `TYPE name` to where they lead.
fn records(raw: &Raw) -> BTreeMap<String, String> {
    let listed = block_on(raw.route53.list_resource_record_sets().hosted_zone_id(zone(raw, "example.com.")).send()).unwrap();
    let sets = listed
        .resource_record_sets()
        .iter()
        .filter(|set| !matches!(set.r#type(), RrType::Ns | RrType::Soa) && !set.name().starts_with('_'));
    let shown = |set: &ResourceRecordSet| {
        let values = set.resource_records().iter().map(|record| record.value().to_owned()).collect::<Vec<_>>().join(" ");
        let target = set.alias_target().map(|target| target.dns_name().trim_end_matches('.').to_owned());
        (format!("{} {}", set.r#type(), set.name()), target.unwrap_or(values))
    };
    sets.map(shown).collect()
}

fn change(raw: &Raw, action: ChangeAction, set: ResourceRecordSet) {
    let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    block_on(raw.route53.change_resource_record_sets().hosted_zone_id(zone(raw, "example.com.")).change_batch(batch).send()).unwrap();
}

fn simple(name: &str, of: RrType, value: &str) -> ResourceRecordSet {
    let record = ResourceRecord::builder().value(value).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(of).ttl(60).resource_records(record).build().unwrap()
}

fn refusals(lab: &Lab, args: &str) -> Vec<(String, String)> {
    let plan = lab.run(&format!("plan stack.yaml --json {args}")).ends_with(1).json();
    let text = |refusal: &Value, key: &str| refusal[key].as_str().unwrap().to_owned();
    plan["refusals"].as_array().unwrap().iter().map(|one| (text(one, "code"), text(one, "reason"))).collect()
}

#[test]
fn the_chain_from_certificate_to_record_is_planned_applied_found_again_and_removed() {
    let lab = Lab::new(STACK);
    let before = lab.raw().dump();
    let plan = lab.run("plan stack.yaml --diff full").ends_with(0);
    for wanted in [INGRESS, GATEWAY, RECORD, WILDCARD, "secret/istio-ingress/edge-tls", "(known once acm_certificate.edge is issued)"] {
        assert!(plan.stdout.contains(wanted), "{wanted}\n{}", plan.stdout);
    }

    let said = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(said.stderr.contains("waits for the load balancer"), "{}", said.stderr);
    let raw = lab.raw();
    let object = ingress(&raw).unwrap();
    let arn = annotation(&object, "certificate-arn");
    assert!(arn.starts_with("arn:aws:acm:eu-west-1:"), "{object}");
    assert_eq!(annotation(&object, "listen-ports"), r#"[{"HTTP":80},{"HTTPS":443}]"#);
    assert_eq!(annotation(&object, "healthcheck-port"), "status-port");
    assert_eq!(annotation(&object, "tags"), "team=edge");
    let name = hostname(&object);
    let shown = records(&raw);
    let names: Vec<&str> = shown.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["A \\052.shop.example.com.", "A shop.example.com.", "TXT a-\\052.shop.example.com.", "TXT a-shop.example.com."],
        "{shown:?}"
    );
    assert_eq!(shown["A shop.example.com."], name);
    assert!(shown["TXT a-shop.example.com."].starts_with("\"heritage=external-dns,external-dns/owner=meshform/lab/"), "{shown:?}");
    let users = block_on(raw.acm.describe_certificate().certificate_arn(&arn).send()).unwrap().certificate.unwrap();
    assert_eq!(users.in_use_by().len(), 1, "the listener has it");
    drop(raw);

    let outputs = lab.run("output stack.yaml --json").ends_with(0).json();
    assert_eq!(outputs["load_balancers.public.hostname"], json!(name), "{outputs}");
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    lab.lose_state();
    assert!(lab.planned().is_empty(), "found again: {:?}", lab.planned());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);

    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(lab.raw().dump(), before);
    assert!(records(&lab.raw()).is_empty());
}

/// What someone does behind meshform's back.
type Outside<'a> = Box<dyn Fn(&Raw) + 'a>;

/// The stack with something in the load balancer's section changed.
fn with(lab: &Lab, from: &str, to: &str) {
    assert!(STACK.contains(from), "{from}");
    lab.write("stack.yaml", &STACK.replace(from, to));
}

/// A stack with one load balancer of HTTP alone: less to wait for.
fn plain(more: &str) -> String {
    let (head, _) = STACK.split_once("gateways:\n").unwrap();
    let head = head.replace("  edge: { domain: shop.example.com, names: [\"*.shop.example.com\"], zone: example.com, export: true }\n", "");
    let head = head.replace("certificates:\n", "");
    format!(
        "{head}load_balancers:\n  public:\n    ingress: {{ namespace: istio-ingress, service: istio-public }}\n    hosts: [shop.example.com]\n{more}"
    )
}

#[test]
fn an_edge_killed_anywhere_ends_in_the_same_world() {
    let stack = STACK.replace(", \"*.shop.example.com\"]\n\"#", "]");
    let lab = Lab::new(&stack);
    kill_everywhere(&lab, "apply stack.yaml --auto-approve");
    kill_everywhere(&Lab::applied(&stack), "destroy stack.yaml --auto-approve");
}

#[test]
fn a_host_that_is_its_zones_own_name_has_its_marks_below_it() {
    let stack = plain("").replace("hosts: [shop.example.com]", "hosts: [example.com, shop.example.com]");
    let lab = Lab::new(&stack);
    // What others keep at the zone's name is none of the load balancer's.
    change(&lab.raw(), ChangeAction::Create, simple("example.com", RrType::Txt, "\"v=spf1 -all\""));
    let before = records(&lab.raw());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let names: Vec<String> = records(&lab.raw()).into_keys().collect();
    assert_eq!(
        names,
        ["A example.com.", "A shop.example.com.", "TXT a-shop.example.com.", "TXT example.com.", "TXT meshform-a.example.com."],
        "{names:?}"
    );
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    lab.lose_state();
    assert!(lab.planned().is_empty(), "found again: {:?}", lab.planned());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    // Another's word beside it is heard.
    let marks = "\"heritage=external-dns,external-dns/owner=cluster-7,external-dns/resource=ingress/web/shop\"";
    change(&lab.raw(), ChangeAction::Upsert, simple("meshform-a.example.com", RrType::Txt, marks));
    let refused = refusals(&lab, "");
    assert!(refused[0].1.contains("external-dns (owner `cluster-7`)"), "{refused:?}");
    lab.lose_state();
    change(&lab.raw(), ChangeAction::Delete, simple("meshform-a.example.com", RrType::Txt, marks));
    lab.run("apply stack.yaml --auto-approve --adopt route53_record.example.com").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left: Vec<String> = records(&lab.raw()).into_keys().collect();
    assert_eq!(left, ["A example.com.", "TXT example.com."], "what was taken over stays, without a mark");
    assert_eq!(before.into_keys().collect::<Vec<_>>(), ["TXT example.com."]);
}

#[test]
fn records_of_others_are_left_alone_until_they_are_taken_over_and_then_stay() {
    let marks = "\"heritage=external-dns,external-dns/owner=cluster-7,external-dns/resource=ingress/web/shop\"";
    let cases = [
        ("an address", vec![simple("shop.example.com", RrType::A, "192.0.2.1")], "belongs to an unknown owner"),
        ("a CNAME", vec![simple("shop.example.com", RrType::Cname, "old.example.net")], "belongs to an unknown owner"),
        (
            "an address of external-dns",
            vec![simple("shop.example.com", RrType::A, "192.0.2.1"), simple("a-shop.example.com", RrType::Txt, marks)],
            "belongs to external-dns (owner `cluster-7`)",
        ),
        ("a mark alone", vec![simple("a-shop.example.com", RrType::Txt, marks)], "belongs to external-dns (owner `cluster-7`)"),
    ];
    for (case, sets, wanted) in cases {
        let lab = Lab::new(&plain(""));
        let raw = lab.raw();
        for set in &sets {
            change(&raw, ChangeAction::Create, set.clone());
        }
        let before = records(&raw);
        drop(raw);
        let refused = refusals(&lab, "");
        assert!(matches!(refused.as_slice(), [(code, reason)] if code == "plan/foreign" && reason.contains(wanted)), "{case}: {refused:?}");
        lab.run("apply stack.yaml --auto-approve").ends_with(1);
        assert_eq!(records(&lab.raw()), before, "{case}");

        lab.run(&format!("apply stack.yaml --auto-approve --adopt {RECORD}")).ends_with(0);
        let raw = lab.raw();
        let (shown, name) = (records(&raw), hostname(&ingress(&raw).unwrap()));
        drop(raw);
        assert_eq!(shown["A shop.example.com."], name, "{case}");
        assert_eq!(shown.len(), 2, "{case}: {shown:?}");
        assert!(lab.planned().is_empty(), "{case}");
        lab.lose_state();
        assert!(lab.planned().is_empty(), "{case}: found again");
        lab.run("destroy stack.yaml --auto-approve").ends_with(0);
        let left = records(&lab.raw());
        assert_eq!(left.keys().collect::<Vec<_>>(), ["A shop.example.com."], "{case}: what was adopted stays, without our mark: {left:?}");
    }
}

#[test]
fn records_with_a_routing_policy_are_never_taken() {
    let lab = Lab::new(&plain("    adopt: true\n"));
    let mut set = simple("shop.example.com", RrType::A, "192.0.2.1");
    set.set_identifier = Some("blue".to_owned());
    set.weight = Some(10);
    change(&lab.raw(), ChangeAction::Create, set);
    let refused = refusals(&lab, "");
    assert!(
        matches!(refused.as_slice(), [(code, reason)] if code == "plan/adopt-differs" && reason.contains("routing policy")),
        "{refused:?}"
    );
}

#[test]
fn other_records_of_a_name_are_nobody_s_business() {
    let lab = Lab::new(&plain(""));
    let raw = lab.raw();
    change(&raw, ChangeAction::Create, simple("shop.example.com", RrType::Mx, "10 mail.example.com"));
    change(&raw, ChangeAction::Create, simple("shop.example.com", RrType::Txt, "\"v=spf1 -all\""));
    drop(raw);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = records(&lab.raw());
    assert_eq!(left.keys().collect::<Vec<_>>(), ["MX shop.example.com.", "TXT shop.example.com."]);
}

#[test]
fn what_others_do_to_the_records_is_drift_and_put_back() {
    let lab = Lab::applied(&plain(""));
    let good = records(&lab.raw());
    let raw = lab.raw();
    let listed = block_on(raw.route53.list_resource_record_sets().hosted_zone_id(zone(&raw, "example.com.")).send()).unwrap();
    let set =
        |of: &RrType| listed.resource_record_sets().iter().find(|set| set.r#type() == of && set.name().contains("shop")).unwrap().clone();
    let (alias, mark) = (set(&RrType::A), set(&RrType::Txt));
    drop(raw);
    let cases: Vec<(&str, &str, Outside<'_>)> = vec![
        ("the mark is taken off", "ownership", Box::new(|raw| change(raw, ChangeAction::Delete, mark.clone()))),
        ("the alias is removed", "types", Box::new(|raw| change(raw, ChangeAction::Delete, alias.clone()))),
        (
            "an address takes its place",
            "values",
            Box::new(|raw| change(raw, ChangeAction::Upsert, simple("shop.example.com", RrType::A, "192.0.2.9"))),
        ),
        (
            "an address for IPv6 is added",
            "types",
            Box::new(|raw| change(raw, ChangeAction::Create, simple("shop.example.com", RrType::Aaaa, "2001:db8::1"))),
        ),
    ];
    for (case, path, outside) in cases {
        outside(&lab.raw());
        let plan = lab.planned();
        assert_eq!(plan.keys().collect::<Vec<_>>(), [RECORD], "{case}");
        assert!(plan[RECORD].1.iter().any(|field| field == path), "{case}: {plan:?}");
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert_eq!(records(&lab.raw()), good, "{case}");
        assert!(lab.planned().is_empty(), "{case}");
    }
}

#[test]
fn a_record_that_changes_after_the_plan_is_not_overwritten() {
    let lab = Lab::new(&plain(""));
    lab.run("plan stack.yaml --out saved.plan").ends_with(0);
    change(&lab.raw(), ChangeAction::Create, simple("shop.example.com", RrType::A, "192.0.2.1"));
    lab.run("apply stack.yaml --auto-approve").ends_with(1);
    lab.run("apply saved.plan --auto-approve").ends_with(1);
    assert_eq!(records(&lab.raw())["A shop.example.com."], "192.0.2.1");
}

#[test]
fn another_load_balancer_needs_consent_and_the_records_follow_it() {
    let lab = Lab::applied(&plain(""));
    let old = hostname(&ingress(&lab.raw()).unwrap());
    assert!(old.starts_with("internal-"), "{old}");
    for change in ["    scheme: internet-facing\n", "    group: shared\n", "    load_balancer_name: shop-edge\n"] {
        lab.write("stack.yaml", &plain(change));
        let refused = refusals(&lab, "");
        assert!(matches!(refused.as_slice(), [(code, _)] if code == "plan/other-load-balancer"), "{change}: {refused:?}");
    }
    let mut before = old;
    for change in ["    scheme: internet-facing\n", "    load_balancer_name: shop-edge\n", "    group: shared\n"] {
        lab.write("stack.yaml", &plain(&format!("{change}    replace: true\n")));
        let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
        assert!(
            plan.contains("another load balancer takes its place") && plan.contains(&format!("(known once {INGRESS} is ready)")),
            "{plan}"
        );
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        let raw = lab.raw();
        let now = hostname(&ingress(&raw).unwrap());
        assert_ne!(now, before, "{change}");
        assert_eq!(records(&raw)["A shop.example.com."], now, "{change}: in the same apply");
        drop(raw);
        assert!(lab.planned().is_empty(), "{change}: {:?}", lab.planned());
        before = now;
    }
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert!(records(&lab.raw()).is_empty());
}

#[test]
fn a_new_certificate_is_served_before_the_old_one_goes() {
    let lab = Lab::applied(STACK);
    let arn = annotation(&ingress(&lab.raw()).unwrap(), "certificate-arn");
    with(&lab, "names: [\"*.shop.example.com\"]", "names: [\"*.shop.example.com\", www.shop.example.com]");
    let plan = lab.planned();
    assert_eq!(plan[INGRESS].0, "update", "{plan:?}");
    assert_eq!(plan[INGRESS].1, ["metadata.annotations[\"alb.ingress.kubernetes.io/certificate-arn\"]"], "{plan:?}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    // The listener lets the old one go some seconds later: in this run, or the next.
    lab.run("sandbox advance 5m").ends_with(0);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    let now = annotation(&ingress(&raw).unwrap(), "certificate-arn");
    assert_ne!(now, arn);
    assert!(block_on(raw.acm.describe_certificate().certificate_arn(&arn).send()).is_err(), "the old one is gone");
    let users = block_on(raw.acm.describe_certificate().certificate_arn(&now).send()).unwrap().certificate.unwrap();
    assert_eq!(users.in_use_by().len(), 1);
    drop(raw);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_certificate_that_a_listener_still_has_goes_with_the_stack() {
    let lab = Lab::applied(STACK);
    // A rotation leaves the Ingress alone: the old certificate stays, as it is served.
    lab.run("rotate stack.yaml --reissue").ends_with(0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = block_on(lab.raw().acm.list_certificates().send()).unwrap();
    assert!(left.certificate_summary_list().is_empty(), "{left:?}");
    assert!(records(&lab.raw()).is_empty());
}

#[test]
fn what_the_controller_says_is_told_when_it_makes_no_load_balancer() {
    let stack = plain("timeouts: { ready: 2m }\n").replace("service: istio-public }\n    hosts", "service: nobody }\n    hosts");
    let lab = Lab::new(&stack);
    let said = lab.run("apply stack.yaml --auto-approve").ends_with(3);
    assert!(said.stderr.contains("FailedBuildModel") && said.stderr.contains("Service \"nobody\" not found"), "{}", said.stderr);
    assert!(said.stderr.contains(RECORD), "the record is skipped: {}", said.stderr);
    // Mended, the same command goes on.
    lab.write("stack.yaml", &plain(""));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_load_balancer_with_another_key_serves_before_the_old_one_goes() {
    let lab = Lab::applied(&plain(""));
    lab.write("stack.yaml", &plain("").replace("\n  public:\n", "\n  shop:\n"));
    let plan = lab.planned();
    assert_eq!(plan[RECORD].0, "update", "{plan:?}");
    assert_eq!(plan[INGRESS].0, "delete", "{plan:?}");
    let said = lab.run("apply stack.yaml --auto-approve").ends_with(0).stderr;
    let at = |text: &str| said.find(text).unwrap_or_else(|| panic!("{text}\n{said}"));
    assert!(at(RECORD) < said.rfind(INGRESS).unwrap(), "{said}");
    assert!(lab.planned().is_empty());
    assert!(ingress(&lab.raw()).is_none());
}

#[test]
fn hosts_are_for_external_dns_or_for_people_where_the_stack_says_so() {
    let lab = Lab::applied(&plain("    dns: external-dns\n"));
    let raw = lab.raw();
    let object = ingress(&raw).unwrap();
    assert_eq!(object["metadata"]["annotations"]["external-dns.alpha.kubernetes.io/hostname"], "shop.example.com");
    assert!(records(&raw).is_empty());
    drop(raw);
    let lab = Lab::new(&plain("    dns: manual\n"));
    let said = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let name = hostname(&ingress(&lab.raw()).unwrap());
    assert!(said.stderr.contains(&format!("write records that lead shop.example.com to {name}")), "{}", said.stderr);
    assert!(records(&lab.raw()).is_empty());
    assert!(lab.planned().is_empty());
}

#[test]
fn a_dual_stack_gets_records_of_both_families_and_loses_them_again() {
    let lab = Lab::applied(&plain("    ip_address_type: dualstack\n"));
    let shown = records(&lab.raw());
    let names: Vec<&str> = shown.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["A shop.example.com.", "AAAA shop.example.com.", "TXT a-shop.example.com.", "TXT aaaa-shop.example.com."],
        "{shown:?}"
    );
    assert!(lab.planned().is_empty());
    lab.write("stack.yaml", &plain(""));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(records(&lab.raw()).len(), 2);
    assert!(lab.planned().is_empty());
}

#[test]
fn an_edge_goes_in_order_when_the_state_is_lost() {
    let lab = Lab::applied(STACK);
    lab.lose_state();
    let said = lab.run("destroy stack.yaml --auto-approve --accept-rebuilt-state");
    let said = if said.code == Some(64) { lab.run("destroy stack.yaml --auto-approve") } else { said };
    let said = said.ends_with(0).stderr;
    let done = |addr: &str| said.rfind(addr).unwrap_or_else(|| panic!("{addr}\n{said}"));
    assert!(done(RECORD) < done(INGRESS), "{said}");
    assert!(done(INGRESS) < done(GATEWAY), "{said}");
    assert!(done(INGRESS) < done("acm_certificate.edge"), "{said}");
    assert!(records(&lab.raw()).is_empty());
    assert!(ingress(&lab.raw()).is_none());
}

#[test]
fn outputs_stand_in_annotations_and_are_filled_in_when_they_are_known() {
    let more = "    annotations: { example.com/other: \"to ${load_balancers.inner.hostname}\" }\n  inner:\n    ingress: { namespace: istio-ingress, service: istio-public }\n";
    let lab = Lab::new(&plain(more));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("(known once ingress.networking.k8s.io/istio-ingress/inner is ready)"), "{plan}");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    let other = ingress(&raw).unwrap()["metadata"]["annotations"]["example.com/other"].as_str().unwrap().to_owned();
    assert!(other.starts_with("to internal-k8s-") && other.ends_with(".elb.amazonaws.com"), "{other}");
    drop(raw);
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    lab.lose_state();
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
}

#[test]
fn parts_that_contradict_each_other_are_told_before_anything_is_asked() {
    const BALANCER: &str = "    backend_protocol: HTTPS\n";
    let cases: &[(&str, &str, &str, &str)] = &[
        (
            "HTTPS to a gateway for names",
            "protocol: HTTPS, certificate: edge",
            "protocol: HTTPS, certificate: edge, hosts: [shop.example.com]",
            "load-balancer/backend",
        ),
        ("HTTP to a gateway of HTTPS", BALANCER, "    backend_port: https\n", "load-balancer/backend"),
        ("a port that no gateway opens", BALANCER, "    backend_protocol: HTTPS\n    backend_port: 80\n", "load-balancer/backend"),
        (
            "a gateway that wants a client's certificate",
            "certificate: edge }",
            "certificate: edge, tls: { mode: MUTUAL } }",
            "load-balancer/backend",
        ),
        (
            "redirects in a circle",
            "{ port: 443, protocol: HTTPS, certificate: edge }",
            "{ port: 80, protocol: HTTP, https_redirect: true }",
            "load-balancer/backend",
        ),
        ("a host beyond the certificate", "hosts: [shop.example.com,", "hosts: [a.b.shop.example.com,", "load-balancer/host-not-covered"),
        ("a host that is none", "hosts: [shop.example.com,", "hosts: [\"10.0.0.1\",", "load-balancer/host"),
        ("a certificate of another region", "export: true }", "export: true, region: us-east-1 }", "load-balancer/region"),
        ("HTTPS without a certificate", "    certificate: edge\n", "    ports: { https: 443 }\n", "load-balancer/certificate"),
        (
            "a certificate without HTTPS",
            "    certificate: edge\n",
            "    certificate: edge\n    ports: { http: 80 }\n",
            "load-balancer/certificate",
        ),
        (
            "a redirect from nowhere",
            "    certificate: edge\n",
            "    certificate: edge\n    ports: { https: 443 }\n    redirect: true\n",
            "load-balancer/redirect",
        ),
        (
            "two listeners on one port",
            "    certificate: edge\n",
            "    certificate: edge\n    ports: { http: 443, https: 443 }\n",
            "load-balancer/ports",
        ),
        ("a Service without node ports", "type: NodePort", "type: ClusterIP", "load-balancer/service-type"),
        ("a port that the Service lacks", "{ name: https, port: 443 }", "{ name: tls, port: 8443 }", "load-balancer/service-port"),
        (
            "a health check by number",
            BALANCER,
            "    backend_protocol: HTTPS\n    health_check: { port: 15021 }\n",
            "load-balancer/health-check",
        ),
        (
            "an annotation with a key of its own",
            BALANCER,
            "    backend_protocol: HTTPS\n    annotations: { alb.ingress.kubernetes.io/scheme: internal }\n",
            "load-balancer/annotation",
        ),
        (
            "CIDRs beside security groups",
            BALANCER,
            "    backend_protocol: HTTPS\n    security_groups: sg-1\n    inbound_cidrs: 10.0.0.0/8\n",
            "load-balancer/inbound",
        ),
        ("a tag with a comma", BALANCER, "    backend_protocol: HTTPS\n    tags: { a: \"b=c\" , \"d=e\": f }\n", "load-balancer/tag"),
        ("a certificate that isn't there", "    certificate: edge\n", "    certificate: edgy\n", "stack/unknown-ref"),
        (
            "an ingress gateway that isn't there",
            "ingress: { namespace: istio-ingress, service: istio-public }\n    scheme",
            "ingress: public\n    scheme",
            "stack/unknown-ref",
        ),
        (
            "an output where none may be",
            BALANCER,
            "    backend_protocol: HTTPS\n    waf_acl_arn: ${load_balancers.public.hostname}\n",
            "stack/ref-not-here",
        ),
        ("a certificate that can't be exported", "export: true }", "}", "certificate/export"),
        ("a server without a certificate", "protocol: HTTPS, certificate: edge", "protocol: HTTPS", "gateway/no-certificate"),
        ("a certificate where no TLS is", "protocol: HTTPS, certificate: edge", "protocol: HTTP, certificate: edge", "gateway/tls"),
        ("a redirect of HTTPS", "certificate: edge }", "certificate: edge, https_redirect: true }", "gateway/redirect"),
        ("one port, two protocols", "certificate: edge }]", "certificate: edge }, { port: 443, protocol: TCP }]", "gateway/port"),
        ("no server", "[{ port: 443, protocol: HTTPS, certificate: edge }]", "[]", "gateway/servers"),
    ];
    let lab = Lab::new(STACK);
    lab.run("validate stack.yaml").ends_with(0);
    for (case, from, to, code) in cases {
        with(&lab, from, to);
        let said = lab.run("validate stack.yaml").ends_with(1);
        assert!(said.stderr.contains(&format!("[{code}]")), "{case}: wants {code}\n{}", said.stderr);
    }
}

#[test]
fn a_gateway_shares_the_secret_that_the_stack_delivers_already() {
    let lab = Lab::new(STACK);
    with(&lab, "export: true }", "export: true, tls_secrets: [{ namespace: istio-ingress, name: mine }] }");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let raw = lab.raw();
    let gateway = block_on(objects(&raw, "networking.istio.io", "Gateway", "istio-ingress").get("public")).unwrap();
    let tls = &gateway.data["spec"]["servers"][0]["tls"];
    assert_eq!(*tls, json!({"mode": "SIMPLE", "credentialName": "mine", "minProtocolVersion": "TLSV1_2"}));
    assert_eq!(gateway.data["spec"]["selector"], json!({"istio": "public"}));
    let secrets = block_on(raw.objects("Secret", Some("istio-ingress")).list(&kube::api::ListParams::default())).unwrap();
    let names: Vec<&str> = secrets.iter().filter_map(|secret| secret.metadata.name.as_deref()).collect();
    assert_eq!(names, ["mine"]);
}
