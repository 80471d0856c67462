//! `gateways:` as Istio Gateways (Istio reference, "Gateway": networking.istio.io/v1).

use serde_json::{Map, Value, json};

use super::namespaces::text_map;
use crate::addr::Addr;
use crate::render::Manifest;
use crate::resource::manifest::Data;
use crate::stack::Stack;
use crate::stack::edge::{Gateway, IngressGateway, Server};

/// The API of Gateways.
const API: &str = "networking.istio.io/v1";

/// The Gateways as objects.
pub(super) fn manifests(stack: &Stack) -> Vec<Manifest> {
    let object = |gateway: &Gateway| Manifest {
        set: String::new(),
        api_version: API.to_owned(),
        kind: "Gateway".to_owned(),
        namespace: Some(gateway.ingress.namespace.clone()),
        name: gateway.name.clone(),
        body: json!({
            "metadata": {"labels": text_map(&gateway.labels), "annotations": text_map(&gateway.annotations)},
            "spec": {
                "selector": text_map(&gateway.ingress.selector),
                "servers": gateway.servers.iter().map(server).collect::<Vec<_>>(),
            },
        }),
        data: Data::default(),
        hook: None,
        generated: Vec::new(),
        holes: Vec::new(),
        place: gateway.place.clone(),
    };
    stack.gateways.values().map(object).map(without_nothing).collect()
}

/// Empty maps of metadata say nothing.
pub(super) fn without_nothing(mut manifest: Manifest) -> Manifest {
    if let Some(Value::Object(metadata)) = manifest.body.get_mut("metadata") {
        metadata.retain(|_, value| !crate::fields::is_nothing(value));
    }
    manifest
}

/// The address of a Gateway.
pub(super) fn addr(gateway: &Gateway) -> Addr {
    super::manifests::addr(API, "Gateway", Some(&gateway.ingress.namespace), &gateway.name)
}

/// The Gateways on an ingress gateway.
pub(super) fn on<'s>(stack: &'s Stack, ingress: &'s IngressGateway) -> impl Iterator<Item = &'s Gateway> {
    let same = |one: &IngressGateway| one.namespace == ingress.namespace && one.selector == ingress.selector;
    stack.gateways.values().filter(move |gateway| same(&gateway.ingress))
}

fn server(server: &Server) -> Value {
    let mut tls = Map::new();
    if server.https_redirect {
        tls.insert("httpsRedirect".to_owned(), json!(true));
    }
    if let Some(settings) = &server.tls {
        tls.insert("mode".to_owned(), json!(settings.mode));
        let texts = [
            ("credentialName", &settings.credential),
            ("minProtocolVersion", &settings.min_version),
            ("maxProtocolVersion", &settings.max_version),
        ];
        tls.extend(texts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))));
        if !settings.cipher_suites.is_empty() {
            tls.insert("cipherSuites".to_owned(), json!(settings.cipher_suites));
        }
    }
    let mut object = json!({
        "port": {"number": server.port, "name": server.name, "protocol": server.protocol},
        "hosts": server.hosts,
    });
    if !tls.is_empty() {
        object["tls"] = Value::Object(tls);
    }
    object
}
