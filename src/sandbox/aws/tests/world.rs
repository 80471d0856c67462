use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use jiff::SignedDuration;

use super::bed::{bed, genesis};
use crate::sandbox::{CrashPoint, Sandbox, SandboxError};

#[tokio::test(start_paused = true)]
async fn the_folder_is_for_its_owner_only() {
    let bed = bed();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(bed.folder.path()), 0o700);
    for name in ["world.jsonl", "README", ".gitignore"] {
        assert_eq!(mode(&bed.folder.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_handles_on_one_folder_see_each_others_writes_and_times() {
    let bed = bed();
    let other =
        super::bed::Bed { folder: tempfile::TempDir::new().unwrap(), sandbox: Sandbox::open_with(bed.folder.path(), genesis()).unwrap() };
    let arn = bed.request("a.example.com", &[]).await;
    bed.advance("10m");
    assert_eq!(other.describe(&arn).await.domain_name(), Some("a.example.com"));
    assert_eq!(other.sandbox.clock().now(), bed.sandbox.clock().now());
    let zone = other.zone("example.com").await;
    other.validate(&arn, &zone).await;
    other.advance("5m");
    assert_eq!(bed.describe(&arn).await.status.unwrap().as_str(), "ISSUED");
    other.sandbox.reset().unwrap();
    assert!(bed.acm().list_certificates().send().await.unwrap().certificate_summary_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_torn_last_line_is_dropped_and_a_broken_one_is_an_error() {
    let bed = bed();
    let arn = bed.request("a.example.com", &[]).await;
    let path = bed.folder.path().join("world.jsonl");
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"at\":\"2030-01-01T00").unwrap();
    let again =
        super::bed::Bed { folder: tempfile::TempDir::new().unwrap(), sandbox: Sandbox::open_with(bed.folder.path(), genesis()).unwrap() };
    again.advance("1s");
    assert_eq!(again.describe(&arn).await.domain_name(), Some("a.example.com"));
    again.request("b.example.com", &[]).await;
    assert_eq!(bed.sandbox.status().unwrap().services["acm"]["certificates"], 2);
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"nonsense\n").unwrap();
    assert!(matches!(bed.sandbox.status().unwrap_err(), SandboxError::Journal { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_existing_world_goes_on_at_its_own_time() {
    let bed = bed();
    bed.advance("1000h");
    let time = bed.sandbox.clock().now();
    let again = Sandbox::open(bed.folder.path()).unwrap();
    assert_eq!(again.clock().now(), time);
}

#[tokio::test(start_paused = true)]
async fn a_long_journal_is_compacted_when_it_is_opened() {
    let bed = bed();
    bed.sandbox
        .transaction(|tx| {
            tx.put("test/kept", serde_json::json!("kept"));
            Ok(())
        })
        .unwrap();
    for number in 0..300 {
        let text = "x".repeat(10_000);
        bed.sandbox
            .transaction(|tx| {
                tx.put("test/large", serde_json::json!([number, text]));
                Ok(())
            })
            .unwrap();
    }
    let path = bed.folder.path().join("world.jsonl");
    assert!(fs::metadata(&path).unwrap().len() > 3_000_000);
    let time = bed.sandbox.clock().now();
    let again = Sandbox::open_with(bed.folder.path(), genesis()).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 100_000);
    assert_eq!(again.clock().now(), time);
    for sandbox in [&again, &bed.sandbox] {
        let kept = sandbox.transaction(|tx| Ok(tx.get("test/kept").cloned())).unwrap();
        assert_eq!(kept, Some(serde_json::json!("kept")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_fails_changes_nothing() {
    let bed = bed();
    let failed = bed.sandbox.transaction(|tx| {
        tx.put("test/a", serde_json::json!(1));
        tx.delete("meta/populated");
        Err::<(), _>(SandboxError::Authority("test".to_owned()))
    });
    assert!(failed.is_err());
    let both = bed.sandbox.transaction(|tx| Ok((tx.contains("test/a"), tx.contains("meta/populated")))).unwrap();
    assert_eq!(both, (false, true));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_nothing_at_no_new_time_writes_nothing() {
    let bed = bed();
    bed.acm().list_certificates().send().await.unwrap();
    let size = || fs::metadata(bed.folder.path().join("world.jsonl")).unwrap().len();
    let before = size();
    bed.acm().list_certificates().send().await.unwrap();
    assert_eq!(size(), before);
}

/// The child of the next test: it is killed by the sandbox.
#[tokio::test(start_paused = true)]
async fn crash_child() {
    let Ok(folder) = std::env::var("MESHFORM_TEST_CRASH") else { return };
    let point = match std::env::var("MESHFORM_TEST_POINT").as_deref() {
        Ok("before") => CrashPoint::Before,
        Ok("after") => CrashPoint::After,
        _ => CrashPoint::BeforeDurable,
    };
    let sandbox = Sandbox::open_with(folder.as_ref(), genesis()).unwrap();
    let bed = super::bed::Bed { folder: tempfile::TempDir::new().unwrap(), sandbox };
    bed.sandbox.crash_at(2, point);
    bed.request("first.example.com", &[]).await;
    bed.sandbox.about_to_persist();
    bed.request("second.example.com", &[]).await;
    fs::write(std::path::Path::new(&folder).join("answered"), "").unwrap();
    bed.sandbox.about_to_persist();
    fs::write(std::path::Path::new(&folder).join("survived"), "").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_leaves_exactly_what_it_has_done() {
    for (point, certificates, answered) in [("before", 1, false), ("after", 2, false), ("durable", 2, true)] {
        let folder = tempfile::TempDir::new().unwrap();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sandbox::aws::tests::world::crash_child"])
            .env("MESHFORM_TEST_CRASH", folder.path())
            .env("MESHFORM_TEST_POINT", point)
            .output()
            .unwrap()
            .status;
        assert_eq!(status.signal(), Some(9), "{point}");
        assert_eq!(folder.path().join("answered").exists(), answered, "{point}");
        assert!(!folder.path().join("survived").exists(), "{point}");
        let sandbox = Sandbox::open_with(folder.path(), genesis()).unwrap();
        assert_eq!(sandbox.status().unwrap().services["acm"]["certificates"], certificates, "{point}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_world_shows_in_debug_output() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    let text = format!("{:?} {:?} {:?}", bed.sandbox, bed.sandbox.http_client(), bed.acm().config());
    assert!(!text.contains(&arn) && !text.contains("BEGIN") && !text.contains("ca/prime"));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_certificates_are_issued_and_listed_in_little_time() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let mut arns = Vec::new();
    for number in 0..1_000 {
        arns.push(bed.request(&format!("n{number}.example.com"), &[&format!("*.n{number}.example.com")]).await);
    }
    bed.advance("10s");
    let mut changes = Vec::new();
    for arn in &arns {
        let detail = bed.describe(arn).await;
        let record = detail.domain_validation_options()[0].resource_record().unwrap();
        let (action, kind) = (aws_sdk_route53::types::ChangeAction::Create, aws_sdk_route53::types::RrType::Cname);
        changes.push(super::bed::change(action, &record.name, kind, 300, &[&record.value]));
    }
    for part in changes.chunks(200) {
        bed.change(&zone, part.to_vec()).await.unwrap();
    }
    bed.advance("5m");
    let list = bed.acm().list_certificates().max_items(1000).send().await.unwrap();
    assert!(list.certificate_summary_list().iter().all(|summary| summary.status.as_ref().unwrap().as_str() == "ISSUED"));
    let serials: std::collections::BTreeSet<String> = bed
        .sandbox
        .transaction(|tx| Ok(tx.scan("acm/").filter_map(|(_, value)| value["serial"].as_str().map(str::to_owned)).collect()))
        .unwrap();
    assert_eq!(serials.len(), 1_000);
    let again = Sandbox::open_with(bed.folder.path(), genesis()).unwrap();
    assert_eq!(again.status().unwrap().services["acm"]["certificates"], 1_000);
}

#[tokio::test(start_paused = true)]
async fn time_moves_in_order_and_never_back() {
    let bed = bed();
    let before = bed.sandbox.clock().now();
    bed.sandbox.advance(SignedDuration::from_hours(-1)).unwrap();
    assert_eq!(bed.sandbox.clock().now(), before);
    bed.advance("36h");
    assert_eq!(before.until(bed.sandbox.clock().now()).unwrap().get_seconds(), 36 * 3600);
}
