//! `cluster:`

use std::path::Path;

use crate::diag::shown;
use crate::stack::Cluster;
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::schema;

/// Reads `cluster:`: exactly one way to reach a cluster.
pub(super) fn cluster(reader: &mut Reader<'_>, stack: &Fields<'_>) -> Option<Cluster> {
    let entry = stack.get("cluster")?;
    let fields = reader.fields(&entry.value, "cluster", &schema::CLUSTER)?;
    let forms = "write one of `{eks: <name>}`, `{kubeconfig: <path>, context: <name>}`, `{context: <name>}`, `{in_cluster: true}`";
    let in_cluster = reader.boolean(&fields, "in_cluster");
    let ways = [fields.get("eks"), fields.get("kubeconfig").or_else(|| fields.get("context")), in_cluster.and(fields.get("in_cluster"))];
    let given: Vec<_> = ways.into_iter().flatten().collect();
    if let [_, second, ..] = given.as_slice() {
        let detail = "a second way to reach the cluster";
        reader.error("kubernetes/cluster", "cluster not named exactly once", detail, &second.key_place, forms);
        return None;
    }
    if let Some(eks) = fields.get("eks") {
        let name = reader.string_of(&fields, "eks")?;
        // CreateCluster: ^[0-9A-Za-z][A-Za-z0-9\-_]{0,99}$
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.text.len() > 100 || !name.text.chars().all(allowed) || !name.text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let detail = format!("{} is not the name of an EKS cluster", shown(&name.text));
            let help = "up to 100 letters, digits, `-` and `_`, a letter or digit first; not an ARN";
            reader.error("kubernetes/cluster", "bad cluster name", detail, &name.place, help);
        }
        if stack.get("aws").is_none() {
            let detail = "an EKS cluster is reached by the region and credentials of `aws`";
            reader.error("aws/no-region", "no region", detail, &eks.key_place, "add `aws: {region: eu-west-1}`");
        }
        return Some(Cluster::Eks { name: name.text });
    }
    if fields.get("kubeconfig").is_some() || fields.get("context").is_some() {
        let path = reader.string_of(&fields, "kubeconfig").map(|path| beside(&path));
        let context = reader.string_of(&fields, "context").map(|context| context.text);
        return Some(Cluster::Kubeconfig { path, context });
    }
    if in_cluster == Some(true) {
        return Some(Cluster::InCluster);
    }
    if fields.get("in_cluster").is_none() || in_cluster == Some(false) {
        reader.error("kubernetes/cluster", "cluster not named exactly once", "no cluster is named", &entry.key_place, forms);
    }
    None
}

/// A path relative to the file that names it, as one relative to the working directory. Absolute paths and those that begin with `~` stay.
fn beside(path: &Spanned) -> String {
    let given = Path::new(&path.text);
    let folder = Path::new(&*path.place.file).parent().unwrap_or(Path::new(""));
    if given.is_absolute() || path.text.starts_with('~') { path.text.clone() } else { folder.join(given).to_string_lossy().into_owned() }
}
