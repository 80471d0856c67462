//! Where bytes come from: the files of a stack, and charts; and what servers are believed by.

pub mod chart;
pub mod stack_files;
pub mod trust;
