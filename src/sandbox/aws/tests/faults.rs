use std::time::Duration;

use aws_sdk_acm::types::ValidationMethod;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::request_id::RequestId;

use super::bed::{Bed, bed, code, config};
use crate::sandbox::{Effect, Fault, FaultError};

fn add(bed: &Bed, rule: &str) {
    bed.sandbox.add_fault(&rule.parse().unwrap()).unwrap();
}

#[test]
fn rules_are_read_and_written_in_one_form() {
    let rules = [
        "acm:RequestCertificate throttle times=3",
        "* lost-reply nth=7",
        "secretsmanager:* latency=2s",
        "kube:patch/* server-error=500 nth=2 times=2",
        "route53:List* access-denied",
        "sts:* expired-token",
        "*:Get* cut",
        "acm:* latency=150ms",
    ];
    for rule in rules {
        assert_eq!(rule.parse::<Fault>().unwrap().to_string(), rule);
    }
    assert_eq!("* latency=1m".parse::<Fault>().unwrap().effect, Effect::Latency(Duration::from_mins(1)));
    assert_eq!("acm throttle".parse::<Fault>().unwrap().to_string(), "acm:* throttle");
    let wrong = |text: &str| text.parse::<Fault>().unwrap_err();
    assert_eq!(wrong("acm:X"), FaultError::Incomplete("acm:X".to_owned()));
    assert_eq!(wrong("acm:X explode"), FaultError::Effect("explode".to_owned()));
    assert_eq!(wrong("acm:X server-error=404"), FaultError::Status("404".to_owned()));
    assert_eq!(wrong("acm:X latency=soon"), FaultError::Duration("soon".to_owned()));
    assert_eq!(wrong("acm:X cut nth=0"), FaultError::Option("nth=0".to_owned()));
    assert_eq!(wrong("acm:X cut sometimes"), FaultError::Option("sometimes".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_comes_in_the_words_of_each_service() {
    let bed = bed();
    let sts = aws_sdk_sts::Client::new(&bed.config());
    let eks = aws_sdk_eks::Client::new(&bed.config());
    let cases = [
        ("throttle", "ThrottlingException", "Throttling", "Throttling", "ThrottlingException"),
        ("server-error=503", "ServiceUnavailableException", "ServiceUnavailable", "ServiceUnavailable", "ServiceUnavailableException"),
        ("server-error=500", "InternalFailure", "InternalFailure", "InternalFailure", "InternalFailure"),
        ("access-denied", "AccessDeniedException", "AccessDenied", "AccessDenied", "AccessDeniedException"),
        ("expired-token", "ExpiredTokenException", "ExpiredToken", "ExpiredToken", "ExpiredTokenException"),
    ];
    for (effect, json, xml, query, rest) in cases {
        bed.sandbox.clear_faults().unwrap();
        add(&bed, &format!("* {effect}"));
        assert_eq!(code(&bed.acm().list_certificates().send().await.unwrap_err()), json);
        assert_eq!(code(&bed.route53().list_hosted_zones().send().await.unwrap_err()), xml);
        assert_eq!(code(&sts.get_caller_identity().send().await.unwrap_err()), query);
        assert_eq!(code(&eks.describe_cluster().name("demo").send().await.unwrap_err()), rest);
    }
    let error = bed.secrets().list_secrets().send().await.unwrap_err();
    assert!(error.request_id().is_some_and(|id| id.starts_with("00000000-0000-4000-8000-")));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_leaves_what_was_done_and_a_cut_does_not() {
    let bed = bed();
    let request = || bed.acm().request_certificate().domain_name("a.example.com").validation_method(ValidationMethod::Dns).send();
    for (rule, left) in [("acm:Request* cut", 0), ("acm:Request* lost-reply", 1)] {
        bed.sandbox.clear_faults().unwrap();
        add(&bed, rule);
        match request().await.unwrap_err() {
            SdkError::DispatchFailure(failure) => assert!(failure.is_io(), "{rule}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(bed.sandbox.status().unwrap().services["acm"]["certificates"], left, "{rule}");
    }
}

#[tokio::test(start_paused = true)]
async fn latency_passes_on_the_runs_clock() {
    let bed = bed();
    add(&bed, "acm:* latency=2s");
    let before = bed.sandbox.clock().now();
    bed.acm().list_certificates().send().await.unwrap();
    assert_eq!(before.until(bed.sandbox.clock().now()).unwrap().get_seconds(), 2);
}

#[tokio::test(start_paused = true)]
async fn latency_beyond_the_clients_patience_is_a_timeout() {
    let bed = bed();
    add(&bed, "acm:* latency=5s");
    let patience = TimeoutConfig::builder().read_timeout(Duration::from_secs(2)).build();
    let client = aws_sdk_acm::Client::new(&bed.config().into_builder().timeout_config(patience).build());
    match client.list_certificates().send().await.unwrap_err() {
        SdkError::DispatchFailure(failure) => assert!(failure.is_timeout()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rules_count_what_they_match_and_the_sdk_retries_over_them() {
    let bed = bed();
    add(&bed, "acm:ListCertificates throttle nth=2 times=2");
    let list = || bed.acm().list_certificates().send();
    let results = [list().await.is_ok(), list().await.is_ok(), list().await.is_ok(), list().await.is_ok()];
    assert_eq!(results, [true, false, false, true]);
    let status = &bed.sandbox.faults().unwrap()[0];
    assert_eq!((status.matched, status.acted), (4, 2));
    bed.sandbox.clear_faults().unwrap();
    add(&bed, "acm:ListCertificates server-error times=2");
    let before = bed.sandbox.clock().now();
    let retrying = aws_sdk_acm::Client::new(&config(&bed.sandbox, "eu-west-1", "AKIASANDBOX", RetryConfig::standard()));
    retrying.list_certificates().send().await.unwrap();
    assert!(bed.sandbox.clock().now() > before, "the back-off is simulated");
    assert_eq!(bed.sandbox.requests().by_operation["acm:ListCertificates"], 7);
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_is_not_there_is_named() {
    let bed = bed();
    let error = bed.acm().get_account_configuration().send().await.unwrap_err();
    assert_eq!(super::bed::refusal(&error).1, "the sandbox has no operation GetAccountConfiguration of acm");
    let error = bed.route53().list_health_checks().send().await.unwrap_err();
    assert_eq!(super::bed::refusal(&error).1, "the sandbox has no operation GET /2013-04-01/healthcheck of route53");
}
