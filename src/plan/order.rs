//! Which step waits for which.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Point, Step};
use crate::addr::{Addr, AwsKind};
use crate::graph::Graph;
use crate::observed::{Observed, Owner};
use crate::resource::{ALB_CERTIFICATE_ARN as CERTIFICATE_ARN, Attr, Spec};
use crate::state::State;

/// Links the steps: creation follows the references, removal goes against them, and what is replaced goes last.
pub(super) fn link(steps: &mut [Step], desired: &Graph, prior: &State, observed: &Observed, declared: &Graph) {
    steps.sort_by_key(|step| (step.action.is_removal(), rank(step), step.addr.clone(), step.id.clone()));
    // What is about pods' proxies only has an order of its own.
    let is_making = |step: &Step| !step.action.is_removal() && step.proxies.is_none();
    let making: BTreeMap<Addr, usize> =
        steps.iter().enumerate().filter(|(_, step)| is_making(step)).map(|(index, step)| (step.addr.clone(), index)).collect();
    let removing: BTreeMap<Addr, usize> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.action.is_removal() && !step.is_deposed)
        .map(|(index, step)| (step.addr.clone(), index))
        .collect();
    let needed_by = reverse_needs(steps, &[desired, declared], prior, observed);
    let deliveries = deliveries_by_certificate(&making, desired);
    let is_destroy = desired.resources().next().is_none();
    for step in steps.iter_mut() {
        if step.action.is_removal() {
            // A delivery that moves is there under its new name before the old one goes.
            let served = prior.resources.get(&step.addr).into_iter().flat_map(|known| &known.needs);
            for index in served.filter_map(|certificate| deliveries.get(&(certificate, kind(&step.addr)))).flatten() {
                if step.is_deposed || !desired.contains(&step.addr) {
                    step.starts_after.push((*index, Point::Ready));
                }
            }
            for dependent in needed_by.get(&step.addr).into_iter().flatten() {
                if let Some(index) = making.get(dependent) {
                    step.starts_after.push((*index, Point::Ready));
                }
                if let Some(index) = removing.get(dependent)
                    && (!step.is_deposed || is_destroy)
                {
                    step.starts_after.push((*index, Point::Gone));
                }
            }
            // A record is found again through the certificates that need it: one of them is always there.
            let facts = observed.resources.get(&step.addr).filter(|found| step.id.as_ref() == Some(&found.id));
            for record in facts.and_then(|found| found.certificate.as_ref()).into_iter().flat_map(|facts| &facts.records) {
                if let Some(Spec::ValidationRecord(spec)) =
                    desired.get(&Addr::validation_record(&record.base_domain)).map(|resource| &resource.spec)
                {
                    let others = spec.certificates.iter().filter(|certificate| **certificate != step.addr);
                    let next = others.filter_map(|certificate| making.get(certificate));
                    step.starts_after.extend(next.map(|index| (*index, Point::Created)));
                }
            }
            if step.is_deposed
                && let Some(index) = making.get(&step.addr)
            {
                step.starts_after.push((*index, Point::Ready));
            }
        } else if let Some(resource) = desired.get(&step.addr).filter(|_| step.proxies.is_none()) {
            let points = |needs: &[(Addr, crate::resource::Milestone)]| {
                needs
                    .iter()
                    .filter_map(|(addr, milestone)| making.get(addr).map(|index| (*index, Point::from(*milestone))))
                    .collect::<Vec<_>>()
            };
            step.starts_after = points(&resource.needs);
            // Enough is enough: when one certificate that tells the record's value is there already, nothing is waited for.
            if step.any_start && step.starts_after.len() < resource.needs.len() {
                step.starts_after.clear();
            }
            step.ready_after = points(&resource.ready_needs);
        }
    }
}

/// The steps that write each certificate's deliveries, by their kind.
fn deliveries_by_certificate<'a>(making: &BTreeMap<Addr, usize>, desired: &'a Graph) -> BTreeMap<(&'a Addr, Kind<'a>), Vec<usize>> {
    let mut deliveries: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for resource in desired
        .resources()
        .filter(|resource| !matches!(resource.spec, Spec::Certificate(_) | Spec::ValidationRecord(_) | Spec::AliasRecord(_)))
    {
        let Some(index) = making.get(&resource.addr) else { continue };
        for (certificate, _) in resource.needs.iter().filter(|(addr, _)| addr.aws_kind() == Some(AwsKind::AcmCertificate)) {
            deliveries.entry((certificate, kind(&resource.addr))).or_default().push(*index);
        }
    }
    deliveries
}

type Kind<'a> = (Option<AwsKind>, Option<&'a str>);

/// What an address is the address of.
fn kind(addr: &Addr) -> Kind<'_> {
    match addr {
        Addr::Aws { .. } => (addr.aws_kind(), None),
        Addr::Kube { kind, .. } => (None, Some(kind)),
    }
}

/// Who needs each address: by the state, by the stack, and by what the kinds themselves tell of what is there.
pub(super) fn reverse_needs(steps: &[Step], stacks: &[&Graph], prior: &State, observed: &Observed) -> BTreeMap<Addr, BTreeSet<Addr>> {
    let mut needed_by: BTreeMap<Addr, BTreeSet<Addr>> = BTreeMap::new();
    let mut add = |needed: &Addr, by: &Addr| {
        needed_by.entry(needed.clone()).or_default().insert(by.clone());
    };
    for (addr, known) in &prior.resources {
        for needed in &known.needs {
            add(needed, addr);
        }
    }
    for resource in stacks.iter().flat_map(|stack| stack.resources()) {
        for (needed, _) in &resource.needs {
            add(needed, &resource.addr);
        }
    }
    let found = observed.resources.iter().filter(|(_, found)| matches!(found.owner, Owner::Us { .. })).map(|(addr, _)| addr);
    for addr in steps.iter().map(|step| &step.addr).chain(found) {
        if let Addr::Kube { namespace: Some(namespace), .. } = addr {
            add(&Addr::namespace(namespace), addr);
        }
        // A record goes before its certificate, which is what leads to it when the state is lost.
        if addr.aws_kind() == Some(AwsKind::AcmCertificate) {
            let facts = observed.resources.get(addr).and_then(|found| found.certificate.as_ref());
            for record in facts.into_iter().flat_map(|facts| &facts.records) {
                add(addr, &Addr::validation_record(&record.base_domain));
            }
        }
        if prior.resources.get(addr).is_none_or(|known| known.needs.is_empty()) {
            needs_of_edge(addr, observed, &mut add);
        }
        // A secret is named after its certificate.
        if addr.aws_kind() == Some(AwsKind::SecretsManagerSecret) {
            add(&Addr::certificate(addr.name()), addr);
        }
    }
    needed_by
}

/// Where neither state nor stack tells it: what alias records, load balancers and gateways stand on. A load balancer's records go first; then
/// its Ingress, which may take minutes; then what it sends requests to, and the certificates that it serves.
fn needs_of_edge(addr: &Addr, observed: &Observed, add: &mut impl FnMut(&Addr, &Addr)) {
    let ours = || observed.resources.iter().filter(|(_, found)| matches!(found.owner, Owner::Us { .. }));
    let kind_of = |addr: &Addr| match addr {
        Addr::Kube { kind, group, .. } => format!("{kind}.{group}"),
        Addr::Aws { kind, .. } => kind.as_str().to_owned(),
    };
    let beside = |other: &Addr| match (addr, other) {
        (Addr::Kube { namespace: own, .. }, Addr::Kube { namespace, .. }) => own == namespace,
        _ => false,
    };
    match kind_of(addr).as_str() {
        "route53_record" => {
            for (ingress, _) in ours().filter(|(other, _)| kind_of(other) == "ingress.networking.k8s.io") {
                add(ingress, addr);
            }
        }
        "ingress.networking.k8s.io" => {
            let arns = observed.resources.get(addr).and_then(|found| found.attrs.get(&format!("metadata.annotations.{CERTIFICATE_ARN}")));
            let arns = arns.and_then(Attr::as_text).unwrap_or_default();
            for (other, found) in ours() {
                let is_behind =
                    beside(other) && matches!(kind_of(other).as_str(), "service." | "deployment.apps" | "gateway.networking.istio.io");
                if is_behind || arns.split(',').any(|arn| arn.trim() == found.id) {
                    add(other, addr);
                }
            }
        }
        "gateway.networking.istio.io" => {
            for (secret, _) in ours().filter(|(other, _)| beside(other) && kind_of(other) == "secret.") {
                add(secret, addr);
            }
        }
        _ => {}
    }
}

/// The order in which steps are shown: what others need first, removals the other way round.
fn rank(step: &Step) -> i8 {
    let rank = match (&step.addr, step.addr.aws_kind()) {
        (_, Some(AwsKind::AcmCertificate)) => 0,
        (_, Some(AwsKind::AcmValidationRecord)) => 1,
        (Addr::Kube { namespace: None, .. }, _) => 2,
        (_, Some(AwsKind::SecretsManagerSecret)) => 3,
        (_, Some(AwsKind::Route53Record)) => 5,
        _ => 4,
    };
    if step.action.is_removal() && step.action != Action::Release { -rank } else { rank }
}
