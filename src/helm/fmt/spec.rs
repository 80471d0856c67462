//! Flags, width and precision of a verb, and padding: `fmt` of Go's `fmt/format.go`.

use crate::helm::strconv::decode_rune;

/// The largest width or precision that Go accepts.
const TOO_LARGE: i64 = 1_000_000;

/// What stands between the percent sign and the verb.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the format")]
pub(super) struct Spec {
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Spec {
    /// Writes the text padded to the width, which counts runes.
    pub(super) fn pad(self, out: &mut Vec<u8>, text: &[u8]) {
        let missing = self.width.unwrap_or(0).saturating_sub(rune_count(text));
        if self.minus {
            out.extend_from_slice(text);
            self.padding(out, missing);
        } else {
            self.padding(out, missing);
            out.extend_from_slice(text);
        }
    }

    /// `writePadding`: zeros only to the left.
    pub(super) fn padding(self, out: &mut Vec<u8>, count: usize) {
        let byte = if self.zero && !self.minus { b'0' } else { b' ' };
        out.resize(out.len() + count, byte);
    }

    /// Cuts the text to the precision, in runes.
    pub(super) fn truncate(self, text: &[u8]) -> &[u8] {
        let Some(precision) = self.precision else { return text };
        let mut end = 0;
        for _ in 0..precision {
            if end >= text.len() {
                break;
            }
            end += decode_rune(&text[end..]).1;
        }
        &text[..end]
    }
}

fn rune_count(mut text: &[u8]) -> usize {
    let mut count = 0;
    while !text.is_empty() {
        text = &text[decode_rune(text).1..];
        count += 1;
    }
    count
}

/// `parsenum`: a decimal number at the position, which moves past it; none if there is none, or it is too large.
pub(super) fn parse_number(format: &[u8], at: &mut usize) -> Option<usize> {
    let mut number: Option<i64> = None;
    while let Some(digit) = format.get(*at).filter(|byte| byte.is_ascii_digit()) {
        let so_far = number.unwrap_or(0);
        if too_large(so_far) {
            *at = format.len();
            return None;
        }
        number = Some(so_far * 10 + i64::from(*digit - b'0'));
        *at += 1;
    }
    number.and_then(|number| usize::try_from(number).ok())
}

/// `tooLarge`.
pub(super) fn too_large(number: i64) -> bool {
    !(-TOO_LARGE..=TOO_LARGE).contains(&number)
}
