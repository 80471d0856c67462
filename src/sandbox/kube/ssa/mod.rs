//! Server-side apply and field ownership on JSON values, as structured-merge-diff v6 and k8s.io/apimachinery's
//! `util/managedfields` define them.

pub(super) mod apply;
pub(super) mod compare;
pub(super) mod fields;
pub(super) mod items;
pub(super) mod managed;
pub(super) mod merge;
pub(super) mod prune;
pub(super) mod set;
pub(super) mod valid;
