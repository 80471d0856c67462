//! Addresses of mail and of the web, by the rules of asaskevich/govalidator in short: its expressions take a few exotic forms more.

use crate::helm::func::url_scheme;

/// An absolute address: what Go's `url.ParseRequestURI` reads, with a scheme.
pub(super) fn is_request_url(text: &str) -> bool {
    url_scheme(text).is_some_and(|scheme| !scheme.is_empty())
}

/// An address of the web, with or without its scheme.
pub(super) fn is_url(text: &str) -> bool {
    let bare = !text.contains("://");
    let whole = if bare { format!("http://{text}") } else { text.to_owned() };
    let scheme = url_scheme(&whole);
    if !scheme.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "ftp" | "tcp" | "udp" | "ws" | "wss")) {
        return false;
    }
    let authority = whole.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host == "localhost" || host.starts_with('[') || (host.contains('.') && is_domain(host))
}

/// `local@domain`, where the domain has a dot.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| {
        !atom.is_empty() && atom.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || !c.is_ascii())
    };
    let ends_in_letter = domain.ends_with(|c: char| c.is_ascii_alphabetic() || !c.is_ascii());
    local.split('.').all(is_atom) && domain.contains('.') && ends_in_letter && is_domain(domain)
}

fn is_domain(text: &str) -> bool {
    text.split('.').all(|label| {
        let inner = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii();
        label.starts_with(inner) && label.ends_with(inner) && label.chars().all(|c| inner(c) || c == '-' || c == '_')
    })
}
