//! Lists: selected, in pages, as whole objects or their metadata alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::kinds::Kind;
use super::route::Request;
use super::selector::Selector;
use super::status::{Outcome, Refusal};
use super::store;
use crate::sandbox::due::after;
use crate::sandbox::world::Tx;

/// How long a list can be gone on with: etcd is compacted every five minutes (kube-apiserver: `--etcd-compaction-interval`).
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// Where a list goes on. The fields are those of the real server's tokens; the revision stands for the time of the list.
#[derive(Serialize, Deserialize)]
struct Token {
    v: String,
    rv: i64,
    start: String,
    /// When it was given, in seconds.
    #[serde(default)]
    at: i64,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Whole objects.
    Whole,
    /// Metadata alone.
    Metadata,
}

/// Lists the objects of a kind.
pub(super) fn list(tx: &Tx<'_>, kind: &Kind, namespace: &str, request: &Request, form: Form) -> Outcome<Value> {
    let text = |name: &str| request.query.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let selector = Selector::read(kind, text("labelSelector"), text("fieldSelector"))?;
    let limit = match text("limit") {
        None => 0,
        Some(limit) => {
            limit.parse::<usize>().map_err(|_| Refusal::bad_request(format!("strconv.ParseInt: parsing {limit:?}: invalid syntax")))?
        }
    };
    let prefix = store::prefix(kind, namespace);
    let start = text("continue").map(|token| start(tx, token)).transpose()?.map(|start| format!("{prefix}{start}"));
    let mut items: Vec<Value> = Vec::new();
    let mut last = "";
    let mut rest = 0;
    let begin = start.as_deref().unwrap_or(&prefix);
    for (key, object) in tx.scan_from(&prefix, begin) {
        if rest == 0 && !selector.matches(object) {
            continue;
        }
        if limit > 0 && items.len() == limit {
            rest += 1;
            if !selector.is_empty() {
                break;
            }
            continue;
        }
        items.push(item(kind, object, form));
        last = &key[prefix.len()..];
    }
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), json!(store::revision(tx).to_string()));
    if rest > 0 {
        metadata.insert("continue".to_owned(), json!(token(tx, last)));
        if selector.is_empty() {
            metadata.insert("remainingItemCount".to_owned(), json!(rest));
        }
    }
    if kind.custom && form == Form::Whole {
        metadata.entry("continue").or_insert_with(|| json!(""));
    }
    let (list_kind, version) = match form {
        Form::Whole => (kind.list_kind.as_str(), kind.api_version()),
        Form::Metadata => ("PartialObjectMetadataList", "meta.k8s.io/v1".to_owned()),
    };
    Ok(json!({"kind": list_kind, "apiVersion": version, "metadata": metadata, "items": items}))
}

/// An object in the form that was asked for.
pub(super) fn shown(object: Value, form: Form) -> Value {
    match form {
        Form::Whole => object,
        Form::Metadata => {
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata").cloned().unwrap_or(json!({}))})
        }
    }
}

fn item(kind: &Kind, object: &Value, form: Form) -> Value {
    match form {
        Form::Metadata => shown(object.clone(), form),
        Form::Whole if kind.custom => store::in_version(kind, object),
        // The items of a list of a built-in kind don't say what they are.
        Form::Whole => {
            let fields = object.as_object().into_iter().flatten().filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion"));
            Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
    }
}

/// A token with which to go on behind a key.
fn token(tx: &Tx<'_>, last: &str) -> String {
    let rv = i64::try_from(store::revision(tx)).unwrap_or(i64::MAX);
    let token = Token { v: "meta.k8s.io/v1".to_owned(), rv, start: format!("/{last}\0"), at: tx.now().as_second() };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&token).unwrap_or_default())
}

fn start(tx: &Tx<'_>, text: &str) -> Outcome<String> {
    let invalid = |why: &str| Refusal::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid("illegal base64 data"))?;
    let token: Token = serde_json::from_slice(&bytes).map_err(|_| invalid("it can't be read"))?;
    if token.v != "meta.k8s.io/v1" {
        return Err(invalid(&format!("server does not recognize this encoded version {:?}", token.v)).into());
    }
    let start = token.start.strip_prefix('/').unwrap_or(&token.start);
    let given = jiff::Timestamp::from_second(token.at).map_err(|_| invalid("it can't be read"))?;
    // A revision of -1 is the real server's way to go on with whatever there is.
    if token.rv >= 0 && after(given, TOKEN_LIFE) < tx.now() {
        let fresh = Token { rv: -1, start: token.start.clone(), ..token };
        return Err(Refusal::expired(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&fresh).unwrap_or_default())).into());
    }
    Ok(start.to_owned())
}
