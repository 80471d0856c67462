//! Outputs of other resources in the values of charts, such as `${certificates.edge.arn}`. A release with such values is rendered with stand-ins in
//! their places, and once more with others: the fields that differ hang on them. Where the stand-in is found in a field as it is, the field is a
//! hole that is filled when the output is known; where a template made something else of it, the release has to be rendered with the output itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::charts::{self, ChartFiles, Facts, RenderedRelease};
use super::dice::Dice;
use super::generated::{self, objects};
use crate::addr::Addr;
use crate::diag::{Diagnostic, Diagnostics, Sources};
use crate::fields::{FieldPath, differences};
use crate::resource::hole::{Hole, Output, Outputs, Part};
use crate::secret::sha256_hex;
use crate::stack::charts::{MARK, Release, outputs_in, with_outputs};
use crate::stack::{CertificateOutput, Stack};

/// What the outputs in the values of a stack's charts are.
#[derive(Clone, Debug, Default)]
pub struct OutputTable {
    region: String,
    /// By the name that stands between the braces.
    of: BTreeMap<String, (Addr, Output)>,
    /// Those that the stack itself tells.
    own: BTreeMap<String, String>,
    /// Those that are known besides.
    known: BTreeMap<String, String>,
}

/// Which stand-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    First,
    Second,
}

impl OutputTable {
    /// The outputs that the releases of a stack have in their values; `known` are those that something knows already.
    pub fn of(stack: &Stack, known: &Outputs) -> Self {
        let region = stack.aws.as_ref().map(|aws| aws.region.clone()).unwrap_or_default();
        let mut table = Self { region, ..Self::default() };
        for name in stack.releases().iter().flat_map(outputs_in) {
            let Some((addr, output)) = resource(stack, &name) else { continue };
            // The domain of a certificate that is requested is the stack's own word.
            let own = match name.split('.').nth(1).and_then(|key| stack.certificates.get(key)) {
                Some(certificate) if output == Output::Certificate(CertificateOutput::Domain) => Some(certificate.domain.clone()),
                _ => None,
            };
            if let Some(value) = own.filter(|domain| !domain.is_empty()) {
                table.own.insert(name, value);
                continue;
            }
            table.known.extend(known.get(&(addr.clone(), output)).map(|value| (name.clone(), value.clone())));
            table.of.insert(name, (addr, output));
        }
        table
    }

    /// What stands in for an output: of its form, as charts may look at that.
    fn stand_in(&self, name: &str, set: Set) -> String {
        let hash = sha256_hex(format!("{name} {set:?}").as_bytes());
        match self.of.get(name) {
            Some((_, Output::Hostname)) => format!("k8s-{}.{}.elb.amazonaws.com", &hash[..24], self.region),
            Some((_, Output::Certificate(CertificateOutput::Domain))) => format!("{}.stand-in.example", &hash[..24]),
            Some((_, Output::Certificate(CertificateOutput::NotAfter))) => {
                let part = |at: usize, of: u32| u32::from_str_radix(&hash[at..at + 6], 16).unwrap_or(0) % of;
                let (year, month, day) = (2200 + part(0, 700), 1 + part(6, 12), 1 + part(12, 28));
                format!("{year}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", part(18, 24), part(24, 60), part(30, 60))
            }
            _ => {
                let parts = [&hash[..8], &hash[8..12], &hash[12..16], &hash[16..20], &hash[20..32]].join("-");
                format!("arn:aws:acm:{}:000000000000:certificate/{parts}", self.region)
            }
        }
    }

    fn parts(&self, text: &str, names: &BTreeSet<String>) -> Vec<Part> {
        let mut parts = vec![Part::Literal(text.to_owned())];
        for name in names {
            let (stand_in, Some((addr, output))) = (self.stand_in(name, Set::First), self.of.get(name)) else { continue };
            let split = |part: Part| match part {
                Part::Literal(text) => {
                    let mut pieces = Vec::new();
                    for (index, piece) in text.split(&stand_in).enumerate() {
                        if index > 0 {
                            pieces.push(Part::Output(addr.clone(), *output));
                        }
                        if !piece.is_empty() {
                            pieces.push(Part::Literal(piece.to_owned()));
                        }
                    }
                    pieces
                }
                other @ Part::Output(..) => vec![other],
            };
            parts = parts.into_iter().flat_map(split).collect();
        }
        parts
    }
}

/// The resource and its output that a name means.
fn resource(stack: &Stack, name: &str) -> Option<(Addr, Output)> {
    let mut steps = name.split('.');
    match (steps.next()?, steps.next()?, steps.next()?) {
        ("certificates", key, "arn") => Some((Addr::certificate(key), Output::Certificate(CertificateOutput::Arn))),
        ("certificates", key, "domain") => Some((Addr::certificate(key), Output::Certificate(CertificateOutput::Domain))),
        ("certificates", key, "not_after") => Some((Addr::certificate(key), Output::Certificate(CertificateOutput::NotAfter))),
        ("load_balancers", key, "hostname") => {
            let one = stack.load_balancers.get(key)?;
            let (namespace, name) = (Some(one.ingress.namespace.clone()), one.name.clone());
            Some((Addr::Kube { kind: "ingress".into(), group: "networking.k8s.io".into(), namespace, name }, Output::Hostname))
        }
        _ => None,
    }
}

/// Renders a release, with holes where its fields hold outputs.
pub fn release(
    release: &Release,
    files: &ChartFiles,
    facts: &Facts,
    dice: &Dice,
    sources: &mut Sources,
    diags: &mut Diagnostics,
) -> RenderedRelease {
    let table = &files.outputs;
    let told = with_outputs(release, |name| table.own.get(name).map_or_else(|| format!("{MARK}{name}{MARK}"), Clone::clone));
    let (release, names) = (&told, outputs_in(&told));
    if names.is_empty() {
        return generated::release(release, files, facts, dice, sources, diags);
    }
    let with = |set| with_outputs(release, |name| table.stand_in(name, set));
    let first = with(Set::First);
    let mut rendered = generated::release(&first, files, facts, dice, sources, diags);
    let is_for_cluster = facts.looked_up.is_some();
    if (is_for_cluster && !rendered.needs.is_empty()) || diags.has_errors() {
        return rendered;
    }
    // What it says it says the same way each time.
    let mut quiet = Diagnostics::default();
    let mut plain =
        |release: &Release| objects(&charts::release(release, files, facts, &mut Dice::fixed(), &mut Sources::default(), &mut quiet));
    // Where no field comes of chance, dice make no difference.
    let has_chance = rendered.manifests.iter().any(|one| !one.generated.is_empty());
    let before = if has_chance { plain(&first) } else { objects(&rendered) };
    let after = plain(&with(Set::Second));
    let is_known = names.iter().all(|name| table.known.contains_key(name));
    let known = is_known.then(|| plain(&with_outputs(release, |name| table.known.get(name).cloned().unwrap_or_default())));
    if before.keys().ne(after.keys()) || known.as_ref().is_some_and(|known| known.keys().ne(before.keys())) {
        let detail = format!("`{}` makes other objects when {} is another", release.section, list(&names));
        diags.push(Diagnostic::error("chart/output", "output that a chart can't be rendered with", detail).at(&release.place).help(HELP));
        return rendered;
    }
    for manifest in &mut rendered.manifests {
        let addr = manifest.addr();
        let (Some(before), Some(after)) = (before.get(&addr), after.get(&addr)) else { continue };
        let Found { holes, made } = fields(before, after, table, &names);
        for path in made {
            let value = known.as_ref().and_then(|known| path.value_in(known.get(&addr)?));
            // A Secret's values go nowhere but into it, so that none is taken from another rendering.
            match value.filter(|_| path.key_in("data").is_none() || manifest.data.is_empty()) {
                Some(value) => path.put_into(&mut manifest.body, Some(value.clone())),
                None if !is_for_cluster => {}
                None => {
                    let detail = format!("`{}` makes `{path}` of `{addr}` out of {}, which isn't known yet", release.section, list(&names));
                    let error = Diagnostic::error("chart/output", "output that a chart can't be rendered with", detail);
                    diags.push(error.at(&release.place).help(HELP));
                }
            }
        }
        manifest.holes = holes;
    }
    rendered
}

const HELP: &str = "apply what it is an output of first (`--target`), or give the chart a value that is known";

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`${{{name}}}`")).collect::<Vec<_>>().join(" and ")
}

/// The fields that hang on outputs.
struct Found {
    /// Those that hold them as they are.
    holes: Vec<Hole>,
    /// Those that a template made out of them.
    made: Vec<FieldPath>,
}

fn fields(before: &Value, after: &Value, table: &OutputTable, names: &BTreeSet<String>) -> Found {
    let mut found = Found { holes: Vec::new(), made: Vec::new() };
    let other = |text: &str| {
        names.iter().fold(text.to_owned(), |text, name| text.replace(&table.stand_in(name, Set::First), &table.stand_in(name, Set::Second)))
    };
    for difference in differences(before, after, &[]) {
        let path = difference.path;
        match (&difference.before, &difference.after) {
            (Some(Value::String(before)), Some(Value::String(after))) if other(before) == *after => {
                found.holes.push(Hole { path, parts: table.parts(before, names) });
            }
            // Arguments of a program, and other lists of texts.
            (Some(Value::Array(before)), Some(Value::Array(after)))
                if before.len() == after.len()
                    && before.iter().zip(after).all(|(one, two)| one.as_str().map(&other).as_deref() == two.as_str()) =>
            {
                let texts = before.iter().zip(after).enumerate().filter(|(_, (one, two))| one != two);
                for (index, (before, _)) in texts {
                    let text = before.as_str().unwrap_or_default();
                    found.holes.push(Hole { path: path.item(index), parts: table.parts(text, names) });
                }
            }
            _ => found.made.push(path),
        }
    }
    found
}
