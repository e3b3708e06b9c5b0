//! The trace of one request, and its spans.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderValue;

use super::context::{Flags, SpanId, TraceId, Traceparent};
use super::queue::{Batch, Queue};
use super::span::{Kind, Span, Value};
use crate::base::clock::Time;

/// The most spans of one request; more are left out and counted.
pub const MAX_SPANS: usize = 64;

/// As many attributes as a span usually has.
const ATTRIBUTES: usize = 10;

/// The trace that a request belongs to.
#[derive(Debug)]
pub struct Trace {
    pub(super) id: TraceId,
    /// That of the request here; where nothing is told of us, that of the program before.
    pub(super) span: SpanId,
    /// The span of the program before.
    pub(super) parent: Option<SpanId>,
    pub(super) flags: Flags,
    pub(super) state: Option<HeaderValue>,
    pub(super) recording: Option<Recording>,
}

/// Where the spans of a request are gathered.
#[derive(Debug)]
pub(super) struct Recording {
    pub(super) queue: Arc<Queue>,
    pub(super) began: Time,
    pub(super) instant: Instant,
    pub(super) spans: Mutex<Spans>,
}

#[derive(Debug)]
pub(super) struct Spans {
    over: Vec<Span>,
    /// What was said of the request itself, whose span is made at its end.
    said: Vec<(&'static str, Value)>,
    /// What begins next is below of this.
    above: SpanId,
    /// The request has ended. What ends later, because it belongs to the citizen and not to the
    /// request, goes on its own.
    is_over: bool,
}

impl Recording {
    pub(super) fn begin(queue: &Arc<Queue>, began: Time, span: SpanId) -> Self {
        let spans = Spans { over: Vec::new(), said: Vec::new(), above: span, is_over: false };
        let queue = Arc::clone(queue);
        Self { queue, began, instant: Instant::now(), spans: Mutex::new(spans) }
    }

    /// No other request is here, so nobody waits.
    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trace {
    /// Returns what names the trace, for logs.
    #[must_use]
    pub fn id(&self) -> TraceId {
        self.id
    }

    /// Tells whether it has spans.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.recording.is_some()
    }

    /// Returns what the next program is told: the trace, and the span that asks it, which is that of
    /// the request unless there is one of its own.
    #[must_use]
    pub fn traceparent(&self, span: Option<SpanId>) -> Traceparent {
        Traceparent::new(self.id, span.unwrap_or(self.span), self.flags)
    }

    /// Returns what goes on of `tracestate`.
    #[must_use]
    pub fn state(&self) -> Option<&HeaderValue> {
        self.state.as_ref()
    }

    /// Begins a span; none when there are none of this trace.
    #[must_use]
    pub fn open(self: &Arc<Self>, kind: Kind, name: &'static str) -> Option<Box<Open>> {
        self.begin(kind, name, false)
    }

    /// Begins a span that what begins meanwhile is below of.
    #[must_use]
    pub fn enter(self: &Arc<Self>, kind: Kind, name: &'static str) -> Option<Box<Open>> {
        self.begin(kind, name, true)
    }

    fn begin(
        self: &Arc<Self>,
        kind: Kind,
        name: &'static str,
        is_above: bool,
    ) -> Option<Box<Open>> {
        let recording = self.recording.as_ref()?;
        let (id, start) = (SpanId::make(), recording.instant.elapsed());
        let mut spans = recording.spans();
        let parent = spans.above;
        if is_above {
            spans.above = id;
        }
        drop(spans);
        let span = Span {
            id,
            parent: Some(parent),
            is_parent_remote: false,
            name: Cow::Borrowed(name),
            kind,
            start,
            end: start,
            attributes: Vec::with_capacity(ATTRIBUTES),
            has_failed: false,
        };
        let above = is_above.then_some(parent);
        Some(Box::new(Open { trace: Arc::clone(self), span: Some(span), above }))
    }

    /// Says something of the request itself; what was said first counts.
    pub(super) fn say(&self, key: &'static str, value: Value) {
        let Some(recording) = &self.recording else { return };
        let mut spans = recording.spans();
        let is_known = spans.said.iter().any(|(known, _)| *known == key);
        if !spans.is_over && !is_known {
            spans.said.push((key, value));
        }
    }

    /// Takes a span that is over.
    fn close(&self, mut span: Span, above: Option<SpanId>) {
        let Some(recording) = &self.recording else { return };
        span.end = recording.instant.elapsed();
        let mut spans = recording.spans();
        if let Some(above) = above {
            spans.above = above;
        }
        if spans.is_over {
            drop(spans);
            return recording.queue.push(self.batch(recording.began, vec![span]));
        }
        // One place is that of the request itself.
        if spans.over.len() + 1 < MAX_SPANS {
            spans.over.push(span);
        } else {
            drop(spans);
            recording.queue.counts.too_many.add();
        }
    }

    /// Ends the request: its own span is the last, and all of them go to the collector. `said` is
    /// what is known of it.
    pub fn end(
        &self,
        name: String,
        has_failed: bool,
        said: impl IntoIterator<Item = (&'static str, Value)>,
    ) {
        let Some(recording) = &self.recording else { return };
        let mut span = Span {
            id: self.span,
            parent: self.parent,
            is_parent_remote: self.parent.is_some(),
            name: Cow::Owned(name),
            kind: Kind::Server,
            start: Duration::ZERO,
            end: recording.instant.elapsed(),
            attributes: Vec::with_capacity(ATTRIBUTES),
            has_failed,
        };
        let mut spans = recording.spans();
        if std::mem::replace(&mut spans.is_over, true) {
            return;
        }
        let (mut over, heard) = (std::mem::take(&mut spans.over), std::mem::take(&mut spans.said));
        drop(spans);
        said.into_iter().chain(heard).for_each(|(key, value)| span.set(key, value));
        over.push(span);
        recording.queue.push(self.batch(recording.began, over));
    }

    fn batch(&self, began: Time, spans: Vec<Span>) -> Batch {
        let state = self.state.clone();
        Batch { trace: self.id, flags: self.flags, state, began, spans }
    }
}

/// A span that goes on. It ends when it is dropped.
#[derive(Debug)]
pub struct Open {
    trace: Arc<Trace>,
    span: Option<Span>,
    /// The span that what begins next is below of again.
    above: Option<SpanId>,
}

impl Open {
    /// Returns what names it.
    #[must_use]
    pub fn id(&self) -> Option<SpanId> {
        self.span.as_ref().map(|span| span.id)
    }

    /// Says something of it. A text of the configuration or the code, or a number; of what somebody
    /// sent nothing goes here.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.span {
            span.set(key, value.into());
        }
    }

    /// Says that it failed, and of which kind the failure is (`error.type`).
    pub fn fail(&mut self, kind: impl Into<Value>) {
        if let Some(span) = &mut self.span {
            span.has_failed = true;
            span.set("error.type", kind.into());
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            self.trace.close(span, self.above);
        }
    }
}
