//! Kubernetes, through the program's own client where it has a word for it, and raw where another acts.

use std::collections::{BTreeMap, BTreeSet};

use http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use meshform::provider::error::Class;
use meshform::provider::kube::{ApplyMode, KindPath, Live, Served};
use meshform::resource::object::ObjectSpec;
use meshform::resource::{Attr, FIELD_MANAGER};
use meshform::secret::SecretBytes;
use serde_json::{Value, json};

use super::world::World;

contracts! { kube:
    every_recorded_answer_is_given_again,
    a_cluster_is_known_by_a_uid,
    an_apply_makes_an_object,
    an_apply_repeated_changes_nothing,
    an_apply_takes_away_what_it_no_longer_names,
    a_field_of_another_value_and_manager_is_a_conflict_that_names_both,
    a_field_of_the_same_value_is_shared,
    a_forced_apply_takes_the_field,
    what_others_added_stays,
    our_fields_and_those_of_others_are_told_apart,
    a_dry_run_of_an_apply_changes_nothing,
    a_dry_run_of_a_new_object_makes_nothing,
    an_apply_into_an_absent_namespace_is_not_found,
    an_unknown_field_is_refused_by_name,
    an_apply_with_the_uid_of_another_object_is_refused,
    an_apply_with_its_own_uid_is_taken,
    an_absent_object_is_none,
    objects_are_listed_by_label,
    a_list_comes_in_pages,
    an_empty_list_is_read,
    a_deletion_with_another_uid_is_refused,
    a_deletion_with_its_uid_is_done,
    a_deletion_of_what_is_gone_is_no_error,
    an_object_with_a_finalizer_waits_and_tells_for_what,
    a_namespace_goes_with_what_is_in_it,
    a_secret_of_type_tls_needs_both_keys,
    the_type_of_a_secret_does_not_change,
    the_values_of_a_secret_come_back_as_they_were_sent,
    ports_of_a_service_have_names_of_their_own,
    a_port_of_another_number_is_turned_back_where_it_stands,
    a_merge_removes_labels_and_keeps_the_rest,
    the_kinds_of_a_namespace_are_discovered,
    a_new_kind_is_discovered,
    the_names_in_a_namespace_are_listed,
}

const TRY: ApplyMode = ApplyMode { force: false, dry_run: true };
const DO: ApplyMode = ApplyMode { force: false, dry_run: false };
const FORCE: ApplyMode = ApplyMode { force: true, dry_run: false };

fn kind(plural: &str) -> KindPath {
    KindPath { api_version: "v1".into(), plural: plural.into() }
}

fn spec(kind: &str, plural: &str, namespace: Option<&str>, name: &str) -> ObjectSpec {
    ObjectSpec {
        api_version: "v1".into(),
        kind: kind.into(),
        plural: plural.into(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        body: json!({}).into(),
        certificate: None,
    }
}

fn config_map(namespace: &str, name: &str) -> ObjectSpec {
    spec("ConfigMap", "configmaps", Some(namespace), name)
}

/// The whole object, with this besides its names.
fn body(spec: &ObjectSpec, rest: &Value) -> SecretBytes {
    let mut object = rest.clone();
    object["apiVersion"] = json!(spec.api_version);
    object["kind"] = json!(spec.kind);
    object["metadata"]["name"] = json!(spec.name);
    if let Some(namespace) = &spec.namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    SecretBytes::from_text(object.to_string())
}

async fn apply(world: &World, spec: &ObjectSpec, rest: &Value) -> Live {
    world.cluster.apply(&KindPath::of(spec), spec, &body(spec, rest), DO).await.unwrap().live
}

/// Why it is refused.
async fn class(world: &World, spec: &ObjectSpec, rest: &Value, mode: ApplyMode) -> Class {
    match world.cluster.apply(&KindPath::of(spec), spec, &body(spec, rest), mode).await {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.class,
    }
}

async fn get(world: &World, spec: &ObjectSpec) -> Option<Live> {
    world.cluster.get(&KindPath::of(spec), spec.namespace.as_deref(), &spec.name).await.unwrap()
}

fn version(live: &Live) -> &str {
    live.metadata["resourceVersion"].as_str().unwrap()
}

/// Sends a request as somebody else does.
async fn send(world: &World, method: &str, path: &str, content_type: &str, body: &Value) -> (u16, Value) {
    let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header("content-type", content_type).header("accept", "application/json");
    let answer = world.client.send(request.body(Body::from(bytes)).unwrap()).await.unwrap();
    let code = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (code, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Merges a patch into a config map, as another manager.
async fn merge_as(world: &World, manager: &str, spec: &ObjectSpec, patch: &Value) {
    let namespace = spec.namespace.as_deref().unwrap();
    let path = format!("/api/v1/namespaces/{namespace}/{}/{}?fieldManager={manager}", spec.plural, spec.name);
    assert_eq!(send(world, "PATCH", &path, "application/merge-patch+json", patch).await.0, 200);
}

/// A namespace of the contract's own.
async fn namespace(world: &World) -> String {
    let name = world.namespace("ns");
    apply(world, &spec("Namespace", "namespaces", None, &name), &json!({})).await;
    name
}

async fn every_recorded_answer_is_given_again(world: &World) {
    // Asked to, the answers of a real server are recorded anew; the difference is the review.
    if !world.is_sandbox() && std::env::var_os("MESHFORM_RECORD").is_some() {
        let text = super::kube_apply::record(&world.client, &world.name("recorded")).await;
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/kube_apply.json"), text).unwrap();
    }
    super::kube_apply::every_answer_is_as_recorded(&world.client, &world.name("case"), !world.is_sandbox()).await;
}

async fn a_cluster_is_known_by_a_uid(world: &World) {
    let live = world.cluster.get(&kind("namespaces"), None, "kube-system").await.unwrap().unwrap();
    assert_eq!(live.uid(), world.cluster.uid());
    assert_eq!(live.uid().len(), 36);
}

async fn an_apply_makes_an_object(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let rest = json!({"metadata": {"labels": {"a": "b"}, "annotations": {"c/d": "e"}}, "data": {"k": "v"}});
    let made = apply(world, &one, &rest).await;
    let live = get(world, &one).await.unwrap();
    assert_eq!((live.uid(), live.name(), live.namespace()), (made.uid(), "one", one.namespace.as_deref()));
    assert_eq!((live.label("a"), live.annotation("c/d")), (Some("b"), Some("e")));
    assert_eq!(live.attrs()["data.k"], Attr::text("v"));
    assert_eq!(version(&live), version(&made));
}

async fn an_apply_repeated_changes_nothing(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let rest = json!({"metadata": {"labels": {"a": "b"}}, "data": {"k": "v"}});
    let first = apply(world, &one, &rest).await;
    let again = apply(world, &one, &rest).await;
    assert_eq!(version(&first), version(&again));
}

async fn an_apply_takes_away_what_it_no_longer_names(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    apply(world, &one, &json!({"metadata": {"labels": {"a": "b", "c": "d"}}, "data": {"k": "v", "l": "w"}})).await;
    let live = apply(world, &one, &json!({"metadata": {"labels": {"a": "b"}}, "data": {"k": "v"}})).await;
    let paths: Vec<String> = live.attrs().into_keys().collect();
    assert_eq!(paths, ["data.k", "metadata.labels.a"]);
}

async fn a_field_of_another_value_and_manager_is_a_conflict_that_names_both(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    apply(world, &one, &json!({"data": {"k": "v", "l": "w"}})).await;
    merge_as(world, "somebody", &one, &json!({"data": {"k": "theirs"}})).await;
    let refused = class(world, &one, &json!({"data": {"k": "v", "l": "w"}}), DO).await;
    assert_eq!(refused, Class::Conflict(vec![("data.k".to_owned(), "somebody".to_owned())]));
    let refused = class(world, &one, &json!({"data": {"k": "v", "l": "w"}}), TRY).await;
    assert_eq!(refused, Class::Conflict(vec![("data.k".to_owned(), "somebody".to_owned())]));
    assert_eq!(get(world, &one).await.unwrap().attrs()["data.k"], Attr::text("theirs"));
}

async fn a_field_of_the_same_value_is_shared(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let path = format!("/api/v1/namespaces/{}/configmaps?fieldManager=somebody", one.namespace.as_ref().unwrap());
    let made = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"k": "v"}});
    assert_eq!(send(world, "POST", &path, "application/json", &made).await.0, 201);
    apply(world, &one, &json!({"data": {"k": "v"}})).await;
    // What we no longer name stays, for it is theirs as well.
    let live = apply(world, &one, &json!({"data": {"l": "w"}})).await;
    let paths: Vec<String> = live.attrs().into_keys().collect();
    assert_eq!(paths, ["data.k", "data.l"]);
}

async fn a_forced_apply_takes_the_field(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    apply(world, &one, &json!({"data": {"k": "v"}})).await;
    merge_as(world, "somebody", &one, &json!({"data": {"k": "theirs"}})).await;
    let live = world.cluster.apply(&KindPath::of(&one), &one, &body(&one, &json!({"data": {"k": "v"}})), FORCE).await.unwrap().live;
    assert_eq!(live.attrs()["data.k"], Attr::text("v"));
    assert!(live.other_managers(["data.k".to_owned()].iter()).is_empty());
    // From now on it is ours without force.
    apply(world, &one, &json!({"data": {"k": "w"}})).await;
}

async fn what_others_added_stays(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    apply(world, &one, &json!({"data": {"k": "v"}})).await;
    merge_as(world, "somebody", &one, &json!({"metadata": {"labels": {"x": "y"}}, "data": {"z": "theirs"}})).await;
    let live = apply(world, &one, &json!({"data": {"k": "w"}})).await;
    assert_eq!((live.label("x"), &live.attrs()["data.z"]), (Some("y"), &Attr::text("theirs")));
}

async fn our_fields_and_those_of_others_are_told_apart(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let dotted = json!({"metadata": {"labels": {"app.kubernetes.io/name": "b"}}, "data": {"k": "v", "tls.crt": "w"}});
    apply(world, &one, &dotted).await;
    merge_as(world, "somebody", &one, &json!({"metadata": {"annotations": {"x.y/z": "1"}}, "data": {"k": "theirs"}})).await;
    let live = get(world, &one).await.unwrap();
    let attrs = live.attrs();
    assert_eq!(live.our_paths(&attrs), ["data.tls.crt", "metadata.labels.app.kubernetes.io/name"]);
    let others = [("data.k", "somebody"), ("metadata.annotations.x.y/z", "somebody")];
    assert_eq!(live.other_managers(attrs.keys()), BTreeMap::from(others.map(|(path, manager)| (path.to_owned(), manager.to_owned()))));
    let (_, raw) = send(world, "GET", &format!("/api/v1/namespaces/{}/configmaps/one", live.namespace().unwrap()), "", &Value::Null).await;
    let managers = raw["metadata"]["managedFields"].as_array().unwrap();
    assert!(managers.iter().any(|entry| entry["manager"] == FIELD_MANAGER && entry["operation"] == "Apply"), "{managers:?}");
}

async fn a_dry_run_of_an_apply_changes_nothing(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let made = apply(world, &one, &json!({"data": {"k": "v"}})).await;
    let tried = world.cluster.apply(&KindPath::of(&one), &one, &body(&one, &json!({"data": {"k": "w"}})), TRY).await.unwrap();
    assert!(!tried.is_new);
    let tried = tried.live;
    assert_eq!((tried.uid(), &tried.attrs()["data.k"]), (made.uid(), &Attr::text("w")));
    let live = get(world, &one).await.unwrap();
    assert_eq!((version(&live), &live.attrs()["data.k"]), (version(&made), &Attr::text("v")));
}

async fn a_dry_run_of_a_new_object_makes_nothing(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let tried = world.cluster.apply(&KindPath::of(&one), &one, &body(&one, &json!({"data": {"k": "w"}})), TRY).await.unwrap();
    assert!(tried.is_new);
    assert!(get(world, &one).await.is_none());
}

async fn an_apply_into_an_absent_namespace_is_not_found(world: &World) {
    for mode in [DO, TRY] {
        assert_eq!(class(world, &config_map(&world.name("absent"), "one"), &json!({}), mode).await, Class::NotFound);
    }
}

async fn an_unknown_field_is_refused_by_name(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    for mode in [DO, TRY] {
        // A failure of the server (500), as it says itself: the class is not the contract.
        let Err(error) = world.cluster.apply(&KindPath::of(&one), &one, &body(&one, &json!({"dat": {"k": "v"}})), mode).await else {
            panic!("it was taken")
        };
        assert!(error.message.contains(".dat: field not declared in schema"), "{error}");
    }
    assert!(get(world, &one).await.is_none());
}

async fn an_apply_with_the_uid_of_another_object_is_refused(world: &World) {
    let namespace = namespace(world).await;
    let (one, other) = (config_map(&namespace, "one"), config_map(&namespace, "other"));
    let (first, second) = (apply(world, &one, &json!({})).await, apply(world, &other, &json!({})).await);
    let rest = json!({"metadata": {"uid": second.uid()}, "data": {"k": "v"}});
    assert_eq!(class(world, &one, &rest, FORCE).await, Class::Invalid);
    assert_eq!(version(&get(world, &one).await.unwrap()), version(&first));
    // Nor is one made anew under the uid of one that is gone.
    assert_eq!(class(world, &config_map(&namespace, "new"), &rest, FORCE).await, Class::State);
}

async fn an_apply_with_its_own_uid_is_taken(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let made = apply(world, &one, &json!({})).await;
    let live = apply(world, &one, &json!({"metadata": {"uid": made.uid()}, "data": {"k": "v"}})).await;
    assert_eq!(live.uid(), made.uid());
    // It is no field that anyone owns.
    let again = apply(world, &one, &json!({"data": {"k": "v"}})).await;
    assert_eq!(version(&live), version(&again));
}

async fn an_absent_object_is_none(world: &World) {
    assert!(get(world, &config_map("default", &world.name("absent"))).await.is_none());
    assert!(get(world, &config_map(&world.name("absent"), "one")).await.is_none());
}

async fn objects_are_listed_by_label(world: &World) {
    let namespace = namespace(world).await;
    let label = world.name("label");
    for (name, value) in [("a", "yes"), ("b", "yes"), ("c", "no")] {
        apply(world, &config_map(&namespace, name), &json!({"metadata": {"labels": {&label: value}}})).await;
        apply(world, &spec("Secret", "secrets", Some(&namespace), name), &json!({"metadata": {"labels": {&label: value}}})).await;
    }
    for plural in ["configmaps", "secrets"] {
        let named = |found: &[Live]| found.iter().map(|live| live.name().to_owned()).collect::<BTreeSet<_>>();
        let found = world.cluster.list(&kind(plural), &format!("{label}=yes")).await.unwrap();
        assert_eq!(named(&found), BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert!(found.iter().all(|live| live.namespace() == Some(&namespace) && live.uid().len() == 36));
        let found = world.cluster.list(&kind(plural), &label).await.unwrap();
        assert_eq!(found.len(), 3);
    }
}

async fn a_list_comes_in_pages(world: &World) {
    let namespace = namespace(world).await;
    for number in 0..5 {
        let rest = json!({"metadata": {"labels": {"page": "yes"}}});
        apply(world, &config_map(&namespace, &format!("n{number}")), &rest).await;
    }
    let (mut found, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps?labelSelector=page%3Dyes&limit=2{token}");
        let (code, page) = send(world, "GET", &path, "", &Value::Null).await;
        assert_eq!(code, 200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(next) => token = format!("&continue={}", next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")),
            None => break,
        }
    }
    assert_eq!((pages, found), (3, (0..5).map(|number| format!("n{number}")).collect()));
}

/// The names of the objects of a kind in a namespace.
async fn names_in(world: &World, kind: &KindPath, namespace: &str) -> Vec<String> {
    let found = world.cluster.list_metadata_in(kind, Some(namespace)).await.unwrap();
    found.iter().map(|live| live.name().to_owned()).collect()
}

/// The kinds whose objects are in namespaces, each in its preferred version, as they are now.
async fn namespaced_kinds(world: &World) -> Vec<KindPath> {
    world.cluster.forget_catalog().await;
    let catalog = world.cluster.catalog().await.unwrap();
    catalog.kept().filter(|kind| kind.namespaced).map(Served::path).collect()
}

async fn an_empty_list_is_read(world: &World) {
    let namespace = namespace(world).await;
    for plural in ["configmaps", "secrets", "namespaces"] {
        assert!(world.cluster.list(&kind(plural), &world.name("nobody")).await.unwrap().is_empty());
    }
    assert!(names_in(world, &kind("services"), &namespace).await.is_empty());
    assert!(names_in(world, &kind("secrets"), &namespace).await.is_empty());
}

async fn a_deletion_with_another_uid_is_refused(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let made = apply(world, &one, &json!({})).await;
    let other = format!("{}{}", if made.uid().starts_with('0') { '1' } else { '0' }, &made.uid()[1..]);
    let error = world.cluster.delete(&kind("configmaps"), one.namespace.as_deref(), "one", &other).await.unwrap_err();
    assert_eq!((error.class, error.code.as_str()), (Class::State, "Conflict"));
    assert!(get(world, &one).await.is_some());
}

async fn a_deletion_with_its_uid_is_done(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let made = apply(world, &one, &json!({})).await;
    let waits = world.cluster.delete(&kind("configmaps"), one.namespace.as_deref(), "one", made.uid()).await.unwrap();
    assert_eq!(waits, None);
    assert!(get(world, &one).await.is_none());
    let again = apply(world, &one, &json!({})).await;
    assert_ne!(again.uid(), made.uid());
}

async fn a_deletion_of_what_is_gone_is_no_error(world: &World) {
    let uid = world.cluster.uid();
    let gone = world.cluster.delete(&kind("configmaps"), Some("default"), &world.name("absent"), uid).await.unwrap();
    assert_eq!(gone, None);
}

async fn an_object_with_a_finalizer_waits_and_tells_for_what(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let made = apply(world, &one, &json!({"data": {"k": "v"}})).await;
    merge_as(world, "somebody", &one, &json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    let waits = world.cluster.delete(&kind("configmaps"), one.namespace.as_deref(), "one", made.uid()).await.unwrap();
    assert!(waits.as_ref().is_some_and(|waits| waits.contains("example.com/hold")), "{waits:?}");
    let live = get(world, &one).await.unwrap();
    assert!(live.terminating().unwrap().contains("example.com/hold"));
    merge_as(world, "somebody", &one, &json!({"metadata": {"finalizers": null}})).await;
    assert!(get(world, &one).await.is_none());
}

async fn a_namespace_goes_with_what_is_in_it(world: &World) {
    let name = namespace(world).await;
    let one = config_map(&name, "one");
    apply(world, &one, &json!({})).await;
    merge_as(world, "somebody", &one, &json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    let own = spec("Namespace", "namespaces", None, &name);
    let made = get(world, &own).await.unwrap();
    let waits = world.cluster.delete(&kind("namespaces"), None, &name, made.uid()).await.unwrap();
    assert!(waits.as_ref().is_some_and(|waits| waits.contains("kubernetes")), "{waits:?}");
    world
        .until("the namespace telling what it waits for", async || {
            get(world, &own).await.unwrap().terminating().filter(|waits| waits.contains("example.com/hold"))
        })
        .await;
    assert!(!matches!(class(world, &config_map(&name, "late"), &json!({}), DO).await, Class::Conflict(_) | Class::NotFound));
    merge_as(world, "somebody", &one, &json!({"metadata": {"finalizers": null}})).await;
    world.until("the end of the namespace", async || get(world, &own).await.is_none().then_some(())).await;
    assert!(get(world, &one).await.is_none());
}

fn tls(namespace: &str) -> ObjectSpec {
    spec("Secret", "secrets", Some(namespace), "tls")
}

async fn a_secret_of_type_tls_needs_both_keys(world: &World) {
    let tls = tls(&namespace(world).await);
    let half = json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "YQ=="}});
    for mode in [DO, TRY] {
        assert_eq!(class(world, &tls, &half, mode).await, Class::Invalid);
    }
    apply(world, &tls, &json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "YQ==", "tls.key": "Yg=="}})).await;
    assert_eq!(class(world, &tls, &half, DO).await, Class::Invalid);
}

async fn the_type_of_a_secret_does_not_change(world: &World) {
    let tls = tls(&namespace(world).await);
    let data = json!({"tls.crt": "YQ==", "tls.key": "Yg=="});
    let made = apply(world, &tls, &json!({"type": "Opaque", "data": data})).await;
    for mode in [TRY, FORCE] {
        assert_eq!(class(world, &tls, &json!({"type": "kubernetes.io/tls", "data": data}), mode).await, Class::Invalid);
    }
    assert_eq!(version(&get(world, &tls).await.unwrap()), version(&made));
}

async fn the_values_of_a_secret_come_back_as_they_were_sent(world: &World) {
    let tls = tls(&namespace(world).await);
    let rest = json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "AP+A", "tls.key": "Yg==", "empty": ""}});
    apply(world, &tls, &rest).await;
    let live = get(world, &tls).await.unwrap();
    let values: BTreeMap<&str, &[u8]> = live.data.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect();
    assert_eq!(values, BTreeMap::from([("empty", &b""[..]), ("tls.crt", &[0, 255, 128]), ("tls.key", b"b")]));
    assert_eq!(live.rest["type"], "kubernetes.io/tls");
    let ours = live.our_paths(&live.attrs());
    assert_eq!(ours, ["data.empty", "data.tls.crt", "data.tls.key", "type"]);
}

fn service(namespace: &str) -> ObjectSpec {
    spec("Service", "services", Some(namespace), "web")
}

async fn ports_of_a_service_have_names_of_their_own(world: &World) {
    let service = service(&namespace(world).await);
    let ports = |names: [Option<&str>; 2]| {
        let port = |(number, name): (usize, Option<&str>)| {
            name.map_or_else(|| json!({"port": 80 + number}), |name| json!({"port": 80 + number, "name": name}))
        };
        json!({"spec": {"selector": {"app": "web"}, "ports": names.into_iter().enumerate().map(port).collect::<Vec<_>>()}})
    };
    for names in [[Some("a"), Some("a")], [Some("a"), None], [None, None]] {
        assert_eq!(class(world, &service, &ports(names), TRY).await, Class::Invalid, "{names:?}");
    }
    apply(world, &service, &ports([Some("a"), Some("b")])).await;
}

async fn a_port_of_another_number_is_turned_back_where_it_stands(world: &World) {
    let (service, services) = (service(&namespace(world).await), kind("services"));
    let wanted = json!({"spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}});
    let made = apply(world, &service, &wanted).await;
    let node_port = made.rest["spec"]["ports"][0]["nodePort"].clone();
    let theirs = json!({"spec": {"ports": [{"name": "http", "port": 81, "protocol": "TCP", "targetPort": 80, "nodePort": node_port}]}});
    merge_as(world, "someone", &service, &theirs).await;
    assert_eq!(class(world, &service, &wanted, FORCE).await, Class::Invalid, "beside the other one it has no place");
    let live = get(world, &service).await.unwrap();
    let tried = world.cluster.turn_back(&services, &live, &wanted, true).await.unwrap().unwrap();
    assert_eq!((&tried.rest["spec"]["ports"][0]["port"], &tried.rest["spec"]["ports"][0]["nodePort"]), (&json!(80), &node_port));
    assert_eq!(get(world, &service).await.unwrap().rest["spec"]["ports"][0]["port"], 81, "it was tried only");
    world.cluster.turn_back_now(&services, service.namespace.as_deref(), "web", &wanted).await.unwrap();
    let applied = apply(world, &service, &wanted).await;
    let live = world.cluster.take_from_tools(&services, service.namespace.as_deref(), "web", applied).await.unwrap();
    assert_eq!(live.rest["spec"]["ports"].as_array().unwrap().len(), 1);
    assert_eq!((&live.rest["spec"]["ports"][0]["port"], &live.rest["spec"]["ports"][0]["nodePort"]), (&json!(80), &node_port));
    // It is ours alone again: what the next apply leaves out goes.
    let other = json!({"spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"name": "https", "port": 443}]}});
    let applied = apply(world, &service, &other).await;
    let numbers: Vec<&Value> = applied.rest["spec"]["ports"].as_array().unwrap().iter().map(|port| &port["port"]).collect();
    assert_eq!(numbers, [&json!(443)]);
    assert!(world.cluster.turn_back(&services, &applied, &other, true).await.unwrap().is_none(), "nothing is to be turned back");
}

async fn a_merge_removes_labels_and_keeps_the_rest(world: &World) {
    let one = config_map(&namespace(world).await, "one");
    let rest = json!({"metadata": {"labels": {"a": "b", "c": "d"}, "annotations": {"e": "f"}}, "data": {"k": "v"}});
    apply(world, &one, &rest).await;
    let patch = json!({"metadata": {"labels": {"a": null, "absent": null}, "annotations": {"e": null}}});
    world.cluster.merge(&kind("configmaps"), one.namespace.as_deref(), "one", &patch).await.unwrap();
    let paths: Vec<String> = get(world, &one).await.unwrap().attrs().into_keys().collect();
    assert_eq!(paths, ["data.k", "metadata.labels.c"]);
}

async fn the_kinds_of_a_namespace_are_discovered(world: &World) {
    let kinds = namespaced_kinds(world).await;
    for plural in ["configmaps", "secrets", "services", "serviceaccounts", "pods"] {
        assert!(kinds.contains(&kind(plural)), "{plural}");
    }
    for (api_version, plural) in [("apps/v1", "deployments"), ("batch/v1", "jobs"), ("networking.k8s.io/v1", "ingresses")] {
        assert!(kinds.contains(&KindPath { api_version: api_version.into(), plural: plural.into() }), "{plural}");
    }
    let wrong = |kind: &&KindPath| kind.plural.contains('/') || ["namespaces", "nodes", "bindings"].contains(&kind.plural.as_str());
    assert_eq!(kinds.iter().find(wrong), None);
}

async fn a_new_kind_is_discovered(world: &World) {
    let group = format!("{}.example.com", world.name("g"));
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(send(world, "POST", path, "application/json", &definition).await.0, 201);
    let things = KindPath { api_version: format!("{group}/v1"), plural: "things".into() };
    world.until("the discovery of a new kind", async || Some(namespaced_kinds(world).await).filter(|kinds| kinds.contains(&things))).await;
    assert!(names_in(world, &things, "default").await.is_empty());
    assert!(world.cluster.list(&things, "a=b").await.unwrap().is_empty());
    assert_eq!(send(world, "DELETE", &format!("{path}/things.{group}"), "application/json", &Value::Null).await.0, 200);
    world.until("the end of the new kind", async || Some(namespaced_kinds(world).await).filter(|kinds| !kinds.contains(&things))).await;
}

async fn the_names_in_a_namespace_are_listed(world: &World) {
    let namespace = namespace(world).await;
    for name in ["a", "b"] {
        apply(world, &spec("Secret", "secrets", Some(&namespace), name), &json!({"data": {"k": "djE="}})).await;
    }
    assert_eq!(names_in(world, &kind("secrets"), &namespace).await, ["a", "b"]);
    // What the controllers put into each namespace.
    world
        .until("the namespace's own objects", async || {
            let accounts = names_in(world, &kind("serviceaccounts"), &namespace).await;
            let maps = names_in(world, &kind("configmaps"), &namespace).await;
            (accounts == ["default"] && maps == ["kube-root-ca.crt"]).then_some(())
        })
        .await;
}
