//! `${…}` in strings: `${vars.x}`, `${certificates.edge.arn}`, and `$${` for a literal `${`.

/// A piece of a string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Literal text, `$${` already turned into `${`.
    Literal(String),
    /// What stands between the braces.
    Reference {
        /// The text between the braces.
        inner: &'a str,
        /// The byte that the text starts at.
        at: usize,
    },
}

/// A `${` without its `}`; holds the byte that it starts at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed(pub(super) usize);

/// Splits a string. Adjacent literals are one.
pub(super) fn segments(text: &str) -> Result<Vec<Segment<'_>>, Unclosed> {
    let mut out = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        if text[..start].ends_with('$') && start > at {
            // `$${`: the first dollar is in front of `start`, and not yet taken.
            literal.push_str(&text[at..start - 1]);
            literal.push_str("${");
            at = start + 2;
            continue;
        }
        literal.push_str(&text[at..start]);
        let inner_at = start + 2;
        let Some(length) = text[inner_at..].find(['}', '\n', '{']).filter(|end| text[inner_at + end..].starts_with('}')) else {
            return Err(Unclosed(start));
        };
        if !literal.is_empty() {
            out.push(Segment::Literal(std::mem::take(&mut literal)));
        }
        out.push(Segment::Reference { inner: &text[inner_at..inner_at + length], at: inner_at });
        at = inner_at + length + 1;
    }
    literal.push_str(&text[at..]);
    if !literal.is_empty() {
        out.push(Segment::Literal(literal));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case<'a> = (&'a str, &'a str, Result<Vec<Segment<'a>>, Unclosed>);

    #[test]
    fn strings_are_split_at_references() {
        let literal = |text: &str| Segment::Literal(text.to_owned());
        let cases: [Case<'_>; 8] = [
            ("text without references is one literal", "a$b{c}", Ok(vec![literal("a$b{c}")])),
            ("empty text has no pieces", "", Ok(vec![])),
            ("a reference alone", "${vars.x}", Ok(vec![Segment::Reference { inner: "vars.x", at: 2 }])),
            (
                "a reference in the middle",
                "a-${vars.x}.b",
                Ok(vec![literal("a-"), Segment::Reference { inner: "vars.x", at: 4 }, literal(".b")]),
            ),
            ("two dollars make a literal", "$${vars.x}", Ok(vec![literal("${vars.x}")])),
            ("a literal and then a reference", "$${a}${b}", Ok(vec![literal("${a}"), Segment::Reference { inner: "b", at: 7 }])),
            ("an open brace must be closed", "a ${vars.x", Err(Unclosed(2))),
            ("a reference doesn't span lines", "${vars\n.x}", Err(Unclosed(0))),
        ];
        for (name, text, wanted) in cases {
            assert_eq!(segments(text), wanted, "{name}");
        }
    }
}
