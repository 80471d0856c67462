//! Faults of requests and moments of a crash.

use std::time::Duration;

use kube::api::{ListParams, PostParams};
use serde_json::json;

use super::{Bed, refusal, secret};

fn with(rule: &str) -> Bed {
    let bed = Bed::new();
    bed.sandbox.add_fault(&rule.parse().unwrap()).unwrap();
    bed
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_an_error_after_the_write() {
    let bed = with("kube:create/secrets lost-reply nth=1");
    let secrets = bed.secrets("default");
    let lost = secrets.create(&PostParams::default(), &secret("a", &json!({}))).await;
    assert!(!matches!(lost, Ok(_) | Err(kube::Error::Api(_))), "{lost:?}");
    assert!(secrets.get("a").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_is_an_error_before_the_write() {
    let bed = with("kube:create/* cut nth=1");
    let secrets = bed.secrets("default");
    assert!(secrets.create(&PostParams::default(), &secret("a", &json!({}))).await.is_err());
    assert!(secrets.get_opt("a").await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn faults_are_answered_in_the_words_of_the_server() {
    for (effect, code, reason) in [
        ("throttle", 429, "TooManyRequests"),
        ("server-error=503", 503, "ServiceUnavailable"),
        ("server-error=500", 500, "InternalError"),
        ("access-denied", 403, "Forbidden"),
        ("expired-token", 401, "Unauthorized"),
    ] {
        let bed = with(&format!("kube:list/secrets {effect}"));
        let (found, why, message) = refusal(bed.secrets("default").list(&ListParams::default()).await);
        assert_eq!((found, why.as_str()), (code, reason));
        if code == 403 {
            let denied =
                "secrets is forbidden: User \"sandbox\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"";
            assert_eq!(message, denied);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn latency_passes_on_the_clock_of_the_run() {
    let bed = with("kube:get/namespaces latency=30s");
    let begun = tokio::time::Instant::now();
    bed.namespaces().get("default").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_with_those_of_aws() {
    let bed = Bed::new();
    bed.namespaces().list(&ListParams::default()).await.unwrap();
    bed.namespaces().get("default").await.unwrap();
    let requests = bed.sandbox.requests();
    assert_eq!(requests.total, 2);
    assert_eq!(requests.by_operation["kube:list/namespaces"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_leaves_nothing_behind() {
    let bed = Bed::new();
    let before = bed.namespaces().list(&ListParams::default()).await.unwrap().metadata.resource_version;
    let taken = bed.secrets("nowhere").create(&PostParams::default(), &secret("a", &json!({}))).await;
    assert_eq!(refusal(taken).0, 404);
    let after = bed.namespaces().list(&ListParams::default()).await.unwrap().metadata.resource_version;
    assert_eq!(before, after);
}
