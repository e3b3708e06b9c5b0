//! Visitors who ask again and again, and count what went wrong.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::wire::{NoAnswer, Wire};

/// Visitors under way.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    visitors: Vec<JoinHandle<Tally>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How long each answer took.
    pub(crate) took: Vec<Duration>,
    pub(crate) failed: Vec<String>,
    /// Visitors who could not connect any more.
    pub(crate) turned_away: usize,
}

impl Load {
    /// Sends some visitors to a page. Each keeps its connection as long as it may.
    pub(crate) fn start(gateway: SocketAddr, visitors: usize, path: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let visit = |_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || visit(gateway, path, &stop))
        };
        let visitors = (0..visitors).map(visit).collect();
        Self { stop, visitors }
    }

    /// Lets the visitors end what they do and go.
    pub(crate) fn stop(self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut whole = Tally::default();
        for visitor in self.visitors {
            let tally = visitor.join().unwrap();
            whole.took.extend(tally.took);
            whole.failed.extend(tally.failed);
            whole.turned_away += tally.turned_away;
        }
        whole
    }
}

impl Tally {
    /// Returns the time within which 99 of 100 answers came.
    pub(crate) fn p99(&self) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took[took.len() * 99 / 100]
    }

    /// Asserts that every request was answered, and that there were enough of them to tell.
    pub(crate) fn all_answered(&self) {
        assert_eq!(self.failed, Vec::<String>::new());
        assert!(self.took.len() > 20, "only {} requests", self.took.len());
    }
}

fn visit(gateway: SocketAddr, path: &str, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut kept: Option<Wire> = None;
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        let is_reused = kept.is_some();
        let Some(mut wire) = kept.take().or_else(|| connect(gateway)) else {
            tally.turned_away += 1;
            return tally;
        };
        wire.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        match wire.try_answer("GET") {
            Ok(answer) if answer.status == 200 => {
                tally.took.push(started.elapsed());
                let ends = answer.header("connection") == Some("close");
                kept = (!ends).then_some(wire);
            }
            Ok(answer) => tally.failed.push(format!("{} {}", answer.status, answer.reason())),
            // RFC 9112 9.3.1: an idle connection may be closed at any time, and the request is
            // repeated over another.
            Err(NoAnswer::Closed) if is_reused => {}
            Err(none) => tally.failed.push(format!("{none:?}")),
        }
    }
    tally
}

fn connect(gateway: SocketAddr) -> Option<Wire> {
    TcpStream::connect(gateway).ok().map(Wire::over)
}
