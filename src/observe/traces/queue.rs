//! Spans that wait for the collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderValue;
use tokio::sync::{Notify, mpsc, oneshot};

use super::context::{Flags, TraceId};
use super::span::Span;
use crate::base::clock::Time;
use crate::observe::metrics::Count;

/// The most spans that wait for the collector; more are lost and counted. Each has a bound, so that
/// all of them take some megabytes.
pub const MAX_WAITING: usize = 8192;

/// What became of spans. A span is counted once.
#[derive(Debug, Default)]
pub struct SpanCounts {
    /// The collector took it.
    pub sent: Count,
    /// Too many waited.
    pub queue_full: Count,
    /// Its request had too many.
    pub too_many: Count,
    /// The collector did not take it, or could not be reached.
    pub not_taken: Count,
}

/// The spans of a request.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) trace: TraceId,
    pub(super) flags: Flags,
    pub(super) state: Option<HeaderValue>,
    pub(super) began: Time,
    pub(super) spans: Vec<Span>,
}

/// What the exporter is told.
#[derive(Debug)]
pub(super) enum Message {
    Spans(Batch),
    /// Whoever says this waits until everything before it is sent.
    Flush(oneshot::Sender<()>),
}

/// Spans that wait.
#[derive(Debug)]
pub(super) struct Queue {
    sender: mpsc::Sender<Message>,
    /// How many spans wait.
    pub(super) waiting: AtomicUsize,
    /// There is reason not to wait for others.
    pub(super) hurry: Notify,
    pub(super) counts: SpanCounts,
}

impl Queue {
    /// Makes one, and its other end.
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Message>) {
        let (sender, received) = mpsc::channel(MAX_WAITING);
        let (waiting, hurry, counts) = (AtomicUsize::new(0), Notify::new(), SpanCounts::default());
        (Arc::new(Self { sender, waiting, hurry, counts }), received)
    }

    /// Waits until everything that waits is sent, or cannot be.
    pub(super) async fn flush(&self) {
        let (told, done) = oneshot::channel();
        if self.sender.send(Message::Flush(told)).await.is_ok() {
            self.hurry.notify_one();
            let _ = done.await;
        }
    }

    /// Takes the spans of a request, or loses all of them.
    pub(super) fn push(&self, batch: Batch) {
        let count = batch.spans.len();
        let before = self.waiting.fetch_add(count, Ordering::Relaxed);
        let fits = before + count <= MAX_WAITING;
        if !fits || self.sender.try_send(Message::Spans(batch)).is_err() {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            self.counts.queue_full.add_many(count as u64);
        } else if before < HURRY && before + count >= HURRY {
            self.hurry.notify_one();
        }
    }
}

/// So many spans that wait are reason to send them.
const HURRY: usize = 512;
