//! docs/take-over.md, done as it says: things that others made, taken over and given back. kubectl and Helm are the real ones, and so is
//! Terraform where the machine has it.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use super::bed::{Bed, variable};
use super::terraform::{self, Terraform};

/// The page, for the bed's servers.
fn page() -> String {
    include_str!("../../docs/take-over.md")
        .replace("context: edge", "context: bed")
        .replace("aws: { region: eu-west-1 }", "aws: { region: eu-west-1, verify_chain: false }")
        .replace("arn:aws:acm-pca:eu-west-1:111122223333:", "arn:aws:acm-pca:eu-west-1:123456789012:")
}

/// A block of the page: what kind, and its lines.
fn blocks(part: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in part.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => open = Some((kind.to_owned(), Vec::new())),
            (None, Some((_, lines))) => lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    blocks
}

fn part<'p>(page: &'p str, title: &str) -> &'p str {
    page.split("\n## ").find(|part| part.starts_with(title)).unwrap_or_else(|| panic!("the page has no part `{title}`"))
}

/// Writes the files of a part and runs its commands.
fn follow(bed: &Bed, terraform: Option<&Terraform>, part: &str) {
    for (kind, lines) in blocks(part) {
        match (kind.as_str(), lines.first().and_then(|line| line.strip_prefix("# "))) {
            ("yaml" | "hcl", Some(name)) => std::fs::write(bed.path().join(name), lines.join("\n")).unwrap(),
            ("console", _) => {
                for line in lines.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    run(bed, terraform, line);
                }
            }
            _ => panic!("a block of kind {kind} that nobody checks: {lines:?}"),
        }
    }
}

fn run(bed: &Bed, terraform: Option<&Terraform>, line: &str) {
    let (command, outcome) = line.split_once('#').unwrap_or((line, ""));
    let (command, outcome) = (command.trim(), outcome.trim());
    println!("$ {command}");
    let (command, file) = command.split_once(" > ").unwrap_or((command, ""));
    let (program, args) = command.split_once(' ').unwrap();
    match program {
        "meshform" if outcome.starts_with("refused: ") => {
            let ran = bed.run(args).ends_with(1);
            assert!(ran.stdout.contains(outcome.strip_prefix("refused: ").unwrap()), "{ran:?}");
        }
        "meshform" if outcome.contains("no field changes") => {
            let plan = bed.run(&format!("{args} --json")).ends_with(0).json();
            let steps = plan["resource_changes"].as_array().unwrap().iter().filter(|step| step["counts"] == true);
            let told: BTreeMap<&str, (&str, Vec<&str>)> = steps
                .map(|step| {
                    let paths = step["changed"].as_array().unwrap().iter().map(|change| change["path"].as_str().unwrap());
                    // What a certificate asks for is looked up when it is taken over: a record that is there is adopted then.
                    if step["address"].as_str().unwrap().starts_with("acm_validation_record.") {
                        return ("acm_validation_record", ("adopt", Vec::new()));
                    }
                    let own = |path: &&str| !path.contains("meshform.dev") && !path.contains("app.kubernetes.io/managed-by");
                    (step["address"].as_str().unwrap(), (step["action"].as_str().unwrap(), paths.filter(own).collect()))
                })
                .collect();
            assert!(!told.is_empty() && told.values().all(|(action, paths)| *action == "adopt" && paths.is_empty()), "{told:#?}");
            if outcome.starts_with("three ") {
                assert_eq!(told.len(), 3, "{told:#?}");
            }
        }
        "meshform" => {
            let is_asked = ["apply ", "release ", "import "].iter().any(|verb| args.starts_with(verb));
            let ran = bed.run(&if is_asked { format!("{args} --auto-approve") } else { args.to_owned() }).ends_with(0);
            if outcome == "empty" {
                assert!(ran.stdout.contains("No changes"), "{ran:?}");
            }
            if !file.is_empty() {
                std::fs::write(bed.path().join(file), ran.stdout).unwrap();
            }
        }
        "kubectl" => drop(tool(bed, Command::new(variable("MESHFORM_BED_KUBECTL")).arg("kubectl"), args)),
        "helm" => drop(tool(bed, &mut Command::new(helm()), args)),
        "terraform" => {
            let is_first = args == "apply -auto-approve" && !bed.path().join("edge.yaml").exists();
            match terraform {
                Some(terraform) => terraform.run(bed, args),
                None if is_first => terraform::by_requests(bed),
                None => {}
            }
            if is_first {
                terraform::fill_secret(bed);
            }
        }
        other => panic!("nobody knows how to run {other}"),
    }
}

/// The real Helm that the charts are held against.
pub(super) fn helm() -> String {
    let file = std::env::var("MESHFORM_HELM_REFERENCE")
        .unwrap_or_else(|_| panic!("this needs Helm: tests/bed/bed run --proxy -- tests/helm/reference run -- cargo test …"));
    let facts: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    facts["helm"].as_str().unwrap().to_owned()
}

fn tool(bed: &Bed, command: &mut Command, args: &str) -> String {
    let output = command.args(args.split(' ')).current_dir(bed.path()).env("HOME", bed.path()).output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_guide_takes_over_what_others_made_and_gives_it_back() {
    let bed = Bed::enter("");
    let page = page();
    let terraform = Terraform::find(&bed);
    let follow = |part: &str| follow(&bed, terraform.as_ref(), part);
    follow(part(&page, "From Terraform"));
    let arn = |key: &str| bed.run(&format!("output edge.yaml certificates.{key}.arn")).ends_with(0).stdout.trim().to_owned();
    let arns = [arn("edge"), arn("partner")];
    let listed = bed.block_on(bed.acm.list_certificates().send()).unwrap();
    assert_eq!(listed.certificate_summary_list().len(), 2, "they are those that were there");
    let value = bed.block_on(bed.secrets.get_secret_value().secret_id("takeover/partner").send()).unwrap();
    let value: Value = serde_json::from_str(value.secret_string().unwrap()).unwrap();
    assert_eq!(value.as_object().unwrap().keys().collect::<Vec<_>>(), ["certificate", "chain", "private_key"], "as it was");

    follow(part(&page, "From kubectl"));
    // A line that is taken out of the file goes from the cluster, although kubectl wrote it.
    let file = bed.path().join("web.yaml");
    let without = std::fs::read_to_string(&file).unwrap().replace(", colour: blue", "").replace(", ports: [{ containerPort: 8080 }]", "");
    std::fs::write(&file, without).unwrap();
    bed.run("apply prod.yaml --auto-approve").ends_with(0);
    let live = bed.kube_get("/api/v1/namespaces/takeover-prod/configmaps/web");
    assert_eq!(live["data"], json!({"greeting": "hello"}), "{live}");
    let deployment = bed.kube_get("/apis/apps/v1/namespaces/takeover-prod/deployments/web");
    assert_eq!(deployment["spec"]["template"]["spec"]["containers"][0].get("ports"), None, "{deployment}");
    bed.run("plan prod.yaml --detailed-exitcode").ends_with(0);

    chart(&bed);
    follow(part(&page, "From Helm: a release"));
    let rendered = bed.run("chart template shop ./shop --namespace takeover-shop").ends_with(0).stdout;
    std::fs::write(bed.path().join("rendered.yaml"), rendered).unwrap();
    bed.run("apply shop.yaml --auto-approve").ends_with(0);
    let live = bed.kube_get("/api/v1/namespaces/takeover-shop/configmaps/shop");
    assert_eq!(live["data"], json!({"always": "there"}), "what the values no longer ask for is gone: {live}");
    let left = tool(&bed, &mut Command::new(helm()), "list --namespace takeover-shop --short");
    assert_eq!(left.trim(), "", "Helm knows no release any more");

    follow(part(&page, "From Helm: a chart"));
    let deployment = || bed.kube_get("/apis/apps/v1/namespaces/takeover-chart/deployments/shop");
    let before = deployment();
    assert_eq!(before["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
    assert_eq!(before["metadata"]["labels"]["meshform.dev/stack"], "chart");
    follow(part(&page, "Back to Helm"));
    let after = deployment();
    assert_eq!((&before["metadata"]["uid"], &before["spec"]), (&after["metadata"]["uid"], &after["spec"]));
    assert!(!after["metadata"].to_string().contains("meshform.dev/stack\""), "{}", after["metadata"]);
    let listed = tool(&bed, &mut Command::new(helm()), "list --namespace takeover-chart");
    assert!(listed.contains("shop") && listed.contains("deployed"), "{listed}");

    follow(part(&page, "Leaving"));
    let live = bed.kube_get("/api/v1/namespaces/takeover-prod/configmaps/web");
    let metadata = live["metadata"].to_string();
    assert!(!metadata.contains("meshform.dev/stack") && metadata.contains("by hand"), "{metadata}");
    for arn in &arns {
        let tags = bed.block_on(bed.acm.list_tags_for_certificate().certificate_arn(arn).send()).unwrap();
        let keys: Vec<&str> = tags.tags().iter().map(aws_sdk_acm::types::Tag::key).collect();
        assert_eq!(keys, ["ManagedBy"], "only theirs is left");
    }
    let secret = bed.block_on(bed.secrets.describe_secret().secret_id("takeover/partner").send()).unwrap();
    let keys: Vec<&str> = secret.tags().iter().filter_map(aws_sdk_secretsmanager::types::Tag::key).collect();
    assert_eq!(keys, ["ManagedBy"], "only theirs is left");
    if let Some(terraform) = &terraform {
        terraform.run(&bed, "plan -detailed-exitcode");
    }

    // Nothing of it was deleted; it is removed here, for the tests that come after.
    for namespace in ["takeover-prod", "takeover-shop", "takeover-chart"] {
        bed.kube_raw("DELETE", &format!("/api/v1/namespaces/{namespace}"), "application/json", &Value::Null).unwrap();
    }
    bed.block_on(bed.secrets.delete_secret().secret_id("takeover/partner").force_delete_without_recovery(true).send()).unwrap();
    for arn in &arns {
        bed.block_on(bed.acm.delete_certificate().certificate_arn(arn).send()).unwrap();
    }
}

/// A small chart of the test's own.
fn chart(bed: &Bed) {
    let folder = bed.path().join("shop");
    std::fs::create_dir_all(folder.join("templates")).unwrap();
    std::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 1.2.3\n").unwrap();
    std::fs::write(folder.join("values.yaml"), "greeting: \"\"\nreplicas: 0\n").unwrap();
    let labels = "{ app.kubernetes.io/managed-by: {{ .Release.Service }}, helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }} }";
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ .Release.Name }}}}\n  labels: {labels}\ndata:\n  always: there\n  {{{{- with .Values.greeting }}}}\n  greeting: {{{{ . }}}}\n  {{{{- end }}}}\n"
    );
    std::fs::write(folder.join("templates/map.yaml"), map).unwrap();
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{{{ .Release.Name }}}}\n  labels: {labels}\nspec:\n  replicas: {{{{ .Values.replicas }}}}\n  selector: {{ matchLabels: {{ app: shop }} }}\n  template:\n    metadata: {{ labels: {{ app: shop }} }}\n    spec: {{ containers: [{{ name: shop, image: \"example/shop:1\" }}] }}\n"
    );
    std::fs::write(folder.join("templates/deployment.yaml"), deployment).unwrap();
}

/// Helm and kubectl end each document with a line break, which a block at its end has as well.
#[test]
fn texts_at_the_end_of_documents_are_those_that_helm_and_kubectl_make() {
    const MAPS: &str = "{{- range $chomp := list \"|\" \"|-\" \"|+\" \">\" }}\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ printf \"of-%x\" $chomp }} }\ndata:\n  text: {{ $chomp }}\n    one\n    two\n\n---\n{{- end }}\n";
    const HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: hook, annotations: { helm.sh/hook: pre-install } }\ndata:\n  text: |\n    one\n";
    let bed = Bed::enter("");
    let folder = bed.path().join("texts");
    std::fs::create_dir_all(folder.join("templates")).unwrap();
    std::fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: texts\nversion: 1.0.0\n").unwrap();
    std::fs::write(folder.join("templates/maps.yaml"), MAPS).unwrap();
    std::fs::write(folder.join("templates/hook.yaml"), HOOK).unwrap();
    let stack = bed.path().join("texts.yaml");
    let cluster = json!({"kubeconfig": variable("KUBECONFIG")});
    let file = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: file }\ndata:\n  text: |\n    one";
    std::fs::write(bed.path().join("file.yaml"), file).unwrap();
    let ours = "namespaces: { texts-ours: {} }\ncharts: { texts: { chart: ./texts, namespace: texts-ours } }\n\
                manifests: { file: { files: [file.yaml], namespace: texts-ours } }\n";
    std::fs::write(&stack, format!("version: 1\nstack: texts\ncluster: {cluster}\n{ours}")).unwrap();
    bed.run("apply texts.yaml --auto-approve").ends_with(0);
    tool(&bed, &mut Command::new(helm()), "install texts ./texts --namespace texts-helm --create-namespace");
    tool(&bed, Command::new(variable("MESHFORM_BED_KUBECTL")).arg("kubectl"), "apply --namespace texts-helm -f file.yaml");
    let texts = |namespace: &str| -> BTreeMap<String, Value> {
        let listed = bed.kube_get(&format!("/api/v1/namespaces/{namespace}/configmaps"));
        let items = listed["items"].as_array().unwrap().iter();
        items
            .filter(|one| one["data"].get("text").is_some())
            .map(|one| (one["metadata"]["name"].to_string(), one["data"]["text"].clone()))
            .collect()
    };
    let of_others = texts("texts-helm");
    assert_eq!(of_others.len(), 6, "{of_others:?}");
    assert_eq!(texts("texts-ours"), of_others);
    bed.run("destroy texts.yaml --auto-approve").ends_with(0);
    tool(&bed, &mut Command::new(helm()), "uninstall texts --namespace texts-helm");
    bed.kube_raw("DELETE", "/api/v1/namespaces/texts-helm", "application/json", &Value::Null).unwrap();
}
