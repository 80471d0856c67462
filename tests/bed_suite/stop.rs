//! The first Ctrl-C stops with grace: running requests finish, the state is saved, and the same command goes on.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use super::bed::{ACCOUNT, Bed, REGION};
use super::worlds;
use crate::support::meshform;

#[test]
fn a_run_that_is_interrupted_ends_with_130_and_goes_on_later() {
    let mut stack = format!(
        "version: 1\nstack: stop\naws: {{ region: {REGION}, account: \"{ACCOUNT}\", verify_chain: false }}\ncluster: {{ context: bed }}\n\
         namespaces: {{ stop: {{}} }}\ncertificates:\n"
    );
    for number in 0..40 {
        let _ = writeln!(
            stack,
            "  c{number}: {{ domain: c{number}.stop.test, export: true, secrets_manager: {{ name: stop/c{number}, recovery_window_days: 0 }}, \
             tls_secrets: [{{ namespace: stop, name: c{number} }}] }}"
        );
    }
    let bed = Bed::enter(&stack);
    bed.zone("stop.test");
    let kubernetes = worlds::kubernetes(&bed);
    let passed: Vec<(String, String)> = Bed::environment().collect();
    let mut command = meshform(bed.path(), "apply stack.yaml --auto-approve --parallelism 2");
    let child = command.envs(passed).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // In the middle: some certificates are requested, the first waits have begun.
    std::thread::sleep(Duration::from_millis(2500));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(130), "{stdout}\n{stderr}");
    assert!(stderr.contains("stopping: running requests finish"), "{stderr}");
    assert!(!bed.run("state list stack.yaml").ends_with(0).stdout.is_empty(), "nothing was saved");
    bed.run("apply stack.yaml --auto-approve").ends_with(0);
    bed.run("plan stack.yaml --detailed-exitcode").ends_with(0);
    let requested = bed.block_on(bed.acm.list_certificates().max_items(1000).send()).unwrap();
    assert_eq!(requested.certificate_summary_list().len(), 40, "a certificate was requested twice");
    bed.run("destroy stack.yaml --auto-approve").ends_with(0);
    let left = worlds::differences(&kubernetes, &worlds::kubernetes(&bed));
    assert!(left.is_empty(), "\n{}", left.join("\n"));
    let requested = bed.block_on(bed.acm.list_certificates().max_items(1000).send()).unwrap();
    assert!(requested.certificate_summary_list().is_empty(), "a certificate is left");
}
