//! Renders Helm charts as `helm template` does.

pub mod fmt;
pub mod func;
pub mod json;
pub mod stack;
pub mod strconv;
pub mod template;
pub mod value;
pub mod yaml;
