//! Without its state everything is found again, on real servers too.

use super::bed::{ACCOUNT, Bed};
use super::worlds;
use crate::sandbox::lab::{STACK, planned};

#[test]
fn without_its_state_a_plan_is_empty_and_a_removed_section_shows_just_its_deletions() {
    let stack = STACK
        .replace("stack: lab", "stack: lost")
        .replace("account: \"000000000000\"", &format!("account: \"{ACCOUNT}\", verify_chain: false"))
        .replace("{ eks: demo }", "{ context: bed }")
        .replace("example.com", "lost.test")
        .replace("example.org", "lost2.test")
        .replace("istio/lab/edge", "istio/lost/edge")
        .replace("istio-ingress", "lost-ingress")
        .replace("prod", "lost-prod")
        .replace("    key_algorithm: EC_prime256v1\n", "");
    let bed = Bed::enter(&stack);
    for zone in ["lost.test", "lost2.test"] {
        bed.zone(zone);
    }
    let (kubernetes, aws) = (worlds::kubernetes(&bed), worlds::aws(&bed));
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    let lose = || std::fs::remove_dir_all(bed.path().join(".meshform")).unwrap();
    lose();
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0).says("The state was found again").says("No changes");
    let (kept, _) = stack.split_once("  api:\n").unwrap();
    std::fs::write(bed.path().join("stack.yaml"), kept).unwrap();
    let plan = planned(&bed.run("plan stack.yaml --json").ends_with(0).json());
    let plan: Vec<(&str, &str)> = plan.iter().map(|(addr, (action, _))| (addr.as_str(), action.as_str())).collect();
    let expected = [
        ("acm_certificate.api", "delete"),
        ("acm_validation_record.api.lost.test", "delete"),
        ("acm_validation_record.api.lost2.test", "delete"),
        ("secret/lost-prod/api-cert", "delete"),
    ];
    assert_eq!(plan, expected);
    bed.run("apply stack.yaml --auto-approve").ends_with(1);
    bed.run("apply stack.yaml --auto-approve --approve-rebuilt-deletions").ends_with(0);
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0);
    lose();
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    let mut left = worlds::differences(&kubernetes, &worlds::kubernetes(&bed));
    left.extend(worlds::differences(&aws, &worlds::aws(&bed)));
    assert!(left.is_empty(), "\n{}", left.join("\n"));
}
