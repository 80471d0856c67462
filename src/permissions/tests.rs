//! What is allowed, for stacks that say little and much.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::compose::compose;
use crate::diag::{Diagnostics, Sources};
use crate::graph::Graph;
use crate::stack::{self, File, Files, Stack, Vars};
use crate::state::State;

fn read(text: &str) -> (Stack, Graph) {
    let (mut sources, mut diags) = (Sources::default(), Diagnostics::default());
    let file = File::read(&Arc::from("stack.yaml"), text.as_bytes(), &mut sources, &mut diags).unwrap();
    let file = stack::parse(&Files { files: vec![file] }, &mut diags).unwrap();
    let stack = stack::check(&file, &Vars::default(), &mut sources, &mut diags).unwrap_or_else(|_| panic!("{:?}", diags.items()));
    let graph = Graph::build(compose(&stack, Vec::new(), &mut diags), &mut diags).unwrap();
    (stack, graph)
}

fn policy_of(text: &str, purpose: Purpose) -> Vec<Policy> {
    let (stack, graph) = read(text);
    policies(&stack, &graph, &State::empty(&stack.name), purpose)
}

/// A statement in one line: actions, resources, conditions.
fn line(policy: &Policy, sid: &str) -> String {
    let Some(one) = policy.statements.iter().find(|statement| statement.sid == sid) else { return String::new() };
    let conditions: Vec<String> = one
        .conditions
        .iter()
        .flat_map(|(operator, keys)| keys.iter().map(move |(key, values)| format!("{operator} {key} {}", values.join(" "))))
        .collect();
    format!("{} | {} | {}", one.actions.join(" "), one.resources.join(" "), conditions.join("; "))
}

const STACK: &str = r#"version: 1
stack: shop
aws: { region: eu-west-1, account: "111122223333" }
cluster: { eks: shop }
namespaces: { prod: {} }
certificates:
  edge:
    domain: shop.example.com
    names: ["*.shop.example.com", shop.example.org]
    zone: [{ id: Z1EXAMPLE, name: example.com }, { name: example.org, role: "arn:aws:iam::444455556666:role/dns" }]
    region: us-east-1
    export: true
    secrets_manager: { name: istio/edge, kms_key_id: alias/edge }
    tls_secrets: [{ namespace: prod, name: edge }, { namespace: istio-ingress, name: gate }]
"#;

#[test]
fn resources_are_as_narrow_as_the_apis_take_them() {
    let stack = STACK.replace("id: Z1EXAMPLE, name: example.com", "id: Z1EXAMPLE");
    let all = policy_of(&stack, Purpose::Apply);
    let [own, zone] = all.as_slice() else { panic!("{all:?}") };
    let expected = [
        ("FindCluster", "eks:DescribeCluster | arn:aws:eks:eu-west-1:111122223333:cluster/shop | "),
        ("FindCertificates", "acm:ListCertificates tag:GetResources | * | "),
        (
            "RequestCertificates",
            "acm:RequestCertificate | * | ForAllValues:StringEquals acm:DomainNames *.shop.example.com shop.example.com shop.example.org; \
             StringEquals acm:ValidationMethod DNS; StringEquals aws:RequestedRegion us-east-1; StringLike aws:RequestTag/meshform.dev/stack shop/*",
        ),
        (
            "MarkCertificates",
            "acm:AddTagsToCertificate | arn:aws:acm:us-east-1:111122223333:certificate/* | StringLike aws:RequestTag/meshform.dev/stack shop/*",
        ),
        (
            "OwnCertificates",
            "acm:AddTagsToCertificate acm:RemoveTagsFromCertificate acm:DeleteCertificate acm:ExportCertificate | \
             arn:aws:acm:us-east-1:111122223333:certificate/* | StringLike aws:ResourceTag/meshform.dev/stack shop/*",
        ),
        (
            "CreateSecrets",
            "secretsmanager:CreateSecret secretsmanager:TagResource | arn:aws:secretsmanager:us-east-1:111122223333:secret:istio/edge \
             arn:aws:secretsmanager:us-east-1:111122223333:secret:istio/edge-?????? | ",
        ),
        (
            "UseKeysByAlias",
            "kms:GenerateDataKey kms:Decrypt kms:Encrypt | arn:aws:kms:*:*:key/* | ForAnyValue:StringEquals kms:ResourceAliases alias/edge; \
             StringEquals kms:ViaService secretsmanager.us-east-1.amazonaws.com",
        ),
        (
            "ChangeRecords",
            "route53:ChangeResourceRecordSets | arn:aws:route53:::hostedzone/Z1EXAMPLE | \
             ForAllValues:StringEquals route53:ChangeResourceRecordSetsActions CREATE UPSERT DELETE; \
             ForAllValues:StringEquals route53:ChangeResourceRecordSetsRecordTypes CNAME; \
             ForAllValues:StringLike route53:ChangeResourceRecordSetsNormalizedRecordNames _*.shop.example.com _*.shop.example.org",
        ),
        ("TakeZoneRoles", "sts:AssumeRole | arn:aws:iam::444455556666:role/dns | "),
    ];
    for (sid, wanted) in expected {
        assert_eq!(line(own, sid), wanted, "{sid}");
    }
    assert_eq!(zone.identity, Identity::Role("arn:aws:iam::444455556666:role/dns".into()));
    assert!(line(zone, "ChangeRecords").contains("arn:aws:route53:::hostedzone/* |"), "{zone:?}");
}

#[test]
fn what_only_looks_may_write_nothing() {
    let writes = ["Request", "Export", "Add", "Remove", "Delete", "Change", "Create", "Put", "Update", "Tag", "Untag", "Restore", "kms:"];
    for policy in policy_of(&STACK.replace("id: Z1EXAMPLE, name: example.com", "id: Z1EXAMPLE"), Purpose::Plan) {
        for action in policy.statements.iter().flat_map(|statement| &statement.actions) {
            let name = action.split_once(':').unwrap().1;
            assert!(!writes.iter().any(|write| name.starts_with(write) || action.starts_with(write)), "{action}");
        }
    }
    let (stack, graph) = read(&STACK.replace("id: Z1EXAMPLE, name: example.com", "id: Z1EXAMPLE"));
    for grant in grants(&stack, &graph, &State::empty("shop"), &[], Purpose::Plan) {
        assert!(grant.verbs.iter().all(|verb| ["get", "list"].contains(verb)), "{grant:?}");
    }
}

#[test]
fn a_rotation_takes_no_role_of_a_zone() {
    let all = policy_of(&STACK.replace("id: Z1EXAMPLE, name: example.com", "id: Z1EXAMPLE"), Purpose::Rotate);
    let [own] = all.as_slice() else { panic!("{all:?}") };
    let actions: Vec<&str> = own.statements.iter().flat_map(|statement| statement.actions.iter().copied()).collect();
    assert!(!actions.iter().any(|action| action.starts_with("sts:") || action.starts_with("route53:")), "{actions:?}");
    assert!(actions.contains(&"acm:ExportCertificate") && !actions.contains(&"acm:RequestCertificate"), "{actions:?}");
}

#[test]
fn hosts_of_load_balancers_are_named_with_their_marks() {
    let stack = "version: 1\nstack: shop\naws: { region: eu-west-1, account: \"111122223333\" }\ncluster: { context: c }\nload_balancers:\n  public:\n    ingress: { namespace: edge, service: gateway }\n    hosts: [\"*.shop.example.com\"]\n    zone: { id: Z1EXAMPLE }\n";
    let all = policy_of(stack, Purpose::Apply);
    let change = line(&all[0], "ChangeRecords");
    assert!(change.contains("arn:aws:route53:::hostedzone/Z1EXAMPLE"), "{change}");
    for part in ["\\052.shop.example.com", "a-\\052.shop.example.com", "aaaa-\\052.shop.example.com", "AAAA", "TXT"] {
        assert!(change.contains(part) || change.contains(&part.replace('\\', "\\\\")), "{part}: {change}");
    }
    let (stack, graph) = read(stack);
    let events =
        grants(&stack, &graph, &State::empty("shop"), &[], Purpose::Apply).into_iter().find(|grant| grant.resource == "events").unwrap();
    assert_eq!((events.namespace.as_deref(), events.verbs.as_slice()), (Some("edge"), ["list"].as_slice()));
}

#[test]
fn a_release_that_is_taken_over_lets_helms_records_go() {
    let stack = |more: &str| {
        format!(
            "version: 1\nstack: shop\ncluster: {{ context: c }}\nnamespaces: {{ tools: {{ adopt: true }} }}\n\
             charts: {{ dns: {{ chart: dns, repository: \"https://charts.example.com\", namespace: tools{more} }} }}\n"
        )
    };
    let may_delete = |more: &str| {
        let (stack, graph) = read(&stack(more));
        let all = grants(&stack, &graph, &State::empty("shop"), &[], Purpose::Apply);
        all.into_iter()
            .any(|grant| grant.resource == "secrets" && grant.verbs.contains(&"delete") && grant.namespace.as_deref() == Some("tools"))
    };
    assert!(may_delete(", adopt: true"));
    assert!(!may_delete(""), "one that is not taken over");
    assert!(!may_delete(", adopt: true, adoptable: true"), "one that keeps its records");
}

#[test]
fn statements_have_names_of_their_own() {
    for purpose in Purpose::ALL {
        for policy in policy_of(&STACK.replace("id: Z1EXAMPLE, name: example.com", "id: Z1EXAMPLE"), purpose) {
            let sids: std::collections::BTreeSet<&str> = policy.statements.iter().map(|statement| statement.sid).collect();
            assert_eq!(sids.len(), policy.statements.len(), "{policy:?}");
            assert!(
                policy.statements.iter().all(|statement| !statement.actions.is_empty() && !statement.resources.is_empty()),
                "{policy:?}"
            );
        }
    }
}

#[test]
fn a_role_that_is_taken_has_the_rights_and_the_caller_may_take_it() {
    let role = "arn:aws:iam::111122223333:role/meshform";
    let stack = format!(
        "version: 1\nstack: shop\naws: {{ region: cn-north-1, role_arn: \"{role}\" }}\ncertificates: {{ edge: {{ domain: a.example.com }} }}\n"
    );
    let all = policy_of(&stack, Purpose::Apply);
    let identities: Vec<&Identity> = all.iter().map(|policy| &policy.identity).collect();
    assert_eq!(identities, [&Identity::Role(role.into()), &Identity::Caller]);
    assert_eq!(line(&all[1], "TakeRole"), format!("sts:AssumeRole | {role} | "));
    // An account that isn't pinned isn't known; China is a partition of its own.
    assert!(line(&all[0], "OwnCertificates").contains("| arn:aws-cn:acm:cn-north-1:*:certificate/* |"), "{:?}", all[0]);
    // A key that can't be exported isn't.
    assert!(!line(&all[0], "OwnCertificates").contains("Export"));
}

#[test]
fn namespaces_of_the_stack_have_no_role_before_they_are_there() {
    let (stack, graph) = read(&STACK.replace("id: Z1EXAMPLE, name: example.com", "id: Z1EXAMPLE"));
    let places = |purpose| {
        let all = grants(&stack, &graph, &State::empty("shop"), &[], purpose);
        let secrets = all.iter().filter(|grant| grant.names.iter().any(|name| name == "edge" || name == "gate"));
        secrets.map(|grant| (grant.namespace.clone(), grant.verbs.join(" "))).collect::<Vec<_>>()
    };
    let at = |namespace: &str| Some(namespace.to_owned());
    assert_eq!(
        places(Purpose::Apply),
        [(None, "create delete get patch".to_owned()), (at("istio-ingress"), "create delete get patch".to_owned())]
    );
    assert_eq!(
        places(Purpose::Rotate),
        [(at("istio-ingress"), "create get patch".to_owned()), (at("prod"), "create get patch".to_owned())]
    );
    assert_eq!(
        places(Purpose::Destroy),
        [(at("istio-ingress"), "delete get patch".to_owned()), (at("prod"), "delete get patch".to_owned())]
    );
    // Only what is to go is looked into.
    let into: Vec<Option<String>> = grants(&stack, &graph, &State::empty("shop"), &[], Purpose::Destroy)
        .into_iter()
        .filter(|grant| grant.resource == "*")
        .map(|grant| grant.namespace)
        .collect();
    assert_eq!(into, [at("prod")]);
}

#[test]
fn subjects_are_read_and_others_are_refused() {
    for text in ["group:meshform", "user:arn:aws:iam::111122223333:user/x", "serviceaccount:meshform/rotate"] {
        assert!(text.parse::<Subject>().is_ok(), "{text}");
    }
    for text in ["", "meshform", "group:", "serviceaccount:x", "serviceaccount:/x", "role:x"] {
        let error = text.parse::<Subject>().unwrap_err();
        assert!(error.to_string().contains("group:NAME"), "{error}");
    }
}

#[test]
fn batches_that_are_restarted_take_rights_in_namespaces_that_are_there() {
    let text = "version: 1\nstack: shop\ncluster: { in_cluster: true }\nnamespaces: { prod: {}, staging: {} }\n\
                istio: { version: 1.31.0, batches: [{ namespaces: [staging] }, { namespaces: [prod], restart: true }] }\n";
    let (stack, graph) = read(text);
    let mut state = State::empty("shop");
    let of = |state: &State, purpose| {
        let all = grants(&stack, &graph, state, &[], purpose).into_iter();
        let meant = all.filter(|grant| ["pods", "deployments", "statefulsets", "daemonsets"].contains(&grant.resource.as_str()));
        meant.map(|grant| format!("{:?} {} {}", grant.namespace, grant.resource, grant.verbs.join(" "))).collect::<Vec<_>>()
    };
    let pods = "None pods list".to_owned();
    assert_eq!(of(&state, Purpose::Plan), std::slice::from_ref(&pods));
    assert_eq!(of(&state, Purpose::Apply), std::slice::from_ref(&pods), "nothing is in them yet");
    assert_eq!(of(&state, Purpose::Destroy), [""; 0]);
    let made = crate::event::Event::Created {
        addr: crate::addr::Addr::namespace("prod"),
        id: "uid".into(),
        generation: 1,
        origin: crate::event::Origin::Created,
        needs: Vec::new(),
    };
    state.fold(&crate::event::Entry { sequence: 1, at: jiff::Timestamp::UNIX_EPOCH, event: made });
    let within = |plural: &str| format!("Some(\"prod\") {plural} get list patch");
    assert_eq!(of(&state, Purpose::Apply), [pods, within("daemonsets"), within("deployments"), within("statefulsets")]);
}
