//! What it costs, in requests, from a cold process.

use std::fmt::Write as _;

use super::bed::{ACCOUNT, Bed, REGION};

const CERTIFICATES: usize = 50;

/// Certificates of one zone, each with a secret and a TLS Secret.
fn stack(certificates: usize) -> String {
    let mut text = format!(
        "version: 1\nstack: count\naws: {{ region: {REGION}, account: \"{ACCOUNT}\", verify_chain: false }}\ncluster: {{ context: bed }}\n\
         namespaces: {{ count: {{}} }}\ncertificates:\n"
    );
    for n in 0..certificates {
        let _ = writeln!(
            text,
            "  c{n}: {{ domain: c{n}.count.test, zone: count.test, export: true, \
             secrets_manager: {{ name: count/c{n}, recovery_window_days: 0 }}, tls_secrets: [{{ namespace: count, name: c{n} }}] }}"
        );
    }
    text
}

#[test]
fn fifty_certificates_cost_pages_to_plan_and_five_requests_each_to_apply() {
    let bed = Bed::enter(&stack(CERTIFICATES));
    bed.zone("count.test");

    let (_, apply) = bed.counted(|| bed.run("apply stack.yaml --auto-approve").ends_with(0));
    let (_, plan) = bed.counted(|| bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("No changes"));
    let (_, destroy) = bed.counted(|| bed.run("destroy stack.yaml --auto-approve").ends_with(0));
    crate::sandbox::lab::tell(&format!(
        "apply: {} to AWS, {} to Kubernetes\n{:#?}\n{:#?}",
        apply.aws.len(),
        apply.kube.len(),
        apply.aws_operations(),
        apply.kube_verbs()
    ));
    crate::sandbox::lab::tell(&format!(
        "plan: {} to AWS, {} to Kubernetes\n{:#?}\n{:#?}",
        plan.aws.len(),
        plan.kube.len(),
        plan.aws_operations(),
        plan.kube_verbs()
    ));
    crate::sandbox::lab::tell(&format!(
        "destroy: {} to AWS, {} to Kubernetes\n{:#?}",
        destroy.aws.len(),
        destroy.kube.len(),
        destroy.aws_operations()
    ));

    let lists: Vec<_> = plan.kube_verbs().into_iter().filter(|(verb, _)| verb.starts_with("list ")).collect();
    assert_eq!(lists, [("list namespaces".to_owned(), 1), ("list secrets".to_owned(), 1)], "one paged list per kind");
    // Beside them only the cluster's identity is read.
    assert_eq!(plan.kube_verbs().get("get namespaces"), Some(&1));
    assert!(plan.kube.len() <= 3, "{:#?}", plan.kube_verbs());
    assert!(plan.aws.len() <= 10, "a plan without changes took {} AWS requests: {:#?}", plan.aws.len(), plan.aws_operations());
    assert!(apply.aws.len() <= 5 * CERTIFICATES, "an apply took {} AWS requests: {:#?}", apply.aws.len(), apply.aws_operations());
}
