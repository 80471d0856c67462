//! Prime numbers from the embedder's dice.

use num_bigint_dig::BigUint;
use num_bigint_dig::prime::probably_prime;

use crate::helm::func::{FuncError, Runtime};

/// Divisors that sort most candidates out.
const SIEVE: u32 = 8_192;
/// How many odd numbers are looked at from one start.
const REACH: usize = 4_096;
/// How often dice that lead to nothing are thrown again.
const TRIES: usize = 1_000;

/// A number of exactly so many bits, the two highest of which are set.
pub(super) fn random_bits(runtime: &mut dyn Runtime, bits: usize) -> BigUint {
    let mut bytes = vec![0; bits / 8];
    runtime.host().random(&mut bytes);
    bytes[0] |= 0xc0;
    BigUint::from_bytes_be(&bytes)
}

/// A number from one up to below a bound.
pub(super) fn random_below(runtime: &mut dyn Runtime, bound: &BigUint) -> BigUint {
    let mut bytes = vec![0; bound.to_bytes_be().len() + 8];
    runtime.host().random(&mut bytes);
    let one = BigUint::from(1u32);
    BigUint::from_bytes_be(&bytes) % (bound - &one) + one
}

/// A prime of so many bits that `accept` takes.
pub(super) fn prime(runtime: &mut dyn Runtime, bits: usize, accept: impl Fn(&BigUint) -> bool) -> Result<BigUint, FuncError> {
    let mut last = BigUint::from(0u32);
    for _ in 0..TRIES {
        let start = random_bits(runtime, bits) | BigUint::from(1u32);
        if start == last {
            break;
        }
        last.clone_from(&start);
        if let Some(prime) = search(&start, &accept) {
            return Ok(prime);
        }
    }
    Err(FuncError::limit("the dice lead to no prime"))
}

fn search(start: &BigUint, accept: &impl Fn(&BigUint) -> bool) -> Option<BigUint> {
    let mut composite = vec![false; REACH];
    let small = (3..SIEVE).step_by(2).filter(|number| (3..).step_by(2).take_while(|by| by * by <= *number).all(|by| number % by != 0));
    for divisor in small {
        let rest = (start % divisor).to_bytes_le().iter().rev().fold(0u32, |rest, byte| rest << 8 | u32::from(*byte));
        let missing = (divisor - rest) % divisor;
        // start + 2k is a multiple of the odd divisor from this k on.
        let first = if missing % 2 == 0 { missing / 2 } else { missing.midpoint(divisor) };
        for place in (first as usize..REACH).step_by(divisor as usize) {
            composite[place] = true;
        }
    }
    let candidates = (0u32..).zip(&composite).filter(|(_, composite)| !**composite).map(|(place, _)| start + 2 * place);
    candidates.into_iter().find(|candidate| accept(candidate) && probably_prime(candidate, 2))
}
