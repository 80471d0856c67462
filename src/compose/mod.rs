//! From a checked stack to resources: one file per section.

mod certificates;
mod namespaces;

pub(crate) use certificates::is_within;

use crate::resource::Resource;
use crate::stack::Stack;

/// The resources of a stack, in no particular order. Their addresses are complete; values that only the world knows stay open.
pub fn compose(stack: &Stack) -> Vec<Resource> {
    let mut resources = namespaces::compose(stack);
    resources.extend(certificates::compose(stack));
    resources
}
