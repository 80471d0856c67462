//! Secrets of other make whose value stays: it is what meshform would write, and a tag says so from then on.

use super::decide::Planner;
use crate::addr::Addr;
use crate::observed::Found;
use crate::resource::secret::{kept_version, token_of};
use crate::resource::{Attr, Attrs, Resource, Spec, TAG_VERSION};

impl Planner<'_> {
    /// The secret as if its version were of meshform's making, when its value is what would be written. Where it isn't, a note says why.
    pub(super) fn with_kept_value(&mut self, resource: &Resource, found: &Found) -> Option<Found> {
        let (Spec::Secret(spec), addr) = (&resource.spec, &resource.addr) else { return None };
        let held = self.observed.held.get(addr)?;
        let leaf = self.leaves.get(&spec.certificate)?;
        let why = match &held.content {
            Ok(held) if held.leaf_sha256 != leaf.leaf_sha256 => "it holds another certificate",
            Ok(held) if held.chain_sha256.as_ref().is_some_and(|chain| *chain != leaf.chain_sha256) => "it holds another chain",
            Ok(_) => {
                let mut found = found.clone();
                found.attrs.insert("version".into(), Attr::text(spec.version_token(leaf)));
                return Some(found);
            }
            Err(why) => why,
        };
        let layout = if held.content.is_err() { "; say in `layout:` how its readers want it" } else { "" };
        self.notes.push(format!("{addr}: its value can't stay, and gets a new version: {why}{layout}"));
        None
    }

    /// The tag of a version that was there before, and is what the stack wants.
    pub(super) fn kept_mark(&self, addr: &Addr, found: &Found, wanted: &Attrs) -> Option<(String, Attr)> {
        let path = format!("tags.{TAG_VERSION}");
        let text = |attrs: &'_ Attrs, path: &str| attrs.get(path).and_then(Attr::as_text).map(ToOwned::to_owned);
        let token = text(wanted, "version").filter(|token| text(&found.attrs, "version").as_ref() == Some(token))?;
        let held = self.observed.held.get(addr).map(|held| kept_version(&held.version, &token));
        let mark = held.or_else(|| {
            let mark = text(&found.attrs, &path)?;
            let version = mark.split_once('=').map(|(version, _)| version.to_owned())?;
            (token_of(Some(&mark), &version) == Some(token.as_str())).then_some(mark)
        })?;
        Some((path, Attr::text(mark)))
    }
}
