//! The marks of ownership: what meshform writes on everything that can carry it, so that the state can be lost.

use crate::addr::{Addr, AwsKind};
use crate::event::Origin;
use crate::observed::{Found, Owner};
use crate::resource::alias_record::OWNERSHIP;
use crate::resource::manifest::{MANAGER, ManifestSpec};
use crate::resource::{
    ANNOTATION_ADDRESS, ANNOTATION_ADOPTED, ANNOTATION_LINEAGE, Attr, Attrs, LABEL_MANAGED_BY, LABEL_STACK, TAG_ADDRESS, TAG_ADOPTED,
    TAG_ADOPTED_RECORDS, TAG_GENERATION, TAG_STACK, TAG_VERSION,
};
use crate::state::Instance;

/// What goes into the marks of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a> {
    /// The stack's name.
    pub stack: &'a str,
    /// The lineage of the state.
    pub lineage: &'a str,
    /// The generation.
    pub generation: u64,
    /// Where the resource came from.
    pub origin: Origin,
    /// What the label `app.kubernetes.io/managed-by` says.
    pub managed_by: &'a str,
    /// What the label `app.kubernetes.io/managed-by` of an adopted object said before; empty: nothing.
    pub was_managed_by: &'a str,
}

/// What an adopted object's label `app.kubernetes.io/managed-by` said before meshform took it over.
pub(super) fn managed_before(found: &Found) -> &str {
    let text = |path: String| found.attrs.get(&path).and_then(Attr::as_text);
    match text(format!("metadata.annotations.{ANNOTATION_ADOPTED}")) {
        Some(mark) => mark.strip_prefix(FROM).unwrap_or_default(),
        None => text(format!("metadata.labels.{LABEL_MANAGED_BY}")).filter(|manager| *manager != MANAGER).unwrap_or_default(),
    }
}

/// What begins an adoption's mark that names the manager before.
const FROM: &str = "from ";

/// What the label `app.kubernetes.io/managed-by` is to say again when an adopted object with these attributes is released.
pub(crate) fn managed_after(before: &Attrs) -> Option<&str> {
    let mark = before.get(&format!("metadata.annotations.{ANNOTATION_ADOPTED}")).and_then(Attr::as_text)?;
    mark.strip_prefix(FROM)
}

impl<'a> Marks<'a> {
    /// The marks as attributes of the resource at `addr`; validation records carry none, and alias records a text of their own.
    pub fn attrs(&self, addr: &Addr) -> Attrs {
        let mut attrs = Attrs::new();
        let mut put = |path: String, value: String| attrs.insert(path, Attr::text(value));
        match addr {
            Addr::Aws { kind: AwsKind::AcmValidationRecord | AwsKind::Route53Record, .. } => {}
            Addr::Aws { .. } => {
                put(format!("tags.{TAG_STACK}"), self.stack_tag());
                put(format!("tags.{TAG_ADDRESS}"), addr.to_string());
                put(format!("tags.{TAG_GENERATION}"), self.generation.to_string());
                if self.origin == Origin::Adopted {
                    put(format!("tags.{TAG_ADOPTED}"), "true".into());
                }
            }
            Addr::Kube { .. } => {
                put(format!("metadata.labels.{LABEL_MANAGED_BY}"), self.managed_by.to_owned());
                put(format!("metadata.labels.{LABEL_STACK}"), self.stack.to_owned());
                put(format!("metadata.annotations.{ANNOTATION_ADDRESS}"), addr.to_string());
                put(format!("metadata.annotations.{ANNOTATION_LINEAGE}"), self.lineage.to_owned());
                if self.origin == Origin::Adopted {
                    let mark = if self.was_managed_by.is_empty() { "true".into() } else { format!("{FROM}{}", self.was_managed_by) };
                    put(format!("metadata.annotations.{ANNOTATION_ADOPTED}"), mark);
                }
            }
        }
        attrs
    }

    /// The marks of an object of a manifest, which go with what is sent.
    pub fn of_object(
        stack: &'a str,
        lineage: &'a str,
        (addr, spec): (&Addr, &'a ManifestSpec),
        found: Option<&'a Found>,
        known: Option<&Instance>,
    ) -> Attrs {
        let origin = match found {
            Some(found) if matches!(found.owner, Owner::Other(_)) => Origin::Adopted,
            Some(found) => known.filter(|known| known.id == found.id).map(|known| known.origin).or(found.origin).unwrap_or(Origin::Created),
            None => Origin::Created,
        };
        let was_managed_by = found.map_or("", managed_before);
        Marks { stack, lineage, generation: 1, origin, managed_by: spec.managed_by(), was_managed_by }.attrs(addr)
    }

    /// The value of the tag that names the owner.
    pub fn stack_tag(&self) -> String {
        format!("{}/{}", self.stack, self.lineage)
    }
}

/// Whether an attribute is one of our marks.
pub fn is_mark(path: &str) -> bool {
    let key =
        path.strip_prefix("tags.").or_else(|| path.strip_prefix("metadata.labels.")).or_else(|| path.strip_prefix("metadata.annotations."));
    path == OWNERSHIP
        || key.is_some_and(|key| {
            [TAG_STACK, TAG_ADDRESS, TAG_GENERATION, TAG_ADOPTED, TAG_ADOPTED_RECORDS, TAG_VERSION, ANNOTATION_LINEAGE, LABEL_MANAGED_BY]
                .contains(&key)
        })
}
