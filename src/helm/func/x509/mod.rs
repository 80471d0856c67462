//! Keys and certificates: the asymmetric part of sprig's `crypto.go`, over Go's `crypto/x509`.
//!
//! Dice and clock are the embedder's: the same ones give the same certificates.

mod certificate;
mod der;
mod ec;
mod key;
mod pem;
mod prime;

use std::any::Any;
use std::rc::Rc;

use self::certificate::{Issuer, Request};
use self::key::Key;
use super::encoding::base64_decode;
use super::{Args, Func, FuncError, Runtime};
use crate::helm::value::{Kind, List, Map, Object, Str, Type, Value};

/// `sprig.certificate` as a type.
const CERTIFICATE: Type = Type::Object("sprig.certificate", Kind::Struct);
/// The bits of the keys that certificates are made with.
const CERTIFICATE_KEY_BITS: usize = 2048;
/// The bits of `genPrivateKey "rsa"`.
const PRIVATE_KEY_BITS: usize = 4096;

/// The functions of this file.
pub(super) const TABLE: &[Func] = &[
    Func::fixed("genPrivateKey", &[Type::String], gen_private_key).rolling(),
    Func::fixed("genCA", &[Type::String, Type::Int], |runtime, args| {
        let key = Key::rsa(runtime, CERTIFICATE_KEY_BITS)?;
        authority(runtime, args, &key)
    })
    .rolling(),
    Func::fixed("genCAWithKey", &[Type::String, Type::Int, Type::String], |runtime, args| {
        let key = given_key(args, 2)?;
        authority(runtime, args, &key)
    })
    .rolling(),
    Func::fixed("genSelfSignedCert", &[Type::String, Type::Anys, Type::Anys, Type::Int], |runtime, args| {
        let key = Key::rsa(runtime, CERTIFICATE_KEY_BITS)?;
        made(runtime, args, &key, None)
    })
    .rolling(),
    Func::fixed("genSelfSignedCertWithKey", &[Type::String, Type::Anys, Type::Anys, Type::Int, Type::String], |runtime, args| {
        let key = given_key(args, 4)?;
        made(runtime, args, &key, None)
    })
    .rolling(),
    Func::fixed("genSignedCert", &[Type::String, Type::Anys, Type::Anys, Type::Int, CERTIFICATE], |runtime, args| {
        let key = Key::rsa(runtime, CERTIFICATE_KEY_BITS)?;
        made(runtime, args, &key, Some(Certificate::of(args.value(4))?))
    })
    .rolling(),
    Func::fixed("genSignedCertWithKey", &[Type::String, Type::Anys, Type::Anys, Type::Int, CERTIFICATE, Type::String], |runtime, args| {
        let key = given_key(args, 5)?;
        made(runtime, args, &key, Some(Certificate::of(args.value(4))?))
    })
    .rolling(),
    Func::fixed("buildCustomCert", &[Type::String, Type::String], build_custom),
];

/// A certificate and its key, both PEM: what templates look at as `.Cert` and `.Key`.
struct Certificate {
    cert: Str,
    key: Str,
}

impl Certificate {
    fn value(cert: impl Into<Str>, key: impl Into<Str>) -> Value {
        Value::Object(Rc::new(Self { cert: cert.into(), key: key.into() }))
    }

    fn of(value: &Value) -> Result<&Self, FuncError> {
        let found = if let Value::Object(object) = value { object.as_any().downcast_ref() } else { None };
        found.ok_or_else(|| FuncError::new(format!("expected sprig.certificate; got {}", value.type_name())))
    }
}

impl Object for Certificate {
    fn typ(&self) -> Type {
        CERTIFICATE
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::Str(self.cert.clone())),
            "Key" => Some(Value::Str(self.key.clone())),
            _ => None,
        }
    }

    fn print(&self) -> Result<Str, FuncError> {
        Ok([b"{", self.cert.as_bytes(), b" ", self.key.as_bytes(), b"}"].concat().into())
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        let fields = [("Cert", Value::Str(self.cert.clone())), ("Key", Value::Str(self.key.clone()))];
        Ok(Value::Map(fields.into_iter().collect::<Map>()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn gen_private_key(runtime: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let kind = args.text(0)?;
    let key = match kind.as_ref() {
        "" | "rsa" => Key::rsa(runtime, PRIVATE_KEY_BITS)?,
        "dsa" => Key::dsa(runtime)?,
        "ecdsa" => Key::ecdsa(runtime)?,
        "ed25519" => Key::ed25519(runtime),
        other => return Ok(Value::from(format!("Unknown type {other}"))),
    };
    Ok(Value::from(key.to_pem()))
}

fn given_key(args: Args<'_>, index: usize) -> Result<Key, FuncError> {
    Key::parse(&args.text(index)?).map_err(|error| FuncError::new(format!("parsing private key: {error}")))
}

/// `genCA` and `genCAWithKey`.
fn authority(runtime: &mut dyn Runtime, args: Args<'_>, key: &Key) -> Result<Value, FuncError> {
    let request = Request { name: args.str(0)?, ips: Vec::new(), dns: Vec::new(), days: args.int(1)?, authority: true };
    let cert = certificate::create(runtime, &request, key, &Issuer::own())?;
    Ok(Certificate::value(cert, key.to_pem()))
}

/// The rest of them: self-signed, or signed by an authority.
fn made(runtime: &mut dyn Runtime, args: Args<'_>, key: &Key, by: Option<&Certificate>) -> Result<Value, FuncError> {
    let issuer = match by {
        None => Issuer::own(),
        Some(by) => Issuer::parse(&by.cert.to_str(), &by.key.to_str())?,
    };
    let request = Request {
        name: args.str(0)?,
        ips: certificate::addresses(args.list(1)?)?,
        dns: names(args.list(2)?)?,
        days: args.int(3)?,
        authority: false,
    };
    let cert = certificate::create(runtime, &request, key, &issuer)?;
    Ok(Certificate::value(cert, key.to_pem()))
}

fn names(list: &List) -> Result<Vec<Str>, FuncError> {
    let name = |value: &Value| match value {
        Value::Str(name) => Ok(name.clone()),
        other => Err(FuncError::new(format!("error processing alternate dns name: {} is not a string", other.print()?))),
    };
    list.to_vec().iter().map(name).collect()
}

fn build_custom(_: &mut dyn Runtime, args: Args<'_>) -> Result<Value, FuncError> {
    let decode = |index: usize, what: &str| {
        let bytes = base64_decode(args.str(index)?.as_bytes()).map_err(|_| FuncError::new(format!("unable to decode base64 {what}")));
        bytes.map(Str::from)
    };
    let (cert, key) = (decode(0, "certificate")?, decode(1, "private key")?);
    let text = cert.to_str();
    let (_, der) = pem::decode(&text).ok_or_else(|| FuncError::new("unable to decode certificate"))?;
    if x509_parser::parse_x509_certificate(&der).is_err() {
        return Err(FuncError::new("error parsing certificate: decodedCert.Bytes: x509: malformed certificate"));
    }
    Key::parse(&key.to_str()).map_err(|error| FuncError::new(format!("error parsing private key: {error}")))?;
    Ok(Certificate::value(cert, key))
}
