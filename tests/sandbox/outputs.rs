//! Outputs of other resources in the values of charts: known after the apply of what they are outputs of, and put in where they stand.

use serde_json::Value;

use super::lab::{Lab, block_on};

const STACK: &str = r#"version: 1
stack: lab
cluster: { eks: demo }
aws: { region: eu-west-1, account: "000000000000" }
namespaces: { shop: {} }
certificates:
  edge: { domain: shop.example.com, zone: example.com, export: true }
charts:
  shop:
    chart: ./chart
    namespace: shop
    values:
      arn: ${certificates.edge.arn}
      text: "of ${certificates.edge.arn}, for ${certificates.edge.domain} $${literal}"
      args: [--first, "--cert=${certificates.edge.arn}"]
      until: ${certificates.edge.not_after}
"#;

const FILES: &[(&str, &str)] = &[
    ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
    ("values.yaml", "arn: \"\"\ntext: \"\"\nargs: []\nuntil: \"\"\n"),
    (
        "values.schema.json",
        r#"{"properties": {"arn": {"type": "string", "pattern": "^(arn:aws:acm:eu-west-1:[0-9]{12}:certificate/[0-9a-f-]{36})?$"}}}"#,
    ),
    (
        "templates/all.yaml",
        r"apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: { service.beta.kubernetes.io/aws-load-balancer-ssl-cert: {{ .Values.arn | quote }}, text: {{ .Values.text | quote }} }
spec: { selector: { app: web }, ports: [{ port: 443 }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: config }
data:
  config.yaml: |
    arn: {{ .Values.arn }}
    twice: {{ .Values.arn }}
  until: {{ .Values.until | quote }}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: example/web:1, args: {{ .Values.args | toJson }} }] }
",
    ),
];

fn lab(more: &str) -> Lab {
    let lab = Lab::new(STACK);
    std::fs::create_dir_all(lab.path().join("chart/templates")).unwrap();
    for (name, text) in FILES {
        lab.write(&format!("chart/{name}"), text);
    }
    if !more.is_empty() {
        lab.write("chart/templates/more.yaml", more);
    }
    lab
}

fn object(lab: &Lab, kind: &str, name: &str) -> Value {
    let raw = lab.raw();
    let found = if kind == "Deployment" {
        let of = kube::core::ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk("apps", "v1", kind));
        let all: kube::api::Api<kube::api::DynamicObject> = kube::api::Api::namespaced_with(raw.kube.clone(), "shop", &of);
        block_on(all.get(name)).unwrap()
    } else {
        block_on(raw.objects(kind, Some("shop")).get(name)).unwrap()
    };
    serde_json::to_value(found).unwrap()
}

#[test]
fn a_chart_takes_outputs_of_what_the_same_apply_makes() {
    let lab = lab("");
    let plan = lab.run("plan stack.yaml --diff full").ends_with(0);
    assert!(plan.stdout.contains("(known once acm_certificate.edge is issued)"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("certificate/") && !plan.stdout.contains('\0'), "a stand-in shows: {}", plan.stdout);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let outputs = lab.run("output stack.yaml --json").ends_with(0).json();
    let text = |key: &str| outputs[format!("certificates.edge.{key}")].as_str().unwrap().to_owned();
    let (arn, until) = (text("arn"), text("not_after"));
    let service = object(&lab, "Service", "web");
    let annotation = |key: &str| service["metadata"]["annotations"][key].as_str().unwrap().to_owned();
    assert_eq!(annotation("service.beta.kubernetes.io/aws-load-balancer-ssl-cert"), arn);
    assert_eq!(annotation("text"), format!("of {arn}, for shop.example.com ${{literal}}"));
    let config = object(&lab, "ConfigMap", "config");
    assert_eq!(config["data"]["config.yaml"], format!("arn: {arn}\ntwice: {arn}\n"));
    assert_eq!(config["data"]["until"], until);
    let args = object(&lab, "Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["args"].clone();
    assert_eq!(args, serde_json::json!(["--first", format!("--cert={arn}")]));
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    let rendered = lab.run("render stack.yaml").ends_with(0);
    assert!(rendered.stdout.contains(&format!("--cert={arn}")), "{}", rendered.stdout);
    lab.lose_state();
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    lab.run("apply stack.yaml --auto-approve").ends_with(0);

    // Another certificate: what holds its ARN follows in the same apply.
    let plan = lab.run("plan stack.yaml --replace acm_certificate.edge").ends_with(0);
    assert!(plan.stdout.contains("service/shop/web") && plan.stdout.contains("deployment.apps/shop/web"), "{}", plan.stdout);
    lab.run("apply stack.yaml --auto-approve --replace acm_certificate.edge").ends_with(0);
    let now = lab.run("output stack.yaml --json").ends_with(0).json()["certificates.edge.arn"].as_str().unwrap().to_owned();
    assert_ne!(now, arn);
    assert_eq!(object(&lab, "ConfigMap", "config")["data"]["config.yaml"], format!("arn: {now}\ntwice: {now}\n"));
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
}

#[test]
fn what_a_template_makes_of_an_output_needs_it_to_be_known() {
    let more = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sum, annotations: { checksum: {{ .Values.arn | sha256sum }} } }\n\
                ---\napiVersion: v1\nkind: Secret\nmetadata: { name: held }\nstringData: { word: {{ .Values.arn | quote }} }\n";
    let lab = lab(more);
    lab.run("validate stack.yaml").ends_with(0);
    let refused = lab.run("plan stack.yaml").ends_with(1);
    assert!(refused.stderr.contains("error[chart/output]") && refused.stderr.contains("which isn't known yet"), "{}", refused.stderr);
    assert!(refused.stderr.contains("metadata.annotations.checksum") && refused.stderr.contains("data.word"), "{}", refused.stderr);
    // Known, the first of them goes through; a Secret takes none.
    lab.write("chart/templates/more.yaml", more.split("---").next().unwrap());
    std::fs::write(lab.path().join("stack.yaml"), STACK.split("charts:").next().unwrap()).unwrap();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab.write("stack.yaml", STACK);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    let arn = lab.run("output stack.yaml --json").ends_with(0).json()["certificates.edge.arn"].as_str().unwrap().to_owned();
    let sum = object(&lab, "ConfigMap", "sum")["metadata"]["annotations"]["checksum"].as_str().unwrap().to_owned();
    assert_eq!(sum, meshform::secret::sha256_hex(arn.as_bytes()));
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    // An object that is named after an output is none that could be planned.
    lab.write(
        "chart/templates/more.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Values.arn | sha256sum | trunc 8 | printf \"c%s\" }} }\n",
    );
    let refused = lab.run("plan stack.yaml").ends_with(1);
    assert!(refused.stderr.contains("makes other objects when `${certificates.edge.arn}`"), "{}", refused.stderr);
}

#[test]
fn a_plan_that_asks_nobody_rests_on_the_state() {
    let lab = lab("");
    let first = lab.run("plan stack.yaml --offline --detailed-exitcode").ends_with(2);
    assert!(first.stdout.contains("deployment.apps/shop/web  create") && first.stdout.contains("nobody was asked"), "{}", first.stdout);
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    // The sandbox counts what it is asked.
    let asked = |ran: &super::lab::Ran| ran.stderr.contains("the sandbox answered requests=0");
    let plan = lab.run("-v plan stack.yaml --offline --detailed-exitcode").ends_with(0);
    assert!(plan.stdout.contains("No changes"), "{}", plan.stdout);
    assert!(asked(&plan) || !plan.stderr.contains("the sandbox answered"), "{}", plan.stderr);
    let changed =
        STACK.replace("--first", "--other").replace("namespaces: { shop: {} }", "namespaces: { shop: { labels: { a: b } }, more: {} }");
    lab.write("stack.yaml", &changed);
    let plan = lab.run("plan stack.yaml --offline --json --detailed-exitcode").ends_with(2).json();
    let steps: Vec<String> = plan["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["counts"] == true)
        .map(|step| format!("{} {}", step["address"].as_str().unwrap(), step["action"].as_str().unwrap()))
        .collect();
    assert_eq!(steps, ["namespace/more create", "namespace/shop update", "deployment.apps/shop/web update"]);
    // What others did since doesn't show, and what leaves the stack does.
    let raw = lab.raw();
    let configs = raw.objects("ConfigMap", Some("shop"));
    block_on(configs.delete("config", &kube::api::DeleteParams::default())).unwrap();
    drop((configs, raw));
    lab.write("stack.yaml", STACK);
    lab.run("plan stack.yaml --offline --detailed-exitcode").ends_with(0);
    lab.write("stack.yaml", STACK.split("charts:").next().unwrap());
    let plan = lab.run("plan stack.yaml --offline").ends_with(0);
    assert!(plan.stdout.contains("3 to delete"), "{}", plan.stdout);
    let gone = lab.run("plan stack.yaml --offline --destroy").ends_with(0);
    assert!(gone.stdout.contains("acm_certificate.edge  delete"), "{}", gone.stdout);
    assert!(lab.run("plan stack.yaml --offline --out plan.json").code == Some(64));
    assert!(lab.run("plan stack.yaml --kube-version 1.36").code == Some(64));
}
