//! Renders Helm charts as `helm template` does.

pub mod chart;
mod engine;
pub mod fmt;
pub mod func;
pub mod json;
pub mod release;
mod render;
mod schema;
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
