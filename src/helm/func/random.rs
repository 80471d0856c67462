//! What dice decide: random strings, bytes, numbers and UUIDs. The dice are the embedder's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::unicode::runes;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Type, Value};

const DIGITS: &[u8] = b"0123456789";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("randAlphaNum", &[Type::Int], |runtime, args| drawn(runtime, args, LETTERS_AND_DIGITS)).rolling(),
    Func::fixed("randAlpha", &[Type::Int], |runtime, args| drawn(runtime, args, LETTERS)).rolling(),
    Func::fixed("randNumeric", &[Type::Int], |runtime, args| drawn(runtime, args, DIGITS)).rolling(),
    Func::fixed("randAscii", &[Type::Int], |runtime, args| drawn(runtime, args, &(b' '..0x7f).collect::<Vec<u8>>())).rolling(),
    Func::fixed("randBytes", &[Type::Int], rand_bytes).rolling(),
    Func::fixed("shuffle", &[Type::String], shuffle).rolling(),
    Func::fixed("uuidv4", &[], uuid).rolling(),
    Func::fixed("getHostByName", &[Type::String], |runtime, args| {
        let name = args.text(0)?;
        Ok(Value::from(runtime.host().resolve(&name)))
    }),
];

/// So many bytes of dice.
pub(super) fn bytes<const COUNT: usize>(runtime: &mut dyn Runtime) -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    runtime.host().random(&mut bytes);
    bytes
}

/// A number below a bound, each as likely as the other.
pub(super) fn below(runtime: &mut dyn Runtime, bound: u64) -> u64 {
    let whole = u64::MAX - u64::MAX % bound;
    // Dice that never fall well must not keep us.
    for _ in 0..128 {
        let number = u64::from_be_bytes(bytes(runtime));
        if number < whole {
            return number % bound;
        }
    }
    0
}

fn drawn(runtime: &mut dyn Runtime, args: Args<'_>, alphabet: &[u8]) -> Result<Value, FuncError> {
    // A negative count is an error that sprig swallows.
    let count = usize::try_from(args.int(0)?).unwrap_or(0);
    runtime.spend(count)?;
    let fair = 256 - 256 % alphabet.len();
    let mut out = Vec::with_capacity(count);
    let mut dice = vec![0; count.clamp(16, 4096)];
    for _ in 0..count.saturating_add(128) {
        if out.len() == count {
            break;
        }
        runtime.host().random(&mut dice);
        let fallen = dice.iter().map(|die| usize::from(*die)).filter(|die| *die < fair).map(|die| alphabet[die % alphabet.len()]);
        out.extend(fallen.take(count - out.len()));
    }
    if out.len() < count {
        return Err(FuncError::limit("the dice never fall well"));
    }
    Ok(Value::str(out))
}

fn rand_bytes(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let count = usize::try_from(args.int(0)?).map_err(|_| FuncError::new("runtime error: makeslice: len out of range"))?;
    runtime.spend(count.saturating_mul(3))?;
    let mut bytes = vec![0; count];
    runtime.host().random(&mut bytes);
    Ok(Value::from(STANDARD.encode(bytes)))
}

fn shuffle(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let mut letters: Vec<char> = runes(args.str(0)?.as_bytes()).map(|(_, rune)| rune).collect();
    for last in (1..letters.len()).rev() {
        let bound = u64::try_from(last + 1).unwrap_or(1);
        let other = usize::try_from(below(runtime, bound)).unwrap_or(0);
        letters.swap(last, other);
    }
    Ok(Value::from(letters.into_iter().collect::<String>()))
}

fn uuid(runtime: &mut dyn Runtime, _: Args<'_>) -> Result<Value, FuncError> {
    let mut number = u128::from_be_bytes(bytes(runtime));
    // Version 4, and the variant of RFC 9562.
    number = number & !(0xf << 76) | 0x4 << 76;
    number = number & !(0x3 << 62) | 0x2 << 62;
    let text = format!("{number:032x}");
    Ok(Value::from(format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])))
}
