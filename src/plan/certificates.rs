//! Decisions about certificates that are imported, and about those that are only read.

use super::decide::Planner;
use super::wanted::date;
use super::{Action, Change};
use crate::event::Origin;
use crate::observed::{Condition, Found};
use crate::resource::certificate::{LeafFacts, Source};
use crate::resource::{Attr, Resource, Spec};

/// From how many days before its end an imported certificate is spoken of: as long as ACM announces it (API: PutAccountConfiguration).
const WARN_DAYS: i64 = 45;

impl Planner<'_> {
    /// A certificate that the stack only reads: it has to be there, issued, and of use to its deliveries. Nothing is written.
    pub(super) fn decide_existing(&mut self, resource: &Resource, arn: &str) {
        let addr = &resource.addr;
        if self.policy.replace.contains(addr) {
            let reason = format!("`{addr}` is only read, and can't be requested anew");
            self.refuse(
                Some(resource),
                "plan/no-replacement",
                reason,
                "whoever made it has to replace it; its renewals are carried by themselves",
            );
            return;
        }
        let account = arn.split(':').nth(4).unwrap_or_default();
        if let Some(own) = self.observed.identity.account.as_deref().filter(|own| *own != account) {
            let reason = format!("{arn} is of account {account}, and these credentials are of account {own}");
            let help = "ACM shows nobody the certificates of another account: request or import one in this account";
            self.refuse(Some(resource), "plan/only-read", reason, help);
            return;
        }
        let Some(found) = self.observed.resources.get(addr).filter(|found| found.origin == Some(Origin::Read)) else {
            let reason = format!("there is no certificate {arn}");
            let help = "check the ARN and its region, or let the stack request the certificate: `domain` in place of `arn`";
            self.refuse(Some(resource), "plan/only-read", reason, help);
            return;
        };
        self.notes.extend(found.warning.as_ref().map(|warning| format!("{addr}: {warning}")));
        let leaf = found.certificate.as_ref().and_then(|facts| facts.leaf.clone());
        let (Condition::Good, Some(leaf)) = (&found.condition, leaf) else {
            let why = match &found.condition {
                Condition::Dead(why) => why.clone(),
                Condition::Waiting(what) => format!("it waits for {what}"),
                _ => "it is not issued".to_owned(),
            };
            let help = "it is only read: whoever made it has to mend it; or name another certificate";
            self.refuse(Some(resource), "plan/only-read", format!("{arn} can't be used: {why}"), help);
            return;
        };
        if let Some(delivery) = self.delivery_of(resource)
            && !can_export(found)
        {
            let why = match found.attrs.get("type").and_then(Attr::as_text) {
                Some("IMPORTED") => "ACM exports no certificate that was imported",
                _ => "it was requested without leave to export its key, which can't be given afterwards",
            };
            let reason = format!("`{delivery}` needs the private key of {arn}, and {why}");
            let help =
                "deliver an exportable certificate: one of the stack's own (`export: true`), of a private CA, or imported from files";
            self.refuse(Some(resource), "plan/not-exportable", reason, help);
            return;
        }
        let known = self.prior.current(addr).filter(|known| known.id == found.id && known.origin == Origin::Read);
        let known_leaf = known.and_then(|known| known.certificate.as_ref()).and_then(|facts| facts.leaf.as_ref());
        if known_leaf == Some(&leaf) {
            self.unchanged += 1;
        } else {
            let what = if known_leaf.is_some() { "renewed" } else { "issued" };
            self.step(resource, Action::Read, &format!("{what}, till {}; only read", date(leaf.not_after)), Some(found), Vec::new());
            if let Some(step) = self.steps.last_mut() {
                step.counts = false;
                step.after.clone_from(&step.before);
            }
        }
        self.leaves.insert(addr.clone(), leaf);
    }

    /// The first delivery of a certificate.
    fn delivery_of(&self, certificate: &Resource) -> Option<String> {
        let is_delivery = |resource: &&Resource| match &resource.spec {
            Spec::Secret(spec) => spec.certificate == certificate.addr,
            Spec::Object(spec) => spec.certificate.as_ref() == Some(&certificate.addr),
            _ => false,
        };
        self.desired.resources().find(is_delivery).map(|resource| resource.addr.to_string())
    }

    /// Refuses files that ACM doesn't take by their dates, and speaks of those that soon won't do. Says whether it refused.
    pub(super) fn refuse_import(&mut self, resource: &Resource) -> bool {
        let Some(leaf) = imported(resource).cloned() else { return false };
        let (addr, now) = (&resource.addr, self.now.as_second());
        let help = "put the new certificate in place of its files, and run the same command: it keeps its ARN";
        if leaf.not_after <= now {
            let reason = format!("the certificate in the files of `{addr}` ended at {}", date(leaf.not_after));
            self.refuse(Some(resource), "plan/import-dates", reason, help);
            return true;
        }
        if leaf.not_before > now + 300 {
            let reason =
                format!("the certificate in the files of `{addr}` begins at {}, and ACM takes it from then on", date(leaf.not_before));
            self.refuse(Some(resource), "plan/import-dates", reason, "wait till then, or keep the one before it in its place");
            return true;
        }
        let days = (leaf.not_after - now) / 86_400;
        if days < WARN_DAYS {
            self.notes.push(format!("{addr}: it ends in {days} days, and ACM doesn't renew what is imported: {help}"));
        }
        false
    }

    /// Whether an address of the stack reads this ARN, and nothing may happen to it.
    pub(super) fn reader_of(&self, arn: &str) -> Option<String> {
        let reads =
            |resource: &&Resource| matches!(&resource.spec, Spec::Certificate(spec) if spec.source == Source::Existing(arn.to_owned()));
        self.desired.resources().chain(self.policy.declared.resources()).find(reads).map(|resource| resource.addr.to_string())
    }
}

/// The leaf in the files of an import.
pub(super) fn imported(resource: &Resource) -> Option<&LeafFacts> {
    match &resource.spec {
        Spec::Certificate(spec) => spec.imported().map(|facts| &facts.leaf),
        _ => None,
    }
}

/// Whether what is there is an import of the stack's own, whose end is no reason to make another: a new file takes its place.
pub(super) fn is_reimportable(resource: &Resource, found: &Found) -> bool {
    imported(resource).is_some() && found.attrs.get("type").and_then(Attr::as_text) == Some("IMPORTED")
}

/// The changes of an import: its names are those of the certificate, and change with it, in place (ACM user guide, "Reimport a certificate").
pub(super) fn of_import(resource: &Resource, changes: &mut Vec<Change>) {
    if imported(resource).is_none() {
        return;
    }
    let is_name = |change: &Change| ["domain_name", "subject_alternative_names"].contains(&change.path.as_str());
    let is_another = changes.iter().any(|change| change.path == "certificate_sha256");
    changes.retain(|change| is_another || !is_name(change));
    changes.iter_mut().filter(|change| is_name(change)).for_each(|change| change.replaces = false);
}

fn can_export(found: &Found) -> bool {
    match found.attrs.get("type").and_then(Attr::as_text) {
        Some("PRIVATE") => true,
        Some("IMPORTED") => false,
        _ => found.attrs.get("export") == Some(&Attr::Value(true.into())),
    }
}
