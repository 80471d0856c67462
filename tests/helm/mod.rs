//! Charts rendered in process, held against real Helm. What it takes to run Helm is in `reference`; what Helm said of single functions is kept
//! as text in `functions/`.

#[cfg(feature = "helm")]
mod charts;
mod cli;
mod dice;
#[cfg(feature = "helm")]
mod differential;
#[cfg(feature = "helm")]
mod failures;
mod functions;
mod fuzz;
mod keys;
#[cfg(feature = "helm")]
mod lint;
#[cfg(feature = "helm")]
mod reference;
mod server;
#[cfg(feature = "helm")]
mod sets;
mod sources;
mod templates;
#[cfg(feature = "helm")]
mod warnings;

use meshform::helm::{Host, KubeVersion, Options};

/// The cluster that everything is rendered for.
const KUBE_VERSION: &str = "v1.34.2";

/// Dice that fall in a fixed row, and a clock that stands.
struct Still {
    state: u64,
}

impl Still {
    fn new() -> Self {
        Self { state: 7 }
    }
}

impl Host for Still {
    fn random(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = self.state.to_be_bytes()[1];
        }
    }

    fn now(&mut self) -> (i64, u32) {
        (1_800_000_000, 5)
    }
}

#[cfg(feature = "helm")]
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn options(name: &str, namespace: &str) -> Options {
    Options::new(name, namespace, KubeVersion::parse(KUBE_VERSION).unwrap())
}
