//! The way of a stack from the first apply to the destroy.

use std::collections::BTreeSet;

use super::bed::{ACCOUNT, Bed, REGION};
use super::delivered::Held;
use super::worlds;

const STACK: &str = r#"version: 1
stack: flow
aws: { region: REGION, account: "ACCOUNT", tags: { team: edge }, verify_chain: false } # the emulator's chain doesn't sign its leaf
cluster: { context: bed }
namespaces:
  istio-ingress: {}
  prod: { injection: enabled, labels: { tier: front }, annotations: { note: hello } }
certificates:
  edge:
    domain: shop.flow.test
    names: ["*.shop.flow.test"]
    zone: flow.test
    export: true
    tags: { owner: shop }
    secrets_manager: { name: istio/flow/edge, description: the edge, tags: { kind: tls } }
    tls_secrets:
      - { namespace: istio-ingress, name: edge-cert }
      - { namespace: prod, name: edge-cert, labels: { color: blue }, annotations: { mark: one } }
  api:
    domain: api.flow.test
    names: [api.flow2.test]
    zone: [flow.test, flow2.test]
    export: true
    secrets_manager: istio/flow/api
    tls_secrets: [{ namespace: prod, name: api-cert }]
"#;

/// What ACM and all places hold of both certificates; every place holds what ACM does.
fn held(bed: &Bed) -> [Held; 2] {
    let outputs = bed.run("output stack.yaml --json").ends_with(0).json();
    let arn = |key: &str| outputs[format!("certificates.{key}.arn")].as_str().unwrap_or_else(|| panic!("{outputs}")).to_owned();
    let (edge, api) = (Held::in_acm(bed, &arn("edge")), Held::in_acm(bed, &arn("api")));
    assert_eq!(edge, Held::in_secret(bed, "istio/flow/edge"));
    assert_eq!(edge, Held::in_kubernetes(bed, "istio-ingress", "edge-cert"));
    assert_eq!(edge, Held::in_kubernetes(bed, "prod", "edge-cert"));
    assert_eq!(api, Held::in_secret(bed, "istio/flow/api"));
    assert_eq!(api, Held::in_kubernetes(bed, "prod", "api-cert"));
    [edge, api]
}

#[test]
fn apply_rotate_and_destroy_leave_the_worlds_as_they_were() {
    let bed = Bed::enter(&STACK.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT));
    bed.zone("flow.test");
    bed.zone("flow2.test");
    let (kubernetes, aws, tombstones) = (worlds::kubernetes(&bed), worlds::aws(&bed), worlds::tombstones());

    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes");
    let first = held(&bed);

    bed.run("rotate stack.yaml --reissue").ends_with(0).says("holds it now");
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes");
    let second = held(&bed);
    for (before, after) in first.iter().zip(&second) {
        assert_ne!(before, after, "a reissue that issues nothing");
    }
    bed.run("rotate stack.yaml --detailed-exitcode").ends_with(0);

    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    let mut left = worlds::differences(&kubernetes, &worlds::kubernetes(&bed));
    left.extend(worlds::differences(&aws, &worlds::aws(&bed)));
    assert!(left.is_empty(), "\n{}", left.join("\n"));
    let new: BTreeSet<String> = worlds::tombstones().difference(&tombstones).cloned().collect();
    assert_eq!(new, BTreeSet::from(["istio/flow/api".to_owned(), "istio/flow/edge".to_owned()]));
}
