//! What `permissions` prints, held against the requests that the program makes: enough, and nothing that is never asked for.

use std::collections::{BTreeMap, BTreeSet};

use meshform::permissions::{Call, Purpose};
use serde_json::Value;

use super::lab::{Lab, STACK, block_on};
use super::upgrade;

/// A run of the story: what happens before it, and the command.
struct Step {
    purpose: Purpose,
    before: fn(&Lab),
    command: &'static str,
}

/// A certificate from files in a secret with a copy and a policy.
const BOUGHT: &str = "  bought:
    import: { certificate: edge.pem, private_key: edge.key, chain: chain.pem }
    secrets_manager: { name: istio/lab/bought, replicas: [us-east-1]";
const POLICY: &str = ", policy: { Statement: { Effect: Allow, Principal: { AWS: \"111122223333\" }, Action: secretsmanager:GetSecretValue, Resource: \"*\" } }";

/// The stack of the story.
fn whole() -> String {
    format!("{STACK}{BOUGHT}{POLICY} }}\n")
}

/// A story in which every request is made that a command can make.
const STORY: &[Step] = &[
    Step { purpose: Purpose::Plan, before: |_| {}, command: "plan stack.yaml" },
    Step { purpose: Purpose::Apply, before: |_| {}, command: "apply stack.yaml --auto-approve" },
    Step { purpose: Purpose::Plan, before: |_| {}, command: "drift stack.yaml" },
    Step { purpose: Purpose::Plan, before: meddle, command: "plan stack.yaml" },
    Step { purpose: Purpose::Apply, before: |_| {}, command: "apply stack.yaml --auto-approve" },
    Step { purpose: Purpose::Apply, before: other_wishes, command: "apply stack.yaml --auto-approve" },
    Step { purpose: Purpose::Apply, before: fewer_wishes, command: "apply stack.yaml --auto-approve" },
    Step { purpose: Purpose::Apply, before: back_again, command: "apply stack.yaml --auto-approve" },
    Step { purpose: Purpose::Plan, before: Lab::lose_state, command: "plan stack.yaml" },
    Step { purpose: Purpose::Rotate, before: later, command: "rotate stack.yaml" },
    Step { purpose: Purpose::Rotate, before: meddle, command: "rotate stack.yaml" },
    Step { purpose: Purpose::Rotate, before: fewer_tags, command: "rotate stack.yaml" },
    Step { purpose: Purpose::Rotate, before: lose_deliveries, command: "rotate stack.yaml" },
    Step { purpose: Purpose::Rotate, before: purge_deliveries, command: "rotate stack.yaml" },
    Step { purpose: Purpose::Rotate, before: meddle_without_state, command: "rotate stack.yaml" },
    Step { purpose: Purpose::Apply, before: much_later, command: "apply stack.yaml --auto-approve" },
    Step { purpose: Purpose::Plan, before: adopted, command: TRY_ADOPT },
    Step { purpose: Purpose::Apply, before: |_| {}, command: ADOPT },
    Step { purpose: Purpose::Destroy, before: unmark, command: "plan stack.yaml --destroy" },
    Step { purpose: Purpose::Destroy, before: meddle_without_state, command: "destroy stack.yaml --auto-approve" },
];

const ADOPT: &str = "apply stack.yaml --auto-approve --adopt secretsmanager_secret.api --adopt namespace/theirs --adopt acm_certificate.third \
                     --adopt secret/theirs/tls";

const TRY_ADOPT: &str = "plan stack.yaml --adopt secretsmanager_secret.api --adopt namespace/theirs --adopt acm_certificate.third \
                         --adopt secret/theirs/tls";

/// Others change what is ours: labels, tags, descriptions, values.
fn meddle(lab: &Lab) {
    meddle_in_aws(lab);
    let raw = lab.raw();
    block_on(async {
        let patch = kube::api::Patch::Merge(serde_json::json!({"metadata": {"labels": {"color": "red", "meshform.dev/stack": null}}}));
        let params = kube::api::PatchParams { field_manager: Some("kubectl-edit".into()), ..Default::default() };
        raw.objects("Secret", Some("prod")).patch("edge-cert", &params, &patch).await.unwrap();
    });
}

fn meddle_in_aws(lab: &Lab) {
    let raw = lab.raw();
    block_on(async {
        let listed = raw.acm.list_certificates().send().await.unwrap();
        let edge = listed.certificate_summary_list().iter().find(|one| one.domain_name() == Some("shop.example.com")).unwrap();
        let arn = edge.certificate_arn().unwrap();
        for (key, value) in [("team", "theirs"), ("stranger", "x")] {
            let tag = aws_sdk_acm::types::Tag::builder().key(key).value(value).build().unwrap();
            raw.acm.add_tags_to_certificate().certificate_arn(arn).tags(tag).send().await.unwrap();
        }
        let secret = "istio/lab/edge";
        raw.secrets.put_secret_value().secret_id(secret).secret_string("theirs").send().await.unwrap();
        raw.secrets.update_secret().secret_id(secret).description("theirs").send().await.unwrap();
        raw.secrets.untag_resource().secret_id(secret).tag_keys("kind").send().await.unwrap();
    });
}

fn later(lab: &Lab) {
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    super::pki::leaf(lab, &["bought.example.com"], 3000).write(lab);
    lab.run("sandbox advance 200d").ends_with(0);
}

fn much_later(lab: &Lab) {
    lab.run("sandbox advance 150d").ends_with(0);
}

fn meddle_without_state(lab: &Lab) {
    meddle_in_aws(lab);
    lab.lose_state();
}

/// Others take our marks off.
fn unmark(lab: &Lab) {
    let raw = lab.raw();
    block_on(async {
        let listed = raw.acm.list_certificates().send().await.unwrap();
        let edge = listed.certificate_summary_list().iter().find(|one| one.domain_name() == Some("shop.example.com")).unwrap();
        let arn = edge.certificate_arn().unwrap();
        let tag = aws_sdk_acm::types::Tag::builder().key("meshform.dev/stack").build().unwrap();
        raw.acm.remove_tags_from_certificate().certificate_arn(arn).tags(tag).send().await.unwrap();
        let patch = kube::api::Patch::Merge(serde_json::json!({"metadata": {"labels": {"meshform.dev/stack": null}}}));
        let params = kube::api::PatchParams { field_manager: Some("kubectl-edit".into()), ..Default::default() };
        raw.objects("Secret", Some("prod")).patch("api-cert", &params, &patch).await.unwrap();
    });
}

fn fewer_tags(lab: &Lab) {
    lab.write("stack.yaml", &whole().replace(", tags: { kind: tls }", ""));
    lab.run("sandbox advance 150d").ends_with(0);
}

/// Others delete what was delivered; a secret can be restored.
fn lose_deliveries(lab: &Lab) {
    lab.write("stack.yaml", &whole());
    let raw = lab.raw();
    block_on(async {
        raw.secrets.delete_secret().secret_id("istio/lab/edge").send().await.unwrap();
        let params = kube::api::DeleteParams::default();
        raw.objects("Secret", Some("prod")).delete("edge-cert", &params).await.unwrap();
    });
}

/// The same, for good.
fn purge_deliveries(lab: &Lab) {
    let raw = lab.raw();
    block_on(async {
        let bought = "istio/lab/bought";
        raw.secrets.remove_regions_from_replication().secret_id(bought).remove_replica_regions("us-east-1").send().await.unwrap();
        for secret in ["istio/lab/edge", bought] {
            raw.secrets.delete_secret().secret_id(secret).force_delete_without_recovery(true).send().await.unwrap();
        }
    });
    lab.run("sandbox advance 1h").ends_with(0);
}

/// Another description, tag, name of a secret, key algorithm and zone.
fn other_wishes(lab: &Lab) {
    let stack = whole()
        .replace("description: the edge", "description: another")
        .replace("tags: { owner: shop }", "tags: { shop: owner }")
        .replace("tags: { kind: tls }", "tags: { tls: kind }")
        .replace("EC_prime256v1", "EC_secp384r1")
        .replace(POLICY, "");
    lab.write("stack.yaml", &stack);
}

/// A certificate, a secret and a namespace less.
fn fewer_wishes(lab: &Lab) {
    let (rest, _) = STACK.split_once("  api:\n").unwrap();
    let rest = rest.replace("    secrets_manager: { name: istio/lab/edge, description: the edge, tags: { kind: tls } }\n", "");
    let rest = rest.replace("  istio-ingress: {}\n", "").replace("      - { namespace: istio-ingress, name: edge-cert }\n", "");
    lab.write("stack.yaml", &rest);
}

/// All of them again: the secret's name is that of its own tombstone.
fn back_again(lab: &Lab) {
    lab.write("stack.yaml", &whole());
}

/// What is there already is wished for.
fn adopted(lab: &Lab) {
    let raw = lab.raw();
    block_on(async {
        let request = raw.acm.request_certificate().domain_name("third.example.com").validation_method("DNS".into());
        request.idempotency_token("theirs").send().await.unwrap();
        raw.secrets.create_secret().name("theirs").secret_string("theirs").send().await.unwrap();
        let object = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs"}});
        let params = kube::api::PostParams::default();
        raw.objects("Namespace", None).create(&params, &serde_json::from_value(object).unwrap()).await.unwrap();
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "theirs", "name": "tls"},
            "type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""},
        });
        raw.objects("Secret", Some("theirs")).create(&params, &serde_json::from_value(secret).unwrap()).await.unwrap();
    });
    let stack = whole()
        .replace("{ namespace: prod, name: api-cert }", "{ namespace: prod, name: api-cert }, { namespace: theirs, name: tls }")
        .replace("    key_algorithm: EC_prime256v1\n", "    key_algorithm: EC_prime256v1\n    secrets_manager: theirs\n")
        .replace("  istio-ingress: {}\n", "  istio-ingress: {}\n  theirs: {}\n");
    lab.write("stack.yaml", &format!("{stack}  third: {{ domain: third.example.com }}\n"));
    lab.run("sandbox advance 10m").ends_with(0);
}

/// A request of a run: operation, and of whom.
type Request = (String, String);

/// The requests that a run logs.
fn requests(log: &str) -> Vec<Request> {
    let of = |line: &str| {
        let (_, said) = line.split_once("meshform::provider::budget: ")?;
        let (operation, of) = said.split_once(" of ")?;
        Some((operation.to_owned(), of.to_owned()))
    };
    log.lines().filter_map(of).collect()
}

/// The story with what each of its runs asked for, and what the world was before it.
fn lived() -> Vec<(&'static Step, Lab, Vec<Request>)> {
    let lab = Lab::new(&whole());
    super::pki::leaf(&lab, &["bought.example.com"], 3000).write(&lab);
    let mut lived = Vec::new();
    for step in STORY {
        (step.before)(&lab);
        let before = lab.copy();
        let ran = lab.run(&format!("-v {}", step.command)).ends_with(0);
        let requests = requests(&ran.stderr);
        assert!(!requests.is_empty(), "{}: {}", step.command, ran.stderr);
        lived.push((step, before, requests));
    }
    lived
}

#[test]
fn the_table_names_the_requests_that_are_made_and_no_others() {
    let lived = lived();
    let mut wrong = Vec::new();
    for purpose in Purpose::ALL {
        let made: BTreeSet<&str> = lived
            .iter()
            .filter(|(step, ..)| step.purpose == purpose)
            .flat_map(|(_, _, requests)| requests)
            .map(|(operation, _)| operation.as_str())
            .filter(|operation| !operation.starts_with("kube:"))
            .collect();
        let named: BTreeSet<&str> = Call::ALL.iter().filter(|call| call.is_called_by(purpose)).map(|call| call.name()).collect();
        wrong.extend(
            made.difference(&named).map(|operation| format!("{} makes {operation}, and the table doesn't say so", purpose.as_str())),
        );
        wrong.extend(
            named.difference(&made).map(|operation| format!("{} never makes {operation}, and the table says it does", purpose.as_str())),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_request_that_is_denied_is_told_with_the_right_that_is_missing() {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let lived = lived();
    for (index, (_, _, requests)) in lived.iter().enumerate() {
        let operations: BTreeSet<&String> =
            requests.iter().map(|(operation, _)| operation).filter(|one| !one.starts_with("kube:")).collect();
        for operation in operations {
            places.entry(operation.clone()).or_default().push(index);
        }
    }
    assert_eq!(places.len(), Call::ALL.len());
    let mut wrong = Vec::new();
    for (operation, indexes) in places {
        // Some of its uses can be done without, not all.
        let is_told = indexes.iter().any(|index| {
            let (step, before, _) = &lived[*index];
            let lab = before.copy();
            // IAM has another name for that service than its endpoint.
            lab.run(&format!("sandbox fault {} access-denied", operation.replace("tag:", "tagging:"))).ends_with(0);
            let ran = lab.run(step.command);
            matches!(ran.code, Some(1 | 3)) && ran.stderr.contains(&format!("missing permission `{operation}`"))
        });
        if !is_told {
            wrong.push(operation);
        }
    }
    assert!(wrong.is_empty(), "denied, and nobody says so: {wrong:?}");
}

/// A right of RBAC: namespace, resource with its group, name, verb; `*` for any.
type Right = (Option<String>, String, Option<String>, String);

/// The rights that are printed for a purpose.
fn rights(lab: &Lab, purpose: Purpose) -> BTreeSet<Right> {
    let printed = lab.run(&format!("permissions stack.yaml --json --for {}", purpose.as_str())).ends_with(0).json();
    let mut rights = BTreeSet::new();
    for role in printed["kubernetes"].as_array().unwrap().iter().filter(|one| one["rules"].is_array()) {
        let namespace = role["metadata"]["namespace"].as_str().map(ToOwned::to_owned);
        for rule in role["rules"].as_array().unwrap() {
            let texts =
                |key: &str| rule[key].as_array().into_iter().flatten().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>();
            let group = texts("apiGroups").remove(0);
            let plural = texts("resources").remove(0);
            let resource = if group.is_empty() || group == "*" { plural } else { format!("{plural}.{group}") };
            let names = texts("resourceNames");
            let names: Vec<Option<String>> = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
            for verb in texts("verbs") {
                rights.extend(names.iter().map(|name| (namespace.clone(), resource.clone(), name.clone(), verb.clone())));
            }
        }
    }
    rights
}

/// The right that a logged request needs, as (verb, resource, namespace, name).
fn asked((operation, of): &Request) -> Option<(String, String, Option<String>, Option<String>)> {
    let verb = operation.strip_prefix("kube:")?;
    let (resource, subject) = of.split_once(' ').unwrap();
    if resource == "apis" {
        return None; // Discovery is free to all who are known.
    }
    let (namespace, name) = match subject.split_once('/') {
        _ if subject.contains(" with label ") || subject.ends_with(" of all namespaces") => (None, None),
        _ if verb == "list" => (Some(subject.to_owned()), None),
        Some((namespace, name)) => (Some(namespace.to_owned()), Some(name.to_owned())),
        None => (None, Some(subject.to_owned())),
    };
    Some((verb.to_owned(), resource.to_owned(), namespace, name))
}

/// Whether a right is enough for a request.
fn grants((place, kind, names, what): &Right, verb: &str, resource: &str, namespace: Option<&str>, name: Option<&str>) -> bool {
    let is_there = place.is_none() || place.as_deref() == namespace;
    is_there && (kind == "*" || kind == resource) && (names.is_none() || names.as_deref() == name) && what == verb
}

#[test]
fn a_move_in_batches_asks_for_what_is_printed() {
    let batches = "  batches: [{ namespaces: [staging, prod, istio-ingress], restart: true }]\n";
    let lab = Lab::applied(&upgrade::all_on(upgrade::BOTH, "old"));
    lab.write("stack.yaml", &upgrade::all_on(&format!("{}{batches}", upgrade::NEW), "new"));
    let rights = rights(&lab, Purpose::Apply);
    let requests = requests(&lab.run("-v apply stack.yaml --auto-approve").ends_with(0).stderr);
    assert!(requests.iter().any(|(_, of)| of.starts_with("pods ")), "{requests:?}");
    for (verb, resource, namespace, name) in requests.iter().filter_map(asked) {
        // A dry run of a gateway's pod makes one, as far as rights go.
        let verb = if resource == "pods" && verb == "patch" { "create" } else { verb.as_str() };
        let name = name.filter(|name| !name.is_empty());
        let is_free = resource == "version" || verb == "get" && resource == "namespaces";
        let is_granted = rights.iter().any(|right| grants(right, verb, &resource, namespace.as_deref(), name.as_deref()));
        assert!(is_free || is_granted, "not granted: {verb} {resource} {namespace:?} {name:?}");
    }
}

#[test]
fn every_request_of_kubernetes_is_granted_and_every_right_is_used() {
    let (mut ungranted, mut all, mut used) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for (step, before, requests) in lived() {
        let rights = rights(&before, step.purpose);
        all.extend(rights.iter().map(|right| (step.purpose, right.clone())));
        for request in requests {
            let Some((verb, resource, namespace, name)) = asked(&request) else { continue };
            let granting: Vec<&Right> =
                rights.iter().filter(|right| grants(right, &verb, &resource, namespace.as_deref(), name.as_deref())).collect();
            // A search for what a lost state knew: where it is denied, the plan says so and goes on.
            let is_search = verb == "list" && name.is_none() && !before.path().join(".meshform/lab/state.json").exists();
            if granting.is_empty() && !is_search {
                ungranted.push(format!("{}: {verb} {resource} {namespace:?} {name:?}", step.command));
            }
            used.extend(granting.into_iter().map(|right| (step.purpose, right.clone())));
        }
    }
    assert!(ungranted.is_empty(), "not granted:\n{}", ungranted.join("\n"));
    // That a `patch` of what isn't there needs `create` as well, only a real API server shows: see the suite of the test bed.
    // Which of several objects is asked for is chance; that one of them is, is not.
    let kind = |(purpose, (_, resource, name, verb)): &(Purpose, Right)| (*purpose, resource.clone(), name.is_some(), verb.clone());
    let used: BTreeSet<_> = used.iter().map(kind).collect();
    let idle: BTreeSet<_> = all.iter().map(kind).filter(|one| one.3 != "create" && !used.contains(one)).collect();
    assert!(idle.is_empty(), "never used: {idle:#?}");
}

#[test]
fn what_is_printed_is_a_policy_and_manifests() {
    let lab = Lab::new(STACK);
    let policy = lab.run("permissions stack.yaml --policy").ends_with(0).json();
    assert_eq!(policy["Version"], "2012-10-17");
    let yaml = lab.run("permissions stack.yaml --rbac --subject serviceaccount:meshform/rotate --for rotate").ends_with(0).stdout;
    assert!(yaml.starts_with("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n"), "{yaml}");
    assert!(
        yaml.contains("  - kind: ServiceAccount\n    namespace: meshform\n    name: rotate\n")
            || yaml.contains("- kind: ServiceAccount\n  namespace: meshform\n  name: rotate\n"),
        "{yaml}"
    );
    let people = lab.run("permissions stack.yaml").ends_with(0).stdout;
    assert!(
        people.contains("acm:RequestCertificate") && people.contains("create, delete, get, patch secrets in the whole cluster"),
        "{people}"
    );
    let ran = lab.run("permissions stack.yaml --policy --identity arn:aws:iam::111122223333:role/x").ends_with(64);
    assert!(ran.stderr.contains("the stack works as caller"), "{}", ran.stderr);
    lab.run("permissions stack.yaml --rbac --subject nobody").ends_with(64);
    let none: Value = lab.run("permissions stack.yaml --json --for plan").ends_with(0).json();
    assert_eq!(none["for"], "plan");
}
