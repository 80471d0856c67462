//! What the AWS Load Balancer Controller does with Ingresses of its class: a load balancer some seconds later, its name in the status, events
//! when it can't be made, and a finalizer that holds the Ingress until it is gone (aws-load-balancer-controller, `controllers/ingress`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::controllers::{make, write_status};
use super::kinds::Kind;
use super::store::{self, Place, child_mut, child_mut_value, meta_text, metadata_mut};
use crate::sandbox::ACCOUNT;
use crate::sandbox::aws::acm;
use crate::sandbox::due::{after, delay, schedule};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::{Tx, digest};

/// How long the controller takes to make or change a load balancer, and to remove one.
const DEPLOY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(20));
const REMOVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_mins(1));
/// What begins its annotations, and the values of IngressClasses that it serves.
const PREFIX: &str = "alb.ingress.kubernetes.io/";
const CONTROLLERS: &[&str] = &["ingress.k8s.aws/alb", "eks.amazonaws.com/alb"];
/// What it calls itself as a field manager and in events.
const MANAGER: &str = "controller";
/// The class that the controller's chart makes.
const CLASS: &str = "kube/networking.k8s.io/ingressclasses/alb";
/// The region of load balancers that serve no certificate.
const REGION: &str = "eu-west-1";

/// A load balancer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Balancer {
    arn: String,
    hostname: String,
    /// What can't be changed: another value means another load balancer.
    scheme: String,
    /// The Ingresses that share it, by their keys, and the certificates that each has it serve.
    members: BTreeMap<String, Vec<String>>,
}

/// Makes the class of a new cluster, as if the controller were installed there.
pub(super) fn found(tx: &mut Tx<'_>) {
    let (uid, time) = (store::uid(tx), store::time(tx));
    let metadata = json!({"name": "alb", "uid": uid, "creationTimestamp": time, "generation": 1});
    let spec = json!({"controller": CONTROLLERS[0]});
    store::write(tx, CLASS, json!({"kind": "IngressClass", "apiVersion": "networking.k8s.io/v1", "metadata": metadata, "spec": spec}));
}

/// Lets the controller look at an Ingress that is new, changed or going.
pub(super) fn begin(tx: &mut Tx<'_>, key: &str, object: &Value) -> Result<(), SandboxError> {
    let is_held = store::finalizers(object).iter().any(|one| one.contains("ingress.k8s.aws/"));
    if !key.starts_with("kube/networking.k8s.io/ingresses/") || (class_of(tx, object).is_none() && !is_held) {
        return Ok(());
    }
    let bounds = if store::is_going(object) { REMOVE } else { DEPLOY };
    let pause = delay(tx, bounds, &["balance", key, meta_text(object, "resourceVersion"), meta_text(object, "deletionTimestamp")]);
    tx.delete(&format!("elb/tries/{key}"));
    schedule(tx, after(tx.now(), pause), "kube.balance", key)
}

/// Whether a kind is that of Ingresses.
pub(super) fn is_ingress(kind: &Kind) -> bool {
    kind.group == "networking.k8s.io" && kind.plural == "ingresses" && !kind.custom
}

/// The class of an Ingress, when the controller serves it.
fn class_of<'o>(tx: &Tx<'_>, object: &'o Value) -> Option<&'o str> {
    let name = object.pointer("/spec/ingressClassName").and_then(Value::as_str)?;
    let class = tx.get(&format!("kube/networking.k8s.io/ingressclasses/{name}"))?;
    CONTROLLERS.contains(&class.pointer("/spec/controller")?.as_str()?).then_some(name)
}

/// The controller's pass over an Ingress.
pub(super) fn balance(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let Some(object) = tx.get(key).cloned() else { return Ok(()) };
    if store::is_going(&object) {
        return remove(tx, key, object);
    }
    if class_of(tx, &object).is_none() {
        return let_go(tx, key, object);
    }
    match model(tx, &object) {
        Ok(model) => deploy(tx, key, object, &model),
        Err((reason, message)) => {
            event(tx, &object, "Warning", reason, &message);
            retry(tx, key)
        }
    }
}

/// What is to be made of an Ingress.
struct Model {
    group: Option<String>,
    scheme: String,
    arns: Vec<String>,
    ports: Vec<u64>,
}

/// Trouble: the reason of the event, and its message.
type Trouble = (&'static str, String);

fn annotation<'o>(object: &'o Value, name: &str) -> Option<&'o str> {
    object.pointer("/metadata/annotations")?.get(format!("{PREFIX}{name}"))?.as_str()
}

fn model(tx: &Tx<'_>, object: &Value) -> Result<Model, Trouble> {
    let failed = |message: String| ("FailedBuildModel", format!("Failed build model due to {message}"));
    let listed = annotation(object, "certificate-arn").unwrap_or_default();
    let arns: Vec<String> = listed.split(',').map(str::trim).filter(|arn| !arn.is_empty()).map(ToOwned::to_owned).collect();
    let default = if arns.is_empty() { r#"[{"HTTP":80}]"# } else { r#"[{"HTTPS":443}]"# };
    let listeners: Vec<BTreeMap<String, u64>> = serde_json::from_str(annotation(object, "listen-ports").unwrap_or(default))
        .map_err(|error| failed(format!("failed to parse listen-ports configuration: {error}")))?;
    let listeners: Vec<(String, u64)> = listeners.into_iter().flatten().collect();
    if listeners.iter().any(|(protocol, _)| protocol == "HTTPS") && arns.is_empty() {
        return Err(failed("no certificate found for host: ".to_owned()));
    }
    if let Some(port) = annotation(object, "ssl-redirect")
        && !listeners.iter().any(|(protocol, number)| protocol == "HTTPS" && number.to_string() == port)
    {
        return Err(failed(format!("listener does not exist for SSLRedirect port: {port}")));
    }
    backend(tx, object).map_err(failed)?;
    for arn in &arns {
        if !acm::is_issued(tx, arn).unwrap_or(false) {
            let message = format!("Failed deploy model due to CertificateNotFound: Certificate '{arn}' not found");
            return Err(("FailedDeployModel", message));
        }
    }
    Ok(Model {
        group: annotation(object, "group.name").map(ToOwned::to_owned),
        scheme: annotation(object, "scheme").unwrap_or("internal").to_owned(),
        ports: listeners.into_iter().map(|(_, port)| port).collect(),
        arns,
    })
}

/// Looks the backends up.
fn backend(tx: &Tx<'_>, object: &Value) -> Result<(), String> {
    let namespace = meta_text(object, "namespace");
    let rules = object.pointer("/spec/rules").and_then(Value::as_array).into_iter().flatten();
    let paths = rules.filter_map(|rule| rule.pointer("/http/paths")?.as_array()).flatten();
    let mut services: Vec<&Value> = paths.filter_map(|path| path.pointer("/backend/service")).collect();
    services.extend(object.pointer("/spec/defaultBackend/service"));
    for wanted in services {
        let name = wanted.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(service) = tx.get(&format!("kube/core/services/{namespace}/{name}")) else {
            return Err(format!("ingress: {namespace}/{}: Service \"{name}\" not found", meta_text(object, "name")));
        };
        let number = wanted.pointer("/port/number").and_then(Value::as_u64).map(|number| number.to_string());
        let named = wanted.pointer("/port/name").and_then(Value::as_str).map(ToOwned::to_owned);
        let port = number.or(named).unwrap_or_default();
        let check = annotation(object, "healthcheck-port").filter(|port| *port != "traffic-port");
        for port in [Some(port.as_str()), check.filter(|port| !port.bytes().all(|b| b.is_ascii_digit()))].into_iter().flatten() {
            if !has_port(service, port) {
                return Err(format!("unable to find port {port} on service {namespace}/{name}"));
            }
        }
        let kind = service.pointer("/spec/type").and_then(Value::as_str).unwrap_or("ClusterIP");
        if annotation(object, "target-type").unwrap_or("instance") == "instance" && !matches!(kind, "NodePort" | "LoadBalancer") {
            return Err(
                "TargetGroup port is empty. When using Instance targets, your service must be of type 'NodePort' or 'LoadBalancer'"
                    .to_owned(),
            );
        }
    }
    Ok(())
}

fn has_port(service: &Value, wanted: &str) -> bool {
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
    ports.into_iter().any(|port| {
        port.get("name").and_then(Value::as_str) == Some(wanted)
            || port.get("port").and_then(Value::as_u64).is_some_and(|number| number.to_string() == wanted)
    })
}

/// The key of the load balancer of a group, or of an Ingress of its own.
fn place_of(group: Option<&str>, key: &str) -> String {
    format!("elb/balancer/{}", group.map_or_else(|| key.to_owned(), |group| format!("group/{group}")))
}

fn finalizer(group: Option<&str>) -> String {
    group.map_or_else(|| "ingress.k8s.aws/resources".to_owned(), |group| format!("group.ingress.k8s.aws/{group}"))
}

fn deploy(tx: &mut Tx<'_>, key: &str, mut object: Value, model: &Model) -> Result<(), SandboxError> {
    let place = place_of(model.group.as_deref(), key);
    let mut balancer: Balancer = tx.read(&place)?.unwrap_or_default();
    // Another scheme means another load balancer.
    if balancer.arn.is_empty() || balancer.scheme != model.scheme {
        let others = std::mem::take(&mut balancer.members);
        if !balancer.arn.is_empty() {
            acm::set_used(tx, &balancer.arn, &BTreeSet::new())?;
        }
        balancer = new_balancer(tx, &object, model);
        balancer.members = others;
    }
    leave_others(tx, key, &place)?;
    balancer.members.insert(key.to_owned(), model.arns.clone());
    let served: BTreeSet<String> = balancer.members.values().flatten().cloned().collect();
    acm::set_used(tx, &balancer.arn, &served)?;
    tx.write(&place, &balancer)?;
    let own = finalizer(model.group.as_deref());
    let mut finalizers: Vec<String> = store::finalizers(&object).into_iter().map(ToOwned::to_owned).collect();
    finalizers.retain(|one| *one == own || !one.contains("ingress.k8s.aws/"));
    if !finalizers.contains(&own) {
        finalizers.push(own);
    }
    metadata_mut(&mut object).insert("finalizers".to_owned(), json!(finalizers));
    let ports: Vec<Value> = model.ports.iter().map(|port| json!({"port": port, "protocol": "TCP"})).collect();
    let ingress = json!([{"hostname": balancer.hostname, "ports": ports}]);
    child_mut(child_mut_value(&mut object), "status").insert("loadBalancer".to_owned(), json!({"ingress": ingress}));
    write_status(tx, key, MANAGER, object.clone());
    event(tx, &object, "Normal", "SuccessfullyReconciled", "Successfully reconciled");
    Ok(())
}

fn new_balancer(tx: &mut Tx<'_>, object: &Value, model: &Model) -> Balancer {
    let region = model.arns.first().and_then(|arn| arn.split(':').nth(3)).unwrap_or(REGION).to_owned();
    let fresh = tx.fresh();
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let short = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).take(8).collect::<String>();
    let stem = model
        .group
        .as_deref()
        .map_or_else(|| format!("{}-{}", short(meta_text(object, "namespace")), short(meta_text(object, "name"))), short);
    let own = annotation(object, "load-balancer-name").map(ToOwned::to_owned);
    let name = own.unwrap_or_else(|| format!("k8s-{stem}-{}", hex(&fresh[..5])));
    let number = u32::from_be_bytes([fresh[5], fresh[6], fresh[7], fresh[8]]);
    let internal = if model.scheme == "internal" { "internal-" } else { "" };
    Balancer {
        arn: format!("arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/app/{name}/{}", hex(&fresh[9..17])),
        hostname: format!("{internal}{name}-{number}.{region}.elb.amazonaws.com").to_ascii_lowercase(),
        scheme: model.scheme.clone(),
        members: BTreeMap::new(),
    }
}

/// Takes an Ingress out of all load balancers but one; the last member takes its load balancer with it.
fn leave_others(tx: &mut Tx<'_>, key: &str, but: &str) -> Result<(), SandboxError> {
    for place in tx.keys("elb/balancer/").into_iter().filter(|place| place != but) {
        let Some(mut balancer) = tx.read::<Balancer>(&place)? else { continue };
        if balancer.members.remove(key).is_none() {
            continue;
        }
        let served: BTreeSet<String> = balancer.members.values().flatten().cloned().collect();
        acm::set_used(tx, &balancer.arn, &served)?;
        if balancer.members.is_empty() {
            tx.delete(&place);
        } else {
            tx.write(&place, &balancer)?;
        }
    }
    Ok(())
}

/// An Ingress that is of another class now: what was made for it goes.
fn let_go(tx: &mut Tx<'_>, key: &str, mut object: Value) -> Result<(), SandboxError> {
    leave_others(tx, key, "")?;
    let kept: Vec<String> =
        store::finalizers(&object).into_iter().filter(|one| !one.contains("ingress.k8s.aws/")).map(ToOwned::to_owned).collect();
    metadata_mut(&mut object).insert("finalizers".to_owned(), json!(kept));
    child_mut(child_mut_value(&mut object), "status").insert("loadBalancer".to_owned(), json!({}));
    write_status(tx, key, MANAGER, object);
    Ok(())
}

fn remove(tx: &mut Tx<'_>, key: &str, mut object: Value) -> Result<(), SandboxError> {
    leave_others(tx, key, "")?;
    let kept: Vec<String> =
        store::finalizers(&object).into_iter().filter(|one| !one.contains("ingress.k8s.aws/")).map(ToOwned::to_owned).collect();
    if kept.is_empty() {
        return super::delete::remove(tx, key);
    }
    metadata_mut(&mut object).insert("finalizers".to_owned(), json!(kept));
    store::write(tx, key, object);
    Ok(())
}

/// What failed is tried again, later each time.
fn retry(tx: &mut Tx<'_>, key: &str) -> Result<(), SandboxError> {
    let count = format!("elb/tries/{key}");
    let tries = tx.get(&count).and_then(Value::as_u64).unwrap_or(0);
    tx.put(&count, Value::from(tries + 1));
    let pause = SignedDuration::from_secs(i64::try_from(15_u64 << tries.min(12)).unwrap_or(i64::MAX));
    schedule(tx, after(tx.now(), pause), "kube.balance", key)
}

/// Writes an event, one for each reason and message.
fn event(tx: &mut Tx<'_>, object: &Value, kind: &str, reason: &str, message: &str) {
    let (namespace, of) = (meta_text(object, "namespace").to_owned(), meta_text(object, "name").to_owned());
    let hash = digest(&[meta_text(object, "uid"), reason, message]);
    let name = format!("{of}.{}", hash[..6].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")));
    let key = format!("kube/core/events/{namespace}/{name}");
    let now = store::time(tx);
    if let Some(mut there) = tx.get(&key).cloned() {
        there["lastTimestamp"] = now;
        there["count"] = json!(there["count"].as_u64().unwrap_or(0) + 1);
        store::write(tx, &key, there);
        return;
    }
    let event = json!({
        "kind": "Event", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace},
        "involvedObject": {
            "kind": "Ingress", "apiVersion": "networking.k8s.io/v1", "namespace": namespace, "name": of, "uid": meta_text(object, "uid"),
        },
        "reason": reason, "message": message, "type": kind, "count": 1, "firstTimestamp": now, "lastTimestamp": now,
        "source": {"component": "ingress"}, "eventTime": null, "reportingComponent": "ingress", "reportingInstance": "",
    });
    make(tx, "events", Place { namespace: &namespace, name: &name }, MANAGER, event, |_| {});
}
