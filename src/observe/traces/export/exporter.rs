//! Takes spans from their queue, and has the collector take them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tracing::{info, warn};

use super::super::queue::{Batch, Message, Queue};
use super::Settings;
use super::answer::Outcome;
use super::connection::Connection;
use super::message;
use crate::base::clock::SharedClock;
use crate::observe::seldom::Seldom;

/// How long spans wait for others.
const PAUSE: Duration = Duration::from_secs(1);
/// The most spans of one batch, but for the last request's.
const BATCH: usize = 512;
/// How often a batch is tried.
const TRIES: usize = 3;
/// How often it is told that spans are lost.
const TELL: Duration = Duration::from_secs(60);

/// Sends spans until it is dropped.
pub struct Exporter {
    settings: Settings,
    resource: Vec<u8>,
    queue: Arc<Queue>,
    received: mpsc::Receiver<Message>,
    connection: Connection,
    clock: SharedClock,
    told: Seldom,
    /// Spans that were lost since it was told.
    lost: u64,
    /// It was told that spans are lost, and not that they are taken again.
    is_failing: bool,
    /// Somebody waits for the end.
    must_hurry: bool,
}

impl Exporter {
    pub(in super::super) fn new(
        settings: Settings,
        queue: Arc<Queue>,
        received: mpsc::Receiver<Message>,
        clock: SharedClock,
    ) -> Self {
        Self {
            resource: message::resource(&settings.resource),
            settings,
            queue,
            received,
            connection: Connection::none(),
            clock,
            told: Seldom::every(TELL),
            lost: 0,
            is_failing: false,
            must_hurry: false,
        }
    }

    /// Sends what comes, for as long as anything can come.
    pub async fn run(mut self) {
        // While it sleeps no request wakes it: that would cost each of them more than its spans.
        while let Some(first) = self.received.recv().await {
            let (mut batches, mut count, mut waits) = (Vec::new(), 0, None);
            self.take(first, &mut batches, &mut count, &mut waits);
            if waits.is_none() && self.queue.waiting.load(Ordering::Relaxed) < BATCH {
                let _ = timeout(PAUSE, self.queue.hurry.notified()).await;
            }
            while waits.is_none() && count < BATCH {
                let Ok(next) = self.received.try_recv() else { break };
                self.take(next, &mut batches, &mut count, &mut waits);
            }
            self.send(batches, count as u64).await;
            if let Some(told) = waits {
                let _: Result<(), ()> = told.send(());
            }
        }
    }

    fn take(
        &mut self,
        message: Message,
        batches: &mut Vec<Batch>,
        count: &mut usize,
        waits: &mut Option<oneshot::Sender<()>>,
    ) {
        match message {
            Message::Spans(batch) => {
                *count += batch.spans.len();
                self.queue.waiting.fetch_sub(batch.spans.len(), Ordering::Relaxed);
                batches.push(batch);
            }
            Message::Flush(told) => {
                self.must_hurry = true;
                *waits = Some(told);
            }
        }
    }

    /// Sends a batch, once more where that may help, and counts what became of it.
    async fn send(&mut self, batches: Vec<Batch>, count: u64) {
        if count == 0 {
            return;
        }
        let request = Bytes::from(message::request(&batches, &self.resource));
        drop(batches);
        let mut tries = if self.must_hurry { 1 } else { TRIES };
        loop {
            tries -= 1;
            match self.attempt(request.clone()).await {
                Outcome::Taken { rejected, why } => {
                    let rejected = rejected.min(count);
                    self.queue.counts.sent.add_many(count - rejected);
                    return if rejected == 0 { self.is_well() } else { self.lost(rejected, &why) };
                }
                Outcome::Refused { may_try_again: Some(pause), .. } if tries > 0 => {
                    tokio::time::sleep(pause).await;
                }
                Outcome::Refused { why, .. } => return self.lost(count, &why),
            }
        }
    }

    async fn attempt(&mut self, request: Bytes) -> Outcome {
        let time = self.settings.timeout;
        match timeout(time, self.connection.send(&self.settings, request)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::again(error.to_string()),
            Err(_) => {
                self.connection.drop();
                Outcome::again(format!("it does not answer within {time:?}"))
            }
        }
    }

    fn lost(&mut self, count: u64, why: &str) {
        self.queue.counts.not_taken.add_many(count);
        self.lost += count;
        if self.told.is_due(self.clock.now()) {
            let spans = std::mem::take(&mut self.lost);
            self.is_failing = true;
            let collector = &*self.settings.authority;
            warn!(spans, collector, why, "collector of traces does not take spans; they are lost");
        }
    }

    fn is_well(&mut self) {
        if std::mem::take(&mut self.is_failing) {
            let (spans, collector) = (std::mem::take(&mut self.lost), &*self.settings.authority);
            info!(spans, collector, "collector of traces takes spans again");
        }
    }
}
