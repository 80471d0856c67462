//! Records of zones, read together: a few by their names, more by listing their zone, which costs a request for each 300 records in it.

use std::collections::{BTreeMap, BTreeSet};

use super::zones::Zones;
use crate::provider::aws::Aws;
use crate::provider::error::ProviderError;
use crate::resource::alias_record::Record;
use crate::stack::Role;

/// A zone, and the role that leads to it.
pub(super) type ZoneOf = (Option<Role>, String);

/// What is to be read.
#[derive(Default)]
pub(super) struct Asked(BTreeMap<ZoneOf, Names>);

#[derive(Default)]
struct Names {
    of: BTreeSet<String>,
    /// Whether the stack wants something in the zone: then it has to be there.
    is_desired: bool,
    /// Whether all of it is wanted.
    is_whole: bool,
}

impl Asked {
    /// Asks for the records of these names in a zone.
    pub(super) fn add(&mut self, role: Option<&Role>, zone_id: &str, names: impl IntoIterator<Item = String>, is_desired: bool) {
        let zone = self.0.entry((role.cloned(), zone_id.to_owned())).or_default();
        zone.of.extend(names);
        zone.is_desired |= is_desired;
    }

    /// Asks for all records of a zone.
    pub(super) fn whole(&mut self, role: Option<&Role>, zone_id: &str) {
        self.0.entry((role.cloned(), zone_id.to_owned())).or_default().is_whole = true;
    }
}

/// What was read.
#[derive(Default)]
pub(super) struct Reads(BTreeMap<ZoneOf, Vec<Record>>);

impl Reads {
    /// The records of a name.
    pub(super) fn at(&self, role: Option<&Role>, zone_id: &str, name: &str) -> Vec<&Record> {
        let all = self.of(role, zone_id);
        let first = all.partition_point(|record| record.name.as_str() < name);
        all[first..].iter().take_while(|record| record.name == name).collect()
    }

    /// The records of a zone that were read.
    pub(super) fn of(&self, role: Option<&Role>, zone_id: &str) -> &[Record] {
        self.0.get(&(role.cloned(), zone_id.to_owned())).map(Vec::as_slice).unwrap_or_default()
    }

    /// The zones that were read.
    pub(super) fn zones(&self) -> impl Iterator<Item = (&ZoneOf, &[Record])> {
        self.0.iter().map(|(zone, records)| (zone, records.as_slice()))
    }
}

/// As many names are read one by one in any case.
const FEW: usize = 3;
/// Records in a page of a list.
const PAGE: usize = 300;

/// Reads what was asked for.
pub(super) async fn read(aws: &Aws, zones: &Zones, asked: Asked) -> Result<Reads, ProviderError> {
    let mut reads = Reads::default();
    for ((role, zone_id), Names { of: names, is_desired, is_whole }) in asked.0 {
        let route53 = aws.route53(role.as_ref()).await;
        let pages = zones.records(role.as_ref(), &zone_id) / PAGE + 1;
        let mut records: Vec<Record> = Vec::new();
        let outcome = if !is_whole && names.len() <= pages.clamp(FEW, FEW * 10) {
            let mut outcome = Ok(());
            for name in &names {
                match route53.records_at(&zone_id, name).await {
                    Ok(found) => records.extend(found),
                    Err(error) => outcome = Err(error),
                }
            }
            outcome
        } else {
            route53.records(&zone_id).await.map(|all| records = all)
        };
        match outcome {
            Ok(()) => {
                // Each record of the stack is looked up by its name.
                records.sort_by(|one, two| one.name.cmp(&two.name));
                reads.0.insert((role, zone_id), records);
            }
            // The zone itself is gone, and its records with it.
            Err(error) if error.is_not_found() && !is_desired => {}
            Err(error) => return Err(error),
        }
    }
    Ok(reads)
}
