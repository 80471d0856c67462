//! DER, as much of it as keys and certificates need: values written from the inside out, and read with a cursor.

use num_bigint_dig::BigUint;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
const NULL: [u8; 2] = [0x05, 0x00];

/// A value with its tag and length.
pub(super) fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0));
    } else {
        let bytes = length.to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|b| **b == 0).count()..];
        out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}

/// A sequence of values that are written already.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tagged(SEQUENCE, &parts.concat())
}

/// A number that is not negative.
pub(super) fn integer(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    if bytes.first().is_none_or(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    tagged(INTEGER, &bytes)
}

/// A sequence of numbers.
pub(super) fn integers(numbers: &[&BigUint]) -> Vec<u8> {
    tagged(SEQUENCE, &numbers.iter().flat_map(|number| integer(number)).collect::<Vec<u8>>())
}

/// A bit string of whole bytes.
pub(super) fn bits(content: &[u8]) -> Vec<u8> {
    tagged(BIT_STRING, &[&[0], content].concat())
}

/// An algorithm without parameters, or with null for them.
pub(super) fn algorithm(oid: &[u8], with_null: bool) -> Vec<u8> {
    sequence(&[&tagged(OID, oid), if with_null { &NULL } else { &[] }])
}

/// A cursor over DER.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next value, if it has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        if *first != tag {
            return None;
        }
        let (length, rest) = match rest.split_first()? {
            (short @ 0..0x80, rest) => (usize::from(*short), rest),
            (long, rest) => {
                let count = usize::from(long & 0x7f);
                let bytes = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
                (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), &rest[count..])
            }
        };
        let content = rest.get(..length)?;
        self.0 = &rest[length..];
        Some(content)
    }

    /// The values of the next sequence.
    pub(super) fn inner(&mut self) -> Option<Self> {
        self.take(SEQUENCE).map(Reader)
    }

    /// The next number; a negative one is none.
    pub(super) fn number(&mut self) -> Option<BigUint> {
        let bytes = self.take(INTEGER)?;
        bytes.first().filter(|first| **first & 0x80 == 0).map(|_| BigUint::from_bytes_be(bytes))
    }
}
