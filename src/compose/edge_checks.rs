//! The edge's parts against each other: load balancer, Service, gateway, and what each speaks to the next.

use serde_json::Value;

use super::gateways;
use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics};
use crate::resource::{Resource, Spec};
use crate::stack::Stack;
use crate::stack::edge::{BackendProtocol, LoadBalancer, Server, TargetType};

/// A Service of the stack.
struct Service<'a> {
    addr: Addr,
    body: &'a Value,
}

/// Checks each load balancer against what the stack has behind it; what it doesn't have is left alone.
pub(super) fn check(stack: &Stack, resources: &[Resource], diags: &mut Diagnostics) {
    for (key, one) in &stack.load_balancers {
        let section = format!("load_balancers.{key}");
        let addr = super::manifests::addr("v1", "Service", Some(&one.ingress.namespace), &one.ingress.service);
        let found = resources.iter().find(|resource| resource.addr == addr);
        let service = found.and_then(|resource| match &resource.spec {
            Spec::Manifest(spec) => Some(Service { addr: addr.clone(), body: &spec.object.body }),
            _ => None,
        });
        against_service(stack, &section, one, service.as_ref(), diags);
        against_gateways(stack, &section, one, service.as_ref(), diags);
    }
}

fn against_service(stack: &Stack, section: &str, one: &LoadBalancer, service: Option<&Service<'_>>, diags: &mut Diagnostics) {
    let by_stack = one.ingress.key.as_ref().and_then(|key| Some(stack.istio.as_ref()?.ingress.get(key)?.service.as_str()));
    let kind = service.map(|service| service.body.pointer("/spec/type").and_then(Value::as_str).unwrap_or("ClusterIP")).or(by_stack);
    if let (TargetType::Instance, Some(kind)) = (one.target_type, kind)
        && !matches!(kind, "NodePort" | "LoadBalancer")
    {
        let detail = format!("`{section}` sends requests to nodes, and the Service `{}` is of type {kind}", one.ingress.service);
        let help = "make it `NodePort`, or say `target_type: ip`, which needs pods with addresses of the VPC";
        diags.push(Diagnostic::error("load-balancer/service-type", "Service without node ports", detail).at(&one.place).help(help));
    }
    let is_number = one.health_check.port.bytes().all(|b| b.is_ascii_digit());
    if is_number && one.target_type == TargetType::Instance {
        let detail = format!("`{section}.health_check.port` is the number {}, and nodes have another one for it", one.health_check.port);
        let help = "name the Service's port, such as `status-port`: the controller looks its node port up";
        diags.push(Diagnostic::error("load-balancer/health-check", "bad health check", detail).at(&one.place).help(help));
    }
    let Some(service) = service else { return };
    for (what, port) in [("backend_port", &one.backend_port), ("health_check.port", &one.health_check.port)] {
        let is_special = what == "health_check.port" && (port == "traffic-port" || is_number);
        if is_special || number_of(service.body, port).is_some() {
            continue;
        }
        let ports = ports(service.body).map(|(name, number)| format!("{name} ({number})")).collect::<Vec<_>>().join(", ");
        let detail = format!("`{section}.{what}` is {port}, and `{}` has {ports}", service.addr);
        let help = "name one of its ports, or add it to the Service";
        diags.push(Diagnostic::error("load-balancer/service-port", "port that the Service doesn't have", detail).at(&one.place).help(help));
    }
}

fn ports(service: &Value) -> impl Iterator<Item = (&str, u64)> {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
    ports.filter_map(|port| Some((port.get("name").and_then(Value::as_str).unwrap_or("unnamed"), port.get("port")?.as_u64()?)))
}

/// The number of a Service's port that is named by number or name.
fn number_of(service: &Value, port: &str) -> Option<u64> {
    ports(service).find(|(name, number)| *name == port || number.to_string() == port).map(|(_, number)| number)
}

fn against_gateways(stack: &Stack, section: &str, one: &LoadBalancer, service: Option<&Service<'_>>, diags: &mut Diagnostics) {
    let servers: Vec<&Server> = gateways::on(stack, &one.ingress).flat_map(|gateway| &gateway.servers).collect();
    // The names of the chart's ports, where the Service isn't at hand.
    let by_name = match one.backend_port.as_str() {
        "http2" | "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let number = one.backend_port.parse().ok().or_else(|| number_of(service?.body, &one.backend_port)).or(by_name);
    let (Some(number), false) = (number, servers.is_empty()) else { return };
    let behind: Vec<&Server> = servers.into_iter().filter(|server| u64::from(server.port) == number).collect();
    let mut wrong = |code: &'static str, summary: &'static str, detail: String, help: &str| {
        diags.push(Diagnostic::error(code, summary, detail).at(&one.place).help(help));
    };
    if behind.is_empty() {
        let detail =
            format!("`{section}` sends requests to port {number}, which no gateway of the stack opens on `{}`", one.ingress.service);
        wrong(
            "load-balancer/backend",
            "nothing behind the load balancer",
            detail,
            "add a server with that port to a gateway, or set `backend_port`",
        );
        return;
    }
    let is_tls = |server: &&Server| server.tls.is_some();
    if one.backend_protocol == BackendProtocol::Https {
        let Some(server) = behind.iter().copied().find(is_tls) else {
            let detail = format!("`{section}` speaks HTTPS to port {number}, and the gateway's server there speaks {}", behind[0].protocol);
            wrong(
                "load-balancer/backend",
                "load balancer and gateway don't understand each other",
                detail,
                "say `backend_protocol: HTTP`, or give the server a certificate",
            );
            return;
        };
        if server.tls.as_ref().is_some_and(|tls| tls.mode != "SIMPLE" && tls.mode != "OPTIONAL_MUTUAL") {
            let detail = format!(
                "the server of port {number} has `mode: {}`, and a load balancer shows no certificate and no name",
                server.tls.as_ref().map_or("", |tls| tls.mode.as_str())
            );
            wrong("load-balancer/backend", "load balancer and gateway don't understand each other", detail, "say `mode: SIMPLE`");
            return;
        }
        let takes_any = |server: &&&Server| is_tls(server) && server.hosts.iter().any(|host| host.rsplit('/').next() == Some("*"));
        if !behind.iter().any(|server| takes_any(&server)) {
            let detail = format!(
                "`{section}` speaks HTTPS to port {number}, and the gateway's server there is for {} alone: a load balancer sends no name in TLS",
                server.hosts.join(", ")
            );
            let help = "give that server `hosts: [\"*\"]`; the hosts belong into the routes";
            wrong("load-balancer/backend", "gateway that needs a name in TLS", detail, help);
        }
        return;
    }
    let Some(plain) = behind.iter().find(|server| !is_tls(server)) else {
        let detail = format!("`{section}` speaks HTTP to port {number}, and the gateway's server there speaks {}", behind[0].protocol);
        wrong(
            "load-balancer/backend",
            "load balancer and gateway don't understand each other",
            detail,
            "say `backend_protocol: HTTPS`, or name the port of HTTP in `backend_port`",
        );
        return;
    };
    if plain.https_redirect {
        let detail = format!("`{section}` speaks HTTP to port {number}, and the gateway redirects what comes there to HTTPS: a circle");
        let help = "let the load balancer redirect (`redirect: true`), and take `https_redirect` off the server";
        wrong("load-balancer/backend", "redirects in a circle", detail, help);
        return;
    }
    let served = |host: &str| behind.iter().flat_map(|server| &server.hosts).any(|pattern| matches(pattern, host));
    let missing: Vec<&str> = one.hosts.keys().map(String::as_str).filter(|host| !served(host)).collect();
    if !missing.is_empty() {
        let detail = format!("{} lead to `{section}`, and no server of port {number} is for them", missing.join(", "));
        wrong(
            "load-balancer/backend",
            "hosts that the gateway doesn't serve",
            detail,
            "add them to the server's `hosts`, or write `[\"*\"]`",
        );
    }
}

/// Whether a gateway's host takes a host in: `*` all, `*.example.com` all below it.
fn matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.rsplit('/').next().unwrap_or_default();
    pattern == "*" || pattern == host || pattern.strip_prefix('*').is_some_and(|end| end.starts_with('.') && host.ends_with(end))
}
