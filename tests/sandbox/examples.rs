//! The example stacks, as far as a test without a network goes: each is well-formed, and what needs no chart of others is applied.

use std::path::Path;

use super::lab::Lab;

/// An empty folder with the examples in it, and a stack of the test's own.
fn lab(stack: &str) -> Lab {
    let lab = Lab::new(stack);
    for folder in ["stacks", "stacks/addons"] {
        std::fs::create_dir_all(lab.path().join(folder)).unwrap();
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, lab.path().join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    lab
}

#[test]
fn every_example_is_well_formed() {
    let lab = lab("");
    let mut count = 0;
    for folder in ["stacks", "stacks/addons"] {
        for entry in std::fs::read_dir(lab.path().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let shown = lab.run(&format!("config {}", path.display())).ends_with(0);
                assert!(shown.json()["stack"].is_string(), "{}", shown.stdout);
                count += 1;
            }
        }
    }
    assert!(count >= 11, "{count}");
}

#[test]
fn the_production_example_without_its_add_ons_is_applied_and_goes() {
    let own =
        "extends: [stacks/production.yaml]\nvars: { cluster: demo }\naws: { account: \"000000000000\" }\ncharts: null\nmanifests: null\n";
    let lab = lab(&format!("{own}certificates: {{ edge: {{ secrets_manager: {{ recovery_window_days: 0 }} }} }}\n"));
    let before = lab.raw().dump();
    lab.run("apply stack.yaml --auto-approve").ends_with(0);
    assert!(lab.planned().is_empty());
    let shown = lab.run("output stack.yaml load_balancers.public.hostname").ends_with(0).stdout;
    assert!(shown.contains(".elb.amazonaws.com"), "{shown}");
    lab.run("destroy stack.yaml --auto-approve").ends_with(0);
    assert_eq!(lab.raw().dump(), before);
}
