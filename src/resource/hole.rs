//! Holes: fields of an object that hold outputs of other resources, and so may be known only once those are there.

use std::collections::BTreeMap;

use crate::addr::Addr;
use crate::fields::FieldPath;
use crate::stack::CertificateOutput;

/// A field whose text is made of outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The field.
    pub path: FieldPath,
    /// Its text.
    pub parts: Vec<Part>,
}

/// A part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Literal text.
    Literal(String),
    /// What a resource is asked for.
    Output(Addr, Output),
}

/// What a resource offers to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// Of a certificate.
    Certificate(CertificateOutput),
    /// The name of the load balancer that an Ingress has.
    Hostname,
}

/// Outputs that are known.
pub type Outputs = BTreeMap<(Addr, Output), String>;

/// What stands in a hole where the API server is to try an object and the output isn't known.
pub const NOT_YET: &str = "known-after-apply";

impl Hole {
    /// The resources that it takes outputs of.
    pub fn sources(&self) -> impl Iterator<Item = (&Addr, Output)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Output(addr, output) => Some((addr, *output)),
            Part::Literal(_) => None,
        })
    }

    /// Its text, when all outputs are known.
    pub fn fill(&self, known: impl Fn(&Addr, Output) -> Option<String>) -> Option<String> {
        let text = |part: &Part| match part {
            Part::Literal(literal) => Some(literal.clone()),
            Part::Output(addr, output) => known(addr, *output),
        };
        self.parts.iter().map(text).collect()
    }
}
