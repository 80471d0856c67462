//! Dice and clock of a rendering. What they give follows from a seed and from who asks, so that two renderings can be compared draw by draw, and
//! a draw more doesn't change the others.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

/// Dice with a seed, and a clock that stands.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: [u8; 32],
    now: (i64, u32),
    is_trial: bool,
    /// The call that is under way of a function that throws dice.
    call: u64,
    /// How often it threw.
    throws: u64,
    /// How often each function was called with the same arguments.
    calls: BTreeMap<u64, u64>,
    /// The draw that comes out otherwise.
    altered: Option<Draw>,
    /// What was drawn.
    drawn: BTreeSet<Draw>,
}

/// What chance has a part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draw {
    /// A call of a function that throws dice: the hash of its name, its arguments, and how many like it were before.
    Call(u64),
    /// The clock.
    Clock,
}

/// By how much the clock of an altered rendering differs: so much that the date does as well.
const OTHER_DAY: i64 = 400 * 24 * 3600 + 3661;

impl Dice {
    /// Dice of this seed at this time, in seconds and nanoseconds since 1970.
    pub fn new(seed: [u8; 32], now: (i64, u32)) -> Self {
        Self { seed, now, is_trial: false, call: 0, throws: 0, calls: BTreeMap::new(), altered: None, drawn: BTreeSet::new() }
    }

    /// The same for everybody: nothing that it gives is used, but what changes in it changes for another reason than chance.
    pub fn fixed() -> Self {
        // A day within the validity of everything that is not outright historical.
        Self { is_trial: true, ..Self::new([0; 32], (1_767_225_600, 0)) }
    }

    /// Others that are the same for everybody.
    pub fn other() -> Self {
        Self { is_trial: true, ..Self::new([1; 32], (1_767_225_600 + OTHER_DAY, 0)) }
    }

    /// The same dice from the start, with one draw that comes out otherwise.
    #[must_use]
    pub fn altered(&self, draw: Draw) -> Self {
        Self { altered: Some(draw), is_trial: self.is_trial, ..Self::new(self.seed, self.now) }
    }

    /// Whether nothing that comes of them is used.
    pub fn is_trial(&self) -> bool {
        self.is_trial
    }

    /// The draws that were made.
    pub fn drawn(&self) -> &BTreeSet<Draw> {
        &self.drawn
    }

    /// A call begins of a function that throws dice.
    pub(super) fn begin(&mut self, function: &str, args: &[u8]) {
        let alike = hash(&[function.as_bytes(), &[0], args]);
        let before = self.calls.entry(alike).or_default();
        *before += 1;
        self.call = hash(&[&alike.to_be_bytes(), &before.to_be_bytes()]);
        self.throws = 0;
    }

    /// Throws.
    pub(super) fn roll(&mut self, bytes: &mut [u8]) {
        self.drawn.insert(Draw::Call(self.call));
        let is_altered = [u8::from(self.altered == Some(Draw::Call(self.call)))];
        for chunk in bytes.chunks_mut(32) {
            let parts = [&self.seed[..], &self.call.to_be_bytes(), &self.throws.to_be_bytes(), &is_altered];
            let mut hash = Sha256::new();
            for part in parts {
                hash.update(part);
            }
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
            self.throws += 1;
        }
    }

    /// The time.
    pub(super) fn now(&mut self) -> (i64, u32) {
        self.drawn.insert(Draw::Clock);
        let (seconds, nanos) = self.now;
        if self.altered == Some(Draw::Clock) { (seconds + OTHER_DAY, nanos) } else { (seconds, nanos) }
    }
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: [&str; 4] = ["a", "b", "a", "c"];

    fn thrown(dice: &mut Dice, calls: &[&str]) -> Vec<[u8; 40]> {
        let throw = |call: &&str| {
            dice.begin("randAlphaNum", call.as_bytes());
            let mut bytes = [0; 40];
            dice.roll(&mut bytes);
            bytes
        };
        calls.iter().map(throw).collect()
    }

    #[test]
    fn a_seed_tells_all_throws_and_one_draw_can_come_out_otherwise() {
        let dice = Dice::new([7; 32], (1, 2));
        let mut first = dice.clone();
        let plain = thrown(&mut first, &CALLS);
        assert_eq!(thrown(&mut dice.clone(), &CALLS), plain);
        assert_ne!(thrown(&mut Dice::fixed(), &CALLS), plain);
        assert!(plain[0] != plain[2] && plain[0][..8] != plain[0][32..], "two calls alike are two draws, and a draw has many throws");
        let draws = first.drawn().clone();
        assert_eq!(draws.len(), 4);
        for draw in draws {
            let other = thrown(&mut dice.altered(draw), &CALLS);
            assert_eq!(plain.iter().zip(&other).filter(|(one, two)| one != two).count(), 1);
        }
    }

    #[test]
    fn a_draw_more_leaves_the_others_as_they_are() {
        let plain = thrown(&mut Dice::fixed(), &CALLS);
        let more = thrown(&mut Dice::fixed(), &["x", "a", "b", "y", "a", "c"]);
        assert_eq!([more[1], more[2], more[4], more[5]], plain[..]);
    }

    #[test]
    fn the_clock_is_a_draw_as_well() {
        let mut dice = Dice::fixed();
        assert!(dice.drawn().is_empty());
        let at = dice.now();
        assert_eq!(dice.drawn().iter().collect::<Vec<_>>(), [&Draw::Clock]);
        assert_ne!(dice.altered(Draw::Clock).now(), at);
        assert_eq!(dice.altered(Draw::Call(1)).now(), at);
    }
}
