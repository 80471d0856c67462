//! `secrets_manager:` and `tls_secrets:` of a certificate.

use std::collections::BTreeMap;

use super::{aws, layout, manifests, namespaces, syntax};
use crate::diag::{Diagnostic, Place, shown};
use crate::input::{Node, Value};
use crate::stack::layout::Layout;
use crate::stack::parse::{Fields, Reader, Spanned};
use crate::stack::{SecretsManagerDelivery, TextPart, TlsSecretDelivery, schema};

/// The targets that have a delivery, with its place.
#[derive(Default)]
pub(super) struct Taken {
    secrets: BTreeMap<(String, String), Place>,
    tls_secrets: BTreeMap<(String, String), Place>,
}

/// Days that a deleted secret can be restored in, by default.
const RECOVERY_WINDOW: u8 = 30;

/// Reads `secrets_manager`: a name, or a map.
pub(super) fn secrets_manager(
    reader: &mut Reader<'_>,
    certificate: &Fields<'_>,
    region: &str,
    inherited_tags: &BTreeMap<String, String>,
    taken: &mut Taken,
) -> Option<SecretsManagerDelivery> {
    let entry = certificate.get("secrets_manager")?;
    let path = certificate.at("secrets_manager");
    if !matches!(entry.value.value, Value::Map(_)) {
        let name = reader.string(&entry.value, &path)?;
        secret_name(reader, &name, region, taken);
        return Some(SecretsManagerDelivery {
            name: name.text,
            description: None,
            kms_key_id: None,
            recovery_window_days: RECOVERY_WINDOW,
            tags: BTreeMap::new(),
            adopt: false,
            replicas: BTreeMap::new(),
            policy: None,
            layout: Layout::default(),
            place: name.place,
        });
    }
    let fields = reader.fields(&entry.value, &path, &schema::SECRETS_MANAGER)?;
    let name = reader.required(&fields, "name", "<name>");
    if let Some(name) = &name {
        secret_name(reader, name, region, taken);
    }
    let description = fields.value("description").and_then(|node| reader.text(node, &fields.at("description")));
    if let (Some(text), Some(entry)) = (&description, fields.get("description")) {
        let known = text.0.iter().map(|part| if let TextPart::Literal(literal) = part { literal.chars().count() } else { 0 });
        let length: usize = known.sum();
        if length > 2048 {
            let detail = format!("{length} characters; Secrets Manager takes 2048");
            reader.error("secret/description", "description too long", detail, &entry.value.place, "");
        }
    }
    let delivery = SecretsManagerDelivery {
        description,
        kms_key_id: reader.string_of(&fields, "kms_key_id").map(|key| key.text),
        recovery_window_days: recovery_window(reader, &fields),
        tags: aws::tags(reader, &fields, inherited_tags),
        adopt: reader.boolean(&fields, "adopt").unwrap_or(false),
        replicas: replicas(reader, &fields, region),
        policy: policy(reader, &fields),
        layout: layout::layout(reader, &fields),
        place: name.as_ref().map_or_else(|| entry.key_place.clone(), |name| name.place.clone()),
        name: name?.text,
    };
    Some(delivery)
}

/// The regions that get a copy: names, or maps with a key of KMS.
fn replicas(reader: &mut Reader<'_>, secret: &Fields<'_>, home: &str) -> BTreeMap<String, Option<String>> {
    let mut replicas = BTreeMap::new();
    let path = secret.at("replicas");
    let Some(node) = secret.value("replicas") else { return replicas };
    for item in reader.list(node, &path) {
        let (region, key) = if matches!(item.value, Value::Map(_)) {
            let Some(fields) = reader.fields(item, &path, &schema::REPLICA) else { continue };
            let region = reader.required(&fields, "region", "us-east-1");
            (region, reader.string_of(&fields, "kms_key_id").map(|key| key.text))
        } else {
            (reader.string(item, &path), None)
        };
        let Some(region) = region else { continue };
        let why = match () {
            () if !syntax::is_region(&region.text) => "is not a region",
            () if region.text == home => "is the secret's own region",
            () if replicas.contains_key(&region.text) => "is named twice",
            () => {
                replicas.insert(region.text, key.filter(|key| key != DEFAULT_KEY));
                continue;
            }
        };
        let detail = format!("{} {why}", shown(&region.text));
        reader.error(
            "secret/replica",
            "bad replica of a secret",
            detail,
            &region.place,
            "name each other region once, such as `us-east-1`",
        );
    }
    replicas
}

/// The key that Secrets Manager uses when none is named.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
/// Most characters of a resource policy (API: PutResourcePolicy).
const MOST_POLICY: usize = 20_480;

/// The resource policy, as JSON.
fn policy(reader: &mut Reader<'_>, secret: &Fields<'_>) -> Option<serde_json::Value> {
    let entry = secret.get("policy")?;
    let policy = manifests::input(reader, &entry.value, &secret.at("policy"))?;
    let has_statements = match policy.get("Statement") {
        Some(serde_json::Value::Array(statements)) => !statements.is_empty() && statements.iter().all(serde_json::Value::is_object),
        Some(one) => one.is_object(),
        None => false,
    };
    let length = policy.to_string().chars().count();
    let why = match () {
        () if !has_statements => format!("`{}` has no `Statement`", secret.at("policy")),
        () if length > MOST_POLICY => {
            format!("`{}` has {length} characters, and Secrets Manager takes {MOST_POLICY}", secret.at("policy"))
        }
        () => return Some(policy),
    };
    let help = "write it as IAM has it: `policy: {Version: \"2012-10-17\", Statement: [{Effect: Allow, …}]}`";
    reader.error("secret/policy", "bad resource policy", why, &entry.value.place, help);
    None
}

fn secret_name(reader: &mut Reader<'_>, name: &Spanned, region: &str, taken: &mut Taken) {
    let length = name.text.chars().count();
    let bad = name.text.chars().find(|c| !(c.is_ascii_alphanumeric() || "/_+=.@-".contains(*c)));
    let why = match bad {
        Some(c) => Some(format!("holds {}", shown(&c.to_string()))),
        None if length > 512 => Some(format!("has {length} characters")),
        None => None,
    };
    if let Some(why) = why {
        let help = "up to 512 letters, digits and `/_+=.@-`";
        reader.error("secret/name", "bad secret name", format!("{} {why}", shown(&name.text)), &name.place, help);
    }
    // ARNs end in a hyphen and six characters, and a lookup by name can't tell the two apart.
    if let Some((before, six)) = name.text.rsplit_once('-')
        && !before.is_empty()
        && six.len() == 6
        && six.bytes().all(|b| b.is_ascii_alphanumeric())
    {
        let detail = format!("it ends in `-{six}`, like the ending that Secrets Manager gives to ARNs");
        let warning = Diagnostic::warning("secret/name-suffix", "secret name looks like the end of an ARN", detail);
        reader.diags.push(warning.at(&name.place).help("choose an ending of another length: a lookup by name may find the wrong secret"));
    }
    if let Some(before) = taken.secrets.insert((region.to_owned(), name.text.clone()), name.place.clone()) {
        let detail = format!("a second delivery to {} in the same region", shown(&name.text));
        let error = Diagnostic::error("secret/duplicate", "two deliveries to one secret", detail).at(&name.place);
        reader.diags.push(error.and_at(&before, "the first is here").help("give each certificate a secret of its own"));
    }
}

fn recovery_window(reader: &mut Reader<'_>, fields: &Fields<'_>) -> u8 {
    let Some(days) = reader.number(fields, "recovery_window_days") else { return RECOVERY_WINDOW };
    match u8::try_from(days) {
        Ok(days) if days == 0 || (7..=30).contains(&days) => days,
        _ => {
            if let Some(node) = fields.value("recovery_window_days") {
                let detail = format!("{days} days; 7 to 30 are allowed, or 0 to delete at once");
                reader.error("secret/recovery-window", "bad recovery window", detail, &node.place, "");
            }
            RECOVERY_WINDOW
        }
    }
}

/// Reads `tls_secrets`.
pub(super) fn tls_secrets(
    reader: &mut Reader<'_>,
    certificate: &Fields<'_>,
    stack: &Fields<'_>,
    taken: &mut Taken,
) -> Vec<TlsSecretDelivery> {
    let Some(entry) = certificate.get("tls_secrets") else { return Vec::new() };
    let path = certificate.at("tls_secrets");
    let items = reader.list(&entry.value, &path);
    if stack.get("cluster").is_none() && !items.is_empty() {
        let detail = format!("`{path}` has no cluster to go to");
        let help = "add `cluster: {eks: <name>}` or `cluster: {context: <name>}`";
        reader.error("kubernetes/no-cluster", "no cluster", detail, &entry.key_place, help);
    }
    items.iter().enumerate().filter_map(|(index, item)| tls_secret(reader, item, &format!("{path}[{index}]"), taken)).collect()
}

fn tls_secret(reader: &mut Reader<'_>, node: &Node, path: &str, taken: &mut Taken) -> Option<TlsSecretDelivery> {
    let fields = reader.fields(node, path, &schema::TLS_SECRET)?;
    let namespace = reader.required(&fields, "namespace", "<namespace>");
    let name = reader.required(&fields, "name", "<name>");
    if let Some(namespace) = &namespace
        && let Err(why) = syntax::dns_label(&namespace.text)
    {
        reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&namespace.text)), &namespace.place, "");
    }
    if let Some(name) = &name
        && let Err(why) = syntax::dns_subdomain(&name.text)
    {
        reader.error("kubernetes/name", "bad Kubernetes name", format!("{} {why}", shown(&name.text)), &name.place, "");
    }
    via(reader, &fields);
    let labels = namespaces::labels(reader, &fields, &[]);
    let annotations = namespaces::annotations(reader, &fields);
    let (adopt, force) = (reader.boolean(&fields, "adopt"), reader.boolean(&fields, "force"));
    let (namespace, name) = (namespace?, name?);
    let target = (namespace.text.clone(), name.text.clone());
    if let Some(before) = taken.tls_secrets.insert(target, name.place.clone()) {
        let detail = format!("a second delivery to the Secret {}", shown(&format!("{}/{}", namespace.text, name.text)));
        let error = Diagnostic::error("kubernetes/duplicate-secret", "two deliveries to one Kubernetes Secret", detail).at(&name.place);
        reader.diags.push(error.and_at(&before, "the first is here").help("give each delivery a Secret of its own"));
    }
    Some(TlsSecretDelivery {
        namespace: namespace.text,
        name: name.text,
        labels,
        annotations,
        adopt: adopt.unwrap_or(false),
        force: force.unwrap_or(false),
        place: name.place,
    })
}

fn via(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let Some(via) = reader.string_of(fields, "via") else { return };
    match via.text.as_str() {
        "direct" => {}
        "external-secrets" => {
            let detail = "this version does not handle delivery through External Secrets";
            reader.error("stack/not-yet", "section not handled yet", detail, &via.place, "use `via: direct`, the default");
        }
        other => {
            let detail = format!("`{}` is `direct`, and this is {}", fields.at("via"), shown(other));
            reader.error("stack/bad-value", "value not allowed", detail, &via.place, "");
        }
    }
}
