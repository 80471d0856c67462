//! `urlParse` and `urlJoin`: Go's `net/url`.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Args, Func, FuncError, Runtime};
use crate::helm::strconv;
use crate::helm::value::{Map, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[Func::fixed("urlParse", &[Type::String], url_parse), Func::fixed("urlJoin", &[Type::Map], url_join)];

/// A part of a URL, which says what must be escaped in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    User,
    Host,
    Zone,
    Fragment,
}

/// `url.URL`, as far as sprig looks at it.
#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    /// Name, and password if there is one.
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

fn url_parse(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(0)?;
    let url = Url::parse(text.as_bytes()).map_err(|error| FuncError::new(format!("unable to parse url: {error}")))?;
    let user = url.user.as_ref().map(userinfo).unwrap_or_default();
    let parts: [(&str, Value); 8] = [
        ("hostname", Value::str(hostname(&url.host))),
        ("scheme", Value::str(url.scheme)),
        ("host", Value::str(url.host)),
        ("path", Value::str(url.path)),
        ("query", Value::str(url.query)),
        ("opaque", Value::str(url.opaque)),
        ("fragment", Value::str(url.fragment)),
        ("userinfo", Value::str(user)),
    ];
    Ok(Value::Map(parts.into_iter().collect()))
}

fn url_join(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let map = args.map(0)?;
    let mut url = Url {
        scheme: given(map, "scheme")?,
        host: given(map, "host")?,
        path: given(map, "path")?,
        query: given(map, "query")?,
        opaque: given(map, "opaque")?,
        fragment: given(map, "fragment")?,
        user: None,
    };
    let user = given(map, "userinfo")?;
    if !user.is_empty() {
        let probe = [b"proto://", &user[..], b"@host"].concat();
        let parsed = Url::parse(&probe).map_err(|error| FuncError::new(format!("unable to parse userinfo in dict: {error}")))?;
        url.user = parsed.user;
    }
    Ok(Value::str(url.write()))
}

fn given(map: &Map, key: &str) -> Result<Vec<u8>, FuncError> {
    match map.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.as_bytes().to_vec()),
        Some(Value::Nil) => Err(super::lists::nil_pointer()),
        Some(other) => Err(FuncError::new(format!("unable to parse {key} key, must be of type string, but {} found", other.kind().name()))),
    }
}

fn position(text: &[u8], wanted: u8) -> Option<usize> {
    text.iter().position(|b| *b == wanted)
}

/// `strings.Cut` by one letter.
fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    position(text, at).map_or((text, &[][..]), |index| (&text[..index], &text[index + 1..]))
}

fn shown(text: &[u8]) -> String {
    strconv::quote_bytes(text)
}

impl Url {
    /// `url.Parse`
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (rest, fragment) = cut(text, b'#');
        let failed = |text: &[u8], error: String| format!("parse {}: {error}", shown(text));
        let mut url = Self::read(rest).map_err(|error| failed(rest, error))?;
        if !fragment.is_empty() {
            url.fragment = unescape(fragment, Part::Fragment).map_err(|error| failed(text, error))?;
        }
        Ok(url)
    }

    fn read(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(|b| *b < b' ' || *b == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let end = position(&rest[2..], b'/').map_or(rest.len(), |slash| slash + 2);
            (url.user, url.host) = authority(&url.scheme, &rest[2..end])?;
            rest = &rest[end..];
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    /// `URL.String`
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            if !(self.scheme.is_empty() && self.host.is_empty() && self.user.is_none()) {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.extend_from_slice(b"//");
                }
                if let Some(user) = &self.user {
                    out.extend(userinfo(user));
                    out.push(b'@');
                }
                out.extend(escape(&self.host, Part::Host));
            }
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, Part::Path) };
            if !path.is_empty() && !path.starts_with(b"/") && !self.host.is_empty() {
                out.push(b'/');
            }
            // A colon in the first part would make it a scheme.
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend(path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Part::Fragment));
        }
        out
    }
}

/// The scheme of an address that Go's `url.ParseRequestURI` reads.
pub(crate) fn url_scheme(text: &str) -> Option<String> {
    let url = Url::read(text.as_bytes()).ok()?;
    let is_absolute = !url.scheme.is_empty() || text.starts_with('/');
    (is_absolute && !text.is_empty()).then(|| String::from_utf8_lossy(&url.scheme).into_owned())
}

/// Why Go's `url.Parse` doesn't read an address.
pub(crate) fn url_error(text: &str) -> Option<String> {
    Url::parse(text.as_bytes()).err()
}

fn scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((&[], text))
}

type User = (Vec<u8>, Option<Vec<u8>>);

fn authority(scheme: &[u8], text: &[u8]) -> Result<(Option<User>, Vec<u8>), String> {
    let Some(at) = text.iter().rposition(|b| *b == b'@') else { return Ok((None, host(scheme, text)?)) };
    let host = host(scheme, &text[at + 1..])?;
    let user = &text[..at];
    if !user.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(b)) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let user = match position(user, b':') {
        None => (unescape(user, Part::User)?, None),
        Some(colon) => (unescape(&user[..colon], Part::User)?, Some(unescape(&user[colon + 1..], Part::User)?)),
    };
    Ok((Some(user), host))
}

fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn host(scheme: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let check_port = |port: &[u8]| if is_port(port) { Ok(()) } else { Err(format!("invalid port {} after host", shown(port))) };
    match text.iter().rposition(|b| *b == b'[') {
        Some(0) => return literal(text, check_port),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    if let Some(first) = position(text, b':') {
        // Databases put lists of hosts with ports here: only of the web's URLs is one colon demanded.
        let last = text.iter().rposition(|b| *b == b':').unwrap_or(first);
        let colon = if scheme == b"http" || scheme == b"https" { first } else { last };
        check_port(&text[colon..])?;
    }
    unescape(text, Part::Host)
}

/// `[fe80::1%25en0]:80`
fn literal(text: &[u8], check_port: impl Fn(&[u8]) -> Result<(), String>) -> Result<Vec<u8>, String> {
    let close = text.iter().rposition(|b| *b == b']').ok_or("missing ']' in host")?;
    let port = &text[close + 1..];
    check_port(port)?;
    let inner = &text[1..close];
    let zone = inner.windows(3).position(|window| window == b"%25").unwrap_or(inner.len());
    let mut name = unescape(&inner[..zone], Part::Host)?;
    name.extend(unescape(&inner[zone..], Part::Zone)?);
    let address = String::from_utf8_lossy(&name).into_owned();
    let (bare, zoned) = address.split_once('%').map_or((address.as_str(), None), |(bare, zone)| (bare, Some(zone)));
    if bare.parse::<Ipv4Addr>().is_ok() {
        return Err("invalid IP-literal".to_owned());
    }
    if bare.parse::<Ipv6Addr>().is_err() || zoned == Some("") {
        return Err(format!("invalid host: ParseAddr({}): unable to parse IP", strconv::quote(&address)));
    }
    Ok([b"[", &name[..], b"]", port].concat())
}

fn hostname(host: &[u8]) -> &[u8] {
    let end = host.iter().rposition(|b| *b == b':').filter(|colon| is_port(&host[*colon..])).unwrap_or(host.len());
    let host = &host[..end];
    host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host)
}

fn userinfo((name, password): &User) -> Vec<u8> {
    let mut out = escape(name, Part::User);
    if let Some(password) = password {
        out.push(b':');
        out.extend(escape(password, Part::User));
    }
    out
}

/// `shouldEscape`
fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let host = matches!(part, Part::Host | Part::Zone);
    if host {
        return !b"!$&'()*+,;=:[]<>\"".contains(&byte);
    }
    match byte {
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            Part::Path => byte == b'?',
            Part::User => b"@/?:".contains(&byte),
            _ => false,
        },
        b'!' | b'(' | b')' | b'*' => part != Part::Fragment,
        _ => true,
    }
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if must_escape(*byte, part) {
            out.extend(format!("%{byte:02X}").into_bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut left = text;
    let host = matches!(part, Part::Host | Part::Zone);
    while let Some((first, rest)) = left.split_first() {
        if *first != b'%' {
            if host && first.is_ascii() && must_escape(*first, part) {
                return Err(format!("invalid character {} in host name", shown(&[*first])));
            }
            out.push(*first);
            left = rest;
            continue;
        }
        let escape = &left[..left.len().min(3)];
        let wrong = || format!("invalid URL escape {}", shown(escape));
        let digit = |index: usize| escape.get(index).and_then(|b| char::from(*b).to_digit(16));
        let byte = digit(1).zip(digit(2)).and_then(|(high, low)| u8::try_from(high * 16 + low).ok()).ok_or_else(wrong)?;
        if part == Part::Host && byte < 0x80 && escape != b"%25" {
            return Err(wrong());
        }
        if part == Part::Zone && escape != b"%25" && byte != b' ' && must_escape(byte, Part::Host) {
            return Err(wrong());
        }
        out.push(byte);
        left = &left[3..];
    }
    Ok(out)
}
