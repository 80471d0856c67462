//! Objects as typed and untyped clients see them.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use kube::ResourceExt as _;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::{Bed, refusal, secret};
use crate::sandbox::Sandbox;

#[tokio::test(start_paused = true)]
async fn a_new_cluster_has_its_namespaces_and_what_is_in_them() {
    let bed = Bed::new();
    let names: Vec<String> = bed.namespaces().list(&ListParams::default()).await.unwrap().iter().map(kube::ResourceExt::name_any).collect();
    assert_eq!(names, ["default", "kube-node-lease", "kube-public", "kube-system"]);
    let version = bed.client.apiserver_version().await.unwrap();
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "36"));
    let accounts = bed.any(Some("default"), "v1", "ServiceAccount", "serviceaccounts");
    assert_eq!(accounts.list(&ListParams::default()).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn discovery_finds_all_kinds_and_those_of_definitions() {
    let bed = Bed::new();
    let found = kube::discovery::Discovery::new(bed.client.clone()).run().await.unwrap();
    assert!(found.has_group("apps") && found.has_group(""));
    assert!(found.resolve_gvk(&kube::core::GroupVersionKind::gvk("networking.k8s.io", "v1", "Ingress")).is_some());
}

#[tokio::test(start_paused = true)]
async fn an_object_changes_its_version_only_when_it_changes() {
    let bed = Bed::new();
    let secrets = bed.secrets("default");
    let params = PatchParams::apply("meshform");
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "YQ=="}});
    let first = secrets.patch("a", &params, &Patch::Apply(&body)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let again = secrets.patch("a", &params, &Patch::Apply(&body)).await.unwrap();
    assert_eq!(first, again);
    let merged = secrets.patch("a", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"labels": {"x": "1"}}}))).await.unwrap();
    let number = |object: &k8s_openapi::api::core::v1::Secret| object.resource_version().unwrap().parse::<u64>().unwrap();
    assert!(number(&merged) > number(&again));
    assert_eq!(merged.uid(), first.uid());
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_made_again_has_another_uid() {
    let bed = Bed::new();
    let first = bed.add_secret("a", json!({})).await;
    let guard = |uid: Option<String>| DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version: None }),
        ..DeleteParams::default()
    };
    bed.secrets("default").delete("a", &guard(first.uid())).await.unwrap();
    let second = bed.add_secret("a", json!({})).await;
    assert_ne!(first.uid(), second.uid());
    assert_eq!(refusal(bed.secrets("default").delete("a", &guard(first.uid())).await).0, 409);
}

#[tokio::test(start_paused = true)]
async fn pages_make_up_the_list_and_expire_after_five_minutes() {
    let bed = Bed::new();
    for number in 0..7 {
        bed.add_secret(&format!("s{number}"), json!({"odd": (number % 2 == 1).to_string()})).await;
    }
    let secrets = bed.secrets("default");
    let mut params = ListParams::default().labels("odd=false").limit(3);
    let first = secrets.list(&params).await.unwrap();
    let token = first.metadata.continue_.clone().unwrap();
    params = params.continue_token(&token);
    let second = secrets.list(&params).await.unwrap();
    let names: Vec<String> = first.iter().chain(second.iter()).map(kube::ResourceExt::name_any).collect();
    assert_eq!(names, ["s0", "s2", "s4", "s6"]);
    assert_eq!(second.metadata.continue_, None);
    bed.sandbox.advance(SignedDuration::from_mins(6)).unwrap();
    let (code, reason, message) = refusal(secrets.list(&params).await);
    assert_eq!((code, reason.as_str()), (410, "Expired"));
    assert!(message.starts_with("The provided continue parameter is too old"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn lists_of_all_namespaces_come_in_the_order_of_namespace_and_name() {
    let bed = Bed::new();
    for (namespace, name) in [("kube-system", "a"), ("default", "b"), ("default", "a")] {
        bed.secrets(namespace).create(&PostParams::default(), &secret(name, &json!({}))).await.unwrap();
    }
    let all: kube::Api<k8s_openapi::api::core::v1::Secret> = kube::Api::all(bed.client.clone());
    let found = all.list(&ListParams::default()).await.unwrap();
    let names: Vec<String> = found.iter().map(|found| format!("{}/{}", found.namespace().unwrap(), found.name_any())).collect();
    assert_eq!(names, ["default/a", "default/b", "kube-system/a"]);
    let metadata = all.list_metadata(&ListParams::default().fields("metadata.namespace=default")).await.unwrap();
    assert_eq!(metadata.items.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_secrets_are_listed_in_little_time() {
    let bed = Bed::new();
    for number in 0..1_000 {
        bed.add_secret(&format!("s{number:04}"), json!({"stack": "a"})).await;
    }
    let begun = Instant::now();
    let found = bed.secrets("default").list(&ListParams::default().labels("stack=a")).await.unwrap();
    assert_eq!(found.items.len(), 1_000);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_cluster_is_the_same_for_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = |sandbox: &Sandbox| kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(sandbox.kube_client(), "default");
    let sandbox = Sandbox::open(folder.path()).unwrap();
    let made = secrets(&sandbox).create(&PostParams::default(), &secret("a", &json!({}))).await.unwrap();
    drop(sandbox);
    let sandbox = Sandbox::open(folder.path()).unwrap();
    assert_eq!(secrets(&sandbox).get("a").await.unwrap(), made);
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_make_equal_uids() {
    let genesis = || crate::sandbox::Genesis { start: "2026-01-01T00:00:00Z".parse().unwrap(), seed: "seed".into() };
    let mut uids = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open_with(folder.path(), genesis()).unwrap();
        let api = kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(sandbox.kube_client());
        uids.push(api.get("kube-system").await.unwrap().uid());
    }
    assert_eq!(uids[0], uids[1]);
}

#[tokio::test(start_paused = true)]
async fn what_an_object_owns_goes_with_it_unless_it_is_orphaned() {
    let bed = Bed::new();
    let secrets = bed.secrets("default");
    for (owner, dependent, params) in [("a", "of-a", DeleteParams::background()), ("b", "of-b", DeleteParams::orphan())] {
        let uid = bed.add_secret(owner, json!({})).await.uid();
        let owned = json!({"metadata": {"name": dependent, "ownerReferences": [{"apiVersion": "v1", "kind": "Secret", "name": owner, "uid": uid}]}});
        secrets.create(&PostParams::default(), &serde_json::from_value(owned).unwrap()).await.unwrap();
        secrets.delete(owner, &params).await.unwrap();
    }
    assert!(secrets.get_opt("of-a").await.unwrap().is_none());
    assert_eq!(secrets.get("of-b").await.unwrap().owner_references(), []);
}

#[tokio::test(start_paused = true)]
async fn services_are_given_addresses_and_ports_that_stay() {
    let bed = Bed::new();
    let services = bed.any(Some("default"), "v1", "Service", "services");
    let body = |port: u16| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "name": "w"}, {"port": port, "name": "x"}]}});
    let params = PatchParams::apply("m").force();
    let first = services.patch("s", &params, &Patch::Apply(body(81))).await.unwrap();
    let second = services.patch("s", &params, &Patch::Apply(body(82))).await.unwrap();
    let at = |object: &kube::api::DynamicObject, pointer: &str| object.data.pointer(pointer).cloned().unwrap_or_default();
    assert_eq!(at(&first, "/spec/clusterIP"), at(&second, "/spec/clusterIP"));
    assert_eq!(at(&first, "/spec/ports/0/nodePort"), at(&second, "/spec/ports/0/nodePort"));
    let ports: Vec<i64> = (0..2).map(|place| at(&second, &format!("/spec/ports/{place}/nodePort")).as_i64().unwrap()).collect();
    assert!(ports[0] != ports[1] && ports.iter().all(|port| (30_000..=32_767).contains(port)), "{ports:?}");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_counted_and_never_shown_by_the_status_of_the_sandbox() {
    let bed = Bed::new();
    bed.add_secret("a", json!({})).await;
    let status = bed.sandbox.status().unwrap();
    assert_eq!(status.services["kube"]["secrets"], 1);
    assert!(!serde_json::to_string(&status).unwrap().contains("YQ=="));
}

#[tokio::test(start_paused = true)]
async fn an_error_about_a_secret_holds_none_of_its_values() {
    let bed = Bed::new();
    let secrets = bed.any(Some("default"), "v1", "Secret", "secrets");
    let planted = "cGxhbnRlZA==";
    let strict = PatchParams { field_validation: Some(kube::core::params::ValidationDirective::Strict), ..PatchParams::default() };
    bed.add_secret("a", json!({})).await;
    let merge: Value = json!({"data": {"k": planted}, "unknown": planted});
    let apply = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": [planted]}, "stringData": planted});
    for answer in [
        secrets.patch("a", &strict, &Patch::Merge(&merge)).await,
        secrets.patch("a", &PatchParams::apply("m"), &Patch::Apply(&apply)).await,
    ] {
        let text = format!("{:?}", answer.unwrap_err());
        assert!(!text.contains(planted), "{text}");
    }
}
