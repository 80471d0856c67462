//! Renders Helm charts as `helm template` does.

pub mod func;
pub mod strconv;
pub mod value;
