//! Passwords and ciphers: bcrypt, htpasswd, derived passwords, AES. The symmetric part of sprig's `crypto.go`.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{NO_PAD, STANDARD};
use ring::hmac;

use super::encoding::base64_decode;
use super::random::bytes;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Str, Type, Value};

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("bcrypt", &[Type::String], |runtime, args| Ok(Value::from(bcrypt(runtime, args.str(0)?)))).rolling(),
    Func::fixed("htpasswd", &[Type::String, Type::String], htpasswd).rolling(),
    Func::fixed("derivePassword", &[Type::Uint32, Type::String, Type::String, Type::String, Type::String], derive),
    Func::fixed("encryptAES", &[Type::String, Type::String], encrypt).rolling(),
    Func::fixed("decryptAES", &[Type::String, Type::String], decrypt),
];

/// The cost of a hash: `bcrypt.DefaultCost`.
const COST: u32 = 10;
/// The longest password that the algorithm looks at.
const MOST_PASSWORD: usize = 72;

fn bcrypt(runtime: &mut dyn Runtime, password: &Str) -> String {
    if password.len() > MOST_PASSWORD {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned();
    }
    let salt: [u8; 16] = bytes(runtime);
    let hash = bcrypt::bcrypt(COST, salt, &[password.as_bytes(), &[0]].concat());
    let letters = base64::engine::GeneralPurpose::new(&BCRYPT, NO_PAD);
    // The last byte of the hash is left out by all who make these texts.
    format!("$2a${COST}${}{}", letters.encode(salt), letters.encode(&hash[..23]))
}

fn htpasswd(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let user = args.text(0)?;
    if user.contains(':') {
        return Ok(Value::from(format!("invalid username: {user}")));
    }
    Ok(Value::from(format!("{user}:{}", bcrypt(runtime, args.str(1)?))))
}

/// The forms of derived passwords; each letter stands for a set of characters.
const TEMPLATES: [(&str, &[&str]); 6] = [
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

fn characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm.
fn derive(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let counter = if let Value::Uint(_, number) = args.value(0) { u32::try_from(*number).unwrap_or(0) } else { 0 };
    let (kind, password, user, site) = (args.text(1)?, args.str(2)?, args.str(3)?, args.str(4)?);
    let Some((_, templates)) = TEMPLATES.iter().find(|(name, _)| *name == kind) else {
        return Ok(Value::from(format!("cannot find password template {kind}")));
    };
    let length = |text: &Str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SEED, &length(user), user.as_bytes()].concat();
    let mut key = [0; 64];
    let failed = |_| FuncError::new("failed to derive password");
    let costs = scrypt::Params::new(15, 8, 2).map_err(failed)?;
    scrypt::scrypt(password.as_bytes(), &salt, &costs, &mut key).map_err(|_| FuncError::new("failed to derive password"))?;
    let message = [SEED, &length(site), site.as_bytes(), &counter.to_be_bytes()].concat();
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let seed = seed.as_ref();
    let template = templates[usize::from(seed[0]) % templates.len()];
    let made: Vec<u8> = template
        .bytes()
        .zip(&seed[1..])
        .map(|(class, byte)| {
            let characters = characters(class);
            characters[usize::from(*byte) % characters.len()]
        })
        .collect();
    Ok(Value::str(made))
}

const BLOCK: usize = 16;

/// The password, cut or filled with zeros to the length of a key.
fn cipher(password: &Str) -> Aes256 {
    let mut key = [0; 32];
    for (byte, given) in key.iter_mut().zip(password.as_bytes()) {
        *byte = *given;
    }
    Aes256::new(&key.into())
}

fn block(bytes: &[u8]) -> Block<Aes256> {
    let mut block = Block::<Aes256>::default();
    block.copy_from_slice(bytes);
    block
}

fn encrypt(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(1)?.as_bytes();
    if text.is_empty() {
        return Ok(Value::from(""));
    }
    let cipher = cipher(args.str(0)?);
    let padding = BLOCK - text.len() % BLOCK;
    let padded = [text, &vec![u8::try_from(padding).unwrap_or(0); padding]].concat();
    let mut out = bytes::<BLOCK>(runtime).to_vec();
    for chunk in padded.chunks_exact(BLOCK) {
        let before = out.len() - BLOCK;
        let mut block = block(chunk);
        for (byte, last) in block.iter_mut().zip(&out[before..]) {
            *byte ^= last;
        }
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    Ok(Value::from(STANDARD.encode(out)))
}

fn decrypt(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let text = args.str(1)?.as_bytes();
    if text.is_empty() {
        return Ok(Value::from(""));
    }
    let all = base64_decode(text).map_err(FuncError::new)?;
    if all.len() < BLOCK {
        return Err(FuncError::new(format!("runtime error: slice bounds out of range [:16] with capacity {}", text.len() / 4 * 3)));
    }
    if all.len() % BLOCK != 0 {
        return Err(FuncError::new("crypto/cipher: input not full blocks"));
    }
    let cipher = cipher(args.str(0)?);
    let mut out = Vec::with_capacity(all.len());
    for pair in all.windows(2 * BLOCK).step_by(BLOCK) {
        let mut block = block(&pair[BLOCK..]);
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(pair).map(|(byte, last)| byte ^ last));
    }
    let Some(padding) = out.last().map(|byte| usize::from(*byte)) else {
        return Err(FuncError::new("runtime error: index out of range [-1]"));
    };
    match out.len().checked_sub(padding) {
        Some(length) => Ok(Value::str(&out[..length])),
        None => Err(FuncError::new(format!("runtime error: slice bounds out of range [:-{}]", padding - out.len()))),
    }
}
