//! The trace of the request that a task serves.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use super::context::TraceId;
use super::span::Kind;
use super::trace::{Open, Trace};

tokio::task_local! {
    static CURRENT: Arc<Trace>;
}

/// Does something as part of a trace. The work stays where it is, since it may be too large to be
/// moved for every request.
pub async fn within<F: Future>(trace: &Arc<Trace>, mut work: Pin<&mut F>) -> F::Output {
    poll_fn(|context| CURRENT.sync_scope(Arc::clone(trace), || work.as_mut().poll(context))).await
}

/// Has what is done in a task of its own belong to the trace of this one.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let trace = CURRENT.try_with(Arc::clone).ok();
    async move {
        match trace {
            Some(trace) => CURRENT.scope(trace, work).await,
            None => work.await,
        }
    }
}

/// Returns what names the trace of this task, for its lines in the log.
#[must_use]
pub fn current_id() -> Option<TraceId> {
    CURRENT.try_with(|trace| trace.id()).ok()
}

/// Begins a span of the trace of this task; none when there are none.
#[must_use]
pub fn open(kind: Kind, name: &'static str) -> Option<Box<Open>> {
    CURRENT.try_with(|trace| trace.open(kind, name)).ok().flatten()
}

/// Begins a span that what begins meanwhile in this task is below of.
#[must_use]
pub fn enter(kind: Kind, name: &'static str) -> Option<Box<Open>> {
    CURRENT.try_with(|trace| trace.enter(kind, name)).ok().flatten()
}
