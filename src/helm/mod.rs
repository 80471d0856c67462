//! Renders Helm charts as `helm template` does: the same bytes, the same errors. It follows Helm 3.22, and through it Go's text/template and fmt,
//! sprig 3.3, sigs.k8s.io/yaml 1.6 over yaml/v2 (and v3 for `toYamlPretty`), BurntSushi's toml, and santhosh-tekuri's jsonschema 6.
//!
//! It knows nothing of the rest of the crate, and nothing of the machine: charts come as bytes, and dice, clock, cluster and files are a [`Host`].
//!
//! ```text
//! Chart::load(files) or Chart::from_tgz(bytes)
//!   └ render(&chart, &[ValueSource], &Options, &mut host) → Rendered { manifests, hooks, crds, notes }
//!       └ rendered.print(&Show) → what `helm template` prints
//! ```
//!
//! # The way of a rendering
//!
//! | step | where | Helm's package |
//! |---|---|---|
//! | files to a chart with its dependencies | [`chart`] | `pkg/chart/loader` |
//! | files, `--set` and kin to values | `values` | `pkg/cli/values`, `pkg/strvals` |
//! | dependencies chosen, values imported and merged | `values` | `pkg/chartutil` |
//! | values held against schemas | `schema` | `pkg/chartutil/jsonschema.go` |
//! | templates parsed, deepest first, and executed in that order over shared values | `engine`, [`template`] | `pkg/engine`, text/template |
//! | instead of that, a chart's faults told | [`lint`] | `pkg/lint` |
//! | documents split, hooks told apart, both sorted | [`release`] | `pkg/releaseutil` |
//!
//! Values are Go's, shared where Go shares them ([`value`]); a rendering therefore lives in a thread of its own, with a stack as large as Go
//! programs may have.
//!
//! # Functions
//!
//! | where | functions |
//! |---|---|
//! | `template` | Go's: `and call eq ge gt html index js le len lt ne not or print printf println slice urlquery` |
//! | `engine` | Helm's: `fail fromJson fromJsonArray fromToml fromYaml fromYamlArray include lookup required toJson toToml toYaml toYamlPretty tpl` |
//! | [`func`] | sprig's, all but `env` and `expandenv`, which Helm takes out: strings, lists, dicts, numbers, dates, versions, encodings, hashes, certificates, paths, URLs |
//!
//! # Known differences
//!
//! | what | why |
//! |---|---|
//! | complex numbers (`{{ 1i }}`) are syntax errors | nothing in a chart can use them |
//! | what would use more than [`Limits`], nests values or `tpl` deeper than 1,000, or fills the stack, is an error | Go would go on until memory or stack end |
//! | a `$ref` to a file outside the chart, and a `$schema` that is no edition of JSON Schema, are errors | Helm would read any file, and fetch the schema of schemas |
//! | among several errors of one schema the order is by name | in Go it is by chance |
//! | keys that yaml/v2's order puts in a circle (`9`, `10`, `1a`) | in Go what comes out is by chance |
//! | `toYamlPretty` of `.Chart` and other structs has the keys of JSON | in Go those of the fields, in lower case |
//! | EC keys on P-224 are refused | no well-kept library reads them |
//! | GoVersion of `.Capabilities.HelmVersion` is a fixed one | there is no Go here |

pub mod chart;
mod engine;
pub mod fmt;
pub mod func;
pub mod json;
pub mod lint;
pub mod release;
mod render;
pub(crate) mod schema;
pub mod stack;
pub mod strconv;
pub mod template;
mod toml;
pub mod value;
mod values;
pub mod yaml;

pub use chart::{Chart, ChartError};
pub use engine::KubeVersion;
pub use func::Host;
pub use release::{Hook, Manifest, Rendered, Show};
pub use render::{Options, RenderError, name_from_template, render};
pub use template::Limits;
pub use values::ValueSource;
