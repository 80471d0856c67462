//! `fmt.Sprintf`: `fmt/print.go`.

use std::fmt::Write as _;

use super::number;
use super::spec::{Spec, parse_number, too_large};
use crate::helm::func::{FuncError, Runtime};
use crate::helm::strconv::{decode_rune, format_float, quote_bytes, quote_with};
use crate::helm::value::{Str, Type, Value, check_depth};

/// `fmt.Sprintf`. Errors are none of Go's, which stand in the text (`%!d(string=x)`), but limits of ours.
pub fn sprintf(runtime: &mut dyn Runtime, format: &Str, args: &[Value]) -> Result<Str, FuncError> {
    let mut printer = Printer { runtime, args, next: 0, reordered: false, good: true, out: Vec::new() };
    printer.format(format.as_bytes())?;
    Ok(printer.out.into())
}

struct Printer<'a> {
    runtime: &'a mut dyn Runtime,
    args: &'a [Value],
    next: usize,
    reordered: bool,
    good: bool,
    out: Vec<u8>,
}

impl Printer<'_> {
    fn format(&mut self, format: &[u8]) -> Result<(), FuncError> {
        let mut at = 0;
        while at < format.len() {
            self.good = true;
            let end = format[at..].iter().position(|byte| *byte == b'%').map_or(format.len(), |found| at + found);
            self.out.extend_from_slice(&format[at..end]);
            at = end;
            if at >= format.len() {
                break;
            }
            at += 1;
            let Some((spec, verb)) = self.spec(format, &mut at) else {
                self.out.extend_from_slice(b"%!(NOVERB)");
                break;
            };
            self.verb(spec, verb)?;
        }
        self.extra()
    }

    /// Flags, index, width, precision and the verb; none where the format ends before it.
    fn spec(&mut self, format: &[u8], at: &mut usize) -> Option<(Spec, char)> {
        let mut spec = Spec::default();
        while let Some(byte) = format.get(*at) {
            match byte {
                b'#' => spec.sharp = true,
                b'0' => spec.zero = true,
                b'+' => spec.plus = true,
                b'-' => spec.minus = true,
                b' ' => spec.space = true,
                _ => break,
            }
            *at += 1;
        }
        let mut after_index = self.index(format, at);
        if format.get(*at) == Some(&b'*') {
            *at += 1;
            match self.int_arg() {
                Some(width) => {
                    if width < 0 {
                        spec.minus = true;
                        spec.zero = false;
                    }
                    spec.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            spec.width = parse_number(format, at);
            if after_index && spec.width.is_some() {
                self.good = false;
            }
        }
        if *at + 1 < format.len() && format[*at] == b'.' {
            *at += 1;
            if after_index {
                self.good = false;
            }
            after_index = self.index(format, at);
            if format.get(*at) == Some(&b'*') {
                *at += 1;
                match self.int_arg() {
                    Some(precision) if precision >= 0 => spec.precision = usize::try_from(precision).ok(),
                    _ => self.out.extend_from_slice(b"%!(BADPREC)"),
                }
                after_index = false;
            } else {
                spec.precision = Some(parse_number(format, at).unwrap_or(0));
            }
        }
        if !after_index {
            self.index(format, at);
        }
        if *at >= format.len() {
            return None;
        }
        let (verb, length) = decode_rune(&format[*at..]);
        *at += length;
        Some((spec, verb))
    }

    /// `argNumber`: an explicit index such as `[2]`. Whether there was one.
    fn index(&mut self, format: &[u8], at: &mut usize) -> bool {
        if format.get(*at) != Some(&b'[') {
            return false;
        }
        self.reordered = true;
        let Some(close) = format[*at..].iter().position(|byte| *byte == b']') else {
            self.good = false;
            *at += 1;
            return false;
        };
        let mut inside = *at + 1;
        let end = *at + close;
        let number = parse_number(&format[..end], &mut inside);
        *at = end + 1;
        match number {
            Some(number) if inside == end && number >= 1 && number <= self.args.len() => {
                self.next = number - 1;
                true
            }
            _ => {
                self.good = false;
                inside == end && number.is_some()
            }
        }
    }

    /// `intFromArg`.
    fn int_arg(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let number = match arg {
            Value::Int(_, number) => *number,
            Value::Uint(_, number) => i64::try_from(*number).ok()?,
            Value::Object(object) => object.number()?,
            _ => return None,
        };
        (!too_large(number)).then_some(number)
    }

    fn verb(&mut self, mut spec: Spec, verb: char) -> Result<(), FuncError> {
        if verb == '%' {
            self.out.push(b'%');
        } else if !self.good {
            self.out.extend_from_slice(format!("%!{verb}(BADINDEX)").as_bytes());
        } else if let Some(arg) = self.args.get(self.next) {
            if matches!(verb, 'v' | 'w') {
                spec.sharp_v = std::mem::take(&mut spec.sharp);
                spec.plus_v = std::mem::take(&mut spec.plus);
            }
            self.next += 1;
            self.runtime.spend(spec.width.unwrap_or(0) + spec.precision.unwrap_or(0))?;
            print_arg(&mut self.out, spec, arg, verb)?;
        } else {
            self.out.extend_from_slice(format!("%!{verb}(MISSING)").as_bytes());
        }
        Ok(())
    }

    fn extra(&mut self) -> Result<(), FuncError> {
        if self.reordered || self.next >= self.args.len() {
            return Ok(());
        }
        self.out.extend_from_slice(b"%!(EXTRA ");
        for (index, arg) in self.args[self.next..].iter().enumerate() {
            if index > 0 {
                self.out.extend_from_slice(b", ");
            }
            if !matches!(arg, Value::Nil) {
                self.out.extend_from_slice(arg.type_name().as_bytes());
                self.out.push(b'=');
            }
            self.out.extend_from_slice(arg.print()?.as_bytes());
        }
        self.out.push(b')');
        Ok(())
    }
}

fn print_arg(out: &mut Vec<u8>, spec: Spec, arg: &Value, verb: char) -> Result<(), FuncError> {
    match (arg, verb) {
        (Value::Nil, 'v' | 'T') => {
            spec.pad(out, b"<nil>");
            Ok(())
        }
        (Value::Nil, _) => bad_verb(out, spec, arg, verb),
        (_, 'T') => {
            spec.pad(out, spec.truncate(arg.type_name().as_bytes()));
            Ok(())
        }
        _ => print_value(out, spec, arg, verb, 0),
    }
}

fn bad_verb(out: &mut Vec<u8>, spec: Spec, arg: &Value, verb: char) -> Result<(), FuncError> {
    out.extend_from_slice(format!("%!{verb}(").as_bytes());
    if matches!(arg, Value::Nil) {
        out.extend_from_slice(b"<nil>");
    } else {
        out.extend_from_slice(arg.type_name().as_bytes());
        out.push(b'=');
        print_value(out, spec, arg, 'v', 0)?;
    }
    out.push(b')');
    Ok(())
}

fn print_value(out: &mut Vec<u8>, spec: Spec, value: &Value, verb: char, depth: usize) -> Result<(), FuncError> {
    check_depth(depth)?;
    let known = match value {
        Value::Nil => {
            out.extend_from_slice(if spec.sharp_v { b"interface {}(nil)" } else { b"<nil>".as_slice() });
            true
        }
        Value::Bool(truth) if matches!(verb, 't' | 'v') => {
            spec.pad(out, truth.to_string().as_bytes());
            true
        }
        Value::Bool(_) => false,
        Value::Int(_, number) => number::integer(out, spec, i128::from(*number), verb),
        Value::Uint(_, number) if spec.sharp_v => number::integer(out, Spec { sharp: true, ..spec }, i128::from(*number), 'x'),
        Value::Uint(_, number) => number::integer(out, spec, i128::from(*number), verb),
        Value::Float(number) => number::float(out, spec, *number, verb) || hex_float(out, spec, *number, verb),
        Value::Str(text) => string(out, spec, text.as_bytes(), verb),
        Value::List(_) if matches!(verb, 's' | 'q' | 'x' | 'X') && value.typ() == Type::Bytes => {
            string(out, spec, &value.to_bytes().unwrap_or_default(), verb)
        }
        Value::List(list) => {
            let (open, between, close) =
                if spec.sharp_v { (b"{".as_slice(), b", ".as_slice(), b'}') } else { (b"[".as_slice(), b" ".as_slice(), b']') };
            if spec.sharp_v {
                out.extend_from_slice(value.type_name().as_bytes());
            }
            out.extend_from_slice(open);
            for (index, item) in list.to_vec().iter().enumerate() {
                if index > 0 {
                    out.extend_from_slice(between);
                }
                print_value(out, spec, item, verb, depth + 1)?;
            }
            out.push(close);
            true
        }
        Value::Map(map) => {
            print_map(out, spec, value, &map.to_vec(), verb, depth)?;
            true
        }
        Value::Object(object) => {
            if let (Some(number), 'd' | 'x' | 'X' | 'b' | 'o' | 'c' | 'U') = (object.number(), verb) {
                number::integer(out, spec, i128::from(number), verb)
            } else {
                string(out, spec, object.print()?.as_bytes(), verb)
            }
        }
    };
    if known { Ok(()) } else { bad_verb(out, spec, value, verb) }
}

fn print_map(out: &mut Vec<u8>, spec: Spec, value: &Value, entries: &[(Str, Value)], verb: char, depth: usize) -> Result<(), FuncError> {
    if spec.sharp_v {
        out.extend_from_slice(value.type_name().as_bytes());
        out.push(b'{');
    } else {
        out.extend_from_slice(b"map[");
    }
    for (index, (key, item)) in entries.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(if spec.sharp_v { b", " } else { b" " });
        }
        print_value(out, spec, &Value::Str(key.clone()), verb, depth + 1)?;
        out.push(b':');
        print_value(out, spec, item, verb, depth + 1)?;
    }
    out.push(if spec.sharp_v { b'}' } else { b']' });
    Ok(())
}

/// `fmtString` and `fmtBytes`.
fn string(out: &mut Vec<u8>, spec: Spec, text: &[u8], verb: char) -> bool {
    match verb {
        'v' if spec.sharp_v => spec.pad(out, quote_bytes(text).as_bytes()),
        'v' | 's' => spec.pad(out, spec.truncate(text)),
        'q' => {
            let text = spec.truncate(text);
            if spec.sharp && can_backquote(text) {
                spec.pad(out, &[b"`", text, b"`"].concat());
            } else {
                spec.pad(out, quote_with(text, '"', spec.plus).as_bytes());
            }
        }
        'x' | 'X' => hex(out, spec, text, verb == 'X'),
        _ => return false,
    }
    true
}

fn can_backquote(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_ok_and(|text| text.chars().all(|rune| rune != '`' && rune != '\u{FEFF}' && rune != '\x7f' && (rune >= ' ' || rune == '\t')))
}

fn hex(out: &mut Vec<u8>, spec: Spec, text: &[u8], upper: bool) {
    let text = &text[..text.len().min(spec.precision.unwrap_or(usize::MAX))];
    let prefix = match (spec.sharp, upper) {
        (false, _) => "",
        (true, false) => "0x",
        (true, true) => "0X",
    };
    let mut shown = String::with_capacity(text.len() * 2);
    for (index, byte) in text.iter().enumerate() {
        if index > 0 && spec.space {
            shown.push(' ');
        }
        if index == 0 || spec.space {
            shown.push_str(prefix);
        }
        let _ = if upper { write!(shown, "{byte:02X}") } else { write!(shown, "{byte:02x}") };
    }
    spec.pad(out, shown.as_bytes());
}

/// `%x`, `%X` and `%b` of floats: a binary exponent.
fn hex_float(out: &mut Vec<u8>, spec: Spec, number: f64, verb: char) -> bool {
    if !matches!(verb, 'x' | 'X') || spec.precision.is_some() {
        return false;
    }
    if !number.is_finite() {
        spec.pad(out, format_float(number, b'g', -1).as_bytes());
        return true;
    }
    let bits = number.to_bits();
    let mut exponent = i64::try_from((bits >> 52) & 0x7FF).unwrap_or(0) - 1023;
    let mut mantissa = bits & ((1 << 52) - 1);
    let mut lead = 1;
    if number == 0.0 {
        (exponent, lead) = (0, 0);
    } else if exponent == -1023 {
        // Subnormal numbers are shown normalised.
        let shift = mantissa.leading_zeros() - 11;
        mantissa = (mantissa << shift) & ((1 << 52) - 1);
        exponent = -1022 - i64::from(shift);
    }
    let digits = format!("{mantissa:013x}");
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let power = if exponent < 0 { '-' } else { '+' };
    let mut text = format!("{sign}0x{lead}{point}{digits}p{power}{:02}", exponent.unsigned_abs());
    if verb == 'X' {
        text = text.to_uppercase();
    }
    spec.pad(out, text.as_bytes());
    true
}
