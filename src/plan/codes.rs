//! The stable codes of refusals: why a plan can't be applied, and why a saved one isn't.

/// Every code with what it means and what ends it. A code is never given another meaning.
pub const CODES: &[(&str, &str)] = &[
    ("graph/circle", "Resources wait for one another in a circle. `meshform graph` shows who waits for whom."),
    ("graph/duplicate-address", "Two sections of the stack make a resource of the same address. Rename one of them."),
    ("graph/unknown-address", "A resource refers to another that the stack doesn't have."),
    (
        "plan/adopt-differs",
        "What is to be taken over differs in something that its API can't change (names, key type, whether it can be exported). Change the \
         stack to what is there, or leave it alone and choose another name.",
    ),
    (
        "plan/batch-order",
        "`istio.batches` lets something wait that an earlier batch needs. Put the namespaces in another order, or together in one batch.",
    ),
    (
        "plan/copy",
        "A secret moves to a region where it has a copy, or is to have a copy in the region that it leaves: one name holds one secret in a \
         region. Do it in two steps.",
    ),
    (
        "plan/field-conflict",
        "The stack newly wants a field that another manager owns (Kubernetes server-side apply). Leave the field out, or say `force: true` in \
         that section to take it.",
    ),
    (
        "plan/foreign",
        "What the stack wants to make is there already, and is someone else's. It is taken over only with `adopt: true` in its section, or \
         `--adopt ADDR`; it is then released at destroy, never deleted.",
    ),
    (
        "plan/immutable",
        "A manifest changes a field that the API server doesn't let anyone change. Only a new object can have it: `replace: true` in its rules, or \
         `--replace ADDR`, deletes the old one first.",
    ),
    (
        "plan/import",
        "What is to be imported isn't there, isn't what the stack means by that address, or is of no more use. Check the id; the names and the \
         kind must be the stack's.",
    ),
    (
        "plan/import-dates",
        "A certificate is to be imported whose files hold one that has ended, or that isn't valid yet. Put the right one in place of them.",
    ),
    ("plan/invalid", "The API server would refuse an object; its own words are told. Correct the manifest."),
    (
        "plan/lineages",
        "Resources of this stack's name carry the marks of another state: two stacks of one name meet in this account or cluster. Use that \
         state, or rename this stack.",
    ),
    (
        "plan/no-kind",
        "A manifest is of a kind that the cluster doesn't serve. Check `apiVersion` and `kind`, or install the CustomResourceDefinition.",
    ),
    (
        "plan/moved-both",
        "A rename's old and new address both hold something of this stack. Remove the rename and see what the plan makes of the old one, or \
         release one of the two.",
    ),
    ("plan/no-namespace", "An object goes to a namespace that neither exists nor is declared. Add it under `namespaces:`, or create it."),
    (
        "plan/no-replacement",
        "Something would have to be replaced by one of the same name and can't be: secrets, validation records, namespaces, \
         CustomResourceDefinitions, and objects that were there before meshform.",
    ),
    (
        "plan/no-load-balancer",
        "Alias records are to lead to a load balancer, and the Ingress names one in its status that is no Application Load Balancer of a region \
         that is known here. See which controller writes that status, or write the records yourself with `dns: manual`.",
    ),
    (
        "plan/not-applied",
        "A rotation only carries what is there, and this certificate would have to be requested anew. Look at `meshform plan`, and apply.",
    ),
    (
        "plan/not-exportable",
        "A certificate that is only read is to be delivered, and ACM doesn't give its private key away: it was imported, or requested without \
         leave to export. Deliver another one.",
    ),
    (
        "plan/only-read",
        "A certificate that is only read (`arn:`) isn't there, isn't issued, or is of another account. Name another one, or have it mended by \
         whoever made it.",
    ),
    (
        "plan/other-load-balancer",
        "A change (scheme, group, class or name) means another load balancer with another DNS name, and the end of the one that serves now. Say \
         `replace: true` in its section.",
    ),
    (
        "plan/other-world",
        "The state is of another AWS account, region or cluster than this one. Use the state, the credentials and the context that belong \
         together, or another stack name.",
    ),
    (
        "plan/own",
        "A resource is to take a name that another resource of this stack still has. If only the stack's key changed, say so \
         under `moved:`; else change the names in two steps.",
    ),
    (
        "plan/protected",
        "An object is protected (`protect: true`), and would be deleted or replaced. Apply it with `protect: false` first, or leave it out with \
         `--exclude`.",
    ),
    (
        "plan/revision-in-use",
        "A control plane of Istio would go while pods run its proxy, which this plan doesn't move: they are named. Restart them first, or let a batch of \
         `istio.batches` do it with `restart: true`; the control plane stays in the stack until then.",
    ),
    ("plan/scope", "A manifest of a kind in namespaces names none, or one of a kind outside of them names one."),
    ("plan/stale", "A saved plan no longer holds: what it touches, or the stack, has changed since it was made. Make it anew."),
    ("plan/terminating", "An object is being deleted, and something holds it: its finalizers are named. Wait, or find out what holds it."),
    ("plan/unexpected", "The plan isn't the one that `--expect` names by its digest. Look at it again, and have it approved again."),
    ("plan/zone", "The hosted zone for a record is absent, private, ambiguous, or managed by a service."),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::CODES;

    fn collect(folder: &Path, used: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, used);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("plan/codes.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let words = text.split(['"', '[', ']']);
                let is_code = |word: &&str| {
                    word.split_once('/').is_some_and(|(area, what)| {
                        ["plan", "graph"].contains(&area) && !what.is_empty() && what.chars().all(|c| c.is_ascii_lowercase() || c == '-')
                    })
                };
                used.extend(words.filter(is_code).map(str::to_owned));
            }
        }
    }

    #[test]
    fn the_table_holds_every_code_that_is_used_and_no_other() {
        let mut used = BTreeSet::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        let known: BTreeSet<String> = CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
        assert_eq!(known.len(), CODES.len(), "a code stands twice");
        assert_eq!(used, known);
    }
}
