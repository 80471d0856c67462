//! Where bytes come from: the files of a stack, its manifests, its imported certificates, and charts; and what servers are believed by.

pub mod chart;
pub mod chart_files;
pub mod import_files;
pub mod manifest_files;
pub mod stack_files;
pub mod trust;
