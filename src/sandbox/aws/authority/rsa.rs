//! RSA keys, made cheap by sharing primes.
//!
//! Finding a prime is what costs. The world keeps a pool of them, and each key takes a pair that no other key has: 46 primes are enough
//! for 1,000 keys. Keys that share a prime are broken by a greatest common divisor, which is one of the reasons for which nothing in a
//! sandbox may be a real secret.

use num_bigint_dig::prime::probably_prime;
use num_bigint_dig::{BigUint, ModInverse};
use serde::{Deserialize, Serialize};

use super::der;
use crate::sandbox::error::SandboxError;
use crate::sandbox::world::Tx;

const EXPONENT: u32 = 65_537;
/// Two primes of this many bytes make a key of 2,048 bits.
const PRIME_BYTES: usize = 128;
/// Candidates that have a divisor below this are not worth a real test.
const SIEVE: u32 = 8_192;

/// An RSA key.
pub(super) struct RsaKey {
    /// PKCS#8, in the clear.
    pub(super) pkcs8: Vec<u8>,
    /// RSAPublicKey, as it is in a certificate.
    pub(super) public: Vec<u8>,
}

/// Which pair of primes the last key took.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Pair(usize, usize);

/// Makes a key of 2,048 bits that no other certificate of the world has.
pub(super) fn generate(tx: &mut Tx<'_>) -> Result<RsaKey, SandboxError> {
    let next = match tx.read("ca/pair")? {
        None => Pair(0, 1),
        Some(Pair(low, high)) if low + 1 < high => Pair(low + 1, high),
        Some(Pair(_, high)) => Pair(0, high + 1),
    };
    tx.write("ca/pair", &next)?;
    let (first, second) = (prime(tx, next.0)?, prime(tx, next.1)?);
    let (p, q) = if first > second { (first, second) } else { (second, first) };
    assemble(&p, &q).ok_or_else(|| SandboxError::Authority("two primes make no key".to_owned()))
}

/// The prime of a place in the pool, found when it isn't there yet.
fn prime(tx: &mut Tx<'_>, index: usize) -> Result<BigUint, SandboxError> {
    let key = format!("ca/prime/{index:06}");
    if let Some(prime) = tx.read::<String>(&key)?.and_then(|digits| BigUint::parse_bytes(digits.as_bytes(), 16)) {
        return Ok(prime);
    }
    let prime = find()?;
    tx.write(&key, &prime.to_str_radix(16))?;
    Ok(prime)
}

fn find() -> Result<BigUint, SandboxError> {
    loop {
        let mut bytes = [0; PRIME_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| SandboxError::Random(error.to_string()))?;
        // Both top bits, so that the product of two has all its bits; and odd.
        bytes[0] |= 0xc0;
        bytes[PRIME_BYTES - 1] |= 1;
        let start = BigUint::from_bytes_be(&bytes);
        if let Some(prime) = search(&start) {
            return Ok(prime);
        }
    }
}

/// The first prime from an odd number on, if it's near.
fn search(start: &BigUint) -> Option<BigUint> {
    const REACH: usize = 4_096;
    let mut composite = vec![false; REACH];
    let small = (3..SIEVE)
        .step_by(2)
        .filter(|number| (3..).step_by(2).take_while(|divisor| divisor * divisor <= *number).all(|divisor| number % divisor != 0));
    for divisor in small {
        let rest = (start % divisor).to_bytes_le().iter().rev().fold(0_u32, |rest, byte| (rest << 8) | u32::from(*byte));
        // start + 2k is a multiple of the divisor where k is half of what is missing, made even by adding the odd divisor.
        let missing = (divisor - rest) % divisor;
        let first = if missing % 2 == 0 { missing / 2 } else { missing.midpoint(divisor) };
        for place in (first as usize..REACH).step_by(divisor as usize) {
            composite[place] = true;
        }
    }
    let candidates = (0_u32..).zip(&composite).filter(|(_, composite)| !**composite).map(|(place, _)| start + 2 * place);
    let one = BigUint::from(1_u32);
    candidates.into_iter().find(|candidate| (candidate - &one) % EXPONENT != BigUint::from(0_u32) && probably_prime(candidate, 2))
}

/// The key of two primes, the greater of them first.
fn assemble(high: &BigUint, low: &BigUint) -> Option<RsaKey> {
    let (zero, one, public) = (BigUint::from(0_u32), BigUint::from(1_u32), BigUint::from(EXPONENT));
    let modulus = high * low;
    let (below_high, below_low) = (high - &one, low - &one);
    let private = inverse(&public, &(&below_high * &below_low))?;
    let (of_high, of_low, coefficient) = (&private % &below_high, &private % &below_low, inverse(low, high)?);
    let key = der::numbers(&[&zero, &modulus, &public, &private, high, low, &of_high, &of_low, &coefficient]);
    Some(RsaKey { pkcs8: der::pkcs8_of_rsa(&key), public: der::numbers(&[&modulus, &public]) })
}

fn inverse(number: &BigUint, modulus: &BigUint) -> Option<BigUint> {
    number.mod_inverse(modulus)?.to_biguint()
}
