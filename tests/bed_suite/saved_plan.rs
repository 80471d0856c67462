//! Saved plans on real servers: what is unrelated may change between plan and apply, what was decided on may not.

use serde_json::{Value, json};

use super::bed::{ACCOUNT, Bed, REGION};

const PLANTED: &str = "planted-word-of-a-secret";

fn stack() -> String {
    format!(
        "version: 1\nstack: saved\naws: {{ region: {REGION}, account: \"{ACCOUNT}\", verify_chain: false }}\n\
         cluster: {{ context: bed }}\nnamespaces: {{ saved: {{}} }}\n\
         certificates:\n  edge: {{ domain: edge.saved.test, zone: saved.test, export: true, secrets_manager: saved/edge,\n    \
         tls_secrets: [{{ namespace: saved, name: edge }}] }}\n\
         manifests: {{ all: {{ files: all.json, namespace: saved }} }}\n"
    )
}

fn write(bed: &Bed, image: &str, word: &str) {
    let labels = json!({"app": "web"});
    let items = json!([
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image}]}}}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}, "data": {"a": "1"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "word"}, "stringData": {"word": word}},
    ]);
    std::fs::write(bed.path().join("all.json"), json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()).unwrap();
}

#[test]
fn a_saved_plan_holds_after_unrelated_changes_and_is_refused_after_related_ones() {
    let bed = Bed::enter(&stack());
    bed.zone("saved.test");
    write(&bed, "example/web:1", "first");
    // No node runs the pods of this bed: what waits for them is left off.
    let applied = bed.run("apply stack.yaml --auto-approve --no-wait");
    assert!(matches!(applied.code, Some(0 | 3)), "{applied:?}");
    for _ in 0..60 {
        if bed.run("plan stack.yaml --json").json()["resource_changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["action"] == "read" || step["counts"] == false)
        {
            break;
        }
        bed.run("apply stack.yaml --auto-approve --no-wait");
        std::thread::sleep(std::time::Duration::from_secs(1));
    }

    write(&bed, "example/web:2", PLANTED);
    for name in ["one.json", "two.json", "three.json"] {
        bed.run(&format!("plan stack.yaml --out {name}")).ends_with(0);
    }
    let saved = std::fs::read_to_string(bed.path().join("one.json")).unwrap();
    assert!(!saved.contains(PLANTED) && !saved.contains("cGxhbnRlZC13b3Jk") && !saved.contains("PRIVATE KEY"), "a secret's bytes");

    // Unrelated: a new certificate's material in all places, a status, someone's label and annotation, and drift beside.
    let web = "/apis/apps/v1/namespaces/saved/deployments/web";
    let merge = |path: &str, body: &Value| {
        bed.kube_raw("PATCH", &format!("{path}?fieldManager=someone"), "application/merge-patch+json", body).unwrap()
    };
    bed.run("rotate stack.yaml --reissue").ends_with(0);
    merge(web, &json!({"metadata": {"labels": {"theirs": "x"}, "annotations": {"example.com/note": "y"}}}));
    merge(&format!("{web}/status"), &json!({"status": {"conditions": [{"type": "Example", "status": "True"}]}}));
    merge("/api/v1/namespaces/saved/configmaps/other", &json!({"data": {"a": "theirs"}}));
    let ran = bed.run("apply one.json --no-wait");
    assert!(matches!(ran.code, Some(0 | 3)) && !ran.stderr.contains("failed:"), "{ran:?}");
    let live = bed.kube_get(web);
    assert_eq!(live["spec"]["template"]["spec"]["containers"][0]["image"], "example/web:2");
    assert_eq!(live["metadata"]["labels"]["theirs"], "x");
    assert_eq!(bed.kube_get("/api/v1/namespaces/saved/configmaps/other")["data"]["a"], "theirs", "what was not decided is left alone");

    // It was carried out: it doesn't hold a second time, and says by what.
    let ran = bed.run("apply two.json").ends_with(1);
    assert!(ran.stderr.contains("deployment.apps/saved/web"), "{}", ran.stderr);

    // Related: what the plan changes is something else by now.
    write(&bed, "example/web:3", PLANTED);
    bed.run("plan stack.yaml --out four.json").ends_with(0);
    merge(web, &json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example/theirs:9"}]}}}}));
    let ran = bed.run("apply four.json").ends_with(1);
    assert!(ran.stderr.contains("deployment.apps/saved/web") && ran.stderr.contains("example/theirs:9"), "{}", ran.stderr);
    assert_eq!(bed.kube_get(web)["spec"]["template"]["spec"]["containers"][0]["image"], "example/theirs:9", "nothing was changed");
    // And made anew, an object is another one.
    bed.run("apply stack.yaml --auto-approve --no-wait");
    write(&bed, "example/web:4", PLANTED);
    bed.run("plan stack.yaml --out five.json").ends_with(0);
    bed.kube_raw("DELETE", web, "application/json", &Value::Null).unwrap();
    let ran = bed.run("apply five.json").ends_with(1);
    assert!(ran.stderr.contains("deployment.apps/saved/web"), "{}", ran.stderr);
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
}
