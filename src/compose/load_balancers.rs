//! `load_balancers:` as Ingresses for the AWS Load Balancer Controller (its documentation, "Ingress annotations"), and their alias records.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::gateways::{self, without_nothing};
use super::namespaces::text_map;
use crate::addr::Addr;
use crate::fields::FieldPath;
use crate::render::Manifest;
use crate::resource::alias_record::AliasRecordSpec;
use crate::resource::hole::{Hole, Output, Part};
use crate::resource::manifest::{Balancer, Data};
use crate::resource::{ALB_CERTIFICATE_ARN, Milestone, Resource, Spec};
use crate::stack::edge::{BackendProtocol, HostDns, LoadBalancer, TargetType};
use crate::stack::{CertificateOutput, Stack, Text, TextPart};

const API: &str = "networking.k8s.io/v1";
/// What begins the controller's annotations.
const PREFIX: &str = "alb.ingress.kubernetes.io/";
/// The annotation that tells external-dns of hosts.
const EXTERNAL_DNS: &str = "external-dns.alpha.kubernetes.io/hostname";
/// What the controller's own chart calls it.
const CONTROLLER_NAME: &str = "aws-load-balancer-controller";

/// The address of a load balancer's Ingress.
pub(super) fn addr(one: &LoadBalancer) -> Addr {
    super::manifests::addr(API, "Ingress", Some(&one.ingress.namespace), &one.name)
}

/// The Ingresses as objects, and the classes that the stack makes for them.
pub(super) fn manifests(stack: &Stack) -> Vec<Manifest> {
    let mut classes: BTreeMap<&str, Manifest> = BTreeMap::new();
    let mut manifests = Vec::new();
    for one in stack.load_balancers.values() {
        if let Some(controller) = &one.class.controller {
            let class = Manifest {
                set: String::new(),
                api_version: API.to_owned(),
                kind: "IngressClass".to_owned(),
                namespace: None,
                name: one.class.name.clone(),
                body: json!({"spec": {"controller": controller}}),
                data: Data::default(),
                hook: None,
                generated: Vec::new(),
                holes: Vec::new(),
                place: one.place.clone(),
            };
            classes.entry(&one.class.name).or_insert(class);
        }
        manifests.push(without_nothing(ingress(one)));
    }
    manifests.extend(classes.into_values());
    manifests
}

fn ingress(one: &LoadBalancer) -> Manifest {
    let port = match one.backend_port.parse::<u16>() {
        Ok(number) => json!({"number": number}),
        Err(_) => json!({"name": one.backend_port}),
    };
    let backend = json!({"service": {"name": one.ingress.service, "port": port}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    Manifest {
        set: String::new(),
        api_version: API.to_owned(),
        kind: "Ingress".to_owned(),
        namespace: Some(one.ingress.namespace.clone()),
        name: one.name.clone(),
        body: json!({
            "metadata": {"labels": text_map(&one.labels), "annotations": annotations(one)},
            "spec": {"ingressClassName": one.class.name, "rules": [{"http": {"paths": paths}}]},
        }),
        data: Data::default(),
        hook: None,
        generated: Vec::new(),
        holes: Vec::new(),
        place: one.place.clone(),
    }
}

/// The annotations whose values are known.
fn annotations(one: &LoadBalancer) -> Map<String, Value> {
    let mut annotations = Map::new();
    let mut put = |name: &str, value: String| annotations.insert(format!("{PREFIX}{name}"), json!(value));
    put("scheme", if one.is_public { "internet-facing" } else { "internal" }.to_owned());
    let listeners: Vec<Value> =
        one.http.map(|port| json!({"HTTP": port})).into_iter().chain(one.https.map(|port| json!({"HTTPS": port}))).collect();
    put("listen-ports", Value::Array(listeners).to_string());
    if let Some(https) = one.https {
        put("ssl-policy", one.ssl_policy.clone());
        if one.redirect {
            put("ssl-redirect", https.to_string());
        }
    }
    put("target-type", if one.target_type == TargetType::Ip { "ip" } else { "instance" }.to_owned());
    put("backend-protocol", if one.backend_protocol == BackendProtocol::Https { "HTTPS" } else { "HTTP" }.to_owned());
    let check = &one.health_check;
    put("healthcheck-port", check.port.clone());
    put("healthcheck-path", check.path.clone());
    put("healthcheck-protocol", check.protocol.clone());
    put("success-codes", check.codes.clone());
    let numbers = [
        ("healthcheck-interval-seconds", check.interval),
        ("healthcheck-timeout-seconds", check.timeout),
        ("healthy-threshold-count", check.healthy),
        ("unhealthy-threshold-count", check.unhealthy),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            put(name, number.to_string());
        }
    }
    for (name, value) in [("backend-protocol-version", &one.protocol_version), ("ip-address-type", &one.ip_address_type)] {
        if let Some(value) = value {
            put(name, value.clone());
        }
    }
    for (name, value) in &one.settings {
        put(name, value.clone());
    }
    if one.dns == HostDns::ExternalDns && !one.hosts.is_empty() {
        let hosts = one.hosts.keys().map(String::as_str).collect::<Vec<_>>().join(",");
        annotations.insert(EXTERNAL_DNS.to_owned(), json!(hosts));
    }
    for (key, text) in &one.annotations {
        if let Some(literal) = literal(text) {
            annotations.insert(key.clone(), json!(literal));
        }
    }
    annotations
}

/// The text, when it holds no output.
fn literal(text: &Text) -> Option<String> {
    let part = |part: &TextPart| if let TextPart::Literal(literal) = part { Some(literal.clone()) } else { None };
    text.0.iter().map(part).collect()
}

/// Gives the Ingresses what they hold of others, what they wait for, and what their sections consent to; and the same to Gateways.
pub(super) fn complete(stack: &Stack, resources: &mut [Resource]) {
    let controllers: Vec<Addr> = resources.iter().filter(|resource| is_controller(resource)).map(|one| one.addr.clone()).collect();
    let known: Vec<Addr> = resources.iter().map(|resource| resource.addr.clone()).collect();
    for resource in resources {
        let Resource { addr: own, spec: Spec::Manifest(spec), adopt, force, needs, .. } = resource else { continue };
        let mut need = |addr: Addr, milestone: Milestone| {
            needs.retain(|(other, point)| *other != addr || *point > milestone);
            if !needs.iter().any(|(other, _)| *other == addr) {
                needs.push((addr, milestone));
            }
            needs.sort();
        };
        if let Some(gateway) = stack.gateways.values().find(|gateway| gateways::addr(gateway) == *own) {
            *adopt = gateway.adopt.then_some(true);
            *force = gateway.force;
        }
        let Some((key, one)) = stack.load_balancers.iter().find(|(_, one)| addr(one) == *own) else { continue };
        *adopt = one.adopt.then_some(true);
        *force = one.force;
        let manual_hosts = if one.dns == HostDns::Manual { one.hosts.keys().cloned().collect() } else { Vec::new() };
        spec.balancer = Some(Balancer { key: key.clone(), manual_hosts });
        spec.rules.replace = one.replace;
        spec.holes = holes(stack, one);
        for (source, _) in spec.holes.iter().flat_map(Hole::sources) {
            need(source.clone(), Milestone::Ready);
        }
        // What it sends requests to should be there when it comes, and outlive it.
        for gateway in gateways::on(stack, &one.ingress).map(gateways::addr).filter(|gateway| known.contains(gateway)) {
            need(gateway, Milestone::Created);
        }
        // The controller makes it, and is needed to remove it.
        for controller in &controllers {
            need(controller.clone(), Milestone::Ready);
        }
    }
}

/// Whether it is the controller's own Deployment.
fn is_controller(resource: &Resource) -> bool {
    let Spec::Manifest(spec) = &resource.spec else { return false };
    let name = spec.object.body.pointer("/metadata/labels/app.kubernetes.io~1name").and_then(Value::as_str);
    spec.object.kind == "Deployment" && name == Some(CONTROLLER_NAME)
}

fn holes(stack: &Stack, one: &LoadBalancer) -> Vec<Hole> {
    let mut holes = Vec::new();
    let mut arns = Vec::new();
    for key in &one.certificates {
        if !arns.is_empty() {
            arns.push(Part::Literal(",".to_owned()));
        }
        arns.push(Part::Output(Addr::certificate(key), Output::Certificate(CertificateOutput::Arn)));
    }
    if !arns.is_empty() {
        holes.push(Hole { path: FieldPath::annotation(ALB_CERTIFICATE_ARN), parts: arns });
    }
    for (key, text) in one.annotations.iter().filter(|(_, text)| literal(text).is_none()) {
        let part = |part: &TextPart| match part {
            TextPart::Literal(literal) => Some(Part::Literal(literal.clone())),
            TextPart::Output { certificate, output } => Some(Part::Output(Addr::certificate(certificate), Output::Certificate(*output))),
            TextPart::Hostname { load_balancer } => Some(Part::Output(addr(stack.load_balancers.get(load_balancer)?), Output::Hostname)),
        };
        holes.push(Hole { path: FieldPath::annotation(key), parts: text.0.iter().filter_map(part).collect() });
    }
    holes
}

/// The records of the hosts that are ours to write.
pub(super) fn alias_records(stack: &Stack) -> Vec<Resource> {
    let mut records = Vec::new();
    for one in stack.load_balancers.values().filter(|one| one.dns == HostDns::Route53) {
        let target = addr(one);
        for (host, place) in &one.hosts {
            records.push(Resource {
                addr: Addr::alias_record(host),
                spec: Spec::AliasRecord(AliasRecordSpec {
                    host: host.clone(),
                    zones: one.zones.clone(),
                    target: target.clone(),
                    has_ipv6: one.ip_address_type.as_deref().is_some_and(|of| of.starts_with("dualstack")),
                    evaluate_target_health: one.evaluate_target_health,
                }),
                adopt: one.adopt.then_some(true),
                force: false,
                needs: vec![(target.clone(), Milestone::Ready)],
                ready_needs: Vec::new(),
                place: place.clone(),
            });
        }
    }
    records
}
