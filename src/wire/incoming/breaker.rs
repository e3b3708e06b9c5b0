//! The end of a body from outside, while somebody else reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::task::AtomicWaker;

/// Breaks a body off while somebody else reads it.
pub struct Breaker(pub(super) Arc<Switch>);

#[derive(Default)]
pub(super) struct Switch {
    pub(super) is_broken: AtomicBool,
    pub(super) reader: AtomicWaker,
}

impl Breaker {
    /// Tells whether the body is still being read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Breaks it off.
    pub fn break_off(&self) {
        self.0.is_broken.store(true, Ordering::Release);
        self.0.reader.wake();
    }
}
