//! `timeouts:` how long each wait may last.

use crate::diag::shown;
use crate::stack::parse::{Fields, Reader};
use crate::stack::{Timeouts, check::syntax, schema};

/// The longest limit in seconds.
const MOST: u64 = 72 * 3600;

/// Reads the section; what it leaves out keeps its default.
pub(super) fn timeouts(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Timeouts> {
    let mut timeouts = Timeouts::default();
    let Some(node) = fields.value("timeouts") else { return Some(timeouts) };
    let section = reader.fields(node, "timeouts", &schema::TIMEOUTS)?;
    let all = [
        ("records", &mut timeouts.records),
        ("in_sync", &mut timeouts.in_sync),
        ("in_use", &mut timeouts.in_use),
        ("gone", &mut timeouts.gone),
        ("ready", &mut timeouts.ready),
    ];
    for (key, limit) in all {
        if section.get(key).is_none() {
            continue;
        }
        let text = reader.string_of(&section, key)?;
        let seconds = syntax::duration(&text.text).filter(|seconds| (1..=MOST).contains(seconds));
        if let Some(seconds) = seconds {
            *limit = seconds;
        } else {
            let detail = format!("{} is not a duration between `1s` and `72h`", shown(&text.text));
            reader.error("stack/timeout", "bad duration", detail, &text.place, "write it like `45m` or `1h30m`");
        }
    }
    Some(timeouts)
}
