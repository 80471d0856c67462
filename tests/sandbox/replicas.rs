//! Copies of a secret in other regions, and its resource policy.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::lab::{Lab, Raw, block_on};

fn stack(secret: &str) -> String {
    format!(
        r#"version: 1
stack: lab
aws: {{ region: eu-west-1, account: "000000000000" }}
certificates:
  edge:
    domain: shop.example.com
    export: true
    secrets_manager:
      name: lab/edge
{secret}"#
    )
}

const POLICY: &str = r#"      policy:
        Version: "2012-10-17"
        Statement:
          - { Sid: read, Effect: Allow, Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: secretsmanager:GetSecretValue, Resource: "*" }
"#;

const APPLY: &str = "apply stack.yaml --auto-approve";

fn apply(lab: &Lab) {
    lab.run(APPLY).ends_with(0);
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
}

/// A client of another region.
fn in_region(raw: &Raw, region: &str) -> aws_sdk_secretsmanager::Client {
    let config = raw.secrets.config().to_builder().region(aws_types::region::Region::new(region.to_owned()));
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}

/// The copies and their keys, by region.
fn replicas(raw: &Raw) -> Value {
    let described = block_on(raw.secrets.describe_secret().secret_id("lab/edge").send()).unwrap();
    let one = |one: &aws_sdk_secretsmanager::types::ReplicationStatusType| {
        (one.region().unwrap().to_owned(), json!([one.kms_key_id(), one.status().unwrap().as_str()]))
    };
    Value::Object(described.replication_status().iter().map(one).collect())
}

fn policy(raw: &Raw) -> Option<Value> {
    let answer = block_on(raw.secrets.get_resource_policy().secret_id("lab/edge").send()).unwrap();
    answer.resource_policy().map(|text| serde_json::from_str(text).unwrap())
}

#[test]
fn a_secret_is_copied_to_its_regions_and_the_copies_go_before_it() {
    let lab = Lab::new(&stack("      replicas: [us-east-1, { region: eu-central-1, kms_key_id: alias/edge }]\n"));
    apply(&lab);
    let expected = json!({"eu-central-1": ["alias/edge", "InSync"], "us-east-1": ["alias/aws/secretsmanager", "InSync"]});
    assert_eq!(replicas(&lab.raw()), expected);
    let value = |region: &str| {
        let answer = block_on(in_region(&lab.raw(), region).get_secret_value().secret_id("lab/edge").send()).unwrap();
        answer.secret_string().unwrap().to_owned()
    };
    assert_eq!(value("us-east-1"), value("eu-west-1"));
    lab.lose_state();
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    apply(&lab);
    // Another key, one region less, one more.
    lab.write("stack.yaml", &stack("      replicas: [{ region: eu-central-1, kms_key_id: alias/other }, ap-south-1]\n"));
    let steps = lab.planned();
    assert_eq!(steps["secretsmanager_secret.edge"].1, ["replicas.ap-south-1", "replicas.eu-central-1", "replicas.us-east-1"]);
    apply(&lab);
    let expected = json!({"eu-central-1": ["alias/other", "InSync"], "ap-south-1": ["alias/aws/secretsmanager", "InSync"]});
    assert_eq!(replicas(&lab.raw()), expected);
    // A renewal reaches the copies.
    lab.run("sandbox advance 160d").ends_with(0);
    lab.run("rotate stack.yaml").ends_with(0);
    assert_eq!(value("ap-south-1"), value("eu-west-1"));
    assert!(lab.planned().is_empty());
    lab.lose_state();
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    for region in ["eu-central-1", "ap-south-1"] {
        assert!(block_on(in_region(&lab.raw(), region).describe_secret().secret_id("lab/edge").send()).is_err(), "{region}");
    }
}

#[test]
fn a_copy_that_others_remove_is_drift_and_one_that_fails_is_told_and_tried_again() {
    let lab = Lab::new(&stack("      replicas: [us-east-1]\n"));
    let taken = in_region(&lab.raw(), "us-east-1");
    block_on(taken.create_secret().name("lab/edge").secret_string("theirs").send()).unwrap();
    let ran = lab.run(APPLY).ends_with(3);
    assert!(ran.stderr.contains("could not be copied to us-east-1") && ran.stderr.contains("already exists"), "{ran:?}");
    let plan = lab.run("plan stack.yaml").ends_with(0).stdout;
    assert!(plan.contains("it could not be copied to us-east-1"), "{plan}");
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].1, ["replicas.us-east-1"]);
    block_on(taken.delete_secret().secret_id("lab/edge").force_delete_without_recovery(true).send()).unwrap();
    apply(&lab);
    block_on(lab.raw().secrets.remove_regions_from_replication().secret_id("lab/edge").remove_replica_regions("us-east-1").send()).unwrap();
    let plan = lab.run("plan stack.yaml --json").ends_with(0).json();
    assert_eq!(plan["resource_drift"][0]["address"], "secretsmanager_secret.edge", "{plan:#}");
    apply(&lab);
    assert_eq!(replicas(&lab.raw()), json!({"us-east-1": ["alias/aws/secretsmanager", "InSync"]}));
}

#[test]
fn a_copy_that_is_under_way_is_waited_for_by_the_next_run() {
    let lab = Lab::new(&stack("      replicas: [us-east-1]\n"));
    let mut settings = lab.raw().sandbox.settings().unwrap();
    settings.replicated_after = (5000, 5000);
    lab.raw().sandbox.set_settings(&settings).unwrap();
    let ran = lab.run(APPLY).ends_with(3);
    assert!(ran.stderr.contains("the secret's copies to be in their regions"), "{ran:?}");
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].0, "read");
    lab.run("sandbox advance 2h").ends_with(0);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_resource_policy_is_set_compared_by_its_meaning_and_taken_off() {
    let lab = Lab::new(&stack(POLICY));
    apply(&lab);
    assert_eq!(policy(&lab.raw()).unwrap()["Statement"][0]["Sid"], "read");
    lab.lose_state();
    assert!(lab.planned().is_empty());
    apply(&lab);
    // The same in the words that AWS may give back.
    let other_words = json!({"Statement": [{
        "Resource": ["*"], "Action": ["secretsmanager:GetSecretValue"], "Effect": "Allow", "Sid": "read", "Principal": {"AWS": ["111122223333"]},
    }], "Version": "2012-10-17"});
    let put = |policy: &Value| {
        block_on(lab.raw().secrets.put_resource_policy().secret_id("lab/edge").resource_policy(policy.to_string()).send()).unwrap();
    };
    put(&other_words);
    assert!(lab.planned().is_empty(), "{:?}", lab.planned());
    let mut theirs = other_words.clone();
    theirs["Statement"][0]["Principal"] = json!({"AWS": "444455556666"});
    put(&theirs);
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].1, ["policy"]);
    apply(&lab);
    assert_eq!(policy(&lab.raw()).unwrap()["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
    lab.write("stack.yaml", &stack(""));
    assert_eq!(lab.planned()["secretsmanager_secret.edge"].1, ["policy"]);
    apply(&lab);
    assert_eq!(policy(&lab.raw()), None);
    // What never came from here is left alone.
    put(&theirs);
    assert!(lab.planned().is_empty());
}

#[test]
fn a_policy_that_lets_everyone_in_is_refused_by_the_service_and_told() {
    let lab = Lab::new(&stack(&POLICY.replace("{ AWS: \"arn:aws:iam::111122223333:root\" }", "\"*\"")));
    let ran = lab.run(APPLY).ends_with(3);
    assert!(ran.stderr.contains("PublicPolicyException"), "{ran:?}");
    // The secret is there, and the same command brings it to what the stack says next.
    lab.write("stack.yaml", &stack(POLICY));
    apply(&lab);
    assert!(policy(&lab.raw()).is_some());
}

#[test]
fn wrong_replicas_and_policies_are_told_where_they_stand() {
    let lab = Lab::new("");
    for (secret, code) in [
        ("      replicas: [eu-west-1]\n", "secret/replica"),
        ("      replicas: [nowhere]\n", "secret/replica"),
        ("      replicas: [us-east-1, { region: us-east-1 }]\n", "secret/replica"),
        ("      replicas: [{ kms_key_id: x }]\n", "stack/missing-key"),
        ("      policy: { Version: \"2012-10-17\" }\n", "secret/policy"),
        ("      policy: { Statement: [hello] }\n", "secret/policy"),
    ] {
        lab.write("stack.yaml", &stack(secret));
        let ran = lab.run("validate stack.yaml --json").ends_with(1).json();
        let codes: Vec<&Value> = ran["diagnostics"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert!(codes.contains(&&json!(code)), "{secret}: {codes:?}");
    }
}

#[test]
fn a_second_plan_reads_no_secret_by_itself_for_its_copies() {
    let lab = Lab::new("");
    let mut text = "version: 1\nstack: lab\naws: { region: eu-west-1 }\ncertificates:\n".to_owned();
    for index in 0..8 {
        let secret = format!("{{ name: lab/{index}, replicas: [us-east-1] }}");
        let _ = writeln!(text, "  c{index}: {{ domain: n{index}.example.com, export: true, secrets_manager: {secret} }}");
    }
    lab.write("stack.yaml", &text);
    lab.run(APPLY).ends_with(0);
    lab.run("sandbox fault secretsmanager:DescribeSecret access-denied times=99").ends_with(0);
    lab.run("plan stack.yaml --detailed-exitcode").ends_with(0);
}

#[test]
fn a_secret_that_moves_takes_the_places_of_its_copies_over() {
    let replicas = "      replicas: [ap-south-1, us-west-2]\n";
    let lab = Lab::new(&stack(replicas));
    apply(&lab);
    let moved =
        |region: &str, replicas: &str| stack(replicas).replace("    export: true\n", &format!("    export: true\n    region: {region}\n"));
    lab.write("stack.yaml", &moved("us-east-1", replicas));
    apply(&lab);
    let described = block_on(in_region(&lab.raw(), "us-east-1").describe_secret().secret_id("lab/edge").send()).unwrap();
    assert_eq!(described.replication_status().len(), 2);
    // Where it has a copy it can't go, nor have a copy where it was.
    for (region, replicas) in [("ap-south-1", ""), ("eu-central-1", "      replicas: [us-east-1]\n")] {
        lab.write("stack.yaml", &moved(region, replicas));
        let plan = lab.run("plan stack.yaml --json").ends_with(1).json();
        assert_eq!(plan["refusals"][0]["code"], "plan/copy", "{plan:#}");
    }
}
