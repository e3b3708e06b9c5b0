//! When an alarm begins, and which ones go on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// When an alarm begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// By how much the node's clock may differ from ours; zero is any.
    pub clock_offset: Duration,
    /// How many exchanges of a hundred may fail; 100 is all.
    pub node_failures: u8,
    /// Over what time they are counted.
    pub node_window: Duration,
    /// How few say nothing.
    pub node_minimum: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock_offset: Duration::from_secs(10),
            node_failures: 50,
            node_window: Duration::from_secs(300),
            node_minimum: 10,
        }
    }
}

/// Which alarms go on.
#[derive(Debug, Default)]
pub struct GoingOn {
    certificates: AtomicBool,
    clock: AtomicBool,
    node: AtomicBool,
}

/// Which alarms go on at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Which {
    pub(super) certificates: bool,
    pub(super) clock: bool,
    pub(super) node: bool,
}

impl GoingOn {
    /// Notes which go on now.
    pub(super) fn note(&self, Which { certificates, clock, node }: Which) {
        self.certificates.store(certificates, Ordering::Relaxed);
        self.clock.store(clock, Ordering::Relaxed);
        self.node.store(node, Ordering::Relaxed);
    }

    /// Returns each alarm with its name in metrics.
    #[must_use]
    pub fn all(&self) -> [(&'static str, bool); 3] {
        let is = |alarm: &AtomicBool| alarm.load(Ordering::Relaxed);
        [
            ("certificates", is(&self.certificates)),
            ("clock", is(&self.clock)),
            ("node", is(&self.node)),
        ]
    }
}
