//! Base64, base32 and hexadecimal digests, with Go's words where a text is not of the encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;

use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("b64enc", &[Type::String], |_, args| Ok(Value::from(STANDARD.encode(args.str(0)?.as_bytes())))),
    // An error becomes the text.
    Func::fixed("b64dec", &[Type::String], |_, args| Ok(base64_decode(args.str(0)?.as_bytes()).map_or_else(Value::from, Value::str))),
    Func::fixed("b32enc", &[Type::String], |_, args| Ok(Value::from(base32_encode(args.str(0)?.as_bytes())))),
    Func::fixed("b32dec", &[Type::String], |_, args| Ok(base32_decode(args.str(0)?.as_bytes()).map_or_else(Value::from, Value::str))),
    Func::fixed("sha1sum", &[Type::String], |_, args| sum(&digest::SHA1_FOR_LEGACY_USE_ONLY, args)),
    Func::fixed("sha256sum", &[Type::String], |_, args| sum(&digest::SHA256, args)),
    Func::fixed("sha512sum", &[Type::String], |_, args| sum(&digest::SHA512, args)),
    Func::fixed("adler32sum", &[Type::String], adler32),
];

/// `base64.StdEncoding.DecodeString`: line ends are passed over, padding must be there.
pub(super) fn base64_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| format!("illegal base64 data at input byte {at}");
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let is_line_end = |at: usize| matches!(text.get(at), Some(b'\n' | b'\r'));
    let mut at = 0;
    loop {
        let (mut group, mut count) = (0u32, 0);
        while count < 4 {
            let Some(letter) = text.get(at) else {
                return if count == 0 { Ok(out) } else { Err(corrupt(at - count)) };
            };
            at += 1;
            let bits = match letter {
                b'A'..=b'Z' => letter - b'A',
                b'a'..=b'z' => letter - b'a' + 26,
                b'0'..=b'9' => letter - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'\n' | b'\r' => continue,
                b'=' if count >= 2 => break,
                _ => return Err(corrupt(at - 1)),
            };
            group = group << 6 | u32::from(bits);
            count += 1;
        }
        let bytes = (group << (6 * (4 - count))).to_be_bytes();
        out.extend_from_slice(&bytes[1..count.max(1)]);
        if count == 4 {
            continue;
        }
        if count == 2 {
            while is_line_end(at) {
                at += 1;
            }
            match text.get(at) {
                None => return Err(corrupt(text.len())),
                Some(b'=') => at += 1,
                Some(_) => return Err(corrupt(at - 1)),
            }
        }
        while is_line_end(at) {
            at += 1;
        }
        return if at < text.len() { Err(corrupt(at)) } else { Ok(out) };
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32_encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let group = (0..5).fold(0u64, |group, index| group << 8 | u64::from(chunk.get(index).copied().unwrap_or(0)));
        let letters = (chunk.len() * 8).div_ceil(5);
        for index in 0..8 {
            let bits = usize::try_from(group >> (35 - 5 * index) & 31).unwrap_or(0);
            out.push(if index < letters { char::from(BASE32[bits]) } else { '=' });
        }
    }
    out
}

fn base32_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| format!("illegal base32 data at input byte {at}");
    let text: Vec<u8> = text.iter().copied().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let length = text.len();
    let mut out = Vec::with_capacity(length / 8 * 5);
    let mut at = 0;
    while at < length {
        let (mut group, mut count) = (0u64, 0);
        let mut ended = false;
        while count < 8 {
            let Some(letter) = text.get(at) else { return Err(corrupt(length - count)) };
            at += 1;
            let left = length - at;
            if *letter == b'=' && count >= 2 && left < 8 {
                if left + count < 7 {
                    return Err(corrupt(length));
                }
                if let Some(other) = (0..7 - count).find(|k| text.get(at + k).is_some_and(|b| *b != b'=')) {
                    return Err(corrupt((at + other).saturating_sub(1)));
                }
                if matches!(count, 3 | 6) {
                    return Err(corrupt(at - 1));
                }
                ended = true;
                break;
            }
            let bits = BASE32.iter().position(|b| b == letter).ok_or_else(|| corrupt(at - 1))?;
            group = group << 5 | u64::try_from(bits).unwrap_or(0);
            count += 1;
        }
        let bytes = (group << (5 * (8 - count))).to_be_bytes();
        out.extend_from_slice(&bytes[3..3 + count * 5 / 8]);
        if ended {
            break;
        }
    }
    Ok(out)
}

fn sum(algorithm: &'static digest::Algorithm, args: Args<'_>) -> Result<Value, FuncError> {
    Ok(Value::from(hexadecimal(digest::digest(algorithm, args.str(0)?.as_bytes()).as_ref())))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn adler32(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    const MODULUS: u32 = 65_521;
    let (mut low, mut high) = (1u32, 0u32);
    for byte in args.str(0)?.as_bytes() {
        low = (low + u32::from(*byte)) % MODULUS;
        high = (high + low) % MODULUS;
    }
    Ok(Value::from((high << 16 | low).to_string()))
}
