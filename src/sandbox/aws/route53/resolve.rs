//! The public DNS, as far as the sandbox has it: what ACM sees when it looks a name up.
//!
//! A name is answered by the deepest public zone that contains it; of several public zones of one name the first made is the delegated
//! one. Private zones are not seen (semantics 2.2).

use super::names::{ancestors, normalize, sort_key};
use super::{RecordSet, Zone, records_key};
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

/// The value of a CNAME record, in the form of names.
pub(in crate::sandbox::aws) fn cname(tx: &Tx<'_>, name: &str) -> Result<Option<String>, SandboxError> {
    let values = lookup(tx, name, "CNAME")?;
    Ok(values.first().and_then(|value| normalize(value)))
}

/// The CAA values that hold for a name: those of the first name that has any, climbing to the root. A CNAME on the way is followed
/// (semantics 1.3).
pub(in crate::sandbox::aws) fn caa(tx: &Tx<'_>, name: &str) -> Result<Vec<String>, SandboxError> {
    let plain = name.strip_prefix("\\052.").unwrap_or(name);
    for ancestor in ancestors(plain) {
        let mut at = ancestor.to_owned();
        for _ in 0..8 {
            let values = lookup(tx, &at, "CAA")?;
            if !values.is_empty() {
                return Ok(values);
            }
            match cname(tx, &at)? {
                Some(target) => at = target,
                None => break,
            }
        }
    }
    Ok(Vec::new())
}

fn lookup(tx: &Tx<'_>, name: &str, kind: &str) -> Result<Vec<String>, SandboxError> {
    for ancestor in ancestors(name) {
        let ids: Vec<String> = tx.read(&format!("r53/name/{}", sort_key(ancestor)))?.unwrap_or_default();
        for id in ids {
            if tx.read::<Zone>(&format!("r53/zone/{id}"))?.is_some_and(|zone| !zone.private) {
                let sets: Vec<RecordSet> = tx.read(&records_key(&id, name))?.unwrap_or_default();
                return Ok(sets.into_iter().filter(|set| set.kind == kind).flat_map(|set| set.values).collect());
            }
        }
    }
    Ok(Vec::new())
}
