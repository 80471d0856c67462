//! Istio upgraded by revision, in the sandbox: a second control plane, namespaces that move in batches, what is restarted, what is only named,
//! and when the old control plane may go.

use std::collections::BTreeMap;

use kube::api::ListParams;
use serde_json::Value;

use super::lab::{Lab, block_on};

/// Two applications and a gateway on a control plane, and where the second one is put.
const HEAD: &str = r#"version: 1
stack: lab
cluster: { eks: demo }
aws: { region: eu-west-1, account: "000000000000" }
"#;

/// A stack with these control planes, batches, and revisions of its namespaces.
fn stack(istio: &str, staging: &str, prod: &str, gateway: &str) -> String {
    let app = |namespace: &str, kind: &str, more: &str| {
        format!(
            "      - apiVersion: apps/v1\n        kind: {kind}\n        metadata: {{ name: app, namespace: {namespace} }}\n        spec:\n          \
             selector: {{ matchLabels: {{ app: app }} }}\n{more}          template: {{ metadata: {{ labels: {{ app: app }} }}, \
             spec: {{ containers: [{{ name: app, image: example/app:1 }}] }} }}\n"
        )
    };
    format!(
        "{HEAD}namespaces:\n  istio-system: {{}}\n  istio-ingress: {{}}\n  staging: {{ {staging} }}\n  prod: {{ {prod} }}\n\
         istio:\n{istio}  ingress: {{ public: {{ {gateway} }} }}\nmanifests:\n  apps:\n    objects:\n{}{}{}",
        app("staging", "Deployment", "          replicas: 2\n"),
        app("prod", "Deployment", "          replicas: 3\n"),
        app("prod", "StatefulSet", "          serviceName: app\n").replace("name: app, namespace", "name: db, namespace"),
    )
}

const OLD: &str = "  version: 1.31.0\n  revision: old\n";
pub(super) const BOTH: &str = "  version: 1.31.0\n  revision: old\n  revisions: { new: { version: 1.32.0 } }\n";
pub(super) const NEW: &str = "  version: 1.32.0\n  revision: new\n";

fn on(revision: &str) -> String {
    format!("revision: {revision}")
}

pub(super) fn all_on(istio: &str, revision: &str) -> String {
    stack(istio, &on(revision), &on(revision), &on(revision))
}

/// How many pods of each workload's namespace and application run the proxy of which revision.
pub(super) fn proxies(lab: &Lab) -> BTreeMap<String, usize> {
    let raw = lab.raw();
    let pods = block_on(async { raw.objects("Pod", None).list(&ListParams::default()).await.unwrap().items });
    let mut found = BTreeMap::new();
    for pod in pods {
        let annotations = pod.metadata.annotations.unwrap_or_default();
        let Some(status) = annotations.get("sidecar.istio.io/status") else { continue };
        let status: Value = serde_json::from_str(status).unwrap();
        let owner = pod.metadata.owner_references.unwrap()[0].name.clone();
        let name = owner.split('-').next().unwrap().to_owned();
        *found.entry(format!("{}/{name} {}", pod.metadata.namespace.unwrap(), status["revision"].as_str().unwrap())).or_insert(0) += 1;
    }
    found
}

fn table(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(row, count)| ((*row).to_owned(), *count)).collect()
}

/// Addresses and actions of the steps, in the order in which they were done.
fn done(stderr: &str) -> Vec<String> {
    stderr
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("✓ "))
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect()
}

#[track_caller]
fn before(done: &[String], first: &str, second: &str) {
    let at = |what: &str| done.iter().position(|one| one == what).unwrap_or_else(|| panic!("`{what}` isn't in {done:#?}"));
    assert!(at(first) < at(second), "`{first}` comes after `{second}` in {done:#?}");
}

/// The lists of pods that a run asks for.
fn lists_of_pods(lab: &Lab, command: &str) -> usize {
    lab.run(&format!("-v {command}")).ends_with(0).stderr.lines().filter(|line| line.contains("kube:list of pods")).count()
}

#[test]
fn namespaces_move_batch_by_batch_and_the_old_control_plane_goes_when_nobody_uses_it() {
    let lab = Lab::applied(&all_on(OLD, "old"));
    let start = table(&[("istio-ingress/public old", 2), ("prod/app old", 3), ("prod/db old", 1), ("staging/app old", 2)]);
    assert_eq!(proxies(&lab), start);
    assert_eq!(lists_of_pods(&lab, "plan stack.yaml"), 0, "one control plane, and nothing changes: nobody asks");

    // Beside the first one: nothing moves.
    lab.write("stack.yaml", &all_on(BOTH, "old"));
    let plan = lab.planned();
    assert!(plan.values().all(|(action, _)| action == "create" || action == "update"), "{plan:?}");
    assert_eq!(lists_of_pods(&lab, "plan stack.yaml"), 1);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(proxies(&lab), start);
    assert!(lab.planned().is_empty());

    // Two batches: the first one is restarted and waited for, the second one only moves.
    let batches = "  batches:\n    - { namespaces: [staging], restart: true }\n    - { namespaces: [prod, istio-ingress] }\n";
    let moved = all_on(&format!("{BOTH}{batches}"), "new");
    lab.write("stack.yaml", &moved);
    let plan = lab.run("plan stack.yaml").ends_with(0);
    assert!(
        plan.stdout.contains("@ deployment.apps/staging/app  restart  its 2 pods run the proxy of old, and are to run that of new"),
        "{}",
        plan.stdout
    );
    assert!(
        plan.stdout.contains("note: these run the proxy of old, and get that of new when they are restarted: deployment.apps/prod/app (3 pods), statefulset.apps/prod/db (1 pod)"),
        "{}",
        plan.stdout
    );
    assert!(plan.stdout.contains("restarts its 2 pods"), "the gateway's template changes: {}", plan.stdout);
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(applied.stderr.contains("deployment.apps/staging/app  waits for its pods to run the new proxy (2 of"), "{}", applied.stderr);
    let order = done(&applied.stderr);
    before(&order, "namespace/staging updated", "deployment.apps/staging/app restarted");
    for later in ["namespace/prod updated", "deployment.apps/istio-ingress/public updated"] {
        before(&order, "deployment.apps/staging/app restarted", later);
    }
    assert_eq!(proxies(&lab), table(&[("istio-ingress/public new", 2), ("prod/app old", 3), ("prod/db old", 1), ("staging/app new", 2)]));
    assert!(lab.planned().is_empty());
    assert_eq!(lists_of_pods(&lab, "plan stack.yaml"), 0, "what is through is remembered");

    // The old one can't go yet.
    let gone = all_on(NEW, "new");
    lab.write("stack.yaml", &gone);
    let refused = lab.run("apply stack.yaml --auto-approve").ends_with(1);
    let said = &refused.stdout;
    assert!(said.contains("error[plan/revision-in-use]: revision old would go"), "{said}");
    assert!(
        said.contains("deployment.apps/prod/app (3 pods), statefulset.apps/prod/db (1 pod)") && !said.contains("staging/app"),
        "{said}"
    );
    assert!(said.contains("kubectl rollout restart"), "{said}");

    // With a batch that is restarted it goes in the same apply, after all of it.
    let restarted = gone.replace(NEW, &format!("{NEW}  batches: [{{ namespaces: [prod], restart: true }}]\n"));
    lab.write("stack.yaml", &restarted);
    let plan = lab.planned();
    assert_eq!(plan["deployment.apps/prod/app"].0, "restart");
    assert_eq!(plan["statefulset.apps/prod/db"].0, "restart");
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let order = done(&applied.stderr);
    for gone in [
        "deployment.apps/istio-system/istiod-old deleted",
        "service/istio-system/istiod-old deleted",
        "configmap/istio-system/istio-old deleted",
    ] {
        before(&order, "deployment.apps/prod/app restarted", gone);
        before(&order, "statefulset.apps/prod/db restarted", gone);
    }
    let looked = order.iter().position(|one| one == "deployment.apps/istio-system/istiod-old is").unwrap();
    assert!(order[..looked].iter().all(|one| !one.ends_with(" deleted")), "nothing of it goes before the look: {order:#?}");
    assert_eq!(proxies(&lab), table(&[("istio-ingress/public new", 2), ("prod/app new", 3), ("prod/db new", 1), ("staging/app new", 2)]));
    assert!(lab.planned().is_empty());
    assert_eq!(lists_of_pods(&lab, "plan stack.yaml"), 0);
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(proxies(&lab), BTreeMap::new());
}

#[test]
fn a_lost_state_in_the_middle_of_a_batch_goes_on() {
    let lab = Lab::applied(&all_on(BOTH, "old"));
    let batches = "  batches: [{ namespaces: [staging], restart: true }, { namespaces: [prod, istio-ingress], restart: true }]\n";
    lab.write("stack.yaml", &all_on(&format!("{BOTH}{batches}"), "new"));
    // The label is there, and nothing is restarted yet.
    lab.run("apply stack.yaml --auto-approve --target namespace/staging").ends_with(0);
    lab.lose_state();
    let plan = lab.planned();
    assert_eq!(plan["deployment.apps/staging/app"].0, "restart", "{plan:?}");
    assert_eq!(plan["namespace/prod"].0, "update");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(proxies(&lab), table(&[("istio-ingress/public new", 2), ("prod/app new", 3), ("prod/db new", 1), ("staging/app new", 2)]));
    assert!(lab.planned().is_empty());
    lab.lose_state();
    assert!(lab.planned().is_empty(), "found again, all is as it should be");
}

#[test]
fn what_moved_moves_back_as_long_as_the_old_control_plane_is_there() {
    let batches = "  batches: [{ namespaces: [staging, prod, istio-ingress], restart: true }]\n";
    let both = format!("{BOTH}{batches}");
    let lab = Lab::applied(&all_on(&both, "old"));
    let start = proxies(&lab);
    lab.write("stack.yaml", &all_on(&both, "new"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(proxies(&lab).keys().all(|key| key.ends_with(" new")), "{:?}", proxies(&lab));
    lab.write("stack.yaml", &all_on(&both, "old"));
    let plan = lab.planned();
    assert_eq!(plan["deployment.apps/prod/app"].0, "restart");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(proxies(&lab), start);
    // And the new one goes, as nobody uses it.
    lab.write("stack.yaml", &all_on(OLD, "old"));
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(applied.stdout.contains("goes when no pod runs its proxy"), "{}", applied.stdout);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_tag_that_moves_moves_the_namespaces_that_follow_it() {
    let tagged = |old: &str, new: &str| {
        format!("  version: 1.31.0\n  revision: old\n  tags: [{old}]\n  revisions: {{ new: {{ version: 1.32.0, tags: [{new}] }} }}\n")
    };
    let batches = "  batches: [{ namespaces: [staging], restart: true }, { namespaces: [prod] }]\n";
    let lab = Lab::applied(&stack(&format!("{}{batches}", tagged("stable", "")), &on("stable"), &on("stable"), &on("stable")));
    let start = table(&[("istio-ingress/public old", 2), ("prod/app old", 3), ("prod/db old", 1), ("staging/app old", 2)]);
    assert_eq!(proxies(&lab), start);
    lab.write("stack.yaml", &stack(&format!("{}{batches}", tagged("", "stable")), &on("stable"), &on("stable"), &on("stable")));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("@ deployment.apps/staging/app  restart"), "{plan}");
    for named in ["deployment.apps/istio-ingress/public (2 pods)", "deployment.apps/prod/app (3 pods)", "statefulset.apps/prod/db (1 pod)"]
    {
        assert!(plan.contains(named), "{named}: {plan}");
    }
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let order = done(&applied.stderr);
    let tag = "mutatingwebhookconfiguration.admissionregistration.k8s.io/istio-revision-tag-stable updated";
    before(&order, tag, "deployment.apps/staging/app restarted");
    assert_eq!(proxies(&lab)["staging/app new"], 2);
    assert_eq!(proxies(&lab)["prod/app old"], 3);
    assert!(lab.planned().is_empty());
}

#[test]
fn pods_that_nobody_moves_keep_a_control_plane_and_are_named() {
    let lab = Lab::applied(&all_on(BOTH, "old"));
    // The namespaces move and the control plane goes at once, without a restart: the gateway rolls, the others don't.
    lab.write("stack.yaml", &all_on(NEW, "new"));
    let refused = lab.run("plan stack.yaml --json").ends_with(1).json();
    let refusal = &refused["refusals"][0];
    assert_eq!(refusal["code"], "plan/revision-in-use");
    let reason = refusal["reason"].as_str().unwrap();
    for named in ["deployment.apps/prod/app (3 pods)", "deployment.apps/staging/app (2 pods)", "statefulset.apps/prod/db (1 pod)"] {
        assert!(reason.contains(named), "{reason}");
    }
    assert!(!reason.contains("istio-ingress"), "the gateway's own change moves it: {reason}");
    // A namespace that still names it is told.
    lab.write("stack.yaml", &stack(NEW, &on("new"), &on("old"), &on("new")));
    let refused = lab.run("plan stack.yaml").ends_with(1).stdout;
    assert!(refused.contains("`namespaces.prod.revision` names it still"), "{refused}");
    // The whole stack may go whatever runs.
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn an_upgrade_in_place_says_what_restarts_and_which_proxies_stay_behind() {
    let lab = Lab::applied(&all_on(OLD, "old"));
    let to = |version: &str| all_on(&OLD.replace("1.31.0", version), "old");
    lab.write("stack.yaml", &to("1.32.0"));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("deployment.apps/istio-system/istiod-old  update  ") && plan.contains("restarts its 1 pod"), "{plan}");
    assert!(
        plan.contains("revision old: these run another version of the proxy than 1.32.0 until they are restarted: ")
            && plan.contains("deployment.apps/prod/app (3 pods, 1.31.0)"),
        "{plan}"
    );
    assert!(!plan.contains("warning:"), "{plan}");
    lab.write("stack.yaml", &to("1.34.0"));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("warning: revision old: an upgrade in place from 1.31 to 1.34 skips a minor version"), "{plan}");
    assert!(plan.contains("more than two minor versions behind it"), "{plan}");
    lab.write("stack.yaml", &to("1.30.4"));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("warning: revision old: this is a downgrade from 1.31.0 to 1.30.4"), "{plan}");
    lab.write("stack.yaml", &all_on(&BOTH.replace("1.32.0", "1.34.1"), "old"));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("warning: revision new: version 1.34 is more than two minor versions ahead of what runs (1.31)"), "{plan}");
}

#[test]
fn batches_that_cannot_be_are_refused() {
    let batches = |list: &str| all_on(&format!("{BOTH}  batches: {list}\n"), "old");
    let lab = Lab::new(&batches("[{ namespaces: [stagin] }]"));
    let said = lab.run("validate stack.yaml").ends_with(1).stderr;
    assert!(said.contains("error[istio/batch]") && said.contains("did you mean `staging`?"), "{said}");
    lab.write("stack.yaml", &batches("[{ namespaces: [staging] }, { namespaces: [prod, staging] }]"));
    let said = lab.run("validate stack.yaml").ends_with(1).stderr;
    assert!(said.contains("`staging` is in a batch already"), "{said}");
    // What the first batch needs waits for the second one.
    let lab = Lab::applied(&all_on(BOTH, "old"));
    let crossed =
        all_on(&format!("{BOTH}  batches: [{{ namespaces: [staging], restart: true }}, {{ namespaces: [istio-ingress] }}]\n"), "new");
    let crossed = crossed.replace(
        "manifests:\n  apps:\n",
        "manifests:\n  apps:\n    rules: [{ for: deployment.apps/staging/app, needs: deployment.apps/istio-ingress/public }]\n",
    );
    lab.write("stack.yaml", &crossed.replace("image: example/app:1", "image: example/app:2"));
    let refused = lab.run("plan stack.yaml").ends_with(1).stdout;
    assert!(refused.contains("error[plan/batch-order]"), "{refused}");
}

#[test]
fn a_definition_never_loses_a_version_that_objects_are_stored_in() {
    let base = |versions: &str| {
        let of = |name: &str, storage: bool| {
            format!("    - {{ name: {name}, served: true, storage: {storage}, schema: {{ openAPIV3Schema: {{ type: object }} }} }}\n")
        };
        let versions: String = versions.split(' ').map(|name| of(name.trim_end_matches('*'), name.ends_with('*'))).collect();
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{ name: things.networking.istio.io }}\nspec:\n  \
             group: networking.istio.io\n  scope: Namespaced\n  names: {{ kind: Thing, plural: things, singular: thing, listKind: ThingList }}\n  versions:\n{versions}"
        )
    };
    let lab = Lab::new(&format!("{HEAD}namespaces: {{ istio-system: {{}} }}\nistio: {{ version: 1.0.0, source: charts }}\n"));
    for chart in ["base", "istiod"] {
        std::fs::create_dir_all(lab.path().join(format!("charts/{chart}/templates"))).unwrap();
        lab.write(&format!("charts/{chart}/Chart.yaml"), &format!("apiVersion: v2\nname: {chart}\nversion: 1.0.0\n"));
    }
    lab.write("charts/istiod/templates/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: istio }\n");
    let definition = "charts/base/templates/crds.yaml";
    lab.write(definition, &base("v1alpha1*"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab.write(definition, &base("v1alpha1 v1*"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab.write(definition, &base("v1*"));
    let refused = lab.run("apply stack.yaml --auto-approve").ends_with(1).stdout;
    assert!(refused.contains("error[plan/invalid]") && refused.contains("v1alpha1 was previously a storage version"), "{refused}");
}

#[test]
fn what_is_in_no_batch_moves_last_and_nothing_moves_before_its_control_plane_answers() {
    let lab = Lab::applied(&all_on(OLD, "old"));
    // The second control plane comes in the same apply.
    let batches = "  batches: [{ namespaces: [staging], restart: true }]\n";
    lab.write("stack.yaml", &all_on(&format!("{BOTH}{batches}"), "new"));
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("namespace/staging  update  metadata.labels.istio.io/rev differs; batch 1 of 1"), "{plan}");
    assert!(plan.contains("namespace/prod  update  metadata.labels.istio.io/rev differs; after all batches"), "{plan}");
    // Told not to wait it leaves off where the first wait begins, and goes on.
    let left = lab.copy();
    let ran = left.run("apply stack.yaml --auto-approve --no-wait").ends_with(3);
    assert!(ran.stderr.contains("» namespace/prod  skipped"), "{}", ran.stderr);
    left.run("sandbox advance 1m").ends_with(0);
    left.run("apply stack.yaml --auto-approve").ends_with(0);
    assert_eq!(proxies(&left)["staging/app new"], 2);
    assert!(left.planned().is_empty());
    let applied = lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let order = done(&applied.stderr);
    let injector = "mutatingwebhookconfiguration.admissionregistration.k8s.io/istio-sidecar-injector-new created";
    before(&order, "deployment.apps/istio-system/istiod-new created", "namespace/staging updated");
    before(&order, injector, "namespace/staging updated");
    before(&order, "deployment.apps/staging/app restarted", "namespace/prod updated");
    assert_eq!(proxies(&lab), proxies(&left));
    // A namespace that chooses a control plane that nobody brings is told.
    lab.write("stack.yaml", &stack(BOTH, &on("nwe"), &on("new"), &on("new")));
    let said = lab.run("validate stack.yaml").ends_with(0).stderr;
    assert!(said.contains("warning[istio/revision]") && said.contains("did you mean `new`?"), "{said}");
}

#[test]
fn a_control_plane_that_does_not_come_up_moves_nothing() {
    let lab = Lab::applied(&all_on(OLD, "old"));
    let start = proxies(&lab);
    let broken = BOTH.replace("{ version: 1.32.0 }", "{ version: 1.32.0, values: { pilot: { replicaCount: 0 } } }");
    let batches = "  batches: [{ namespaces: [staging], restart: true }, { namespaces: [prod], restart: true }]\n";
    lab.write("stack.yaml", &format!("{}timeouts: {{ ready: 1m }}\n", all_on(&format!("{broken}{batches}"), "new")));
    // It has no pods: its injector is there, and nobody answers.
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(3);
    assert!(ran.stderr.contains("deployment.apps/staging/app  failed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("namespace/prod  skipped, because of deployment.apps/staging/app"), "{}", ran.stderr);
    assert_eq!(proxies(&lab), start, "what ran goes on");
    // Mended, it goes on.
    lab.write("stack.yaml", &all_on(&format!("{BOTH}{batches}"), "new"));
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(proxies(&lab).keys().all(|key| key.ends_with(" new")), "{:?}", proxies(&lab));
}
