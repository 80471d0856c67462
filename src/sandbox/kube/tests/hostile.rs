//! Requests that nobody means well with are refused, and nothing panics.

use http::Request;
use kube::client::Body;
use serde_json::json;

use super::Bed;

async fn send(bed: &Bed, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> u16 {
    let request = Request::builder().method(method).uri(path).header("content-type", content_type).body(Body::from(body)).unwrap();
    bed.client.send(request).await.unwrap().status().as_u16()
}

#[tokio::test(start_paused = true)]
async fn bodies_that_are_too_deep_too_long_or_no_json_are_refused() {
    let bed = Bed::new();
    let path = "/api/v1/namespaces/default/configmaps";
    let apply = format!("{path}/a?fieldManager=m");
    let deep = format!("{}1{}", "{\"a\":".repeat(50_000), "}".repeat(50_000)).into_bytes();
    let flow = "[".repeat(100_000).into_bytes();
    let bomb = format!("a: &a [x,x]\n{}", (0..40).map(|n| format!("k{n}: &k{n} [*a,*a,*a]")).collect::<Vec<_>>().join("\n")).into_bytes();
    for body in [deep, flow, bomb, vec![0xff; 100], b"\0".to_vec(), Vec::new(), b"null".to_vec(), b"[]".to_vec(), b"\"a\"".to_vec()] {
        for (method, path, of) in [
            ("POST", path, "application/json"),
            ("PATCH", apply.as_str(), "application/apply-patch+yaml"),
            ("PATCH", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt", "application/merge-patch+json"),
            ("PATCH", "/api/v1/namespaces/default/configmaps/kube-root-ca.crt", "application/json-patch+json"),
        ] {
            let code = send(&bed, method, path, of, body.clone()).await;
            assert!((400..600).contains(&code) || (code == 200 && body == b"[]"), "{method} {of} {code}");
        }
    }
    assert_eq!(send(&bed, "POST", path, "application/json", vec![b' '; 4 << 20]).await, 413);
}

#[tokio::test(start_paused = true)]
async fn odd_paths_and_queries_have_an_answer() {
    let bed = Bed::new();
    for path in [
        "/",
        "/api",
        "/api/v1/",
        "/api/v1/namespaces/default/secrets/a/b/c",
        "/api/v1/namespaces/%2e%2e/secrets/%00",
        "/api/v1/secrets/a",
        "/api/v1/namespaces/default/namespaces",
        "/apis/apps/v1/namespaces//deployments",
        "/api/v1/secrets?limit=99999999999999999999999",
        "/api/v1/secrets?limit=-1",
        "/api/v1/secrets?continue=%FF%FE",
        "/api/v1/secrets?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTIyMzM3MjAzNjg1NDc3NTgwNywic3RhcnQiOiIvIiwiYXQiOjkyMjMzNzIwMzY4NTQ3NzU4MDd9",
        "/api/v1/secrets?labelSelector=%F0%9F%92%A9=%00",
        "/api/v1/secrets?labelSelector=a+in+(((",
        "/api/v1/secrets?fieldSelector===,==",
        "/api/v1/secrets?watch=1",
    ] {
        let code = send(&bed, "GET", path, "application/json", Vec::new()).await;
        assert!((200..500).contains(&code), "{path} {code}");
    }
    for method in ["PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        assert!(send(&bed, method, "/api/v1/events", "text/plain", b"x".to_vec()).await >= 400, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn managed_fields_that_make_no_sense_are_forgotten_not_trusted() {
    let bed = Bed::new();
    let path = "/api/v1/namespaces/default/configmaps";
    send(&bed, "POST", path, "application/json", json!({"metadata": {"name": "a"}, "data": {"k": "1"}}).to_string().into_bytes()).await;
    for fields in [json!({"x": 1}), json!([]), json!({"k:{": {}}), json!({"f:data": 5}), json!({"i:-1": {}}), json!("f")] {
        let entry = json!({"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
        let body = json!({"metadata": {"managedFields": [entry]}, "data": {"k": fields.to_string()}}).to_string().into_bytes();
        let code = send(&bed, "PATCH", &format!("{path}/a"), "application/merge-patch+json", body).await;
        assert!(code < 500, "{fields} {code}");
        let config =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"l": "2"}}).to_string().into_bytes();
        let code = send(&bed, "PATCH", &format!("{path}/a?fieldManager=m&force=true"), "application/apply-patch+yaml", config).await;
        assert!(code < 500, "{fields} {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn schemas_that_make_no_sense_bring_no_panic() {
    let bed = Bed::new();
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for (number, schema) in [
        json!({"type": "object", "properties": 5}),
        json!({"type": "object", "properties": {"spec": {"type": "array"}}}),
        json!({"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}),
    ]
    .into_iter()
    .enumerate()
    {
        let group = format!("g{number}.io");
        let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
        let names = json!({"plural": "things", "kind": "Thing"});
        let spec = json!({"group": group, "scope": "Namespaced", "names": names, "versions": [version]});
        let body = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": format!("things.{group}")}, "spec": spec});
        send(&bed, "POST", crds, "application/json", body.to_string().into_bytes()).await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let thing =
            json!({"apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": {"name": "t"}, "spec": [{"a": [null, {"b": 1}]}]});
        let path = format!("/apis/{group}/v1/namespaces/default/things/t?fieldManager=m");
        let code = send(&bed, "PATCH", &path, "application/apply-patch+yaml", thing.to_string().into_bytes()).await;
        assert!((200..600).contains(&code), "{code}");
    }
}
