//! Private keys of the kinds that sprig knows: made, read, written, and signed with.

use num_bigint_dig::{BigUint, ModInverse as _};
use ring::digest;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::super::random::bytes;
use super::super::{FuncError, Runtime};
use super::der::{BIT_STRING, OCTET_STRING, OID, Reader, SEQUENCE, algorithm, integer, integers, sequence, tagged};
use super::ec::{EC_PUBLIC_KEY, EcKey};
use super::{pem, prime};

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// What stands before the hash in a signature of RSA: the algorithm's name.
const SHA256_INFO: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];
const EXPONENT: u32 = 65_537;
/// How many pairs of primes are tried for one RSA key.
const MOST_PAIRS: usize = 4;

/// The numbers of an RSA key.
pub(super) struct Rsa {
    modulus: BigUint,
    exponent: BigUint,
    private: BigUint,
    primes: [BigUint; 2],
}

/// A private key.
pub(super) enum Key {
    /// RSA, by its primes.
    Rsa(Box<Rsa>),
    /// DSA: p, q, g, y, x.
    Dsa(Box<[BigUint; 5]>),
    /// On a curve of NIST.
    Ecdsa(EcKey),
    /// By its seed.
    Ed25519([u8; 32]),
}

impl Key {
    /// A new RSA key of so many bits.
    pub(super) fn rsa(runtime: &mut dyn Runtime, length: usize) -> Result<Self, FuncError> {
        let length = runtime.host().key_bits(length);
        let (one, exponent) = (BigUint::from(1u32), BigUint::from(EXPONENT));
        let coprime = |candidate: &BigUint| (candidate - 1u32) % EXPONENT != BigUint::from(0u32);
        // Dice that always fall alike give one prime twice, for ever.
        for _ in 0..MOST_PAIRS {
            let first = prime::prime(runtime, length / 2, coprime)?;
            let second = prime::prime(runtime, length / 2, coprime)?;
            if first == second {
                continue;
            }
            let totient = (&first - &one) * (&second - &one);
            if let Some(private) = inverse(&exponent, &totient) {
                return Ok(Self::Rsa(Box::new(Rsa { modulus: &first * &second, exponent, private, primes: [first, second] })));
            }
        }
        Err(FuncError::limit("the dice lead to no key: they always fall alike"))
    }

    /// A new DSA key with primes of 2048 and 256 bits.
    #[expect(clippy::many_single_char_names, reason = "the names that everybody knows them by")]
    pub(super) fn dsa(runtime: &mut dyn Runtime) -> Result<Self, FuncError> {
        let one = BigUint::from(1u32);
        let q = prime::prime(runtime, 256, |_| true)?;
        let twice = &q * 2u32;
        let mut last = BigUint::from(0u32);
        let p = loop {
            let start = prime::random_bits(runtime, 2048);
            if start == last {
                return Err(FuncError::limit("the dice lead to no key: they always fall alike"));
            }
            last.clone_from(&start);
            let candidate = &start - (&start % &twice) + &one;
            if candidate.to_bytes_be().len() == 256 && num_bigint_dig::prime::probably_prime(&candidate, 2) {
                break candidate;
            }
        };
        let power = (&p - &one) / &q;
        let mut base = BigUint::from(2u32);
        let g = loop {
            let g = base.modpow(&power, &p);
            if g != one {
                break g;
            }
            base += 1u32;
        };
        let x = prime::random_below(runtime, &q);
        let y = g.modpow(&x, &p);
        Ok(Self::Dsa(Box::new([p, q, g, y, x])))
    }

    /// A new key on P-256.
    pub(super) fn ecdsa(runtime: &mut dyn Runtime) -> Result<Self, FuncError> {
        EcKey::generate(runtime).map(Self::Ecdsa)
    }

    /// A new Ed25519 key.
    pub(super) fn ed25519(runtime: &mut dyn Runtime) -> Self {
        Self::Ed25519(bytes(runtime))
    }

    /// The key in PEM, in the form that sprig writes each kind.
    pub(super) fn to_pem(&self) -> String {
        match self {
            Self::Rsa(key) => {
                let Rsa { modulus, exponent, private, primes: [p, q] } = key.as_ref();
                let (zero, one) = (BigUint::from(0u32), BigUint::from(1u32));
                let coefficient = inverse(q, p).unwrap_or_default();
                let parts = [&zero, modulus, exponent, private, p, q, &(private % (p - &one)), &(private % (q - &one)), &coefficient];
                pem::encode("RSA PRIVATE KEY", &integers(&parts))
            }
            Self::Dsa(numbers) => {
                let zero = BigUint::from(0u32);
                let parts: Vec<&BigUint> = std::iter::once(&zero).chain(numbers.iter()).collect();
                pem::encode("DSA PRIVATE KEY", &integers(&parts))
            }
            Self::Ecdsa(key) => pem::encode("EC PRIVATE KEY", &key.to_der()),
            Self::Ed25519(seed) => {
                let zero = integer(&BigUint::from(0u32));
                let inner = tagged(OCTET_STRING, &tagged(OCTET_STRING, seed));
                pem::encode("PRIVATE KEY", &sequence(&[&zero, &algorithm(ED25519, false), &inner]))
            }
        }
    }

    /// The public key as it stands in a certificate: the algorithm, and the bits.
    pub(super) fn public(&self) -> Result<(Vec<u8>, Vec<u8>), FuncError> {
        Ok(match self {
            Self::Rsa(key) => (algorithm(RSA_ENCRYPTION, true), integers(&[&key.modulus, &key.exponent])),
            Self::Ecdsa(key) => (key.algorithm(), key.point()),
            Self::Ed25519(seed) => (algorithm(ED25519, false), ed25519(seed)?.public_key().as_ref().to_vec()),
            Self::Dsa(_) => {
                return Err(FuncError::new("error creating certificate: x509: unsupported public key type: *dsa.PublicKey"));
            }
        })
    }

    /// The algorithm of its signatures.
    pub(super) fn signature_algorithm(&self) -> Result<Vec<u8>, FuncError> {
        Ok(match self {
            Self::Rsa(_) => algorithm(SHA256_WITH_RSA, true),
            Self::Ecdsa(key) => key.signature_algorithm(),
            Self::Ed25519(_) => algorithm(ED25519, false),
            Self::Dsa(_) => {
                return Err(FuncError::new("error creating certificate: x509: certificate private key does not implement crypto.Signer"));
            }
        })
    }

    /// A signature.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, FuncError> {
        match self {
            Self::Rsa(key) => {
                let Rsa { modulus, private, .. } = key.as_ref();
                let length = modulus.to_bytes_be().len();
                let hash = digest::digest(&digest::SHA256, message);
                let info = [SHA256_INFO, hash.as_ref()].concat();
                let fill = length
                    .checked_sub(info.len() + 3)
                    .filter(|fill| *fill >= 8)
                    .ok_or_else(|| FuncError::new("error creating certificate: crypto/rsa: message too long for RSA key size"))?;
                let padded = [&[0, 1], &vec![0xff; fill][..], &[0], &info].concat();
                let signed = BigUint::from_bytes_be(&padded).modpow(private, modulus).to_bytes_be();
                Ok([vec![0; length - signed.len()], signed].concat())
            }
            Self::Ecdsa(key) => Ok(key.sign(message)),
            Self::Ed25519(seed) => Ok(ed25519(seed)?.sign(message).as_ref().to_vec()),
            Self::Dsa(_) => {
                Err(FuncError::new("error creating certificate: x509: certificate private key does not implement crypto.Signer"))
            }
        }
    }

    /// Reads a key from PEM, as sprig's `parsePrivateKeyPEM` does.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (label, der) = pem::decode(text).ok_or("no PEM data in input")?;
        if label == "PRIVATE KEY" {
            return pkcs8(&der).map_err(|error| format!("decoding PEM as PKCS#8: {error}"));
        }
        match label.strip_suffix(" PRIVATE KEY") {
            None => Err(format!("no private key data in PEM block of type {label}")),
            Some("RSA") => pkcs1(&der).ok_or_else(|| "parsing RSA private key from PEM: x509: failed to parse private key".to_owned()),
            Some("EC") => EcKey::parse(&der, None).map(Self::Ecdsa).map_err(|error| format!("parsing EC private key from PEM: {error}")),
            Some("DSA") => dsa_key(&der).ok_or_else(|| "parsing DSA private key from PEM: asn1: structure error".to_owned()),
            Some(_) => Err(format!("invalid private key type {label}")),
        }
    }
}

fn inverse(number: &BigUint, modulus: &BigUint) -> Option<BigUint> {
    number.mod_inverse(modulus)?.to_biguint()
}

fn ed25519(seed: &[u8; 32]) -> Result<Ed25519KeyPair, FuncError> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| FuncError::new("the Ed25519 key is refused"))
}

/// What PKCS#8 wraps.
struct Wrapped<'a> {
    algorithm: &'a [u8],
    /// The algorithm's parameter, if that is a name.
    curve: Option<&'a [u8]>,
    key: &'a [u8],
}

impl<'a> Wrapped<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut info = Reader(der).inner()?;
        info.number()?;
        let mut kind = info.inner()?;
        Some(Self { algorithm: kind.take(OID)?, curve: kind.take(OID), key: info.take(OCTET_STRING)? })
    }
}

fn pkcs8(der: &[u8]) -> Result<Key, String> {
    let malformed = || "x509: failed to parse private key".to_owned();
    let Wrapped { algorithm, curve, key } = Wrapped::read(der).ok_or_else(malformed)?;
    match algorithm {
        RSA_ENCRYPTION => pkcs1(key).ok_or_else(malformed),
        EC_PUBLIC_KEY => {
            let embedded = |error| format!("x509: failed to parse EC private key embedded in PKCS#8: {error}");
            EcKey::parse(key, curve).map(Key::Ecdsa).map_err(embedded)
        }
        ED25519 => Reader(key).take(OCTET_STRING).and_then(|seed| seed.try_into().ok()).map(Key::Ed25519).ok_or_else(malformed),
        _ => Err(malformed()),
    }
}

fn pkcs1(der: &[u8]) -> Option<Key> {
    let mut parts = Reader(der).inner()?;
    parts.number()?;
    let (modulus, exponent, private) = (parts.number()?, parts.number()?, parts.number()?);
    let primes = [parts.number()?, parts.number()?];
    let one = BigUint::from(1u32);
    let right = primes.iter().all(|prime| *prime > one) && &primes[0] * &primes[1] == modulus && modulus.bits() <= 16_384;
    right.then(|| Key::Rsa(Box::new(Rsa { modulus, exponent, private, primes })))
}

fn dsa_key(der: &[u8]) -> Option<Key> {
    let mut parts = Reader(der).inner()?;
    parts.number()?;
    let numbers = [parts.number()?, parts.number()?, parts.number()?, parts.number()?, parts.number()?];
    Some(Key::Dsa(Box::new(numbers)))
}

/// The subject public key info of a key, for comparison.
pub(super) fn spki(key: &Key) -> Result<Vec<u8>, FuncError> {
    let (algorithm, public) = key.public()?;
    Ok(tagged(SEQUENCE, &[algorithm, tagged(BIT_STRING, &[&[0], &public[..]].concat())].concat()))
}
