//! The trace of the request that a task serves.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

use super::context::TraceId;
use super::span::{Kind, Value};
use super::trace::{Open, Trace};

thread_local! {
    /// That of the work that this thread is at.
    static CURRENT: RefCell<Option<Arc<Trace>>> = const { RefCell::new(None) };
}

/// The thread is at the work of a trace until this is dropped, and then at what it was at before. The trace
/// is not counted anew: the two change places, and change back.
struct At<'t>(&'t mut Option<Arc<Trace>>);

impl<'t> At<'t> {
    fn work_of(trace: &'t mut Option<Arc<Trace>>) -> Self {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, trace));
        Self(trace)
    }
}

impl Drop for At<'_> {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
    }
}

/// Does something as part of a trace. The work stays where it is and what comes of it goes straight
/// to the caller, since both may be too large to be moved for every request.
pub async fn within<F: Future>(trace: Arc<Trace>, mut work: Pin<&mut F>) -> F::Output {
    let mut trace = Some(trace);
    poll_fn(|context| {
        let _at = At::work_of(&mut trace);
        work.as_mut().poll(context)
    })
    .await
}

/// Does something at once as part of a trace; as part of what it is part of already, where there is none.
pub fn at<T>(trace: Option<&Arc<Trace>>, work: impl FnOnce() -> T) -> T {
    let mut trace = trace.cloned();
    if trace.is_none() {
        return work();
    }
    let _at = At::work_of(&mut trace);
    work()
}

/// Has what is done in a task of its own belong to the trace of this one.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let trace = current(Arc::clone);
    async move {
        match trace {
            Some(trace) => within(trace, pin!(work)).await,
            None => work.await,
        }
    }
}

/// Asks the trace of this task; none when there is none.
fn current<T>(ask: impl FnOnce(&Arc<Trace>) -> T) -> Option<T> {
    CURRENT.try_with(|current| current.borrow().as_ref().map(ask)).ok().flatten()
}

/// Returns what names the trace of this task, for its lines in the log.
#[must_use]
pub fn current_id() -> Option<TraceId> {
    current(|trace| trace.id())
}

/// Says something of the request that this task serves, where its trace has spans. `value` is of the
/// kind that [`Open::set`] takes.
pub fn say(key: &'static str, value: &str) {
    let _ = current(|trace| trace.say(key, Value::text(value)));
}

/// Begins a span of the trace of this task; none when there are none.
#[must_use]
pub fn open(kind: Kind, name: &'static str) -> Option<Box<Open>> {
    current(|trace| trace.open(kind, name)).flatten()
}

/// Begins a span that what begins meanwhile in this task is below of.
#[must_use]
pub fn enter(kind: Kind, name: &'static str) -> Option<Box<Open>> {
    current(|trace| trace.enter(kind, name)).flatten()
}
