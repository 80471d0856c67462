//! Values: where they come from, and how they are put together.

mod coalesce;
mod dependencies;
mod strvals;
mod warnings;

pub(crate) use coalesce::coalesce_values;
pub(crate) use dependencies::{is_compatible, process_dependencies};
pub(crate) use warnings::Warnings;

use super::func::{FuncError, Host};
use super::value::{Map, Value};
use super::yaml;

/// A source of values, as on Helm's command line. Whatever their order, files come first, then `--set-json`, `--set`, `--set-string`,
/// `--set-file` and `--set-literal`, each kind in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueSource {
    /// `--values`: the name of a file, for errors, and its YAML.
    File(String, Vec<u8>),
    /// `--set-json`
    SetJson(String),
    /// `--set`
    Set(String),
    /// `--set-string`
    SetString(String),
    /// `--set-file`: the files are asked of [`Host::read_file`].
    SetFile(String),
    /// `--set-literal`
    SetLiteral(String),
}

impl ValueSource {
    fn rank(&self) -> u8 {
        match self {
            Self::File(..) => 0,
            Self::SetJson(_) => 1,
            Self::Set(_) => 2,
            Self::SetString(_) => 3,
            Self::SetFile(_) => 4,
            Self::SetLiteral(_) => 5,
        }
    }
}

/// `Options.MergeValues` of `pkg/cli/values`.
pub(crate) fn merge_sources(sources: &[ValueSource], host: &mut dyn Host) -> Result<Map, String> {
    let mut sorted: Vec<&ValueSource> = sources.iter().collect();
    sorted.sort_by_key(|source| source.rank());
    let mut base = Map::new();
    for source in sorted {
        match source {
            ValueSource::File(name, text) => {
                let map = yaml::unmarshal_map(text).map_err(|error| format!("failed to parse {name}: {error}"))?;
                base = merge_maps(&base, &map.unwrap_or_default(), 0).map_err(|error| error.to_string())?;
            }
            ValueSource::SetJson(line) => {
                strvals::parse_json(line, &base).map_err(|_| format!("failed parsing --set-json data {line}"))?;
            }
            ValueSource::Set(line) => strvals::parse(line, &base).map_err(|error| format!("failed parsing --set data: {error}"))?,
            ValueSource::SetString(line) => {
                strvals::parse_string(line, &base).map_err(|error| format!("failed parsing --set-string data: {error}"))?;
            }
            ValueSource::SetFile(line) => {
                strvals::parse_file(line, &base, host).map_err(|error| format!("failed parsing --set-file data: {error}"))?;
            }
            ValueSource::SetLiteral(line) => {
                strvals::parse_literal(line, &base).map_err(|error| format!("failed parsing --set-literal data: {error}"))?;
            }
        }
    }
    Ok(base)
}

/// `mergeMaps`: the second wins, maps are merged.
fn merge_maps(one: &Map, two: &Map, depth: usize) -> Result<Map, FuncError> {
    super::value::check_depth(depth)?;
    let out: Map = one.to_vec().into_iter().collect();
    for (key, value) in two.to_vec() {
        let merged = match (&value, out.get(&key)) {
            (Value::Map(new), Some(Value::Map(old))) => Value::Map(merge_maps(&old, new, depth + 1)?),
            _ => value,
        };
        out.set(key, merged);
    }
    Ok(out)
}

/// `CoalesceTables` of a user's values over those of a chart; both stay as they are.
pub(crate) fn over(user: &Map, own: &Map, warnings: &mut Warnings) -> Result<Map, String> {
    let (Value::Map(merged), Value::Map(own)) = (Value::Map(user.clone()).deep_copy()?, Value::Map(own.clone()).deep_copy()?) else {
        return Ok(Map::new());
    };
    let merged = if merged.is_nil() { Map::new() } else { merged };
    coalesce::tables(&merged, &own, "", false, warnings)?;
    Ok(merged)
}
