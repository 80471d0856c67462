//! `load_balancers:`, and what can be told of them before anything is made.

use std::collections::{BTreeMap, BTreeSet};

use super::gateways::{ingress, known_certificate, names_cover, object_name, port, taken, word};
use super::{aws, names, namespaces, syntax, zones};
use crate::diag::{Diagnostic, Place, shown};
use crate::input::{Node, Value};
use crate::stack::edge::{BackendProtocol, HealthCheck, HostDns, IngressClass, LoadBalancer, TargetType};
use crate::stack::istio::Istio;
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader};
use crate::stack::{Aws, Certificate, Text, Zone, schema};

/// The modern default: TLS 1.2 with forward secrecy, and 1.3 (Elastic Load Balancing user guide, "Security policies").
const SSL_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// The controller of Ingresses (AWS Load Balancer Controller, "IngressClass").
const CONTROLLER: &str = "ingress.k8s.aws/alb";
/// What begins the controller's annotations.
const PREFIX: &str = "alb.ingress.kubernetes.io/";

/// Reads `load_balancers:`.
pub(super) fn load_balancers(
    reader: &mut Reader<'_>,
    stack: &Fields<'_>,
    istio: Option<&Istio>,
    certificates: &BTreeMap<String, Certificate>,
    aws: Option<&Aws>,
) -> BTreeMap<String, LoadBalancer> {
    let mut all = BTreeMap::new();
    let Some(section) = stack.get("load_balancers") else { return all };
    let mut objects = BTreeMap::new();
    let mut hosts: BTreeMap<String, Place> = BTreeMap::new();
    for entry in reader.named(&section.value, "load_balancers") {
        if let Err(why) = syntax::dns_label(&entry.key) {
            reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&entry.key)), &entry.key_place, "");
        }
        let Some(mut fields) = reader.fields(&entry.value, &join("load_balancers", &entry.key), &schema::LOAD_BALANCER) else { continue };
        fields.place = entry.key_place.clone();
        let Some(one) = load_balancer(reader, &fields, &entry.key, istio, certificates, aws) else { continue };
        taken(reader, &mut objects, &one.ingress, &one.name, &entry.key_place);
        for (host, place) in &one.hosts {
            if let Some(before) = hosts.insert(host.clone(), place.clone()) {
                let detail = format!("{} leads to two load balancers", shown(host));
                let error = Diagnostic::error("load-balancer/host-twice", "host of two load balancers", detail).at(place);
                reader.diags.push(error.and_at(&before, "the first is here").help("keep it at one of them"));
            }
        }
        all.insert(entry.key.clone(), one);
    }
    if let (Some(entry), None) = (stack.get("load_balancers"), stack.get("aws")) {
        let writes = |one: &LoadBalancer| one.dns == HostDns::Route53 && !one.hosts.is_empty();
        if all.values().any(writes) {
            let help = "add `aws: {region: eu-west-1}`, or say `dns: manual`";
            reader.error("aws/no-region", "no region", "the hosts' records are written with AWS credentials", &entry.key_place, help);
        }
    }
    all
}

fn load_balancer(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &str,
    istio: Option<&Istio>,
    certificates: &BTreeMap<String, Certificate>,
    aws: Option<&Aws>,
) -> Option<LoadBalancer> {
    let ingress = ingress(reader, fields, istio);
    let name = object_name(reader, fields, key);
    let scheme = word(reader, fields, "scheme", &["internal", "internet-facing"]);
    let served = served(reader, fields, certificates, aws);
    let (http, https) = ports(reader, fields, !served.is_empty());
    let redirect = redirect(reader, fields, http, https);
    serves_what_it_says(reader, fields, https, &served);
    let backend = word(reader, fields, "backend_protocol", &["HTTP", "HTTPS"]);
    let backend_protocol = if backend == Some("HTTPS") { BackendProtocol::Https } else { BackendProtocol::Http };
    let default_port = if backend_protocol == BackendProtocol::Https { "443" } else { "80" };
    let target_type = word(reader, fields, "target_type", &["instance", "ip"]);
    let target_type = if target_type == Some("ip") { TargetType::Ip } else { TargetType::Instance };
    let (hosts, dns) = (hosts(reader, fields), dns(reader, fields));
    covered(reader, fields, &hosts, &served, certificates);
    let zones = zones_of(reader, fields, &served, certificates);
    let annotations = annotations(reader, fields);
    let settings = settings(reader, fields, aws);
    let health_check = health_check(reader, fields);
    let one = LoadBalancer {
        is_public: scheme == Some("internet-facing"),
        certificates: served,
        http,
        https,
        redirect,
        ssl_policy: reader.string_of(fields, "ssl_policy").map_or_else(|| SSL_POLICY.to_owned(), |policy| policy.text),
        backend_protocol,
        protocol_version: word(reader, fields, "protocol_version", &["HTTP1", "HTTP2", "GRPC"]).map(ToOwned::to_owned),
        backend_port: reader.string_of(fields, "backend_port").map_or_else(|| default_port.to_owned(), |port| port.text),
        target_type,
        health_check,
        settings,
        ip_address_type: word(reader, fields, "ip_address_type", &["ipv4", "dualstack", "dualstack-without-public-ipv4"])
            .map(ToOwned::to_owned),
        class: class(reader, fields),
        hosts,
        dns,
        zones,
        evaluate_target_health: reader.boolean(fields, "evaluate_target_health").unwrap_or(false),
        labels: namespaces::labels(reader, fields, &[]),
        annotations,
        adopt: reader.boolean(fields, "adopt").unwrap_or(false),
        force: reader.boolean(fields, "force").unwrap_or(false),
        replace: reader.boolean(fields, "replace").unwrap_or(false),
        place: fields.place.clone(),
        ingress: ingress?,
        name: name?,
    };
    Some(one)
}

/// One text or several.
fn texts(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Vec<(String, Place)> {
    let Some(node) = fields.value(key) else { return Vec::new() };
    let path = fields.at(key);
    let items: Vec<&Node> = node.items().map_or_else(|| vec![node], |items| items.iter().collect());
    let mut texts = Vec::new();
    for item in items {
        let Some(text) = reader.string(item, &path) else { continue };
        // What is joined by commas can't hold one.
        if text.text.contains(',') {
            let detail = format!("{} holds a comma", shown(&text.text));
            reader.error("load-balancer/list", "list in one text", detail, &text.place, "write a list: [a, b]");
            continue;
        }
        texts.push((text.text, text.place));
    }
    texts
}

/// The certificates, as far as the stack has them; each in the load balancer's region.
fn served(reader: &mut Reader<'_>, fields: &Fields<'_>, certificates: &BTreeMap<String, Certificate>, aws: Option<&Aws>) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, place) in texts(reader, fields, "certificate") {
        if !known_certificate(reader, &key, &place, certificates) {
            continue;
        }
        let region = certificates.get(&key).and_then(|certificate| certificate.region.as_deref());
        if let (Some(there), Some(aws)) = (region, aws)
            && there != aws.region
        {
            let detail = format!("certificate {} is in {there}, and the load balancer in {}", shown(&key), aws.region);
            let help = "a load balancer serves certificates of its own region: name one of that region";
            reader.error("load-balancer/region", "certificate of another region", detail, &place, help);
        }
        if keys.contains(&key) {
            let detail = format!("certificate {} is named twice", shown(&key));
            reader.error("load-balancer/certificate", "certificate named twice", detail, &place, "remove one of them");
            continue;
        }
        keys.push(key);
    }
    keys
}

fn ports(reader: &mut Reader<'_>, fields: &Fields<'_>, has_certificate: bool) -> (Option<u16>, Option<u16>) {
    let Some(entry) = fields.get("ports") else {
        return (Some(80), has_certificate.then_some(443));
    };
    let Some(ports) = reader.fields(&entry.value, &fields.at("ports"), &schema::BALANCER_PORTS) else { return (None, None) };
    let (http, https) = (port(reader, &ports, "http"), port(reader, &ports, "https"));
    if ports.get("http").is_none() && ports.get("https").is_none() {
        let detail = format!("`{}` names none", fields.at("ports"));
        reader.error(
            "load-balancer/ports",
            "load balancer without a port",
            detail,
            &entry.key_place,
            "write `ports: {http: 80, https: 443}`",
        );
    } else if http.is_some() && http == https {
        let detail = "HTTP and HTTPS can't share a port";
        reader.error("load-balancer/ports", "two listeners on one port", detail, &entry.key_place, "write `ports: {http: 80, https: 443}`");
    }
    (http, https)
}

fn redirect(reader: &mut Reader<'_>, fields: &Fields<'_>, http: Option<u16>, https: Option<u16>) -> bool {
    let both = http.is_some() && https.is_some();
    let wanted = reader.boolean(fields, "redirect").unwrap_or(both);
    if let Some(entry) = fields.get("redirect").filter(|_| wanted && !both) {
        let detail = "a redirect leads from the port of HTTP to that of HTTPS, and one of them is missing";
        reader.error(
            "load-balancer/redirect",
            "redirect between one port",
            detail,
            &entry.key_place,
            "add it to `ports`, or remove `redirect`",
        );
        return false;
    }
    wanted
}

/// HTTPS and certificates go together: without one the controller would look for some certificate by itself (its "certificate discovery").
fn serves_what_it_says(reader: &mut Reader<'_>, fields: &Fields<'_>, https: Option<u16>, served: &[String]) {
    match (https, fields.get("certificate")) {
        (Some(_), None) => {
            let place = fields.get("ports").map_or(&fields.place, |entry| &entry.key_place).clone();
            let help =
                "add `certificate: <key>`: without one the controller takes whichever certificate of the account it finds for the hosts";
            let detail = format!("`{}` has a port for HTTPS, and no certificate", fields.path);
            reader.error("load-balancer/certificate", "HTTPS without a certificate", detail, &place, help);
        }
        (None, Some(entry)) if !served.is_empty() => {
            let detail = format!("`{}` serves a certificate, and has no port for HTTPS", fields.path);
            reader.error(
                "load-balancer/certificate",
                "certificate that isn't served",
                detail,
                &entry.key_place,
                "add `https: 443` to `ports`",
            );
        }
        _ => {}
    }
}

fn hosts(reader: &mut Reader<'_>, fields: &Fields<'_>) -> BTreeMap<String, Place> {
    let mut hosts = BTreeMap::new();
    let Some(node) = fields.value("hosts") else { return hosts };
    let path = fields.at("hosts");
    for item in reader.list(node, &path) {
        let Some(host) = reader.string(item, &path) else { continue };
        match names::canonical(&host.text, true) {
            Ok(name) => drop(hosts.insert(name, host.place)),
            Err((why, help)) => {
                reader.error("load-balancer/host", "bad host", format!("{} {why}", shown(&host.text)), &host.place, help);
            }
        }
    }
    hosts
}

fn dns(reader: &mut Reader<'_>, fields: &Fields<'_>) -> HostDns {
    match word(reader, fields, "dns", &["route53", "external-dns", "manual"]) {
        Some("external-dns") => HostDns::ExternalDns,
        Some("manual") => HostDns::Manual,
        _ => HostDns::Route53,
    }
}

/// Hosts for which the load balancer has no certificate: browsers would refuse it there.
fn covered(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    hosts: &BTreeMap<String, Place>,
    served: &[String],
    certificates: &BTreeMap<String, Certificate>,
) {
    let names: Vec<&BTreeSet<String>> =
        served.iter().filter_map(|key| certificates.get(key)).map(|certificate| &certificate.names).collect();
    // Of a certificate that is only read the names aren't known yet.
    if names.is_empty() || names.iter().any(|names| names.is_empty()) {
        return;
    }
    for (host, place) in hosts {
        if !names.iter().any(|names| names_cover(names, host)) {
            let which = if served.len() == 1 { "the certificate" } else { "any certificate" };
            let detail = format!("{} isn't among the names of {which} of `{}`", shown(host), fields.path);
            let help = "add it to the certificate's `names`, or serve another certificate; a wildcard stands for one label";
            reader.error("load-balancer/host-not-covered", "host that no certificate covers", detail, place, help);
        }
    }
}

/// The zones: those that it names, or those of its certificates.
fn zones_of(reader: &mut Reader<'_>, fields: &Fields<'_>, served: &[String], certificates: &BTreeMap<String, Certificate>) -> Vec<Zone> {
    if fields.get("zone").is_some() {
        return zones::zones(reader, fields);
    }
    let mut zones: Vec<Zone> = Vec::new();
    for zone in served.iter().filter_map(|key| certificates.get(key)).flat_map(|certificate| &certificate.zones) {
        if !zones.iter().any(|other| other.by == zone.by) {
            zones.push(zone.clone());
        }
    }
    zones
}

/// Annotations of the user's own; what has a key of its own is said there.
fn annotations(reader: &mut Reader<'_>, fields: &Fields<'_>) -> BTreeMap<String, Text> {
    let mut annotations = BTreeMap::new();
    let Some(node) = fields.value("annotations") else { return annotations };
    let path = fields.at("annotations");
    for entry in reader.named(node, &path) {
        if let Err(why) = syntax::qualified_name(&entry.key.to_ascii_lowercase()) {
            let detail = format!("the key {} {why}", shown(&entry.key));
            reader.error("kubernetes/annotation", "bad annotation", detail, &entry.key_place, "");
        }
        let own = entry.key.strip_prefix(PREFIX).and_then(|name| OWN.iter().find(|(annotation, _)| *annotation == name));
        if let Some((_, key)) = own {
            let detail = format!("{} is written as `{key}` here", shown(&entry.key));
            reader.error("load-balancer/annotation", "annotation that has a key of its own", detail, &entry.key_place, "use that key");
        } else if entry.key.starts_with("meshform.dev/") {
            let detail = format!("{} is set by meshform itself", shown(&entry.key));
            reader.error("kubernetes/reserved", "reserved annotation", detail, &entry.key_place, "remove it");
        }
        if let Some(text) = reader.text_of_all(&entry.value, &join(&path, &entry.key)) {
            annotations.insert(entry.key.clone(), text);
        }
    }
    annotations
}

/// The controller's annotations that have keys of their own.
const OWN: &[(&str, &str)] = &[
    ("scheme", "scheme"),
    ("listen-ports", "ports"),
    ("certificate-arn", "certificate"),
    ("ssl-redirect", "redirect"),
    ("ssl-policy", "ssl_policy"),
    ("backend-protocol", "backend_protocol"),
    ("backend-protocol-version", "protocol_version"),
    ("target-type", "target_type"),
    ("healthcheck-port", "health_check.port"),
    ("healthcheck-path", "health_check.path"),
    ("healthcheck-protocol", "health_check.protocol"),
    ("success-codes", "health_check.codes"),
    ("healthcheck-interval-seconds", "health_check.interval"),
    ("healthcheck-timeout-seconds", "health_check.timeout"),
    ("healthy-threshold-count", "health_check.healthy"),
    ("unhealthy-threshold-count", "health_check.unhealthy"),
    ("subnets", "subnets"),
    ("security-groups", "security_groups"),
    ("inbound-cidrs", "inbound_cidrs"),
    ("wafv2-acl-arn", "waf_acl_arn"),
    ("load-balancer-attributes", "attributes"),
    ("target-group-attributes", "target_group_attributes"),
    ("tags", "tags"),
    ("group.name", "group"),
    ("ip-address-type", "ip_address_type"),
    ("load-balancer-name", "load_balancer_name"),
];

/// What goes into annotations as it is.
fn settings(reader: &mut Reader<'_>, fields: &Fields<'_>, aws: Option<&Aws>) -> BTreeMap<&'static str, String> {
    let mut settings = BTreeMap::new();
    for (key, annotation) in [("subnets", "subnets"), ("security_groups", "security-groups"), ("inbound_cidrs", "inbound-cidrs")] {
        let list: Vec<String> = texts(reader, fields, key).into_iter().map(|(text, _)| text).collect();
        if !list.is_empty() {
            settings.insert(annotation, list.join(","));
        }
    }
    if let (Some(entry), true) = (fields.get("inbound_cidrs"), fields.get("security_groups").is_some()) {
        let detail = "with security groups of one's own the controller looks at no `inbound_cidrs`";
        let help = "write the rule into the security group, or leave the groups to the controller";
        reader.error("load-balancer/inbound", "inbound CIDRs without effect", detail, &entry.key_place, help);
    }
    let singles = [("waf_acl_arn", "wafv2-acl-arn"), ("group", "group.name"), ("load_balancer_name", "load-balancer-name")];
    for (key, annotation) in singles {
        let Some(text) = reader.string_of(fields, key) else { continue };
        let most = if key == "group" { 63 } else { 32 };
        if key != "waf_acl_arn" && text.text.len() > most {
            let detail = format!("{} has {} characters; at most {most} are allowed", shown(&text.text), text.text.len());
            reader.error("load-balancer/name", "name too long", detail, &text.place, "");
        }
        settings.insert(annotation, text.text);
    }
    let maps = [("attributes", "load-balancer-attributes"), ("target_group_attributes", "target-group-attributes")];
    for (key, annotation) in maps {
        let pairs: Vec<String> =
            reader.strings(fields, key).into_iter().map(|(name, (value, _))| format!("{name}={}", value.text)).collect();
        if !pairs.is_empty() {
            settings.insert(annotation, pairs.join(","));
        }
    }
    let inherited = aws.map(|aws| aws.tags.clone()).unwrap_or_default();
    let mut tags = inherited.clone();
    tags.extend(aws::tags(reader, fields, &inherited));
    // The controller splits them at commas, and each at its first `=`.
    let bad = tags.iter().find(|(key, value)| key.contains([',', '=']) || value.contains(','));
    if let Some((key, _)) = bad {
        let detail = format!("tag {} can't be written into the controller's annotation", shown(key));
        let place = fields.get("tags").map_or(&fields.place, |entry| &entry.key_place).clone();
        reader.error("load-balancer/tag", "tag that the controller can't read", detail, &place, "no commas, and no `=` in the key");
    }
    if !tags.is_empty() {
        settings.insert("tags", tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","));
    }
    settings
}

fn health_check(reader: &mut Reader<'_>, load_balancer: &Fields<'_>) -> HealthCheck {
    let mut check = HealthCheck {
        port: "status-port".to_owned(),
        path: "/healthz/ready".to_owned(),
        protocol: "HTTP".to_owned(),
        codes: "200".to_owned(),
        interval: None,
        timeout: None,
        healthy: None,
        unhealthy: None,
    };
    let Some(entry) = load_balancer.get("health_check") else { return check };
    let path = load_balancer.at("health_check");
    let Some(fields) = reader.fields(&entry.value, &path, &schema::HEALTH_CHECK) else { return check };
    for (key, field) in [("port", &mut check.port), ("path", &mut check.path), ("codes", &mut check.codes)] {
        if let Some(text) = reader.string_of(&fields, key) {
            *field = text.text;
        }
    }
    if let Some(protocol) = word(reader, &fields, "protocol", &["HTTP", "HTTPS"]) {
        protocol.clone_into(&mut check.protocol);
    }
    check.interval = reader.number(&fields, "interval");
    check.timeout = reader.number(&fields, "timeout");
    check.healthy = reader.number(&fields, "healthy");
    check.unhealthy = reader.number(&fields, "unhealthy");
    if let (Some(interval), Some(timeout)) = (check.interval, check.timeout)
        && timeout >= interval
    {
        let detail = format!("a check every {interval} s can't wait {timeout} s for its answer");
        reader.error("load-balancer/health-check", "bad health check", detail, &entry.key_place, "let `timeout` be less than `interval`");
    }
    check
}

fn class(reader: &mut Reader<'_>, load_balancer: &Fields<'_>) -> IngressClass {
    let default = IngressClass { name: "alb".to_owned(), controller: None };
    let Some(node) = load_balancer.value("ingress_class") else { return default };
    if !matches!(node.value, Value::Map(_)) {
        return IngressClass { name: reader.string_of(load_balancer, "ingress_class").map_or(default.name, |name| name.text), ..default };
    }
    let Some(fields) = reader.fields(node, &load_balancer.at("ingress_class"), &schema::INGRESS_CLASS) else { return default };
    let name = reader.required(&fields, "name", "alb").map_or(default.name, |name| name.text);
    let controller = reader.string_of(&fields, "controller").map_or_else(|| CONTROLLER.to_owned(), |controller| controller.text);
    let is_made = reader.boolean(&fields, "create").unwrap_or(false);
    IngressClass { name, controller: is_made.then_some(controller) }
}
