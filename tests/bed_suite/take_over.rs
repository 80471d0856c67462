//! docs/take-over.md, done as it says: things that others made, taken over and given back. kubectl and Helm are the real ones; Terraform is
//! not run, and what it would have made is made by requests.

use std::collections::BTreeMap;
use std::process::Command;

use aws_sdk_acm::types::{CertificateExport, CertificateOptions, ValidationMethod};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use serde_json::{Value, json};

use super::bed::{Bed, variable};

/// The page, for the bed's servers.
fn page() -> String {
    include_str!("../../docs/take-over.md")
        .replace("context: edge", "context: bed")
        .replace("aws: { region: eu-west-1 }", "aws: { region: eu-west-1, verify_chain: false }")
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
fn follow(bed: &Bed, part: &str) {
    for (kind, lines) in blocks(part) {
        match (kind.as_str(), lines.first().and_then(|line| line.strip_prefix("# "))) {
            ("yaml", Some(name)) => std::fs::write(bed.path().join(name), lines.join("\n")).unwrap(),
            ("console", _) => {
                for line in lines.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    run(bed, line);
                }
            }
            _ => panic!("a block of kind {kind} that nobody checks: {lines:?}"),
        }
    }
}

fn run(bed: &Bed, line: &str) {
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
        "terraform" => println!("  (its things were made by requests)"),
        other => panic!("nobody knows how to run {other}"),
    }
}

/// The real Helm that the charts are held against.
fn helm() -> String {
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

/// What Terraform's resources of a validated certificate with its secret make: `aws_acm_certificate`, `aws_route53_record`,
/// `aws_secretsmanager_secret` and its version.
fn as_terraform_would(bed: &Bed) -> String {
    let zone = bed.zone("takeover.test");
    let tag = aws_sdk_acm::types::Tag::builder().key("ManagedBy").value("terraform").build().unwrap();
    let options = CertificateOptions::builder().export(CertificateExport::Enabled).build();
    let request = bed.acm.request_certificate().domain_name("shop.takeover.test").subject_alternative_names("*.shop.takeover.test");
    let arn =
        bed.block_on(request.validation_method(ValidationMethod::Dns).options(options).tags(tag).send()).unwrap().certificate_arn.unwrap();
    let described = (0..60)
        .find_map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(500));
            let described = bed.block_on(bed.acm.describe_certificate().certificate_arn(&arn).send()).unwrap().certificate.unwrap();
            (described.status().map(aws_sdk_acm::types::CertificateStatus::as_str) == Some("ISSUED")).then_some(described)
        })
        .expect("the emulator issues after a second");
    let record = described.domain_validation_options()[0].resource_record().unwrap();
    let set = ResourceRecordSet::builder().name(record.name()).r#type(RrType::Cname).ttl(60);
    let set = set.resource_records(ResourceRecord::builder().value(record.value()).build().unwrap()).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    bed.block_on(bed.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send()).unwrap();
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key("ManagedBy").value("terraform").build();
    bed.block_on(bed.secrets.create_secret().name("takeover/edge").secret_string("{\"certificate\":\"old\"}").tags(tag).send()).unwrap();
    arn
}

#[test]
fn the_guide_takes_over_what_others_made_and_gives_it_back() {
    let bed = Bed::enter("");
    let page = page();
    let arn = as_terraform_would(&bed);
    follow(&bed, part(&page, "From Terraform"));
    assert_eq!(bed.run("output edge.yaml certificates.edge.arn").ends_with(0).stdout.trim(), arn, "it is the one that was there");

    follow(&bed, part(&page, "From kubectl"));
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
    follow(&bed, part(&page, "From Helm"));
    let rendered = bed.run("chart template shop ./shop --namespace takeover-shop").ends_with(0).stdout;
    std::fs::write(bed.path().join("rendered.yaml"), rendered).unwrap();
    bed.run("apply shop.yaml --auto-approve").ends_with(0);
    let live = bed.kube_get("/api/v1/namespaces/takeover-shop/configmaps/shop");
    assert_eq!(live["data"], json!({"always": "there"}), "what the values no longer ask for is gone: {live}");
    let left = tool(&bed, &mut Command::new(helm()), "list --namespace takeover-shop --short");
    assert_eq!(left.trim(), "", "Helm knows no release any more");

    follow(&bed, part(&page, "Leaving"));
    let live = bed.kube_get("/api/v1/namespaces/takeover-prod/configmaps/web");
    let metadata = live["metadata"].to_string();
    assert!(!metadata.contains("meshform.dev/stack") && metadata.contains("by hand"), "{metadata}");
    let tags = bed.block_on(bed.acm.list_tags_for_certificate().certificate_arn(&arn).send()).unwrap();
    let keys: Vec<&str> = tags.tags().iter().map(aws_sdk_acm::types::Tag::key).collect();
    assert_eq!(keys, ["ManagedBy"], "only theirs is left");

    // Nothing of it was deleted; it is removed here, for the tests that come after.
    for namespace in ["takeover-prod", "takeover-shop"] {
        bed.kube_raw("DELETE", &format!("/api/v1/namespaces/{namespace}"), "application/json", &Value::Null).unwrap();
    }
    bed.block_on(bed.secrets.delete_secret().secret_id("takeover/edge").force_delete_without_recovery(true).send()).unwrap();
    bed.block_on(bed.acm.delete_certificate().certificate_arn(&arn).send()).unwrap();
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
