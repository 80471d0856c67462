//! Where bytes come from: the files of a stack, and charts.

pub mod chart;
pub mod stack_files;
