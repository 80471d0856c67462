//! Where a certificate comes from: `private_ca:`, `import:`, `arn:`, or none of them; and what each of them leaves no room for.

use super::manifests::beside;
use crate::diag::{Diagnostic, shown};
use crate::stack::parse::{Fields, Reader};
use crate::stack::{Aws, CertificateOrigin, ImportFiles, KeySource, Spot, schema};

/// The keys that say it, each with the keys that are of no use beside it, and why.
const KINDS: &[(&str, &[&str], &str)] = &[
    (
        "private_ca",
        &["zone", "dns", "export"],
        "a private CA validates no domain, and the key of its certificates can always be exported, at no charge",
    ),
    (
        "import",
        &["zone", "dns", "export", "key_algorithm", "issue_timeout"],
        "an imported certificate is made elsewhere, and what its files hold is what is delivered",
    ),
    (
        "arn",
        &["domain", "names", "zone", "dns", "export", "key_algorithm", "issue_timeout", "region", "tags", "adopt"],
        "a certificate that is named by its ARN is only read",
    ),
];

/// Service and type in the ARN of a private CA, and in that of a certificate.
const AUTHORITY: (&str, &str) = ("acm-pca", "certificate-authority/");
const CERTIFICATE: (&str, &str) = ("acm", "certificate/");

/// Reads them. Nothing when more than one is given, or one is wrong.
pub(super) fn origin(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<CertificateOrigin> {
    let mut given = KINDS.iter().filter_map(|(key, idle, why)| Some((fields.get(key)?, *idle, *why)));
    let Some((entry, idle, why)) = given.next() else { return Some(CertificateOrigin::Public) };
    if let Some((other, ..)) = given.next() {
        let detail = format!("`{}` and `{}` exclude each other", entry.key, other.key);
        let error = Diagnostic::error("certificate/origin", "certificate from two places", detail).at(&other.key_place);
        reader.diags.push(error.and_at(&entry.key_place, "the first is here").help("keep one of them, or make two certificates of it"));
        return None;
    }
    for extra in idle.iter().filter_map(|key| fields.get(key)) {
        let detail = format!("`{}` is of no use beside `{}`: {why}", fields.at(&extra.key), entry.key);
        reader.error("certificate/not-here", "key of no use for this certificate", detail, &extra.key_place, "remove it");
    }
    match entry.key.as_str() {
        "private_ca" => arn(reader, fields, "private_ca", AUTHORITY, "a private CA").map(|arn| CertificateOrigin::PrivateCa { arn }),
        "arn" => arn(reader, fields, "arn", CERTIFICATE, "a certificate of ACM").map(|arn| CertificateOrigin::Existing { arn }),
        _ => import(reader, fields),
    }
}

/// The ARN that stands at a key, of this service and type.
fn arn(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str, (service, kind): (&str, &str), what: &str) -> Option<String> {
    let arn = reader.string_of(fields, key)?;
    if parts(&arn.text, service, kind).is_none() {
        let detail = format!("{} is not the ARN of {what}", shown(&arn.text));
        let help = format!("write it like `arn:aws:{service}:eu-west-1:111122223333:{kind}…`");
        reader.error("certificate/arn", "bad ARN", detail, &arn.place, &help);
        return None;
    }
    Some(arn.text)
}

fn import(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<CertificateOrigin> {
    let import = reader.fields(fields.value("import")?, &fields.at("import"), &schema::IMPORT)?;
    let mut file = |key: &str, is_needed: bool| {
        let path = if is_needed { reader.required(&import, key, "tls/<name>.pem") } else { reader.string_of(&import, key) };
        path.map(|path| Spot { name: beside(&path), place: path.place })
    };
    let (certificate, chain) = (file("certificate", true), file("chain", false));
    let private_key = match import.value("private_key") {
        Some(node) if reader.is_missing(node) => None,
        Some(node) => match reader.secret_name(node) {
            Some(name) => Some(KeySource::Variable(Spot { name, place: node.place.clone() })),
            None => reader.string_of(&import, "private_key").and_then(|path| {
                // A key in the stack itself would be in version control by tomorrow.
                if path.text.contains("-----BEGIN") {
                    let help = "name its file, or a secret variable: `private_key: ${vars.edge_key}`";
                    let detail = format!("`{}` is the path of a file, and this is a key", import.at("private_key"));
                    reader.error("certificate/key-in-stack", "private key in the stack file", detail, &path.place, help);
                    return None;
                }
                Some(KeySource::File(Spot { name: beside(&path), place: path.place }))
            }),
        },
        None => reader.required(&import, "private_key", "tls/<name>.key").and(None),
    };
    let mut is_whole = true;
    let passphrase = import.value("passphrase").filter(|node| !reader.is_missing(node)).and_then(|node| {
        let name = reader.secret_name(node);
        if name.is_none() {
            is_whole = false;
            let detail = format!("`{}` is the name of a secret variable, and nothing else", import.at("passphrase"));
            let help = "declare `vars: {phrase: {secret: true}}`, and write `passphrase: ${vars.phrase}`";
            reader.error("certificate/passphrase", "passphrase that isn't a secret variable", detail, &node.place, help);
        }
        name.map(|name| Spot { name, place: node.place.clone() })
    });
    let files = ImportFiles { certificate: certificate?, chain, private_key: private_key?, passphrase };
    is_whole.then(|| CertificateOrigin::Imported(Box::new(files)))
}

/// What the ARNs tell: a CA signs in its own region, and a certificate of another account can't be read.
pub(super) fn surroundings(reader: &mut Reader<'_>, fields: &Fields<'_>, origin: &CertificateOrigin, aws: &Aws, region: &str) {
    match origin {
        CertificateOrigin::PrivateCa { arn } => {
            let ca_region = parts(arn, AUTHORITY.0, AUTHORITY.1).map(|(region, _)| region);
            if let (Some(there), Some(entry)) = (ca_region.filter(|there| *there != region), fields.get("private_ca")) {
                let detail = format!("the CA is in {there}, and the certificate in {region}");
                let help = format!("a CA signs certificates of its own region: say `region: {there}`, or name a CA of {region}");
                reader.error("certificate/region", "private CA of another region", detail, &entry.value.place, &help);
            }
        }
        CertificateOrigin::Existing { arn } => {
            let account = parts(arn, CERTIFICATE.0, CERTIFICATE.1).map(|(_, account)| account);
            if let (Some(there), Some(pinned), Some(entry)) = (account, &aws.account, fields.get("arn"))
                && there != pinned
            {
                let detail = format!("the certificate is of account {there}, and the stack of account {pinned}");
                let help = "ACM shows nobody the certificates of another account: request or import one in this account";
                reader.error("certificate/other-account", "certificate of another account", detail, &entry.value.place, help);
            }
        }
        CertificateOrigin::Public | CertificateOrigin::Imported(_) => {}
    }
}

/// The region of a certificate's ARN.
pub(super) fn region(arn: &str) -> Option<&str> {
    parts(arn, CERTIFICATE.0, CERTIFICATE.1).map(|(region, _)| region)
}

/// Region and account of an ARN of this service and type.
fn parts<'a>(arn: &'a str, service: &str, kind: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&'a str> = arn.splitn(6, ':').collect();
    let ["arn", partition, of, region, account, resource] = parts.as_slice() else { return None };
    let is_id = |id: &str| !id.is_empty() && id.len() <= 100 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_right = partition.starts_with("aws")
        && *of == service
        && super::syntax::is_region(region)
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && resource.strip_prefix(kind).is_some_and(is_id);
    is_right.then_some((*region, *account))
}
