//! The edge of a mesh: gateways, load balancers, and the records that lead to them.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

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
