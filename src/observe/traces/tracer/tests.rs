//! Tests of what begins a trace, what has spans, and what waits.

use std::pin::pin;
use std::sync::atomic::Ordering;

use http::{HeaderMap, HeaderValue};
use tokio::sync::mpsc;

use super::super::queue::{Batch, MAX_WAITING, Message};
use super::super::span::Kind;
use super::super::trace::MAX_SPANS;
use super::super::{at, carried, current_id, enter, open, within};
use super::*;
use crate::observe::traces::context::{TRACEPARENT, TRACESTATE};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn parent(flags: &str) -> Option<Box<Parent>> {
    let mut headers = HeaderMap::new();
    let value = format!("00-{TRACE}-b7ad6b7169203331-{flags}");
    headers.insert(TRACEPARENT, value.parse().unwrap());
    headers.insert(TRACESTATE, HeaderValue::from_static("edge=1"));
    Parent::read(&headers).map(Box::new)
}

/// A tracer whose spans wait, and where they wait.
fn tracer(sampling: f64) -> (Tracer, mpsc::Receiver<Message>) {
    let (queue, receiver) = Queue::new();
    (Tracer { is_on: true, sampled: Sampled::new(sampling), queue: Some(queue) }, receiver)
}

fn begin(tracer: &Tracer, parent: Option<Box<Parent>>) -> Arc<Trace> {
    tracer.begin(parent, Time::from_second(1_900_000_000).unwrap()).unwrap()
}

fn end(trace: &Trace) {
    trace.end("GET /".to_owned(), false, []);
}

fn next(receiver: &mut mpsc::Receiver<Message>) -> Batch {
    match receiver.try_recv().unwrap() {
        Message::Spans(batch) => batch,
        Message::Flush(_) => panic!("nobody asked for it"),
    }
}

#[test]
fn without_traces_only_what_a_believed_proxy_says_goes_on() {
    let tracer = Tracer::off();
    assert!(tracer.begin(None, Time::UNIX_EPOCH).is_none());
    let passed = tracer.begin(parent("01"), Time::UNIX_EPOCH).unwrap();
    let told = passed.traceparent(None);
    assert_eq!(told.as_bytes(), format!("00-{TRACE}-b7ad6b7169203331-01").as_bytes(), "as it came");
    assert_eq!(passed.state().unwrap(), "edge=1");
    assert!(!passed.is_recorded());
}

#[test]
fn a_trace_of_a_proxy_goes_on_with_a_span_of_ours_and_others_begin_here() {
    let settings = Settings { propagates: true, sampling: 1.0, export: None };
    let (tracer, exporter) = Tracer::new(settings, Arc::new(crate::base::clock::SystemClock));
    assert!(exporter.is_none() && tracer.counts().is_none());
    let trace = begin(&tracer, parent("01"));
    assert_eq!(trace.id().to_string(), TRACE);
    assert_ne!(trace.span.to_string(), "b7ad6b7169203331");
    assert!(!trace.is_recorded(), "there is no collector");
    let (one, two) = (begin(&tracer, None), begin(&tracer, None));
    assert_ne!(one.id(), two.id());
    assert!(one.traceparent(None).as_bytes().ends_with(b"-03"), "random, and sampled");
    assert!(one.state().is_none());
}

#[test]
fn a_proxy_says_whether_its_trace_has_spans_and_of_ours_a_part_has() {
    for (flags, sampling, is_recorded) in [("01", 0.0, true), ("00", 1.0, false), ("03", 0.0, true)]
    {
        let (tracer, _receiver) = tracer(sampling);
        assert_eq!(begin(&tracer, parent(flags)).is_recorded(), is_recorded, "{flags} {sampling}");
    }
    for (sampling, least, most) in
        [(0.0, 0, 0), (0.01, 40, 170), (0.5, 4500, 5500), (1.0, 10_000, 10_000)]
    {
        let (tracer, _receiver) = tracer(sampling);
        let count = (0..10_000).filter(|_| begin(&tracer, None).is_recorded()).count();
        assert!((least..=most).contains(&count), "{sampling}: {count}");
    }
    assert!(!Sampled::new(f64::NAN).has(context::make_both().0));
}

#[tokio::test]
async fn spans_are_below_of_what_was_entered_and_the_request_comes_last() {
    let (tracer, mut receiver) = tracer(1.0);
    let trace = begin(&tracer, parent("01"));
    assert!(open(Kind::Client, "outside").is_none() && current_id().is_none());
    let work = pin!(async {
        assert_eq!(current_id(), Some(trace.id()));
        let decide = enter(Kind::Internal, "decide");
        drop(open(Kind::Client, "store get"));
        drop(decide);
        let node = tokio::spawn(carried(async { open(Kind::Client, "node").unwrap().id() }));
        assert!(node.await.unwrap().is_some());
        assert_eq!(current_id(), Some(trace.id()), "after it waited");
    });
    within(Arc::clone(&trace), work).await;
    assert_eq!(current_id(), None);
    assert_eq!(at(Some(&trace), current_id), Some(trace.id()));
    assert_eq!((at(None, current_id), current_id()), (None, None));
    end(&trace);
    let batch = next(&mut receiver);
    let named = |name: &str| batch.spans.iter().find(|span| span.name == name).unwrap();
    let (request, decide) = (named("GET /"), named("decide"));
    assert_eq!(named("store get").parent, Some(decide.id));
    assert_eq!((decide.parent, named("node").parent), (Some(request.id), Some(request.id)));
    assert_eq!(request.parent.unwrap().to_string(), "b7ad6b7169203331");
    assert!(request.is_parent_remote && !decide.is_parent_remote);
    assert_eq!(batch.spans.last().unwrap().id, request.id);
    assert!(batch.spans.iter().all(|span| span.end >= span.start));
}

#[test]
fn what_ends_after_its_request_goes_on_its_own_and_a_request_ends_once() {
    let (tracer, mut receiver) = tracer(1.0);
    let trace = begin(&tracer, None);
    let late = trace.open(Kind::Client, "node").unwrap();
    end(&trace);
    end(&trace);
    drop(late);
    let (first, second) = (next(&mut receiver), next(&mut receiver));
    assert_eq!((first.spans.len(), second.spans.len()), (1, 1));
    assert_eq!(second.spans[0].parent, Some(first.spans[0].id));
    assert!(receiver.try_recv().is_err());
}

#[test]
fn spans_of_a_request_and_what_is_said_of_one_have_bounds() {
    let (tracer, mut receiver) = tracer(1.0);
    let trace = begin(&tracer, None);
    for _ in 0..MAX_SPANS + 9 {
        let mut span = trace.open(Kind::Client, "store get").unwrap();
        for _ in 0..100 {
            span.set("key", crate::observe::traces::Value::text(&"ż".repeat(1000)));
        }
    }
    end(&trace);
    let batch = next(&mut receiver);
    assert_eq!(batch.spans.len(), MAX_SPANS);
    assert_eq!(tracer.counts().unwrap().too_many.value(), 10);
    let attributes = &batch.spans[0].attributes;
    assert_eq!(attributes.len(), crate::observe::traces::MAX_ATTRIBUTES);
    let crate::observe::traces::Value::Text(text) = &attributes[0].1 else { panic!("a text") };
    assert!(text.len() <= crate::observe::traces::MAX_TEXT && text.starts_with("żż"));
}

#[test]
fn more_than_may_wait_is_lost_and_counted_and_what_waited_stays() {
    let (tracer, mut receiver) = tracer(1.0);
    for _ in 0..MAX_WAITING + 100 {
        end(&begin(&tracer, None));
    }
    let counts = tracer.counts().unwrap();
    assert_eq!(counts.queue_full.value(), 100);
    let waiting = std::iter::from_fn(|| receiver.try_recv().ok()).count();
    assert_eq!(waiting, MAX_WAITING);
    assert_eq!(tracer.queue.as_ref().unwrap().waiting.load(Ordering::Relaxed), MAX_WAITING);
}
