//! stacks/production.yaml, from official charts, with real istiod, AWS Load Balancer Controller, External Secrets and external-dns beside it:
//! `tests/bed/bed run --addons --proxy -- tests/helm/reference run -- cargo test --features bed --test suite -- bed_suite::production::`.
//! Without `--addons` it says that it was skipped.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::addons::{
    controller, copy_stacks, definitions_of_external_secrets, from_folder, has_addons, meanwhile, ours, overlay, until_there,
};
use super::bed::{Bed, variable};
use super::delivered::Held;
use super::mesh::{clean, istiod, until};
use super::worlds;

const ZONE: &str = "production.test";
const INGRESS: &str = "/apis/networking.k8s.io/v1/namespaces/istio-ingress/ingresses/public";

/// The records of the zone: name and type to what they say.
fn records(bed: &Bed, zone: &str) -> BTreeMap<String, String> {
    let listed = bed.block_on(bed.route53.list_resource_record_sets().hosted_zone_id(zone).send()).unwrap();
    let sets = listed.resource_record_sets().iter();
    sets.map(|set| {
        // As people write it, whichever way the server shows it.
        let name = set.name().trim_end_matches('.').replace("\\052", "*");
        (format!("{name} {}", set.r#type().as_str()), format!("{:?} {:?}", set.alias_target(), set.resource_records()))
    })
    .collect()
}

/// What the emulator says of its load balancers.
fn load_balancers() -> String {
    let url = variable("MESHFORM_BED_MOTO");
    let host = url.trim_start_matches("http://");
    let body = "Action=DescribeLoadBalancers&Version=2015-12-01";
    // It tells services apart by the scope of a signature, and checks none.
    let scope = "Credential=AKIABED0000000000000/20260101/eu-west-1/elasticloadbalancing/aws4_request, SignedHeaders=host, Signature=0";
    let mut stream = TcpStream::connect(host).unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded";
    write!(
        stream,
        "POST / HTTP/1.0\r\nHost: {host}\r\n{form}\r\nAuthorization: AWS4-HMAC-SHA256 {scope}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("<DescribeLoadBalancersResult>"), "{answer}");
    answer
}

#[test]
fn the_production_example_lives_beside_the_controllers_of_its_add_ons() {
    if !has_addons() {
        return;
    }
    let charts: Vec<String> = ["aws-load-balancer-controller", "external-dns", "external-secrets"].map(from_folder).into();
    let more = format!(
        "vars: {{ domain: shop.{ZONE}, zone: {ZONE} }}\nistio: {{ source: {} }}\ncharts: {{ {} }}\n\
         certificates: {{ edge: {{ secrets_manager: {{ recovery_window_days: 0 }} }} }}\n{}",
        variable("MESHFORM_BED_CHARTS"),
        charts.join(", "),
        definitions_of_external_secrets(),
    );
    let bed = Bed::enter(&overlay("production", &more));
    copy_stacks(bed.path());
    let zone = bed.zone(ZONE);
    let (kubernetes, aws) = (worlds::kubernetes(&bed), worlds::aws(&bed));

    // Each controller stands for the pods of its Deployment: it starts when what its chart installs is there.
    let start = || {
        until_there(&bed, "/apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller");
        controller("start load-balancer-controller");
        until_there(&bed, "/api/v1/namespaces/external-secrets/secrets/external-secrets-webhook");
        controller("start external-secrets");
        until_there(&bed, "/apis/apps/v1/namespaces/istio-system/deployments/istiod");
        istiod("start");
    };
    meanwhile(&bed, "apply stack.yaml --auto-approve", start).ends_with(0);
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes");

    // From the zone to the load balancer.
    let outputs = bed.run("output stack.yaml --json").ends_with(0).json();
    let output = |name: &str| outputs[name].as_str().unwrap_or_else(|| panic!("{outputs}")).to_owned();
    let (arn, hostname) = (output("certificates.edge.arn"), output("load_balancers.public.hostname"));
    let ingress = bed.kube_get(INGRESS);
    assert_eq!(ingress["status"]["loadBalancer"]["ingress"][0]["hostname"], hostname.as_str());
    assert!(hostname.ends_with(".eu-west-1.elb.amazonaws.com"), "{hostname}");
    assert_eq!(ingress["metadata"]["annotations"]["alb.ingress.kubernetes.io/certificate-arn"], arn.as_str());
    assert_eq!(ingress["metadata"]["finalizers"], json!(["ingress.k8s.aws/resources"]), "the controller's own");
    let own = records(&bed, &zone);
    for name in [format!("shop.{ZONE}"), format!("*.shop.{ZONE}")] {
        let alias = own.get(&format!("{name} A")).unwrap_or_else(|| panic!("{own:#?}"));
        assert!(alias.to_lowercase().contains(&hostname), "{alias}");
    }
    assert_eq!(own.keys().filter(|key| key.ends_with(" TXT")).count(), 2, "who owns them: {own:#?}");
    assert!(load_balancers().to_lowercase().contains(&hostname), "{}", load_balancers());
    // ELB has what the Ingress asks for: the listener's certificate, and nodes by their ports.
    let listeners = Bed::moto_data()["elbv2"]["FakeListener"].clone();
    let secure = listeners.as_array().unwrap().iter().find(|one| one["port"].to_string().contains("443")).unwrap_or(&Value::Null);
    assert!(secure.to_string().contains(&arn), "{listeners}");

    // The certificate is in all places, in the last one by External Secrets.
    let held = Held::in_acm(&bed, &arn);
    assert_eq!(held, Held::in_secret(&bed, "istio/shop-prod/edge"));
    assert_eq!(held, Held::in_kubernetes(&bed, "istio-ingress", "edge-tls"));
    assert_eq!(held, Held::in_kubernetes(&bed, "partner", "edge-tls"));

    // external-dns runs beside it, with the settings of its example, and makes records of its own.
    controller(&format!(
        "start external-dns -- --source=service --source=ingress --domain-filter={ZONE} --txt-owner-id=shop-prod --policy=sync --interval=1s --min-event-sync-interval=1s"
    ));
    bed.kube_send("POST", "/api/v1/namespaces/prod/services", &json!({
        "metadata": {"name": "theirs", "annotations": {
            "external-dns.alpha.kubernetes.io/hostname": format!("theirs.{ZONE}"), "external-dns.alpha.kubernetes.io/target": "192.0.2.1"}},
        "spec": {"type": "LoadBalancer", "loadBalancerClass": "example.com/none", "ports": [{"port": 80}]},
    }));
    let theirs = until("external-dns makes its records", || {
        let all = records(&bed, &zone);
        let theirs: BTreeMap<_, _> = all.iter().filter(|(key, _)| key.contains("theirs.")).map(|(k, v)| (k.clone(), v.clone())).collect();
        (theirs.len() >= 2).then_some(theirs)
    });
    let rounds =
        || std::fs::read_to_string(format!("{}/external-dns.log", variable("MESHFORM_BED_DIR"))).unwrap().matches("up to date").count();
    let first = rounds();
    until("five of its rounds", || (rounds() >= first + 5).then_some(()));
    let both: BTreeMap<_, _> = own.iter().chain(&theirs).map(|(key, value)| (key.clone(), value.clone())).collect();
    assert_eq!(records(&bed, &zone), both, "each leaves the other's alone");
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes");

    // A changed value touches what it must, and no record of others.
    let stack = std::fs::read_to_string(bed.path().join("stack.yaml")).unwrap();
    std::fs::write(bed.path().join("stack.yaml"), format!("{stack}load_balancers: {{ public: {{ hosts: [shop.{ZONE}] }} }}\n")).unwrap();
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let now = records(&bed, &zone);
    assert!(theirs.iter().all(|(key, value)| now.get(key) == Some(value)), "{now:#?}");
    assert!(!now.contains_key(&format!("*.shop.{ZONE} A")), "{now:#?}");

    // And all goes: first what the controllers hold, then they.
    let service = "/api/v1/namespaces/prod/services/theirs";
    bed.run("rotate stack.yaml --reissue").ends_with(0).says("holds it now");
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    let now = records(&bed, &zone);
    assert!(theirs.iter().all(|(key, value)| now.get(key) == Some(value)), "a destroy leaves what external-dns made: {now:#?}");
    assert!(!now.keys().any(|key| key.contains(&format!("shop.{ZONE}"))), "{now:#?}");
    bed.kube_send("DELETE", service, &Value::Null);
    until("external-dns takes its records away", || (!records(&bed, &zone).keys().any(|key| key.contains("theirs."))).then_some(()));
    for name in ["external-dns", "external-secrets", "load-balancer-controller"] {
        controller(&format!("stop {name}"));
    }
    istiod("stop");
    assert_eq!(ours(&worlds::kubernetes(&bed)), Vec::<&String>::new());
    // The emulator's dump keeps what was deleted; its APIs don't show it.
    assert!(!load_balancers().contains("<LoadBalancerArn>"), "{}", load_balancers());
    let secrets = bed.block_on(bed.secrets.list_secrets().send()).unwrap();
    assert!(secrets.secret_list().iter().all(|one| one.name() != Some("istio/shop-prod/edge")), "{secrets:?}");
    let is_kept = |one: &String| ["ec2", "elbv2", "secretsmanager"].iter().any(|service| one.contains(&format!(": {service} ")));
    let left: Vec<String> = worlds::differences(&aws, &worlds::aws(&bed)).into_iter().filter(|one| !is_kept(one)).collect();
    assert!(left.is_empty(), "\n{}", left.join("\n"));
    // The namespace of external-dns's Service stays with it, and istiod's with what istiod made.
    for namespace in ["prod", "istio-system"] {
        bed.kube_raw("DELETE", &format!("/api/v1/namespaces/{namespace}"), "application/json", &Value::Null).ok();
    }
    // The definition stays that an object of the controller's own was there of, when the destroy was planned.
    bed.kube_send("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/targetgroupbindings.elbv2.k8s.aws", &Value::Null);
    clean(&bed);
    bed.until_nothing_ends();
    let after = worlds::kubernetes(&bed);
    let is_istiods = |key: &str| key.starts_with("/api/v1/configmaps ") && key.contains("/istio-ca-");
    let left: Vec<&String> = after.keys().filter(|key| !kubernetes.contains_key(*key) && !is_istiods(key)).collect();
    let left: Vec<&String> = left.into_iter().filter(|key| !key.contains("apiservices")).collect();
    assert!(left.is_empty(), "{left:?}");
}
