//! What a chart leaves to chance: passwords, keys, certificates, dates. A release that throws dice is rendered several times, each time with one
//! draw that comes out otherwise, and so shows which fields hang on which draws. Those that share a draw live and die together: a certificate with
//! its key, and with the bundle that others believe it by.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Manifest;
use super::charts::{self, ChartFiles, Facts, RenderedRelease};
use super::dice::{Dice, Draw};
use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, Sources};
use crate::fields::{FieldPath, differences};
use crate::resource::manifest::{Generated, fingerprints};
use crate::secret::sha256_hex;
use crate::stack::charts::Release;

/// The most draws that are looked at one by one; of more, all live and die together.
const MOST_DRAWS: usize = 16;

/// Renders a release with these dice, and tells which of its fields come of chance.
pub fn release(
    release: &Release,
    files: &ChartFiles,
    facts: &Facts,
    dice: &Dice,
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> RenderedRelease {
    let mut fixed = Dice::fixed();
    let plain = charts::release(release, files, facts, &mut fixed, sources, diags);
    if fixed.drawn().is_empty() || !plain.needs.is_empty() || diags.has_errors() {
        return plain;
    }
    // What it says it says the same way each time.
    let mut quiet = Diagnostics::default();
    let mut again = |dice: &Dice| charts::release(release, files, facts, &mut dice.clone(), &mut Sources::default(), &mut quiet);
    let draws: Vec<Draw> = fixed.drawn().iter().copied().collect();
    let altered: Vec<RenderedRelease> = if draws.len() > MOST_DRAWS {
        vec![again(&Dice::other())]
    } else {
        draws.iter().map(|draw| again(&Dice::fixed().altered(*draw))).collect()
    };
    let mut real = again(dice);
    let found = match fields(release, &plain, &altered) {
        Ok(found) => found,
        Err(diagnostic) => {
            diags.push(diagnostic);
            return plain;
        }
    };
    if objects(&real).keys().ne(objects(&plain).keys()) {
        diags.push(made_by_chance(release, "its objects"));
        return plain;
    }
    for manifest in &mut real.manifests {
        manifest.generated = found.get(&manifest.addr()).cloned().unwrap_or_default();
    }
    real
}

/// The objects of a release, the values of Secrets as fingerprints: what two renderings are compared by.
pub(super) fn objects(rendered: &RenderedRelease) -> BTreeMap<Addr, Value> {
    rendered.manifests.iter().map(|manifest| (manifest.addr(), shown(manifest))).collect()
}

/// An object with the values of a Secret as fingerprints.
fn shown(manifest: &Manifest) -> Value {
    let mut body = manifest.body.clone();
    if let (Value::Object(body), false) = (&mut body, manifest.data.is_empty()) {
        body.insert("data".to_owned(), fingerprints(manifest.data.iter()));
    }
    body
}

fn made_by_chance(release: &Release, what: &str) -> Diagnostic {
    let detail = format!("`{}` names {what} by chance: every plan would make another", release.section);
    let diagnostic = Diagnostic::error("chart/random-name", "object named by chance", detail).at(&release.place);
    diagnostic.help("give the chart a fixed name by its values")
}

/// The fields that come out otherwise when a draw does, each with the group that it lives and dies with.
fn fields(release: &Release, plain: &RenderedRelease, altered: &[RenderedRelease]) -> Result<BTreeMap<Addr, Vec<Generated>>, Diagnostic> {
    let plain = objects(plain);
    let mut hang: BTreeMap<(Addr, FieldPath), BTreeSet<usize>> = BTreeMap::new();
    for (number, other) in altered.iter().enumerate() {
        let other = objects(other);
        if let Some(named) = plain.keys().find(|addr| !other.contains_key(*addr)) {
            return Err(made_by_chance(release, &format!("`{named}`")));
        }
        for (addr, body) in &plain {
            for difference in other.get(addr).into_iter().flat_map(|other| differences(body, other, &[])) {
                hang.entry((addr.clone(), difference.path)).or_default().insert(number);
            }
        }
    }
    let groups = groups(hang.values());
    let mut found: BTreeMap<Addr, Vec<Generated>> = BTreeMap::new();
    for ((addr, path), draws) in hang {
        let value = plain.get(&addr).and_then(|body| path.value_in(body));
        let fixed = sha256_hex(value.map(Value::to_string).unwrap_or_default().as_bytes())[..16].to_owned();
        let group = draws.first().and_then(|draw| groups.get(draw)).copied().unwrap_or_default();
        found.entry(addr).or_default().push(Generated { path, group: format!("{}#{group}", release.section), fixed });
    }
    Ok(found)
}

/// The group of each draw: two that meet in a field are of one.
fn groups<'a>(fields: impl Iterator<Item = &'a BTreeSet<usize>>) -> BTreeMap<usize, usize> {
    let mut groups: BTreeMap<usize, usize> = BTreeMap::new();
    for draws in fields {
        let joined: BTreeSet<usize> = draws.iter().map(|draw| groups.get(draw).copied().unwrap_or(*draw)).collect();
        let Some(first) = joined.first().copied() else { continue };
        groups.extend(draws.iter().map(|draw| (*draw, first)));
        groups.values_mut().filter(|group| joined.contains(group)).for_each(|group| *group = first);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_that_meet_in_a_field_are_one_group() {
        let fields = [BTreeSet::from([0]), BTreeSet::from([1, 2]), BTreeSet::from([3]), BTreeSet::from([2, 4]), BTreeSet::from([3, 1])];
        let groups = groups(fields.iter());
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 1)]);
    }
}
