//! What a scalar's characters allow: `yaml_emitter_analyze_scalar`.

/// The styles that are possible.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are libyaml's four answers")]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    pub(super) block_plain_allowed: bool,
    pub(super) single_quoted_allowed: bool,
    pub(super) block_allowed: bool,
}

/// What has been seen so far.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "libyaml's flags, by their names")]
struct Seen {
    block_indicators: bool,
    line_breaks: bool,
    special_characters: bool,
    tab_characters: bool,
    leading_space: bool,
    leading_break: bool,
    trailing_space: bool,
    trailing_break: bool,
    break_space: bool,
    space_break: bool,
}

/// Looks at a scalar; in v3 a tab alone does not forbid a block.
pub(super) fn analyze(text: &[u8], v3: bool) -> Analysis {
    if text.is_empty() {
        return Analysis { multiline: false, block_plain_allowed: true, single_quoted_allowed: true, block_allowed: false };
    }
    let seen = look(text, v3);
    let spaces = seen.leading_space || seen.leading_break || seen.trailing_space || seen.trailing_break;
    let special = seen.space_break || seen.special_characters;
    Analysis {
        multiline: seen.line_breaks,
        block_plain_allowed: !(spaces || seen.break_space || special || seen.tab_characters || seen.line_breaks || seen.block_indicators),
        single_quoted_allowed: !(seen.break_space || special || seen.tab_characters),
        block_allowed: !(seen.trailing_space || special),
    }
}

fn look(text: &[u8], v3: bool) -> Seen {
    let mut seen = Seen { block_indicators: text.starts_with(b"---") || text.starts_with(b"..."), ..Seen::default() };
    let (mut previous_space, mut previous_break) = (false, false);
    let mut preceded_by_whitespace = true;
    let mut at = 0;
    while at < text.len() {
        // Within a scalar most characters decide nothing.
        if at > 0 && matches!(text[at], b'!'..=b'~') && !matches!(text[at], b':' | b'#') {
            (previous_space, previous_break, preceded_by_whitespace) = (false, false, false);
            at += 1;
            continue;
        }
        let length = width(text[at]);
        let last = at + length >= text.len();
        let followed_by_whitespace = last || is_blank(text, at + length);
        seen.block_indicators |= match text[at] {
            b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@' | b'`' if at == 0 => {
                true
            }
            b'?' | b'-' if at == 0 => followed_by_whitespace,
            b':' => followed_by_whitespace,
            b'#' => preceded_by_whitespace,
            _ => false,
        };
        if v3 && text[at] == b'\t' {
            seen.tab_characters = true;
        } else if !is_printable(text, at) {
            seen.special_characters = true;
        }
        if is_space(text, at) {
            seen.leading_space |= at == 0;
            seen.trailing_space |= last;
            seen.break_space |= previous_break;
            (previous_space, previous_break) = (true, false);
        } else if is_break(text, at) {
            seen.line_breaks = true;
            seen.leading_break |= at == 0;
            seen.trailing_break |= last;
            seen.space_break |= previous_space;
            (previous_space, previous_break) = (false, true);
        } else {
            (previous_space, previous_break) = (false, false);
        }
        preceded_by_whitespace = is_blank(text, at) || is_break(text, at);
        at += length;
    }
    seen
}

/// The bytes of the character that begins so.
pub(super) fn width(first: u8) -> usize {
    match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => 1,
    }
}

pub(super) fn is_space(text: &[u8], at: usize) -> bool {
    text.get(at) == Some(&b' ')
}

fn is_blank(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b' ' | b'\t'))
}

/// CR, LF, NEL, LS and PS.
pub(super) fn is_break(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    matches!(rest, [b'\r' | b'\n', ..] | [0xC2, 0x85, ..] | [0xE2, 0x80, 0xA8 | 0xA9, ..])
}

/// `is_printable`: no control character but LF, and nothing beyond the basic plane.
pub(super) fn is_printable(text: &[u8], at: usize) -> bool {
    let byte = |index: usize| text.get(index).copied().unwrap_or(0);
    match byte(at) {
        0xC2 => byte(at + 1) >= 0xA0,
        b'\n' | 0x20..=0x7E | 0xC3..=0xEC | 0xEE => true,
        0xED => byte(at + 1) < 0xA0,
        0xEF => {
            let (two, three) = (byte(at + 1), byte(at + 2));
            !(two == 0xBB && three == 0xBF || two == 0xBF && matches!(three, 0xBE | 0xBF))
        }
        _ => false,
    }
}
