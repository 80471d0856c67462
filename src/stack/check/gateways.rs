//! `gateways:`, and the ingress gateways that sections name.

use std::collections::{BTreeMap, BTreeSet};

use super::{names, namespaces, syntax};
use crate::diag::{Diagnostic, Place, nearest, shown};
use crate::input::{Node, Value};
use crate::stack::edge::{Gateway, IngressGateway, Server, ServerTls};
use crate::stack::istio::Istio;
use crate::stack::origin::join;
use crate::stack::parse::{Fields, Reader};
use crate::stack::{Certificate, CertificateOrigin, TlsSecretDelivery, schema};

/// Reads `gateways:`. A server's certificate is delivered to the ingress gateway's namespace, unless the stack does so already.
pub(super) fn gateways(
    reader: &mut Reader<'_>,
    stack: &Fields<'_>,
    istio: Option<&Istio>,
    certificates: &mut BTreeMap<String, Certificate>,
) -> BTreeMap<String, Gateway> {
    let mut gateways = BTreeMap::new();
    let Some(section) = stack.get("gateways") else { return gateways };
    let mut objects: BTreeMap<(String, String), Place> = BTreeMap::new();
    for entry in reader.named(&section.value, "gateways") {
        if let Err(why) = syntax::dns_label(&entry.key) {
            reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&entry.key)), &entry.key_place, "");
        }
        let Some(mut fields) = reader.fields(&entry.value, &join("gateways", &entry.key), &schema::GATEWAY) else { continue };
        fields.place = entry.key_place.clone();
        let ingress = ingress(reader, &fields, istio);
        let name = object_name(reader, &fields, &entry.key);
        let servers = servers(reader, &fields, ingress.as_ref(), certificates);
        let (labels, annotations) = (namespaces::labels(reader, &fields, &[]), namespaces::annotations(reader, &fields));
        let (adopt, force) = (reader.boolean(&fields, "adopt"), reader.boolean(&fields, "force"));
        let (Some(ingress), Some(name)) = (ingress, name) else { continue };
        taken(reader, &mut objects, &ingress, &name, &entry.key_place);
        let gateway = Gateway {
            ingress,
            name,
            servers,
            labels,
            annotations,
            adopt: adopt.unwrap_or(false),
            force: force.unwrap_or(false),
            place: entry.key_place.clone(),
        };
        gateways.insert(entry.key.clone(), gateway);
    }
    gateways
}

/// Two objects of one name.
pub(super) fn taken(
    reader: &mut Reader<'_>,
    objects: &mut BTreeMap<(String, String), Place>,
    ingress: &IngressGateway,
    name: &str,
    place: &Place,
) {
    if let Some(before) = objects.insert((ingress.namespace.clone(), name.to_owned()), place.clone()) {
        let detail = format!("a second object {}", shown(&format!("{}/{name}", ingress.namespace)));
        let error = Diagnostic::error("kubernetes/duplicate-object", "two objects of one name", detail).at(place);
        reader.diags.push(error.and_at(&before, "the first is here").help("give one of them another `name`"));
    }
}

/// The object's name: the section's key, unless another is given.
pub(super) fn object_name(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
    if fields.get("name").is_none() {
        return Some(key.to_owned());
    }
    let name = reader.string_of(fields, "name")?;
    if let Err(why) = syntax::dns_label(&name.text) {
        reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&name.text)), &name.place, "");
    }
    Some(name.text)
}

/// Reads `ingress`: a name under `istio.ingress`, or a map that says where one is.
pub(super) fn ingress(reader: &mut Reader<'_>, fields: &Fields<'_>, istio: Option<&Istio>) -> Option<IngressGateway> {
    let Some(node) = fields.value("ingress") else {
        reader.required(fields, "ingress", "public");
        return None;
    };
    if matches!(node.value, Value::Map(_)) {
        return foreign_ingress(reader, node, &fields.at("ingress"));
    }
    let name = reader.string(node, &fields.at("ingress"))?;
    let known = istio.map(|istio| &istio.ingress);
    if let Some(found) = known.and_then(|known| known.get(&name.text)) {
        return Some(IngressGateway {
            namespace: found.namespace.clone(),
            service: found.name.clone(),
            selector: BTreeMap::from([("istio".to_owned(), found.selector())]),
            key: Some(name.text),
        });
    }
    let near = nearest(&name.text, known.into_iter().flatten().map(|(key, _)| key.as_str()));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "declare it under `istio.ingress`, or say where it is: `ingress: {namespace: …, service: …}`".to_owned(),
    };
    let detail = format!("`istio.ingress` has no {}", shown(&name.text));
    reader.error("stack/unknown-ref", "reference to an unknown ingress gateway", detail, &name.place, &help);
    None
}

fn foreign_ingress(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<IngressGateway> {
    let fields = reader.fields(node, path, &schema::INGRESS_GATEWAY)?;
    let (namespace, service) = (reader.required(&fields, "namespace", "istio-ingress"), reader.required(&fields, "service", "<name>"));
    for name in [&namespace, &service].into_iter().flatten() {
        if let Err(why) = syntax::dns_label(&name.text) {
            reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&name.text)), &name.place, "");
        }
    }
    let mut selector = BTreeMap::new();
    for (key, (value, place)) in reader.strings(&fields, "selector") {
        if let Err(why) = syntax::qualified_name(&key).and_then(|()| syntax::label_value(&value.text)) {
            reader.error("kubernetes/label", "bad label", format!("{} {why}", shown(&key)), place, "");
        }
        selector.insert(key, value.text);
    }
    let (namespace, service) = (namespace?.text, service?.text);
    if selector.is_empty() {
        selector.insert("istio".to_owned(), service.strip_prefix("istio-").unwrap_or(&service).to_owned());
    }
    Some(IngressGateway { key: None, namespace, service, selector })
}

/// A port's number.
pub(super) fn port(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Option<u16> {
    let number = reader.number(fields, key)?;
    if let Ok(port @ 1..) = u16::try_from(number) {
        return Some(port);
    }
    if let Some(node) = fields.value(key) {
        let detail = format!("`{}` is a port, 1 to 65535, and this is {number}", fields.at(key));
        reader.error("stack/bad-value", "value not allowed", detail, &node.place, "");
    }
    None
}

/// One of some words; the first that fits without regard to case is suggested.
pub(super) fn word(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str, words: &[&'static str]) -> Option<&'static str> {
    let text = reader.string_of(fields, key)?;
    if let Some(word) = words.iter().find(|word| **word == text.text) {
        return Some(word);
    }
    let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let detail = format!("`{}` is one of {all}, and this is {}", fields.at(key), shown(&text.text));
    let near = words.iter().find(|word| word.eq_ignore_ascii_case(&text.text)).copied();
    let help = near.or_else(|| nearest(&text.text, words.iter().copied())).map(|near| format!("did you mean `{near}`?"));
    reader.error("stack/bad-value", "value not allowed", detail, &text.place, help.as_deref().unwrap_or_default());
    None
}

const PROTOCOLS: [&str; 8] = ["HTTP", "HTTPS", "HTTP2", "GRPC", "GRPC-WEB", "TLS", "TCP", "MONGO"];

fn servers(
    reader: &mut Reader<'_>,
    gateway: &Fields<'_>,
    ingress: Option<&IngressGateway>,
    certificates: &mut BTreeMap<String, Certificate>,
) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    let Some(node) = gateway.value("servers") else {
        reader.required(gateway, "servers", "[{port: 443, protocol: HTTPS, certificate: <key>}]");
        return servers;
    };
    let path = gateway.at("servers");
    let items = reader.list(node, &path);
    if items.is_empty() {
        reader.error("gateway/servers", "gateway without a server", format!("`{path}` is empty"), &node.place, "add a port");
    }
    for (index, item) in items.iter().enumerate() {
        let Some(fields) = reader.fields(item, &format!("{path}[{index}]"), &schema::SERVER) else { continue };
        let Some(server) = server(reader, &fields, ingress, certificates) else { continue };
        against_others(reader, &server, &servers);
        servers.push(server);
    }
    servers
}

fn server(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    ingress: Option<&IngressGateway>,
    certificates: &mut BTreeMap<String, Certificate>,
) -> Option<Server> {
    for key in ["port", "protocol"].into_iter().filter(|key| fields.get(key).is_none()) {
        reader.required(fields, key, if key == "port" { "443" } else { "HTTPS" });
    }
    let (port, protocol) = (port(reader, fields, "port"), word(reader, fields, "protocol", &PROTOCOLS));
    let name = match fields.get("name") {
        Some(_) => object_name(reader, fields, "")?,
        None => format!("{}-{}", protocol?.to_ascii_lowercase(), port?),
    };
    let hosts = hosts(reader, fields);
    let certificate = certificate(reader, fields, certificates);
    let redirect = reader.boolean(fields, "https_redirect").unwrap_or(false);
    let mut tls = tls(reader, fields, certificate.is_some(), protocol?);
    if let (Some(key), Some(tls), Some(ingress)) = (&certificate, &mut tls, ingress)
        && let Some(name) = deliver(reader, fields, key, ingress, certificates)
    {
        tls.credential = Some(name);
    }
    if redirect && let Some(entry) = fields.get("https_redirect").filter(|_| protocol != Some("HTTP")) {
        let detail = format!("`{}` is for HTTP, and this server speaks {}", fields.at("https_redirect"), protocol?);
        let help = "give it to the server of port 80";
        reader.error("gateway/redirect", "redirect of what isn't HTTP", detail, &entry.key_place, help);
    }
    covered(reader, fields, &hosts, certificate.as_ref().and_then(|key| certificates.get(key)));
    Some(Server {
        port: port?,
        name,
        protocol: protocol?.to_owned(),
        hosts: hosts.into_keys().collect(),
        certificate,
        tls,
        https_redirect: redirect,
        place: fields.place.clone(),
    })
}

/// The hosts, `*` by default. Istio lets a namespace stand in front, as in `prod/*.example.com`.
fn hosts(reader: &mut Reader<'_>, fields: &Fields<'_>) -> BTreeMap<String, Place> {
    let mut hosts = BTreeMap::new();
    let Some(node) = fields.value("hosts") else { return BTreeMap::from([("*".to_owned(), fields.place.clone())]) };
    let path = fields.at("hosts");
    for item in reader.list(node, &path) {
        let Some(host) = reader.string(item, &path) else { continue };
        let name = host.text.rsplit_once('/').map_or(host.text.as_str(), |(_, name)| name);
        match names::canonical(name, true) {
            Err((why, help)) if name != "*" => {
                reader.error("gateway/host", "bad host", format!("{} {why}", shown(&host.text)), &host.place, help);
            }
            _ => drop(hosts.insert(host.text, host.place)),
        }
    }
    if hosts.is_empty() {
        let detail = format!("`{path}` is empty");
        reader.error("gateway/host", "server without a host", detail, &node.place, "write `hosts: [\"*\"]`, or leave it out");
    }
    hosts
}

/// The certificate's key.
fn certificate(reader: &mut Reader<'_>, fields: &Fields<'_>, certificates: &BTreeMap<String, Certificate>) -> Option<String> {
    let key = reader.string_of(fields, "certificate")?;
    known_certificate(reader, &key.text, &key.place, certificates).then_some(key.text)
}

/// Whether the stack has a certificate of this key; tells it, when it hasn't.
pub(super) fn known_certificate(reader: &mut Reader<'_>, key: &str, place: &Place, certificates: &BTreeMap<String, Certificate>) -> bool {
    // One that is there and wrong is told at its own place.
    if certificates.contains_key(key) || reader.certificates.contains(&key) {
        return certificates.contains_key(key);
    }
    let help = match nearest(key, reader.certificates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "declare it under `certificates:`".to_owned(),
    };
    let detail = format!("the stack has no certificate {}", shown(key));
    reader.error("stack/unknown-ref", "reference to an unknown certificate", detail, place, &help);
    false
}

const MODES: [&str; 6] = ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL"];
const VERSIONS: [&str; 4] = ["TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"];

fn tls(reader: &mut Reader<'_>, server: &Fields<'_>, has_certificate: bool, protocol: &str) -> Option<ServerTls> {
    let is_tls = matches!(protocol, "HTTPS" | "TLS");
    let given = server.get("tls");
    if let Some(entry) = given.or(server.get("certificate")).filter(|_| !is_tls && protocol != "TCP") {
        let detail = format!("`{}` is of no use: the server speaks {protocol}", server.at(&entry.key));
        reader.error("gateway/tls", "TLS on a port without it", detail, &entry.key_place, "say `protocol: HTTPS`, or remove it");
    }
    let mut tls = ServerTls::default();
    if let Some(entry) = given {
        let fields = reader.fields(&entry.value, &server.at("tls"), &schema::SERVER_TLS)?;
        word(reader, &fields, "mode", &MODES).unwrap_or_default().clone_into(&mut tls.mode);
        tls.credential = reader.string_of(&fields, "credential").map(|name| name.text);
        tls.min_version = word(reader, &fields, "min_version", &VERSIONS).map(ToOwned::to_owned);
        tls.max_version = word(reader, &fields, "max_version", &VERSIONS).map(ToOwned::to_owned);
        if let Some(node) = fields.value("cipher_suites") {
            let path = fields.at("cipher_suites");
            tls.cipher_suites = reader.list(node, &path).iter().filter_map(|item| Some(reader.string(item, &path)?.text)).collect();
        }
        if let (Some(lowest), Some(highest)) = (&tls.min_version, &tls.max_version)
            && lowest > highest
        {
            reader.error("gateway/tls", "no version of TLS is left", format!("{lowest} to {highest}"), &entry.key_place, "");
        }
        if let Some(credential) = fields.get("credential").filter(|_| has_certificate) {
            let detail = format!("`{}` and `{}` both name what is served", server.at("certificate"), fields.at("credential"));
            reader.error("gateway/tls", "two certificates for one server", detail, &credential.key_place, "keep one of them");
        }
    }
    if given.is_none() && !is_tls && !has_certificate {
        return None;
    }
    if tls.mode.is_empty() {
        "SIMPLE".clone_into(&mut tls.mode);
    }
    let has_one = has_certificate || tls.credential.is_some();
    if tls.terminates() {
        if tls.min_version.is_none() {
            tls.min_version = Some("TLSV1_2".to_owned());
        }
        // A certificate that is named wrongly is told already.
        if !has_one && server.get("certificate").is_none() {
            let detail = format!("`{}` ends TLS, and has no certificate to serve", server.path);
            let help = "add `certificate: <key>`, or `tls: {credential: <Secret>}`; `mode: PASSTHROUGH` leaves TLS to the backend";
            reader.error("gateway/no-certificate", "server without a certificate", detail, &server.place, help);
        }
    } else if has_one && let Some(entry) = server.get("certificate").or(given) {
        let detail = format!("with `mode: {}` the gateway serves no certificate of its own", tls.mode);
        reader.error("gateway/tls", "certificate that isn't served", detail, &entry.key_place, "remove it, or say `mode: SIMPLE`");
    }
    Some(tls)
}

/// Sees to it that the certificate is delivered to the ingress gateway's namespace; gives the Secret's name. Where the stack delivers it there
/// already, that is the one; else it is called `<key>-tls`.
fn deliver(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &str,
    ingress: &IngressGateway,
    certificates: &mut BTreeMap<String, Certificate>,
) -> Option<String> {
    let entry = fields.get("certificate")?;
    let certificate = certificates.get(key)?;
    if let Some(there) = certificate.tls_secrets.iter().find(|there| there.namespace == ingress.namespace) {
        return Some(there.name.clone());
    }
    if certificate.origin == CertificateOrigin::Public && !certificate.export {
        let detail =
            format!("`{}` needs the private key of {}, and the certificate is not exportable", fields.at("certificate"), shown(key));
        let help = format!("add `export: true` to `certificates.{key}` (exportable certificates are charged at issue and renewal)");
        reader.error("certificate/export", "delivery of a certificate that can't be exported", detail, &entry.value.place, &help);
        return None;
    }
    let name = format!("{}-tls", key.to_ascii_lowercase().replace('_', "-"));
    let other = certificates.iter().find_map(|(other, one)| {
        let there = one.tls_secrets.iter().find(|there| there.namespace == ingress.namespace && there.name == name)?;
        Some((other, there))
    });
    if let Some((other, there)) = other {
        let detail = format!("{} would be delivered to the Secret {name}, which holds {}", shown(key), shown(other));
        let error =
            Diagnostic::error("kubernetes/duplicate-secret", "two deliveries to one Kubernetes Secret", detail).at(&entry.value.place);
        let help = format!("name another Secret in `certificates.{key}.tls_secrets`, in namespace {}", ingress.namespace);
        reader.diags.push(error.and_at(&there.place, "the other is here").help(&help));
        return None;
    }
    let delivery = TlsSecretDelivery {
        namespace: ingress.namespace.clone(),
        name: name.clone(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        adopt: false,
        force: false,
        place: entry.value.place.clone(),
    };
    certificates.get_mut(key)?.tls_secrets.push(delivery);
    Some(name)
}

/// The hosts that the certificate's names don't cover: browsers would refuse it there.
fn covered(reader: &mut Reader<'_>, fields: &Fields<'_>, hosts: &BTreeMap<String, Place>, certificate: Option<&Certificate>) {
    let Some(certificate) = certificate.filter(|certificate| !certificate.names.is_empty()) else { return };
    for (host, place) in hosts {
        let name = host.rsplit_once('/').map_or(host.as_str(), |(_, name)| name);
        if name != "*" && !names_cover(&certificate.names, name) {
            let detail = format!("{} isn't among the names of the certificate of `{}`", shown(name), fields.path);
            let warning = Diagnostic::warning("gateway/host-not-covered", "host that the certificate doesn't cover", detail).at(place);
            reader.diags.push(warning.help("add it to the certificate's `names`, or serve another one"));
        }
    }
}

/// Whether a host is among names, a wildcard for one label among them.
pub(super) fn names_cover(names: &BTreeSet<String>, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    names.contains(&host) || host.split_once('.').is_some_and(|(first, rest)| first != "*" && names.contains(&format!("*.{rest}")))
}

/// Servers of one gateway against each other: one port has one protocol, and a name stands once (Istio's validation of Gateway).
fn against_others(reader: &mut Reader<'_>, server: &Server, others: &[Server]) {
    for other in others {
        if other.name == server.name && other.port != server.port {
            let detail = format!("port name {} stands for {} and for {}", shown(&server.name), other.port, server.port);
            reader.error("gateway/port", "ports that contradict each other", detail, &server.place, "give each port its own `name`");
        }
        let host = server.hosts.iter().find(|host| other.hosts.contains(host));
        if other.port == server.port && other.protocol != server.protocol {
            let detail = format!("port {} speaks {} and {}", server.port, other.protocol, server.protocol);
            reader.error("gateway/port", "ports that contradict each other", detail, &server.place, "give one of them another port");
        } else if let Some(host) = host.filter(|_| other.port == server.port) {
            let detail = format!("host {} stands at port {} twice: IST0145", shown(host), server.port);
            reader.error("gateway/port", "ports that contradict each other", detail, &server.place, "keep it in one server");
        }
    }
}
