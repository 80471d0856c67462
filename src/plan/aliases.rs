//! Decisions about load balancers and the alias records that lead to them.

use serde_json::json;

use super::Change;
use super::decide::{Planner, describe};
use crate::addr::Addr;
use crate::event::Origin;
use crate::observed::{Found, ZoneChoice};
use crate::resource::alias_record::{self, APEX, AliasRecordSpec, OWNERSHIP, ROUTING};
use crate::resource::manifest::ManifestSpec;
use crate::resource::{Attr, Attrs, Resource};

/// Fields of an Ingress, a change of which the controller answers with another load balancer (AWS Load Balancer Controller, "Ingress
/// annotations": scheme and group; the class is another controller's).
const OTHER_BALANCER: &[&str] = &[
    "metadata.annotations[\"alb.ingress.kubernetes.io/scheme\"]",
    "metadata.annotations[\"alb.ingress.kubernetes.io/group.name\"]",
    "spec.ingressClassName",
];
/// The load balancer's name, which the controller looks at only when it makes one.
const BALANCER_NAME: &str = "metadata.annotations[\"alb.ingress.kubernetes.io/load-balancer-name\"]";

/// Whether a change of these fields leads to another load balancer, without a new Ingress.
pub(crate) fn moves_balancer(changes: &[Change]) -> bool {
    changes.iter().any(|change| OTHER_BALANCER.contains(&change.path.as_str()))
}

impl Planner<'_> {
    /// The attributes of the records of a host.
    pub(super) fn alias_attrs(&self, spec: &AliasRecordSpec, addr: &Addr, origin: Origin) -> Attrs {
        let zone = match self.observed.zones.get(addr) {
            Some(ZoneChoice::Found(zone)) => Some(zone),
            _ => None,
        };
        let types = if spec.has_ipv6 { json!(["A", "AAAA"]) } else { json!(["A"]) };
        let ownership = alias_record::ownership(&self.prior.stack, &self.lineage, &spec.target, origin == Origin::Adopted);
        let mut attrs = Attrs::from([
            ("zone_id".to_owned(), Attr::text(zone.map_or("", |zone| zone.id.as_str()))),
            ("name".to_owned(), Attr::text(&spec.host)),
            ("types".to_owned(), Attr::Value(types)),
            ("alias.evaluate_target_health".to_owned(), Attr::Value(json!(spec.evaluate_target_health))),
            (OWNERSHIP.to_owned(), Attr::text(ownership)),
        ]);
        if zone.is_some_and(|zone| zone.name == spec.host) {
            attrs.insert(APEX.into(), Attr::Value(json!(true)));
        }
        let name = self.observed.hostnames.get(&spec.target).filter(|_| !self.moving.contains(&spec.target));
        let name = name.map(|name| alias_record::plain_target(name));
        let zone_of_name = name.as_deref().and_then(alias_record::canonical_zone);
        let unknown = || Attr::Unknown(spec.target.clone());
        attrs.insert("alias.zone_id".into(), zone_of_name.map_or_else(unknown, Attr::text));
        attrs.insert("alias.name".into(), name.map_or_else(unknown, Attr::text));
        if let Some(role) = zone.and_then(|zone| zone.role.as_ref()) {
            attrs.insert("zone_role_arn".into(), Attr::text(&role.arn));
            attrs.extend(role.external_id.as_ref().map(|id| ("zone_external_id".to_owned(), Attr::text(id))));
        }
        attrs
    }

    /// Refuses what can't be done with the records of a host; says whether it did.
    pub(super) fn refuse_alias(&mut self, resource: &Resource, spec: &AliasRecordSpec, found: Option<&Found>) -> bool {
        if let Some(name) = self.observed.hostnames.get(&spec.target)
            && alias_record::canonical_zone(&alias_record::plain_target(name)).is_none()
        {
            let reason = format!(
                "`{name}`, which `{}` has in its status, is no Application Load Balancer of a region that is known here",
                spec.target
            );
            let help = "see which controller writes the status of that Ingress; `dns: manual` leaves the records to you";
            self.refuse(Some(resource), "plan/no-load-balancer", reason, help);
            return true;
        }
        let Some(found) = found else { return false };
        if found.attrs.contains_key(ROUTING) {
            let reason = format!(
                "{} has a routing policy (weights, regions or the like), which meshform neither makes nor removes",
                describe(&resource.addr, found)
            );
            let help = "take the policy off, or say `dns: manual` for this load balancer";
            self.refuse(Some(resource), "plan/adopt-differs", reason, help);
            return true;
        }
        if self.policy.exactly && !found.attrs.contains_key("alias.name") {
            let reason = format!("{} is no alias, and can't be taken over as it is", describe(&resource.addr, found));
            self.refuse(Some(resource), "plan/adopt-differs", reason, "let an apply with `--adopt` put the alias in its place");
            return true;
        }
        false
    }

    /// Decides about a change that means another load balancer, with another name: it is no small change, and needs consent. Says whether
    /// nothing is left to decide.
    pub(super) fn decide_other_balancer(&mut self, resource: &Resource, spec: &ManifestSpec, found: &Found, changes: &[Change]) -> bool {
        let named = changes.iter().find(|change| change.path == BALANCER_NAME);
        let Some(change) = changes.iter().find(|change| OTHER_BALANCER.contains(&change.path.as_str())).or(named) else { return false };
        let field = change.path.rsplit(['/', '.']).next().unwrap_or_default().trim_end_matches("\"]").to_owned();
        let field = if change.path.contains("group.name") { "group.name".to_owned() } else { field };
        let addr = &resource.addr;
        if !spec.rules.replace {
            let reason = format!(
                "another `{field}` means another load balancer for `{addr}`: it gets another DNS name, and the one that serves now is deleted"
            );
            let help =
                "say `replace: true` there for this change, at an hour when it may be; alias records of the stack follow by themselves";
            self.refuse(Some(resource), "plan/other-load-balancer", reason, help);
            return true;
        }
        self.notes.push(format!(
            "{addr}: another load balancer takes its place, with another DNS name: whoever uses the old name by hand has to follow"
        ));
        self.moving.insert(addr.clone());
        if named.is_some() {
            self.replace_for(resource, spec, found, "a load balancer keeps the name that it was made with", changes.to_vec());
            return true;
        }
        false
    }
}
