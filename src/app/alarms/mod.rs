//! What an operator must hear of in time: certificates that end, a clock that goes wrong, a node that
//! fails. It is looked at every two seconds, and said when it begins, from time to time while it goes
//! on, and when it is over.
//!
//! 1. Every alarm is a function of what is looked at and of the time, which is an argument
//!    (`certificates`, `clock`, `node`): a test plays years in a moment.
//! 2. What was said is in memory alone. So a restart says once more what goes on at that time.
//! 3. Nothing is judged by an alarm: no login, no page and no readiness.

mod certificates;
mod clock;
mod node;
pub mod settings;
mod tell;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::certificates::CertificateAlarms;
use self::clock::ClockAlarm;
use self::node::{NodeAlarm, Totals};
use self::settings::Which;
use super::inventory::Dated;
use super::watch::Watched;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::shutdown::Shutdown;
use crate::flow::node::Exchanges;
use crate::gateway::Shared;
use crate::observe::events::Events;
use crate::xml::keys::Certificate;

/// Looks at what is watched.
pub(super) struct Alarms {
    watched: Arc<Watched>,
    /// What exchanges with the node show. They are counted on when the configuration changes.
    exchanges: Arc<Exchanges>,
    clock: SharedClock,
    events: Arc<Events>,
    certificates: CertificateAlarms,
    offset: ClockAlarm,
    node: NodeAlarm,
    /// When files are looked at again.
    files: Time,
}

impl Alarms {
    /// Begins with none.
    pub(super) fn new(watched: &Arc<Watched>, shared: &Shared) -> Self {
        Self {
            watched: Arc::clone(watched),
            exchanges: Arc::clone(shared.flows.node.exchanges()),
            clock: Arc::clone(&shared.clock),
            events: Arc::clone(&shared.events),
            certificates: CertificateAlarms::default(),
            offset: ClockAlarm::default(),
            node: NodeAlarm::default(),
            files: Time::MIN,
        }
    }

    /// Looks until told to stop.
    pub(super) async fn watch(mut self, mut stop: Shutdown) {
        loop {
            let now = self.clock.now();
            // Also when the clock was set back by more.
            if now >= self.files || self.files > later(now, FILES) {
                self.files = later(now, FILES);
                self.look_at_files(now).await;
            }
            self.look(now);
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    fn look(&mut self, now: Time) {
        let settings = self.watched.alarms.load();
        let all = self.watched.inventory.all();
        let news = self.certificates.look(&all, now);
        news.iter().for_each(|news| tell::certificate(news, &self.events, now));
        if let Some(news) = self.offset.look(&self.exchanges.clock, settings.clock_offset, now) {
            tell::clock(&news, &self.events, now);
        }
        if let Some(news) = self.node.look(totals(&self.exchanges), &settings, now) {
            tell::node(&news, &self.events, now);
        }
        self.watched.going_on.note(Which {
            certificates: self.certificates.goes_on(),
            clock: self.offset.goes_on(),
            node: self.node.goes_on(),
        });
    }

    /// Reads the files again: what cannot be read now is missing at the next start.
    async fn look_at_files(&mut self, now: Time) {
        let all = self.watched.inventory.all();
        let read = tokio::task::spawn_blocking(move || unreadable(all)).await;
        let news = self.certificates.read(read.unwrap_or_default(), now);
        news.iter().for_each(|news| tell::certificate(news, &self.events, now));
    }
}

/// Returns how many exchanges there were since the start, and how many of them failed.
fn totals(exchanges: &Exchanges) -> Totals {
    let mut totals = Totals::default();
    for seen in [&exchanges.resolve, &exchanges.logout] {
        for (result, spread) in seen.by_result() {
            let count = spread.count();
            totals.all += count;
            totals.failed += if result == "ok" { 0 } else { count };
        }
    }
    totals
}

/// Finds the files of certificates that cannot be read. What a PKCS #12 file has is not looked at, and
/// what came from no file cannot go.
fn unreadable(all: Vec<Dated>) -> Vec<(Dated, Option<String>)> {
    let mut read: Vec<(PathBuf, Option<String>)> = Vec::new();
    let mut why = |file: &Path| {
        if let Some((_, why)) = read.iter().find(|(known, _)| known == file) {
            return why.clone();
        }
        let why = examine(file).err();
        read.push((file.to_owned(), why.clone()));
        why
    };
    let all = all.into_iter().filter(|one| !one.file.as_os_str().is_empty());
    all.map(|one| {
        let why = why(&one.file);
        (one, why)
    })
    .collect()
}

fn examine(file: &Path) -> Result<(), String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    opened.take(LARGEST).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let name = file.extension().and_then(|name| name.to_str()).unwrap_or_default();
    let is_closed = ["p12", "pfx"].iter().any(|closed| name.eq_ignore_ascii_case(closed));
    // Another form has a sequence around it as a certificate has, and only its password opens it.
    if is_closed || bytes.first() == Some(&0x30) {
        return Ok(());
    }
    Certificate::parse_all(&bytes).map(drop).map_err(|error| error.to_string())
}

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(2);
/// How often files are read again.
const FILES: Duration = Duration::from_secs(600);
/// The most bytes of a file that are read.
const LARGEST: u64 = 4 << 20;
