//! Patches that are no applies: ownership that is handed over, items of lists that are turned back, marks that are taken off.

use http::Method;
use serde_json::{Map, Value, json};

use super::live::one;
use super::{ATTEMPTS, KindPath, Kube, Live, subject, unreadable};
use crate::fields::turned_back;
use crate::provider::error::{Class, ProviderError};
use crate::resource::FIELD_MANAGER;
use crate::secret::SecretBytes;

impl Kube {
    /// What our field manager owns is let go by the tools that wrote it before, so that a field that the stack drops later goes (the way of
    /// client-go's `csaupgrade`); and by patches of our own. Nothing is asked where there is nothing to let go.
    pub async fn take_from_tools(&self, kind: &KindPath, namespace: Option<&str>, name: &str, live: Live) -> Result<Live, ProviderError> {
        let mut live = live;
        for _ in 0..ATTEMPTS {
            let Some(managed) = live.handed_over() else { break };
            let operations = vec![json!({"op": "replace", "path": "/metadata/managedFields", "value": managed})];
            match self.patched(kind, (namespace, name), &live, operations, false).await {
                Ok(patched) => return Ok(patched),
                // Someone wrote in between: it is looked at again.
                Err(error) if is_outrun(&error) => match self.get(kind, namespace, name).await? {
                    Some(now) => live = now,
                    None => break,
                },
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }

    /// Turns items of lists back that another manager made others of by their keys ([`turned_back`]), with the fields of `wanted` in them; metadata
    /// is left to the apply that follows. Nothing when no item is to be turned back.
    pub async fn turn_back(&self, kind: &KindPath, live: &Live, wanted: &Value, dry_run: bool) -> Result<Option<Live>, ProviderError> {
        let Some(operations) = turns(kind, live, wanted) else { return Ok(None) };
        self.patched(kind, (live.namespace(), live.name()), live, operations, dry_run).await.map(Some)
    }

    /// The same for good, with the object looked at again when someone writes in between.
    pub async fn turn_back_now(&self, kind: &KindPath, namespace: Option<&str>, name: &str, wanted: &Value) -> Result<(), ProviderError> {
        for attempt in 1.. {
            let Some(live) = self.get(kind, namespace, name).await? else { return Ok(()) };
            match self.turn_back(kind, &live, wanted, false).await {
                Err(error) if is_outrun(&error) && attempt < ATTEMPTS => {}
                other => return other.map(drop),
            }
        }
        Ok(())
    }

    /// Changes an object by a JSON merge patch, as when it is released.
    pub async fn merge(&self, kind: &KindPath, namespace: Option<&str>, name: &str, patch: &Value) -> Result<(), ProviderError> {
        self.merge_as(FIELD_MANAGER, kind, namespace, name, patch).await
    }

    /// The same under another manager's name.
    pub(super) async fn merge_as(
        &self,
        manager: &str,
        kind: &KindPath,
        namespace: Option<&str>,
        name: &str,
        patch: &Value,
    ) -> Result<(), ProviderError> {
        let path = format!("{}?fieldManager={manager}", kind.object(namespace, name));
        let body = SecretBytes::from_text(patch.to_string());
        self.send("patch", kind, &subject(namespace, name), Method::PATCH, &path, Some(("application/merge-patch+json", &body))).await?;
        Ok(())
    }

    /// Sends a JSON patch that holds only for the revision that was looked at.
    async fn patched(
        &self,
        kind: &KindPath,
        (namespace, name): (Option<&str>, &str),
        live: &Live,
        mut operations: Vec<Value>,
        dry_run: bool,
    ) -> Result<Live, ProviderError> {
        operations.insert(0, json!({"op": "test", "path": "/metadata/resourceVersion", "value": live.revision()}));
        let body = SecretBytes::from_text(Value::Array(operations).to_string());
        let dry = if dry_run { "&dryRun=All" } else { "" };
        let path = format!("{}?fieldManager={FIELD_MANAGER}{dry}", kind.object(namespace, name));
        let subject = subject(namespace, name);
        let content = Some(("application/json-patch+json", &body));
        let answer = self.send("patch", kind, &subject, Method::PATCH, &path, content).await?;
        one(&answer, kind.is_secret()).map_err(|error| unreadable("patch", kind, &subject, &error))
    }
}

/// Whether someone else wrote between a look and a patch: the test of the revision fails.
fn is_outrun(error: &ProviderError) -> bool {
    matches!(error.class, Class::Invalid | Class::State | Class::Conflict(_))
}

/// The parts of an object that change when items are turned back. A Secret has no list with keys, and its values go through no patch.
fn turns(kind: &KindPath, live: &Live, wanted: &Value) -> Option<Vec<Value>> {
    if kind.is_secret() {
        return None;
    }
    let wanted: Map<String, Value> =
        wanted.as_object()?.iter().filter(|(part, _)| *part != "metadata").map(|(k, v)| (k.clone(), v.clone())).collect();
    let before = Value::Object(live.rest.clone());
    let mut after = turned_back(&before, &Value::Object(wanted.clone()), &live.trees())?;
    let differs = crate::fields::differences(&after, &Value::Object(wanted), &[]);
    // Lists of maps hold items of others as well: the apply that follows does what is left there.
    let is_shared = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_object));
    for difference in differs.into_iter().filter(|one| one.after.as_ref().is_some_and(|after| !is_shared(after))) {
        difference.path.put_into(&mut after, difference.after);
    }
    let parts = after.as_object()?.iter().filter(|(part, value)| before.get(part.as_str()) != Some(*value));
    let operation = |(part, value): (&String, &Value)| {
        let pointer = format!("/{}", part.replace('~', "~0").replace('/', "~1"));
        json!({"op": "replace", "path": pointer, "value": value})
    };
    Some(parts.map(operation).collect())
}
