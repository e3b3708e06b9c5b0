//! Begins traces.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Settings;
use super::context::{self, Flags, Parent, SpanId, TraceId};
use super::export::Exporter;
use super::queue::{Queue, SpanCounts};
use super::trace::{Recording, Trace};
use crate::base::clock::{SharedClock, Time};

/// Says to which trace a request belongs.
#[derive(Debug)]
pub struct Tracer {
    is_on: bool,
    sampled: Sampled,
    queue: Option<Arc<Queue>>,
}

impl Tracer {
    /// Makes one, and what sends its spans, where they go anywhere.
    #[must_use]
    pub fn new(settings: Settings, clock: SharedClock) -> (Self, Option<Exporter>) {
        let Settings { propagates, sampling, export } = settings;
        let is_on = propagates || export.is_some();
        let made = export.map(|export| {
            let (queue, received) = Queue::new();
            (Arc::clone(&queue), Exporter::new(export, queue, received, clock))
        });
        let (queue, exporter) = made.unzip();
        (Self { is_on, sampled: Sampled::new(sampling), queue }, exporter)
    }

    /// Makes one that begins no traces.
    #[must_use]
    pub fn off() -> Self {
        Self { is_on: false, sampled: Sampled::new(0.0), queue: None }
    }

    /// Returns what became of spans; none where there are none.
    #[must_use]
    pub fn counts(&self) -> Option<&SpanCounts> {
        self.queue.as_deref().map(|queue| &queue.counts)
    }

    /// Says to which trace a request belongs that began then: to the one that its `parent` is of,
    /// or to a new one. None where there are no traces; what a believed proxy says goes on all the
    /// same.
    #[must_use]
    pub fn begin(&self, parent: Option<Box<Parent>>, began: Time) -> Option<Arc<Trace>> {
        if !self.is_on {
            // On the way of a request that has none this is all.
            let Parent { trace: id, span, flags, state } = *parent?;
            return Some(Arc::new(Trace { id, span, parent: None, flags, state, recording: None }));
        }
        let (id, span, above, flags, state) = match parent {
            Some(parent) => {
                let Parent { trace, span, flags, state } = *parent;
                (trace, SpanId::make(), Some(span), flags, state)
            }
            None => {
                let ((id, span), flags) = (context::make_both(), Flags::RANDOM);
                (id, span, None, if self.sampled.has(id) { flags.sampled() } else { flags }, None)
            }
        };
        let queue = self.queue.as_ref().filter(|_| flags.is_sampled());
        let recording = queue.map(|queue| Recording::begin(queue, began, span));
        Some(Arc::new(Trace { id, span, parent: above, flags, state, recording }))
    }

    /// Waits until the collector has what there is now, or cannot be given it, but not for longer
    /// than that.
    pub async fn flush(&self, within: Duration) {
        let Some(queue) = &self.queue else { return };
        let _ = timeout(within, queue.flush()).await;
    }
}

/// Which traces that begin here are sampled: those whose random part is among so many.
#[derive(Debug, Clone, Copy)]
struct Sampled(u64);

impl Sampled {
    fn new(ratio: f64) -> Self {
        // The product is at most 2^56, which both types hold exactly.
        Self((ratio.clamp(0.0, 1.0) * RANDOM) as u64)
    }

    fn has(self, id: TraceId) -> bool {
        id.random_part() < self.0
    }
}

/// As many random parts there are: 2^56.
const RANDOM: f64 = 72_057_594_037_927_936.0;

#[cfg(test)]
mod tests;
