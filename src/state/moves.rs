//! Renames: what the state and the marks know under an old address belongs to a new one.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::addr::Addr;

/// Old addresses and the new ones that they are to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves(BTreeMap<Addr, Addr>);

impl FromIterator<(Addr, Addr)> for Moves {
    fn from_iter<T: IntoIterator<Item = (Addr, Addr)>>(pairs: T) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Moves {
    /// The renames, old and new.
    pub fn iter(&self) -> impl Iterator<Item = (&Addr, &Addr)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The address of what a mark names `addr`. When something is at the new address already (`taken`), nothing moves there: the plan
    /// tells it.
    pub fn at(&self, addr: Addr, taken: &BTreeSet<Addr>) -> Addr {
        match self.0.get(&addr) {
            Some(to) if !taken.contains(to) => to.clone(),
            _ => addr,
        }
    }

    /// Further renames beside these; one of the same address counts instead.
    #[must_use]
    pub fn with(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }
}

impl State {
    /// The state as it is after these renames, and the ones that changed it. Where both addresses hold something, nothing moves.
    pub fn moved(&self, moves: &Moves) -> (Self, Vec<(Addr, Addr)>) {
        let (mut state, mut done) = (self.clone(), Vec::new());
        for (from, to) in moves.iter() {
            if state.resources.contains_key(from) && !state.resources.contains_key(to) {
                state.rename(from, to);
                done.push((from.clone(), to.clone()));
            }
        }
        state.moves = moves.clone();
        (state, done)
    }

    /// Gives what is at an address another one, in all that speaks of it.
    pub(super) fn rename(&mut self, from: &Addr, to: &Addr) {
        if let Some(known) = self.resources.remove(from) {
            self.resources.insert(to.clone(), known);
        }
        for known in self.resources.values_mut() {
            for needed in known.needs.iter_mut().filter(|needed| *needed == from) {
                needed.clone_from(to);
            }
        }
        if let Some(attempts) = self.attempts.get(from).copied() {
            let counted = self.attempts.entry(to.clone()).or_default();
            *counted = attempts.max(*counted);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::state::Remembered;

    fn addr(text: &str) -> Addr {
        text.parse().unwrap()
    }

    fn state(known: &[&str]) -> State {
        let mut state = State::empty("s");
        for one in known {
            state.resources.insert(addr(one), Remembered { needs: vec![addr("acm_certificate.a")], ..Remembered::default() });
        }
        state.attempts.insert(addr("acm_certificate.a"), 7);
        state
    }

    #[test]
    fn what_is_known_under_the_old_address_is_known_under_the_new_one_by_all() {
        let moves = Moves::from_iter([(addr("acm_certificate.a"), addr("acm_certificate.b"))]);
        let (moved, done) = state(&["acm_certificate.a", "secretsmanager_secret.a"]).moved(&moves);
        assert_eq!(done.len(), 1);
        assert!(moved.resources.contains_key(&addr("acm_certificate.b")) && !moved.resources.contains_key(&addr("acm_certificate.a")));
        assert_eq!(moved.resources[&addr("secretsmanager_secret.a")].needs, [addr("acm_certificate.b")]);
        assert_eq!(moved.attempts[&addr("acm_certificate.b")], 7, "a token is not used twice");
        assert_eq!(moved.moved(&moves).1, [], "a rename is done once");
    }

    #[test]
    fn nothing_moves_onto_another() {
        let moves = Moves::from_iter([(addr("acm_certificate.a"), addr("acm_certificate.b"))]);
        let before = state(&["acm_certificate.a", "acm_certificate.b"]);
        let (moved, done) = before.moved(&moves);
        assert_eq!((moved.resources, done.len()), (before.resources, 0));
        let taken = BTreeSet::from([addr("acm_certificate.b")]);
        assert_eq!(moves.at(addr("acm_certificate.a"), &taken), addr("acm_certificate.a"));
        assert_eq!(moves.at(addr("acm_certificate.a"), &BTreeSet::new()), addr("acm_certificate.b"));
    }
}
