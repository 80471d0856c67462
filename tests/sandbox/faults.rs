//! Disturbed requests: what is transient passes, what is not is told, and the same command goes on.

use super::lab::{Lab, STACK};

#[test]
fn transient_faults_pass_unseen() {
    for fault in [
        "* throttle nth=9",
        "* server-error nth=12",
        "acm:RequestCertificate lost-reply nth=1",
        "route53:ChangeResourceRecordSets lost-reply nth=1",
        "secretsmanager:CreateSecret lost-reply nth=1",
        "kube:patch/* lost-reply nth=2",
        "acm:* latency=2s times=5",
    ] {
        let lab = Lab::new(STACK);
        lab.run(&format!("sandbox fault {fault}")).ends_with(0);
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        lab.run("sandbox fault --clear").ends_with(0);
        assert!(lab.planned().is_empty(), "{fault}");
        let reference = Lab::applied(STACK);
        assert_eq!(lab.raw().dump(), reference.raw().dump(), "{fault}");
    }
}

#[test]
fn a_denied_request_names_the_permission_and_the_rest_is_kept() {
    for (fault, permission) in [
        ("acm:ExportCertificate access-denied", "acm:ExportCertificate"),
        ("secretsmanager:CreateSecret access-denied", "secretsmanager:CreateSecret"),
        ("route53:ChangeResourceRecordSets access-denied", "route53:ChangeResourceRecordSets"),
        ("kube:patch/secrets access-denied", "patch secrets in namespace prod"),
    ] {
        let lab = Lab::new(STACK);
        lab.run(&format!("sandbox fault {fault}")).ends_with(0);
        let ran = lab.run("apply stack.yaml --auto-approve").ends_with(3);
        assert!(ran.stderr.contains(&format!("missing permission `{permission}`")), "{fault}: {}", ran.stderr);
        lab.run("sandbox fault --clear").ends_with(0);
        lab.run("apply stack.yaml --auto-approve").ends_with(0);
        assert!(lab.planned().is_empty(), "{fault}");
    }
}

#[test]
fn a_plan_that_may_not_look_says_what_is_missing() {
    let lab = Lab::new(STACK);
    lab.run("sandbox fault acm:ListCertificates access-denied").ends_with(0);
    let ran = lab.run("plan stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("missing permission `acm:ListCertificates`"), "{}", ran.stderr);
}

#[test]
fn an_expired_token_is_told_with_what_to_do() {
    let lab = Lab::new(STACK);
    lab.run("sandbox fault sts:* expired-token").ends_with(0);
    let ran = lab.run("plan stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("credentials are missing, wrong or expired"), "{}", ran.stderr);
    assert!(ran.stderr.contains("sign in again"), "{}", ran.stderr);
}

#[test]
fn an_unreachable_cluster_is_told() {
    let lab = Lab::new(STACK);
    lab.run("sandbox fault kube:* cut").ends_with(0);
    let ran = lab.run("plan stack.yaml").ends_with(1);
    assert!(ran.stderr.contains("got no answer"), "{}", ran.stderr);
    assert!(ran.stderr.contains("EKS cluster demo"), "{}", ran.stderr);
}

#[test]
fn a_quota_is_not_retried_and_is_told() {
    let lab = Lab::new(STACK);
    let raw = lab.raw();
    let mut settings = raw.sandbox.settings().unwrap();
    settings.names_per_certificate = 1;
    raw.sandbox.set_settings(&settings).unwrap();
    let ran = lab.run("apply stack.yaml --auto-approve").ends_with(3);
    assert!(ran.stderr.contains("failed at a quota"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Service Quotas"), "{}", ran.stderr);
}
