//! Templates that would go on for ever, or fill the memory, and what stops each.

use std::collections::BTreeMap;

use meshform::helm::{Chart, Limits, render};

use super::super::{Still, options};

/// What the template is, the template, and words of what stops it.
const BOMBS: &[(&str, &str, &str)] = &[
    ("a loop of a hundred million", "{{ range until 100000000 }}x{{ end }}", "too much text"),
    ("loops in loops", "{{ $l := until 9999 }}{{ range $l }}{{ range $l }}{{ $x := 1 }}{{ end }}{{ end }}", "too many steps"),
    ("a text doubled sixty times", "{{ $s := `x` }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}", "too many steps"),
    ("a text repeated", "{{ repeat 2000000000 `x` }}", "too much text"),
    ("a width of a hundred million", "{{ printf `%99999999d` 1 | fail }}", "%!(NOVERB)"),
    ("an indent of a hundred million", "{{ indent 99999999 `x` }}", "too much text"),
    ("a list in itself twice, printed", "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ $l }}", "too many values"),
    (
        "a list in itself twice, as YAML",
        "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ toYaml $l }}",
        "too many values",
    ),
    (
        "a list in itself twice, copied",
        "{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ deepCopy $l }}",
        "too many values",
    ),
    (
        "two that are equal",
        "{{ $l := list 1 }}{{ $m := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ $m = list $m $m }}{{ end }}{{ deepEqual $l $m }}",
        "too many values",
    ),
    ("values copied again and again", "{{ $l := until 9999 }}{{ range until 9999 }}{{ $x := deepCopy $l }}{{ end }}", "too many values"),
    (
        "a long text searched again and again",
        "{{ $s := repeat 9999999 `x` }}{{ range until 9999 }}{{ contains `y` $s }}{{ end }}",
        "too many steps",
    ),
    ("a list searched again and again", "{{ $l := until 9999 }}{{ range until 9999 }}{{ has -1 $l }}{{ end }}", "too many values"),
    ("unlike items by the ten thousand", "{{ until 90000 | uniq | len }}", "too many values"),
    ("a map in itself", "{{ $_ := set . `x` . }}{{ toYaml . }}", "nested deeper than"),
    ("a template that includes itself", "{{ define `x` }}{{ include `x` . }}{{ end }}{{ include `x` . }}", "nested reference name"),
    (
        "a template that calls itself",
        "{{ define `x` }}{{ template `x` . }}{{ end }}{{ template `x` . }}",
        "exceeded maximum template depth",
    ),
    (
        "a text that is its own template",
        "{{ define `t` }}{{ tpl . . }}{{ end }}{{ tpl `{{ tpl . . }}` `{{ tpl . . }}` }}",
        "tpl is nested too deep",
    ),
    ("arrays in arrays of TOML", "{{ fromToml (print `a = ` (repeat 99999 `[`)) }}", "nested deeper than"),
    ("tables in tables of TOML", "{{ fromToml (print `a = ` (repeat 99999 `{a = `)) }}", "too many values"),
    ("a key of a hundred thousand parts in TOML", "{{ fromToml (print (repeat 99999 `a.`) `a = 1`) }}", "nested deeper than"),
    (
        "many keys deep down in TOML",
        "{{ fromToml (print `[` (repeat 900 `a.`) `a]` `\n` (until 99999 | join ` = 1\nk`) ` = 1`) }}",
        "too many values",
    ),
    ("a pattern of a million states", "{{ mustRegexMatch `((a{1000}){1000}){1000}` `a` }}", "invalid repeat count"),
];

#[test]
fn what_would_never_end_is_stopped_and_told() {
    let mut wrong = Vec::new();
    for (name, template, words) in BOMBS {
        let files = [("Chart.yaml", "apiVersion: v2\nname: bomb\nversion: 0.1.0\n"), ("templates/a.yaml", template)];
        let files: BTreeMap<String, Vec<u8>> = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
        let mut wanted = options("release", "default");
        wanted.limits = Limits { steps: 200_000, bytes: 64 << 20 };
        let told = match render(&Chart::load(files).unwrap(), &[], &wanted, &mut Still::new()) {
            Ok(release) => release.print(&meshform::helm::Show::default()).unwrap_or_else(|error| error),
            Err(error) => error.to_string(),
        };
        let shown: String = told.chars().take(300).collect();
        if !told.contains(words) {
            wrong.push(format!("{name}: {shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
