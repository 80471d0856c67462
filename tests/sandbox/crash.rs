//! Killed at every point of every request: the same command run again ends in the same world.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lab::{Lab, STACK, tell};
use super::upgrade;

/// The three points: before a request is sent; after it took effect and before its answer is read; after the answer and before the event is
/// durable.
const POINTS: [&str; 3] = ["before", "after", "before-durable"];

/// How many requests a run sends.
fn requests(lab: &Lab, command: &str) -> usize {
    let ran = lab.run(&format!("-v {command}")).ends_with(0);
    let line = ran.stderr.lines().find(|line| line.contains("sandbox answered")).unwrap_or_else(|| panic!("{}", ran.stderr));
    line.split("requests=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

/// Kills `command` at every point, runs it again, and compares the worlds. Returns the number of points.
pub(super) fn kill_everywhere(before: &Lab, command: &str) -> usize {
    kill(before, command, 1, |_| BTreeMap::new())
}

/// The same at one point in so many. `look` tells what else of the worlds has to be equal.
fn kill(before: &Lab, command: &str, stride: usize, look: fn(&Lab) -> BTreeMap<String, usize>) -> usize {
    // The world is made before it is copied: its seed decides how long each wait is, and so how many requests there are.
    before.raw();
    let undisturbed = before.copy();
    let requests = requests(&undisturbed, command);
    let expected = (undisturbed.raw().dump(), look(&undisturbed));
    let next = AtomicUsize::new(0);
    let killed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst) * stride;
                    let (number, point) = (index / POINTS.len() + 1, POINTS[index % POINTS.len()]);
                    if number > requests {
                        break;
                    }
                    let lab = before.copy();
                    let output = lab.command(command).env("MESHFORM_SANDBOX_CRASH", format!("{point}:{number}")).output().unwrap();
                    // A signal leaves no exit code.
                    assert_eq!(output.status.code(), None, "{command} was not killed {point} request {number}");
                    killed.fetch_add(1, Ordering::SeqCst);
                    let again = lab.run(command);
                    assert_eq!(again.code, Some(0), "{command} killed {point} request {number}, again: {}\n{}", again.stdout, again.stderr);
                    assert_eq!((lab.raw().dump(), look(&lab)), expected, "{command} killed {point} request {number}");
                    if !command.starts_with("destroy") {
                        lab.run("plan stack.yaml --detailed-exitcode").ends_with(0);
                    }
                }
            });
        }
    });
    let killed = killed.into_inner();
    assert_eq!(killed, (requests * POINTS.len()).div_ceil(stride));
    tell(&format!("{command}: killed at {killed} points of {requests} requests"));
    killed
}

#[test]
fn an_apply_killed_anywhere_ends_in_the_same_world() {
    kill_everywhere(&Lab::new(STACK), "apply stack.yaml --auto-approve");
}

#[test]
fn a_rotation_killed_anywhere_ends_in_the_same_world() {
    let lab = Lab::applied(STACK);
    lab.run("sandbox advance 160d").ends_with(0);
    kill_everywhere(&lab, "rotate stack.yaml");
}

#[test]
fn a_destroy_killed_anywhere_ends_in_the_same_world() {
    kill_everywhere(&Lab::applied(STACK), "destroy stack.yaml --auto-approve");
}

/// A laboratory with certificates from a private CA and from files, one that is only read, and a secret with a copy and a policy.
fn of_other_origins() -> Lab {
    let authority = super::origins::CA;
    let stack = format!(
        r#"version: 1
stack: lab
aws: {{ region: eu-west-1, account: "000000000000" }}
certificates:
  internal: {{ domain: internal.example.com, private_ca: {authority}, key_algorithm: EC_prime256v1 }}
  bought:
    import: {{ certificate: edge.pem, private_key: edge.key, chain: chain.pem }}
    secrets_manager:
      name: lab/bought
      replicas: [us-east-1]
      policy: {{ Statement: {{ Effect: Allow, Principal: {{ AWS: "111122223333" }}, Action: "secretsmanager:GetSecretValue", Resource: "*" }} }}
"#
    );
    let lab = Lab::new(&stack);
    super::pki::leaf(&lab, &["bought.example.com"], 400).write(&lab);
    lab
}

#[test]
fn other_origins_killed_anywhere_end_in_the_same_world() {
    let lab = of_other_origins();
    kill_everywhere(&lab, "apply stack.yaml --auto-approve");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    super::pki::leaf(&lab, &["bought.example.com"], 500).write(&lab);
    kill_everywhere(&lab, "rotate stack.yaml");
    kill_everywhere(&lab, "destroy stack.yaml --auto-approve");
}

#[test]
fn a_mesh_killed_anywhere_ends_in_the_same_world() {
    let stack = "version: 1\nstack: lab\ncluster: { eks: demo }\naws: { region: eu-west-1, account: \"000000000000\" }\n\
                 namespaces: { istio-system: {} }\nistio: { version: 1.31.0, ingress: { public: { namespace: istio-system } } }\n";
    let lab = Lab::new(stack);
    kill_everywhere(&lab, "apply stack.yaml --auto-approve");
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    lab.write("stack.yaml", &stack.replace("version: 1.31.0,", "version: 1.31.0, revisions: { next: { version: 1.32.0, tags: [prod] } },"));
    kill_everywhere(&lab, "apply stack.yaml --auto-approve");
}

#[test]
fn a_move_in_batches_killed_on_its_way_ends_in_the_same_world() {
    // The namespaces move, are restarted one after the other, and the old control plane goes, in one apply.
    let batches = "  batches: [{ namespaces: [staging], restart: true }, { namespaces: [prod, istio-ingress], restart: true }]\n";
    let lab = Lab::applied(&upgrade::all_on(upgrade::BOTH, "old"));
    lab.write("stack.yaml", &upgrade::all_on(&format!("{}{batches}", upgrade::NEW), "new"));
    // Four has nothing in common with the three points of a request: each kind of them has its turn.
    kill(&lab, "apply stack.yaml --auto-approve", 4, upgrade::proxies);
}
