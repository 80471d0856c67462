//! Every attribute, changed behind meshform's back on the emulator and on the API server: the cases of the sandbox, on real servers.

use std::collections::BTreeSet;

use super::bed::{ACCOUNT, Bed};
use crate::sandbox::attributes::CASES;
use crate::sandbox::lab::{self, Clients, STACK, block_on, planned};

#[test]
fn a_change_from_outside_is_shown_and_put_back() {
    lab::in_real_time();
    // The emulator makes RSA keys whatever is asked for, and its chain doesn't sign its leaf.
    let stack = STACK
        .replace("account: \"000000000000\"", &format!("account: \"{ACCOUNT}\", verify_chain: false"))
        .replace("{ eks: demo }", "{ context: bed }")
        .replace("    key_algorithm: EC_prime256v1\n", "");
    let bed = Bed::enter(&stack);
    let zones = ["example.com", "example.org"].map(|name| bed.zone(name));
    let clients = Clients {
        acm: bed.acm.clone(),
        route53: bed.route53.clone(),
        secrets: bed.secrets.clone(),
        kube: block_on(async { bed.kube_client().await }),
    };
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    for case in CASES {
        (case.change)(&clients);
        let plan = planned(&bed.run("plan stack.yaml --json").ends_with(0).json());
        let addrs: BTreeSet<&str> = plan.keys().map(String::as_str).collect();
        assert_eq!(addrs, BTreeSet::from([case.addr]), "{}: {plan:?}", case.field);
        assert_eq!(plan[case.addr], ("update".to_owned(), vec![case.field.to_owned()]), "{}", case.field);
        bed.run("apply stack.yaml --auto-approve").ends_with(0);
        bed.run("plan stack.yaml --detailed-exitcode").ends_with(0);
    }
    lab::tell(&format!("{} changes from outside were shown and put back", CASES.len()));
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    for zone in zones {
        block_on(bed.route53.delete_hosted_zone().id(zone).send()).unwrap();
    }
}
