//! Traces: which request led to which, from the edge to the portal behind (W3C Trace Context), and
//! spans of what was done for it, for a collector (OpenTelemetry, OTLP).
//!
//! 1. Who begins a trace: a proxy in front that is believed for it, or this program. What any other
//!    client says of one is removed and read by nobody ([`context`]).
//! 2. A request without a trace costs a comparison. One with a trace that is not sampled costs its
//!    identifiers and a header. Only a sampled one has spans ([`Trace::open`]).
//! 3. What is asked of others while a request is served finds its trace in the task (`current`),
//!    so that no call has to carry it.
//! 4. Spans hold what the code and the configuration know: no query, no path, no value of a header,
//!    no address, no name or number of a person; the session by its public name. Each value, each
//!    span and each trace has a bound ([`MAX_TEXT`], [`MAX_ATTRIBUTES`], [`MAX_SPANS`]).
//! 5. No request waits for a collector. Spans of a request go into a bounded queue in one piece when
//!    it is over; what does not fit is lost and counted ([`Tracer`]). A task sends them
//!    ([`Exporter`]).
//!
//! What could break it in deployment: a collector that is away, slow or hostile. Spans are lost then,
//! a line says so once a minute, and requests go on.

pub mod context;
mod current;
mod export;
mod queue;
mod span;
mod trace;
mod tracer;

pub use self::context::{Parent, SpanId, TraceId, Traceparent};
pub use self::current::{at, carried, current_id, enter, open, say, within};
pub use self::export::{Exporter, Protocol, Settings as ExportSettings};
pub use self::queue::{MAX_WAITING, SpanCounts};
pub use self::span::{Kind, MAX_ATTRIBUTES, MAX_TEXT, Value, method};
pub use self::trace::{MAX_SPANS, Open, Trace};
pub use self::tracer::Tracer;

/// How requests belong to traces.
#[derive(Debug, Default)]
pub struct Settings {
    /// Whether every request belongs to a trace that the portal is told of.
    pub propagates: bool,
    /// The part of the traces that begin here which is sampled, from 0 to 1.
    pub sampling: f64,
    /// Where spans go; none are made without.
    pub export: Option<ExportSettings>,
}
