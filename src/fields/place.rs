//! A field's value in an object, by its path.

use serde_json::Value;

use super::differ::is_called;
use super::path::{FieldPath, Segment};

impl FieldPath {
    /// The value of the field; nothing where there is none, and for a path to several.
    pub fn value_in<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        self.segments().iter().try_fold(object, |value, segment| match (segment, value) {
            (Segment::Field(name), Value::Object(map)) => map.get(name),
            (Segment::Item(label), Value::Array(list)) => list.get(position(list, label)?),
            _ => None,
        })
    }

    /// Puts a value in the field's place, or takes the field away. Nothing happens where what holds it isn't there.
    pub fn put_into(&self, object: &mut Value, new: Option<Value>) {
        let Some((last, way)) = self.segments().split_last() else { return };
        let mut at = object;
        for segment in way {
            let below = match (segment, at) {
                (Segment::Field(name), Value::Object(map)) => map.get_mut(name),
                (Segment::Item(label), Value::Array(list)) => position(list, label).and_then(|index| list.get_mut(index)),
                _ => None,
            };
            let Some(below) = below else { return };
            at = below;
        }
        match (last, at, new) {
            (Segment::Field(name), Value::Object(map), Some(new)) => drop(map.insert(name.clone(), new)),
            (Segment::Field(name), Value::Object(map), None) => drop(map.shift_remove(name)),
            (Segment::Item(label), Value::Array(list), new) => match (position(list, label), new) {
                (Some(index), Some(new)) => list[index] = new,
                (Some(index), None) => drop(list.remove(index)),
                (None, _) => {}
            },
            _ => {}
        }
    }

    /// The key of a map at the top of an object, if that is what it names: `data["tls.crt"]` in `data`.
    pub fn key_in(&self, map: &str) -> Option<&str> {
        match self.segments() {
            [Segment::Field(top), Segment::Field(key)] if top == map => Some(key),
            _ => None,
        }
    }
}

/// An item by its name or key, or by its number where items have none.
fn position(list: &[Value], label: &str) -> Option<usize> {
    list.iter().position(|item| is_called(item, label)).or_else(|| label.parse().ok().filter(|index| *index < list.len()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_put_and_taken_away() {
        let object = json!({"spec": {"list": [{"name": "a", "value": 1}, {"name": "b"}], "plain": [[1], [2]]}, "data": {"tls.crt": "x"}});
        let cases = [
            ("spec.list[a].value", Some(json!(1)), json!({"list": [{"name": "a", "value": 9}, {"name": "b"}], "plain": [[1], [2]]})),
            ("spec.list[b].value", None, json!({"list": [{"name": "a", "value": 1}, {"name": "b", "value": 9}], "plain": [[1], [2]]})),
            ("spec.list[c].value", None, object["spec"].clone()),
            ("spec.plain[1]", Some(json!([2])), json!({"list": [{"name": "a", "value": 1}, {"name": "b"}], "plain": [[1], 9]})),
            ("spec.none.value", None, object["spec"].clone()),
        ];
        for (path, value, put) in cases {
            let path: FieldPath = path.parse().unwrap();
            assert_eq!(path.value_in(&object), value.as_ref(), "{path}");
            let mut changed = object.clone();
            path.put_into(&mut changed, Some(json!(9)));
            assert_eq!(changed["spec"], put, "{path}");
            path.put_into(&mut changed, None);
            assert_eq!(path.value_in(&changed).filter(|value| **value == json!(9)), None, "{path}");
        }
        let key: FieldPath = "data[\"tls.crt\"]".parse().unwrap();
        assert_eq!((key.key_in("data"), key.key_in("spec")), (Some("tls.crt"), None));
    }
}
