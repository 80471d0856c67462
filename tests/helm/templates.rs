//! The tables of `templates/`: the language of templates, its errors, and YAML. `functions/regenerate templates` writes what is expected.

use std::path::Path;

use super::functions::compare;

#[test]
fn templates_give_what_helm_gives() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helm/templates");
    let (count, wrong) = compare(&folder);
    let total: usize = count.values().sum();
    println!("{total} rows: {count:?}");
    assert!(total > 200, "only {total} rows were read");
    assert!(wrong.is_empty(), "{} of {total} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}
