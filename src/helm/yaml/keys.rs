//! The order of keys: `keyList` of yaml/v2's `sorter.go`, and of v3's.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::helm::value::Str;

/// Compares two keys as yaml/v2 does: letters after other runes, numbers by their value.
pub(super) fn compare(one: &str, two: &str) -> Ordering {
    order(one, two, false)
}

/// As yaml/v3 does: digits before other runes, unless they follow a digit.
pub(super) fn compare_v3(one: &str, two: &str) -> Ordering {
    order(one, two, true)
}

/// The entries of a map, sorted by the order of a flavour.
pub(super) fn sorted<T>(entries: &BTreeMap<Str, T>, compare: fn(&str, &str) -> Ordering) -> Vec<(&Str, &T)> {
    // Among these both orders are that of bytes.
    let is_usual = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'.' | b'/');
    let is_sorted = entries.keys().all(|key| key.as_bytes().iter().all(is_usual));
    let entries = entries.iter().collect();
    if is_sorted { entries } else { sort(entries, compare) }
}

/// Sorts by the order of a flavour. That order goes in circles for keys such as `9`, `10` and `1a`, so that what comes out depends on what goes
/// in, in Go as well; a merge sort always ends.
fn sort<'a, T>(mut entries: Vec<(&'a Str, &'a T)>, compare: fn(&str, &str) -> Ordering) -> Vec<(&'a Str, &'a T)> {
    if entries.len() < 2 {
        return entries;
    }
    let right = entries.split_off(entries.len() / 2);
    let mut left = sort(entries, compare).into_iter().peekable();
    let mut right = sort(right, compare).into_iter().peekable();
    let mut out = Vec::with_capacity(left.len() + right.len());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some((one, _)), Some((two, _))) if compare(&two.to_str(), &one.to_str()) == Ordering::Less => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(entry) => out.push(entry),
            None => return out,
        }
    }
}

fn order(one: &str, two: &str, v3: bool) -> Ordering {
    if one.is_ascii() && two.is_ascii() {
        return order_of(one.as_bytes(), two.as_bytes(), v3);
    }
    let one: Vec<char> = one.chars().collect();
    let two: Vec<char> = two.chars().collect();
    order_of(&one, &two, v3)
}

/// A rune, or a byte that is one.
trait Rune: Copy + Ord {
    fn rune(self) -> char;

    fn digit(self) -> Option<i64> {
        let rune = self.rune();
        rune.to_digit(10).map(i64::from)
    }
}

impl Rune for u8 {
    fn rune(self) -> char {
        char::from(self)
    }
}

impl Rune for char {
    fn rune(self) -> char {
        self
    }
}

fn order_of<R: Rune>(one: &[R], two: &[R], v3: bool) -> Ordering {
    let mut digits = false;
    for (index, (a, b)) in one.iter().zip(two).enumerate() {
        if a == b {
            digits = a.digit().is_some();
            continue;
        }
        let (a_letter, b_letter) = (a.rune().is_alphabetic(), b.rune().is_alphabetic());
        if a_letter && b_letter {
            return a.cmp(b);
        }
        if a_letter || b_letter {
            let letter_last = !(v3 && digits);
            return if a_letter == letter_last { Ordering::Greater } else { Ordering::Less };
        }
        return numbers(one, two, index).then(a.cmp(b));
    }
    one.len().cmp(&two.len())
}

/// Compares the numbers that begin at the index, which may go on from digits before it.
fn numbers<R: Rune>(one: &[R], two: &[R], index: usize) -> Ordering {
    let zero = |rune: R| rune.rune() == '0';
    let mut lead = 0;
    if zero(one[index]) || zero(two[index]) {
        for before in one[..index].iter().rev().take_while(|rune| rune.digit().is_some()) {
            if !zero(*before) {
                lead = 1;
                break;
            }
        }
    }
    let (a_number, a_end) = number(one, index, lead);
    let (b_number, b_end) = number(two, index, lead);
    a_number.cmp(&b_number).then(a_end.cmp(&b_end))
}

fn number<R: Rune>(runes: &[R], index: usize, lead: i64) -> (i64, usize) {
    let mut number = lead;
    let mut end = index;
    while let Some(digit) = runes.get(end).and_then(|rune| rune.digit()) {
        number = number.wrapping_mul(10).wrapping_add(digit);
        end += 1;
    }
    (number, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_no_sorting_is_as_if_sorted() {
        const RUNES: &[u8] = b"aAbBzZ-./x";
        let keys = (0..4000_usize).map(|number| {
            let runes = [number % 10, number / 10 % 10, number / 100 % 10, number / 1000];
            Str::from(runes[..=number % 4].iter().map(|rune| RUNES[*rune]).collect::<Vec<u8>>())
        });
        let entries: BTreeMap<Str, usize> = keys.zip(0..).collect();
        for flavour in [compare, compare_v3] {
            let plain: Vec<&Str> = sorted(&entries, flavour).into_iter().map(|(key, _)| key).collect();
            let by_order: Vec<&Str> = sort(entries.iter().collect(), flavour).into_iter().map(|(key, _)| key).collect();
            assert_eq!(plain, by_order);
        }
    }

    #[test]
    fn letters_come_after_what_is_none() {
        let entries: BTreeMap<Str, usize> = ["A", "_a", "a10", "a9"].into_iter().map(Str::from).zip(0..).collect();
        let keys: Vec<String> = sorted(&entries, compare).into_iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys, ["_a", "A", "a9", "a10"]);
    }
}
