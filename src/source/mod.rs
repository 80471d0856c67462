//! Where bytes come from: the files of a stack.

pub mod stack_files;
