//! How much of the thread's stack is left: templates nest as deep as they like, in Go until a gigabyte is full.

use std::hint::black_box;

/// The stack of the thread that renders.
#[derive(Debug, Clone, Copy)]
pub struct Stack {
    base: usize,
    size: usize,
}

impl Stack {
    /// To be made near the base of a thread's stack, of which so many bytes may be used.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { base: here(), size }
    }

    /// Whether some more calls may nest.
    #[must_use]
    pub fn has_room(self) -> bool {
        self.base.abs_diff(here()) < self.size
    }
}

/// An address in the current frame.
#[inline(never)]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(black_box(&mark)).addr()
}
