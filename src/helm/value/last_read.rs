//! What a text was last read as, and whether anything was changed in place since.

use std::cell::Cell;

use super::{Map, Str};

thread_local! {
    /// A rendering has a thread of its own.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
}

/// To be called at every change of a list or a map in place.
pub(super) fn changed() {
    CHANGES.set(CHANGES.get().wrapping_add(1));
}

/// The map that a text was last read as: templates read one text twice in a row, for its name and for itself. It is given out again only while
/// it can't be told from a new one: nobody else has any part of it, and nothing was changed since.
#[derive(Default)]
pub struct LastRead {
    kept: Option<(Str, Map, u64)>,
}

impl LastRead {
    /// Keeps what a text was read as.
    pub fn keep(&mut self, text: &Str, map: &Map) {
        self.kept = Some((text.clone(), map.clone(), CHANGES.get()));
    }

    /// The map of this text, if it is as good as read anew. It is given away.
    pub fn take(&mut self, text: &Str) -> Option<Map> {
        let (read, _, _) = self.kept.as_ref()?;
        if read != text {
            return None;
        }
        let (_, map, changes) = self.kept.take()?;
        (changes == CHANGES.get() && map.is_sole()).then_some(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::value::{List, Value};

    fn read() -> Map {
        let list = Value::List(List::new(vec![Value::Map([("c", Value::from("d"))].into_iter().collect())]));
        [("a", Value::Map([("b", list)].into_iter().collect()))].into_iter().collect()
    }

    fn inner(map: &Map) -> Map {
        let Some(Value::Map(a)) = map.get("a") else { panic!("no map") };
        let Some(Value::List(list)) = a.get("b") else { panic!("no list") };
        let Some(Value::Map(inner)) = list.get(0) else { panic!("no map") };
        inner
    }

    #[test]
    fn what_was_read_is_given_out_again_once() {
        let (mut last, text) = (LastRead::default(), Str::from("text"));
        last.keep(&text, &read());
        assert!(last.take(&Str::from("other")).is_none());
        let map = last.take(&text).expect("it is as it was read");
        assert!(Value::Map(map).deep_equal(&Value::Map(read())).is_ok_and(|equal| equal));
        assert!(last.take(&text).is_none());
    }

    #[test]
    fn what_is_held_by_another_is_not() {
        let (mut last, text) = (LastRead::default(), Str::from("text"));
        let map = read();
        last.keep(&text, &map);
        assert!(last.take(&text).is_none());
        // Also when it is but a part.
        let map = read();
        let part = inner(&map);
        last.keep(&text, &map);
        drop(map);
        assert!(last.take(&text).is_none());
        drop(part);
    }

    #[test]
    fn what_was_changed_is_not() {
        let (mut last, text) = (LastRead::default(), Str::from("text"));
        let map = read();
        last.keep(&text, &map);
        inner(&map).set("c", Value::Nil);
        drop(map);
        assert!(last.take(&text).is_none());
        let map = read();
        last.keep(&text, &map);
        inner(&map).remove("c");
        drop(map);
        assert!(last.take(&text).is_none());
    }
}
