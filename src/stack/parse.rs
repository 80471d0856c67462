//! Nodes as typed values: maps with known keys, texts with variables put in, numbers, booleans.
//!
//! Every reader reports what is wrong and gives back nothing, so that the rest is still read.

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Diagnostics, Place, Sources, nearest, shown};
use crate::input::{Entry, Node, Style, Value};
use crate::stack::interpolate::{self, Segment, Unclosed};
use crate::stack::origin::join;
use crate::stack::schema::Section;
use crate::stack::vars::{Values, Var};
use crate::stack::{CertificateOutput, Text, TextPart};

/// What readers need, and where they report.
pub(super) struct Reader<'a> {
    pub(super) values: &'a Values,
    pub(super) sources: &'a Sources,
    pub(super) diags: &'a mut Diagnostics,
    /// The keys of all certificates, for references to them.
    pub(super) certificates: Vec<&'a str>,
    /// The keys of all load balancers.
    pub(super) load_balancers: Vec<&'a str>,
}

/// Which outputs may stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outputs {
    None,
    OfCertificates,
    All,
}

/// A map whose keys are known.
pub(super) struct Fields<'n> {
    /// Where it belongs, such as `certificates.edge`.
    pub(super) path: String,
    /// Where it stands.
    pub(super) place: Place,
    entries: &'n [Entry],
    section: &'static Section,
}

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanned {
    pub(super) text: String,
    pub(super) place: Place,
}

impl<'n> Fields<'n> {
    /// The entry of a key; nothing if it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&'n Entry> {
        debug_assert!(self.section.has(key), "`{}` is read, and the schema doesn't have it", self.at(key));
        self.entries.iter().find(|entry| entry.key == key && !entry.value.is_null())
    }

    /// The value of a key; nothing if it is absent or null.
    pub(super) fn value(&self, key: &str) -> Option<&'n Node> {
        self.get(key).map(|entry| &entry.value)
    }

    /// The path of a key.
    pub(super) fn at(&self, key: &str) -> String {
        join(&self.path, key)
    }
}

impl<'a> Reader<'a> {
    /// Reports an error.
    pub(super) fn error(&mut self, code: &'static str, summary: &'static str, detail: impl Into<String>, place: &Place, help: &str) {
        let error = Diagnostic::error(code, summary, detail).at(place);
        self.diags.push(if help.is_empty() { error } else { error.help(help) });
    }

    fn wrong_type(&mut self, path: &str, wanted: &str, node: &Node) {
        let detail = format!("`{path}` is {wanted}, and this is {}", node.kind());
        self.error("stack/wrong-type", "value of the wrong type", detail, &node.place, "");
    }

    /// A map with the keys of a section. Keys beyond them are reported; null is an empty map.
    pub(super) fn fields<'n>(&mut self, node: &'n Node, path: &str, section: &'static Section) -> Option<Fields<'n>> {
        let known = &section.names();
        let entries = match node.entries() {
            Some(entries) => entries,
            None if node.is_null() => &[],
            None => {
                self.wrong_type(path, "a map", node);
                return None;
            }
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            self.unknown_key(entry, path, known);
        }
        Some(Fields { path: path.to_owned(), place: node.place.clone(), entries, section })
    }

    /// Reports a key that isn't known.
    pub(super) fn unknown_key(&mut self, entry: &Entry, path: &str, known: &[&str]) {
        let of = if path.is_empty() { "the stack".to_owned() } else { format!("`{path}`") };
        let detail = format!("{of} has no {}", shown(&entry.key));
        let list = || known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let help = match nearest(&entry.key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys: {}", list()),
        };
        self.error("stack/unknown-key", "unknown key", detail, &entry.key_place, &help);
    }

    /// The entries of a map with names of the user's as keys.
    pub(super) fn named<'n>(&mut self, node: &'n Node, path: &str) -> &'n [Entry] {
        if node.entries().is_none() && !node.is_null() {
            self.wrong_type(path, "a map", node);
        }
        node.entries().unwrap_or_default()
    }

    /// The items of a list; a null is an empty one.
    pub(super) fn list<'n>(&mut self, node: &'n Node, path: &str) -> &'n [Node] {
        if node.items().is_none() && !node.is_null() {
            self.wrong_type(path, "a list", node);
        }
        node.items().unwrap_or_default()
    }

    /// A text with variables put in, not empty. Any scalar is one: `000000000000` keeps its zeros.
    pub(super) fn string(&mut self, node: &Node, path: &str) -> Option<Spanned> {
        let spanned = self.any_string(node, path)?;
        if spanned.text.is_empty() {
            self.error("stack/bad-value", "value not allowed", format!("`{path}` can't be empty"), &node.place, "");
            return None;
        }
        Some(spanned)
    }

    /// The text of a key.
    pub(super) fn string_of(&mut self, fields: &Fields<'_>, key: &str) -> Option<Spanned> {
        self.string(fields.value(key)?, &fields.at(key))
    }

    /// The name of the secret variable that a value consists of, whole; nothing when it is another value.
    pub(super) fn secret_name(&self, node: &Node) -> Option<String> {
        let inner = node.text()?.strip_prefix("${vars.")?.strip_suffix('}')?;
        matches!(self.values.get(inner), Some(Var::Secret(_))).then(|| inner.to_owned())
    }

    /// Whether a value consists of a variable that is declared and has no value, which was told already.
    pub(super) fn is_missing(&self, node: &Node) -> bool {
        let inner = node.text().and_then(|text| text.strip_prefix("${vars.")?.strip_suffix('}'));
        inner.is_some_and(|name| matches!(self.values.get(name), Some(Var::Missing)))
    }

    /// The text of a key that must be there.
    pub(super) fn required(&mut self, fields: &Fields<'_>, key: &str, example: &str) -> Option<Spanned> {
        if fields.get(key).is_none() {
            let of = if fields.path.is_empty() { "the stack".to_owned() } else { format!("`{}`", fields.path) };
            let help = format!("add `{key}: {example}`");
            self.error("stack/missing-key", "required key missing", format!("{of} needs `{key}`"), &fields.place, &help);
            return None;
        }
        self.string_of(fields, key)
    }

    /// A text with variables put in, perhaps empty.
    pub(super) fn any_string(&mut self, node: &Node, path: &str) -> Option<Spanned> {
        if node.is_null() {
            let detail = format!("`{path}` has no value");
            self.error("stack/wrong-type", "value of the wrong type", detail, &node.place, "write \"\" for an empty text");
            return None;
        }
        let mut text = String::new();
        for part in self.parts(node, path, Outputs::None)? {
            if let TextPart::Literal(literal) = part {
                text.push_str(&literal);
            }
        }
        Some(Spanned { text, place: node.place.clone() })
    }

    /// A text that may hold outputs.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<Text> {
        Some(Text(self.parts(node, path, Outputs::OfCertificates)?))
    }

    /// A text that may hold outputs of certificates and load balancers.
    pub(super) fn text_of_all(&mut self, node: &Node, path: &str) -> Option<Text> {
        Some(Text(self.parts(node, path, Outputs::All)?))
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, fields: &Fields<'_>, key: &str) -> Option<bool> {
        let node = fields.value(key)?;
        let path = fields.at(key);
        let spanned = self.any_string(node, &path)?;
        let quoted = matches!(&node.value, Value::Scalar { text, style } if *style != Style::Plain && !text.contains("${"));
        match spanned.text.as_str() {
            "true" | "True" | "TRUE" if !quoted => Some(true),
            "false" | "False" | "FALSE" if !quoted => Some(false),
            other => {
                let detail = format!("`{path}` is `true` or `false`, and this is {}", shown(other));
                let help = match other.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" => "write `true`, without quotes",
                    "false" | "no" | "off" | "n" => "write `false`, without quotes",
                    _ => "",
                };
                self.error("stack/wrong-type", "value of the wrong type", detail, &node.place, help);
                None
            }
        }
    }

    /// A whole number, not negative.
    pub(super) fn number(&mut self, fields: &Fields<'_>, key: &str) -> Option<u64> {
        let node = fields.value(key)?;
        let path = fields.at(key);
        let spanned = self.string(node, &path)?;
        if spanned.text.bytes().all(|b| b.is_ascii_digit())
            && let Ok(number) = spanned.text.parse()
        {
            return Some(number);
        }
        let detail = format!("`{path}` is a whole number, and this is {}", shown(&spanned.text));
        self.error("stack/wrong-type", "value of the wrong type", detail, &node.place, "");
        None
    }

    /// A map of names to texts, each with the place of its key.
    pub(super) fn strings<'n>(&mut self, fields: &Fields<'n>, key: &str) -> BTreeMap<String, (Spanned, &'n Place)> {
        let Some(node) = fields.value(key) else { return BTreeMap::new() };
        let path = fields.at(key);
        let mut strings = BTreeMap::new();
        for entry in self.named(node, &path) {
            if let Some(value) = self.any_string(&entry.value, &join(&path, &entry.key)) {
                strings.insert(entry.key.clone(), (value, &entry.key_place));
            }
        }
        strings
    }

    /// The parts of a text; nothing when one of them is wrong.
    fn parts(&mut self, node: &Node, path: &str, outputs: Outputs) -> Option<Vec<TextPart>> {
        let Some(text) = node.text() else {
            self.wrong_type(path, "a single value", node);
            return None;
        };
        let segments = match interpolate::segments(text) {
            Ok(segments) => segments,
            Err(Unclosed(at)) => {
                let place = self.inside(node, text, "${", at);
                let help = "close it with `}`; a literal `${` is written `$${`";
                self.error("stack/bad-ref", "bad reference", "this `${` has no `}` on its line", &place, help);
                return None;
            }
        };
        let mut parts: Vec<TextPart> = Vec::new();
        let mut whole = true;
        for segment in segments {
            let part = match segment {
                Segment::Literal(literal) => Some(TextPart::Literal(literal)),
                Segment::Reference { inner, at } => {
                    let place = self.inside(node, text, inner, at);
                    self.reference(inner, &place, path, outputs)
                }
            };
            match (part, parts.last_mut()) {
                (Some(TextPart::Literal(more)), Some(TextPart::Literal(last))) => last.push_str(&more),
                (Some(part), _) => parts.push(part),
                (None, _) => whole = false,
            }
        }
        whole.then_some(parts)
    }

    /// The place of a piece of a scalar's text.
    fn inside(&self, node: &Node, text: &str, piece: &str, at: usize) -> Place {
        // Far into a huge text the text's own place must do: the search is made for every reference.
        if at > 16 * 1024 {
            return node.place.clone();
        }
        // Looked up in the file with what surrounds it: quoting and folding leave `${…}` as it was written.
        let (needle, lead) = if piece == "${" { ("${".to_owned(), 0) } else { (format!("${{{piece}}}"), 2) };
        let before = &text[..(at - lead + needle.len()).min(text.len())];
        let nth = before.matches(&needle).count().saturating_sub(1);
        match self.sources.find(&node.place, &needle, nth) {
            Some(place) if piece.is_empty() || lead == 0 => place,
            Some(place) => Place { column: place.column + lead, length: piece.chars().count(), ..place },
            None => node.place.clone(),
        }
    }

    fn reference(&mut self, inner: &str, place: &Place, path: &str, outputs: Outputs) -> Option<TextPart> {
        let mut steps = inner.split('.');
        match (steps.next(), steps.next(), steps.next(), steps.next()) {
            (Some("vars"), Some(name), None, None) => self.variable(name, place, path),
            (Some("certificates"), Some(key), Some(output), None) => self.output(key, output, place, path, outputs),
            (Some("load_balancers"), Some(key), Some(output), None) => self.hostname(key, output, place, path, outputs),
            _ => {
                let first = inner.split('.').next().unwrap_or_default();
                let help = match nearest(first, ["vars", "certificates", "load_balancers"]) {
                    Some(near) if near != first => format!("did you mean `{near}`? A literal `${{` is written `$${{`"),
                    _ => "write `${vars.<name>}` or `${certificates.<key>.<output>}`; a literal `${` is written `$${`".to_owned(),
                };
                let detail = format!("{} is neither a variable nor an output", shown(inner));
                self.error("stack/bad-ref", "bad reference", detail, place, &help);
                None
            }
        }
    }

    fn variable(&mut self, name: &str, place: &Place, path: &str) -> Option<TextPart> {
        let values: &'a Values = self.values;
        match values.get(name) {
            Some(Var::Plain(text)) => Some(TextPart::Literal(text.clone())),
            Some(Var::Missing) => None,
            Some(Var::Secret(_)) => {
                let detail = format!("`vars.{name}` is secret, and `{path}` is shown in plans and stored in the clear");
                let help = "use a variable that isn't secret here";
                self.error("stack/secret-shown", "secret variable would be shown", detail, place, help);
                None
            }
            None => {
                let help = match nearest(name, values.names()) {
                    Some(near) => format!("did you mean `vars.{near}`?"),
                    None => "declare it under `vars:`".to_owned(),
                };
                let detail = format!("the stack declares no variable {}", shown(name));
                self.error("stack/unknown-ref", "reference to an unknown variable", detail, place, &help);
                None
            }
        }
    }

    fn output(&mut self, key: &str, output: &str, place: &Place, path: &str, allowed: Outputs) -> Option<TextPart> {
        if !self.certificates.contains(&key) {
            let help = match nearest(key, self.certificates.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it under `certificates:`".to_owned(),
            };
            let detail = format!("the stack has no certificate {}", shown(key));
            self.error("stack/unknown-ref", "reference to an unknown certificate", detail, place, &help);
            return None;
        }
        let output = match output {
            "arn" => CertificateOutput::Arn,
            "domain" => CertificateOutput::Domain,
            "not_after" => CertificateOutput::NotAfter,
            _ => {
                let detail = format!("`certificates.{key}` offers `arn`, `domain`, `not_after`");
                let near = nearest(output, ["arn", "domain", "not_after"]).unwrap_or("arn");
                let help = format!("did you mean `{near}`?");
                self.error("stack/unknown-ref", "reference to an unknown output", detail, place, &help);
                return None;
            }
        };
        if allowed == Outputs::None {
            self.not_here(place, path);
            return None;
        }
        Some(TextPart::Output { certificate: key.to_owned(), output })
    }

    fn hostname(&mut self, key: &str, output: &str, place: &Place, path: &str, allowed: Outputs) -> Option<TextPart> {
        if !self.load_balancers.contains(&key) {
            let help = match nearest(key, self.load_balancers.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare it under `load_balancers:`".to_owned(),
            };
            let detail = format!("the stack has no load balancer {}", shown(key));
            self.error("stack/unknown-ref", "reference to an unknown load balancer", detail, place, &help);
            return None;
        }
        if output != "hostname" {
            let detail = format!("`load_balancers.{key}` offers `hostname`");
            self.error("stack/unknown-ref", "reference to an unknown output", detail, place, "did you mean `hostname`?");
            return None;
        }
        if allowed != Outputs::All {
            self.not_here(place, path);
            return None;
        }
        Some(TextPart::Hostname { load_balancer: key.to_owned() })
    }

    fn not_here(&mut self, place: &Place, path: &str) {
        let detail = format!("`{path}` must be known before anything is made, and takes no such outputs");
        let help = "those of certificates may stand in `secrets_manager.description`, and all in `annotations` of `load_balancers` and in charts' `values`";
        self.error("stack/ref-not-here", "output not allowed here", detail, place, help);
    }
}
