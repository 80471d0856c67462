//! Exported material: fetched at most once per certificate and run, handed to its deliveries, dropped after the last.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::engine::{Engine, Finished, SharedMaterial};
use super::{Progress, StepError};
use crate::addr::Addr;
use crate::event::Event;
use crate::material::{Expected, Material};
use crate::observe::arn_region;
use crate::plan::{Plan, Step};
use crate::provider::aws::acm::Acm;
use crate::provider::error::{Class, ProviderError};
use crate::resource::Spec;
use crate::resource::certificate::CertificateFacts;
use crate::secret::SecretBytes;
use crate::store::{Lease, StoreError};

/// The material of a run.
pub(super) struct Materials {
    by_certificate: BTreeMap<Addr, Slot>,
    wanted: BTreeSet<Addr>,
}

struct Slot {
    /// Deliveries that are not over.
    left: usize,
    content: Content,
}

enum Content {
    Absent,
    Wanted,
    Fetching,
    There(SharedMaterial),
    Failed(StepError),
}

impl Materials {
    /// Counts the deliveries of each certificate.
    pub(super) fn of(plan: &Plan) -> Self {
        let mut by_certificate: BTreeMap<Addr, Slot> = BTreeMap::new();
        for step in &plan.steps {
            if let Some(certificate) = certificate_of(plan, step) {
                by_certificate.entry(certificate).or_insert(Slot { left: 0, content: Content::Absent }).left += 1;
            }
        }
        Self { by_certificate, wanted: BTreeSet::new() }
    }

    pub(super) fn has_deliveries(&self, certificate: &Addr) -> bool {
        self.by_certificate.contains_key(certificate)
    }

    pub(super) fn is_there(&self, certificate: &Addr) -> bool {
        matches!(self.by_certificate.get(certificate), Some(Slot { content: Content::There(_), .. }))
    }

    pub(super) fn failure(&self, certificate: &Addr) -> Option<StepError> {
        match self.by_certificate.get(certificate) {
            Some(Slot { content: Content::Failed(error), .. }) => Some(error.clone()),
            _ => None,
        }
    }

    pub(super) fn want(&mut self, certificate: &Addr) {
        if let Some(slot) = self.by_certificate.get_mut(certificate)
            && matches!(slot.content, Content::Absent)
        {
            slot.content = Content::Wanted;
            self.wanted.insert(certificate.clone());
        }
    }

    pub(super) fn get(&self, certificate: &Addr) -> Option<SharedMaterial> {
        match &self.by_certificate.get(certificate)?.content {
            Content::There(material) => Some(Rc::clone(material)),
            _ => None,
        }
    }
}

fn certificate_of(plan: &Plan, step: &Step) -> Option<Addr> {
    if step.action.is_removal() {
        return None;
    }
    match &plan.graph.get(&step.addr)?.spec {
        Spec::Secret(spec) => Some(spec.certificate.clone()),
        Spec::Object(spec) => spec.certificate.clone(),
        _ => None,
    }
}

impl<L: Lease> Engine<'_, L> {
    /// Begins the exports that deliveries wait for, as far as there are slots.
    pub(super) fn begin_exports(&mut self) {
        while self.slots < self.options.parallelism {
            let Some(certificate) = self.materials.wanted.pop_first() else { break };
            let arn = self.arn(&certificate);
            let names = match self.plan.graph.get(&certificate).map(|resource| &resource.spec) {
                Some(Spec::Certificate(spec)) => spec.names.iter().cloned().collect(),
                _ => Vec::new(),
            };
            let Some((aws, arn)) = self.world.aws.as_ref().zip(arn) else {
                self.set(&certificate, Content::Failed(super::engine::lost(&certificate)));
                self.material_is_settled(&certificate);
                continue;
            };
            self.set(&certificate, Content::Fetching);
            let acm = aws.acm(arn_region(&arn).unwrap_or(aws.region()));
            let expected = Expected { names, now: self.world.clock.now(), verify_chain: self.options.verify_chain };
            self.spawn(Box::pin(async move {
                let result = export(&acm, &certificate, &arn, &expected).await;
                Finished::Exported { certificate, result }
            }));
        }
    }

    /// ACM exports nothing that was imported: of such a certificate the files are where its material comes from.
    pub(super) fn take_from_files(&mut self, certificate: &Addr) {
        if let Some(material) = self.options.imported.get(certificate).cloned() {
            self.set(certificate, Content::There(material));
        }
    }

    /// Takes an export in: what it is, is learned; the deliveries go on.
    pub(super) fn take_export(&mut self, certificate: &Addr, result: Result<Material, StepError>) -> Result<(), StoreError> {
        let content = match result {
            Err(error) => Content::Failed(error),
            Ok(material) => {
                let leaf = material.leaf().clone();
                if let Some(current) = self.lease.state().current(certificate)
                    && current.certificate.as_ref().and_then(|facts| facts.leaf.as_ref()) != Some(&leaf)
                {
                    let id = current.id.clone();
                    let mut facts = current.certificate.clone().unwrap_or_default();
                    // The list's dates belong to the leaf that was known; those of another are told by the next observation.
                    if facts.leaf.is_some() {
                        facts.dates = None;
                    }
                    let facts = CertificateFacts { leaf: Some(leaf.clone()), ..facts };
                    self.lease.record(Event::Learned { addr: certificate.clone(), id, facts })?;
                }
                if self.plan.leaves.get(certificate).is_some_and(|planned| *planned != leaf) {
                    let note = format!("{certificate} was renewed since the plan was made: the newer certificate is delivered");
                    (self.sink)(Progress::Note(note));
                }
                Content::There(Rc::new(material))
            }
        };
        self.set(certificate, content);
        self.material_is_settled(certificate);
        Ok(())
    }

    fn set(&mut self, certificate: &Addr, content: Content) {
        if let Some(slot) = self.materials.by_certificate.get_mut(certificate) {
            slot.content = content;
        }
    }

    /// A delivery is over: after the last one the material goes.
    pub(super) fn release_material(&mut self, step: &Step) {
        if let Some(certificate) = certificate_of(self.plan, step)
            && let Some(slot) = self.materials.by_certificate.get_mut(&certificate)
        {
            slot.left = slot.left.saturating_sub(1);
            if slot.left == 0 {
                slot.content = Content::Absent;
            }
        }
    }
}

async fn export(acm: &Acm, certificate: &Addr, arn: &str, expected: &Expected) -> Result<Material, StepError> {
    let passphrase = passphrase()?;
    let mut attempt = 0_u64;
    let exported = loop {
        match acm.export(arn, &passphrase).await {
            Ok(exported) => break exported,
            // Issued a moment ago: the export is a little behind.
            Err(error) if error.class == Class::NotYet && attempt < 10 => {
                attempt += 1;
                tokio::time::sleep(std::time::Duration::from_secs(attempt)).await;
            }
            Err(error) => return Err(error.into()),
        }
    };
    Material::open(&exported, &passphrase, expected)
        .map_err(|reason| StepError::Material { certificate: certificate.clone(), reason: Rc::new(reason) })
}

/// A fresh passphrase of 48 letters and digits: ACM takes 4 to 128 ASCII characters without `#`, `$` and `%` (API: ExportCertificate).
fn passphrase() -> Result<SecretBytes, ProviderError> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut phrase = zeroize::Zeroizing::new(Vec::with_capacity(48));
    let mut random = zeroize::Zeroizing::new([0_u8; 64]);
    while phrase.len() < 48 {
        getrandom::fill(random.as_mut())
            .map_err(|error| ProviderError::own("making a passphrase", "the export", Class::Server, error.to_string()))?;
        // Values above the last whole multiple of 62 would favour some letters.
        phrase.extend(random.iter().filter(|byte| **byte < 248).map(|byte| ALPHABET[usize::from(byte % 62)]));
    }
    phrase.truncate(48);
    Ok(SecretBytes::new(phrase.to_vec()))
}
