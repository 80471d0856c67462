//! What the providers rely on, as tests: each contract is a sentence, and holds on the sandbox (plain `cargo test`) and on real servers
//! (`tests/bed/bed run --proxy -- cargo test --features bed --test suite contract::`: an AWS emulator and a real kube-apiserver).
//!
//! The same function runs on both: it gets a [`World`] with raw clients, and takes names of its own from it, so that contracts don't meet.
//! Where the emulator is known to differ from AWS, [`DEVIATIONS`] names the contract: there it must break, and in the way that is told.

macro_rules! contracts {
    ($service:ident: $($name:ident),* $(,)?) => {
        /// The contracts of this file.
        pub(super) const CONTRACTS: &[&str] = &[$(concat!(stringify!($service), "::", stringify!($name))),*];

        mod on_the_sandbox {
            $(#[test] fn $name() { crate::contract::on_the_sandbox(|world| Box::pin(super::$name(world))); })*
        }

        #[cfg(feature = "bed")]
        mod on_real_servers {
            $(#[test] fn $name() {
                let contract = concat!(stringify!($service), "::", stringify!($name));
                crate::contract::on_real_servers(contract, |world| Box::pin(super::$name(world)));
            })*
        }
    };
}

mod acm;
mod deviations;
#[cfg(feature = "bed")]
mod ecr;
mod kube;
#[allow(dead_code, unreachable_pub, reason = "recording is called by hand")]
mod kube_apply;
mod route53;
mod secretsmanager;
mod sts_eks;
mod tagging;
mod world;

use std::io::Write as _;
use std::pin::Pin;

use self::deviations::DEVIATIONS;
use self::world::World;
use crate::sandbox::lab::block_on;

/// A contract over a world.
type Contract = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Says something that is read also when the test passes.
fn say(text: &str) {
    std::io::stderr().write_all(format!("contract: {text}\n").as_bytes()).unwrap();
}

fn all() -> Vec<&'static str> {
    [acm::CONTRACTS, kube::CONTRACTS, route53::CONTRACTS, secretsmanager::CONTRACTS, sts_eks::CONTRACTS, tagging::CONTRACTS].concat()
}

/// Runs a contract on a new sandbox.
fn on_the_sandbox(contract: Contract) {
    block_on(async {
        let world = World::sandbox().await;
        contract(&world).await;
        world.clear().await;
    });
}

/// Runs a contract on the servers of the bed; one that they are known to break must break as told.
#[cfg(feature = "bed")]
fn on_real_servers(name: &str, contract: Contract) {
    use std::panic::{AssertUnwindSafe, resume_unwind};

    use futures::FutureExt as _;

    crate::sandbox::lab::in_real_time();
    let _alone = crate::bed_suite::bed::alone();
    let ended = block_on(async {
        let world = World::real_servers().await;
        let ended = AssertUnwindSafe(contract(&world)).catch_unwind().await;
        world.clear().await;
        ended
    });
    let Some(known) = DEVIATIONS.iter().find(|known| known.contract == name) else {
        return ended.unwrap_or_else(|panic| resume_unwind(panic));
    };
    let Err(panic) = ended else { panic!("{name} holds now: take it off the list of deviations ({})", known.why) };
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied()).unwrap_or_default();
    assert!(said.contains(known.seen), "{name} breaks, but not with {:?} ({}):\n{said}", known.seen, known.why);
    say(&format!("skipped by name on the emulator: {name}: {}", known.why));
}

#[test]
fn the_deviations_are_of_contracts_that_there_are() {
    let all = all();
    for known in DEVIATIONS {
        assert!(all.contains(&known.contract), "{} is no contract", known.contract);
        assert_eq!(DEVIATIONS.iter().filter(|other| other.contract == known.contract).count(), 1, "{} twice", known.contract);
        assert!(!known.why.is_empty() && !known.seen.is_empty(), "{} has no reason", known.contract);
    }
    let skipped = DEVIATIONS.len();
    let held = all.len() - skipped;
    say(&format!("{} contracts; on real servers {held} are held, {skipped} are skipped by name and seen to break", all.len()));
}

#[test]
fn a_contract_has_a_name_of_its_own() {
    let mut all = all();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}
