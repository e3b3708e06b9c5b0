//! The certificates for citizens: several, chosen by name, and read again when they change.
//!
//! 1. A client that names a host (SNI) gets a certificate for it: the very name first, then one
//!    for all of its domain (`*.example.gov.pl`, one label). A client that names none, or another,
//!    gets the first pair of the configuration.
//! 2. There may be two pairs for one name, for instance ECDSA and RSA. A client gets the cheaper
//!    one that it understands.
//! 3. Files are looked at from time to time, through links, as Kubernetes and certbot swap them. A
//!    pair that cannot be used is not taken: the last good one stays, and the log says why. It
//!    is tried again when a file changes.
//! 4. A certificate past its date is used all the same: a warning in the browser is the better
//!    half of two evils. [`Certificates::status`] tells the dates.
//! 5. A pair may be still to be made, by whoever orders it. Until it is there it is for nobody; when
//!    there is no other one, a handshake ends with an alert.
//! 6. A handshake takes no lock.

mod pair;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::{error, warn};

pub use self::pair::{Error, Examined, Files, Part, examine};
use self::pair::{Pair, Stamp};
use crate::base::clock::{SharedClock, Time};
use crate::base::shutdown::Shutdown;
use crate::observe::event;
use crate::observe::events::Events;

/// The certificates of a listener. Shared by all workers.
pub struct Certificates {
    files: Vec<Files>,
    table: ArcSwap<Table>,
    /// How the files of each pair looked when they were last tried.
    stamps: Mutex<Vec<Stamp>>,
    /// Whether the last try of each pair failed.
    failing: Vec<AtomicBool>,
    reloaded: AtomicU64,
    refused: AtomicU64,
}

/// What became of one pair.
#[derive(Debug)]
pub struct Event {
    /// The file of its certificate.
    pub certificate: PathBuf,
    /// What became of the pair at this reload.
    pub outcome: Outcome,
}

/// What became of one pair.
#[derive(Debug)]
pub enum Outcome {
    /// It is as it was.
    Unchanged,
    /// The new one is in use.
    Reloaded {
        /// The subject of the new certificate, or the names of its hosts when it has none.
        subject: String,
        /// The SHA-256 of the certificate, in hexadecimal digits.
        sha256: String,
        /// When the new certificate ends.
        not_after: Time,
    },
    /// The new one cannot be used, so the last good one stays.
    Kept {
        /// What is wrong with the new one.
        why: Error,
    },
}

/// A pair that is in use, for metrics and `check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The file of its certificate.
    pub certificate: PathBuf,
    /// The DNS names that it is for, in lower case.
    pub names: Vec<String>,
    /// The subject of the certificate; empty when it names nobody but hosts.
    pub subject: String,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub sha256: String,
    /// The key of the configuration that names it.
    pub source: String,
    /// When the certificate begins to be valid.
    pub not_before: Time,
    /// When the certificate ends.
    pub not_after: Time,
    /// Whether its files hold something newer that cannot be used.
    pub is_outdated: bool,
}

/// How often pairs changed since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// New pairs that were taken.
    pub reloaded: u64,
    /// New pairs that could not be used.
    pub refused: u64,
}

impl Certificates {
    /// Reads all pairs; the first one is the default.
    ///
    /// # Errors
    /// Everything that is wrong, with the number of the pair.
    ///
    /// # Panics
    /// When there is no pair at all.
    pub fn open(files: Vec<Files>) -> Result<Self, Vec<(usize, Error)>> {
        assert!(!files.is_empty(), "a listener with TLS has a certificate");
        let stamps = files.iter().map(Stamp::of).collect();
        let mut pairs = Vec::new();
        let mut errors = Vec::new();
        for (number, files) in files.iter().enumerate() {
            match Pair::read(files) {
                Ok(pair) => pairs.push(pair.map(Arc::new)),
                // Whoever makes it writes it anew.
                Err(error) if files.may_be_missing => {
                    warn!(%error, "certificate cannot be used, and is taken for missing");
                    pairs.push(None);
                }
                Err(error) => errors.push((number, error)),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let failing = files.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self {
            failing,
            files,
            table: ArcSwap::from_pointee(Table::new(pairs)),
            stamps: Mutex::new(stamps),
            reloaded: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Reads the pairs again whose files have changed since the last time. Blocks on the files.
    pub fn reload(&self) -> Vec<Event> {
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pairs = self.table.load().pairs.clone();
        let mut events = Vec::new();
        let each = self.files.iter().zip(stamps.iter_mut()).zip(&mut pairs).zip(&self.failing);
        for (((files, stamp), pair), failing) in each {
            let outcome = reload_pair(files, stamp, pair, failing);
            events.push(Event { certificate: files.certificate.clone(), outcome });
        }
        let count = |is_one: fn(&Outcome) -> bool| {
            events.iter().filter(|event| is_one(&event.outcome)).count() as u64
        };
        let reloaded = count(|outcome| matches!(outcome, Outcome::Reloaded { .. }));
        let refused = count(|outcome| matches!(outcome, Outcome::Kept { .. }));
        self.reloaded.fetch_add(reloaded, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
        if reloaded > 0 {
            self.table.store(Arc::new(Table::new(pairs)));
        }
        events
    }

    /// Returns the pairs in use, in the order of the configuration.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        let table = self.table.load();
        let all = self.files.iter().zip(&table.pairs).zip(&self.failing);
        let there =
            all.filter_map(|((files, pair), failing)| Some((files, pair.as_ref()?, failing)));
        let status = |(files, pair, failing): (&Files, &Arc<Pair>, &AtomicBool)| Status {
            certificate: files.certificate.clone(),
            names: pair.names.clone(),
            subject: pair.subject.clone(),
            sha256: pair.sha256.clone(),
            source: files.source.clone(),
            not_before: pair.not_before,
            not_after: pair.not_after,
            is_outdated: failing.load(Ordering::Relaxed),
        };
        there.map(status).collect()
    }

    /// Returns how often pairs changed.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            reloaded: self.reloaded.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Tells whether one of the certificates is for a host.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.table.load().find(host).is_some()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let table = self.table.load();
        let named = hello.server_name().and_then(|name| table.find(name));
        let fitting = named.unwrap_or(&table.default);
        table.choose(fitting, hello.signature_schemes())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Event {
    /// Tells of it, unless nothing happened; with what the certificate is for.
    pub fn tell(&self, used_for: &'static str, events: &Events, now: Time) {
        let file = self.certificate.display().to_string();
        match &self.outcome {
            Outcome::Unchanged => {}
            Outcome::Reloaded { subject, sha256, not_after } => {
                let (file, not_after) = (Some(&*file), *not_after);
                let event =
                    event::Event::CertificateLoaded { used_for, file, subject, sha256, not_after };
                events.tell(now, None, event);
            }
            Outcome::Kept { why } => {
                let why = why.to_string();
                let event = event::Event::CertificateRefused { file: &file, why: &why };
                events.tell(now, None, event);
            }
        }
    }
}

/// Looks at the files every `period` until told to stop. What the certificates are for is told with
/// what becomes of them.
pub async fn watch(
    (used_for, certificates): (&'static str, Arc<Certificates>),
    period: Duration,
    (events, clock): (Arc<Events>, SharedClock),
    mut stop: Shutdown,
) {
    loop {
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(period) => {}
        }
        let store = Arc::clone(&certificates);
        // A network disk may take its time; workers do not wait for it.
        match tokio::task::spawn_blocking(move || store.reload()).await {
            Ok(changed) => changed.iter().for_each(|one| one.tell(used_for, &events, clock.now())),
            Err(error) => error!(%error, "certificates could not be looked at"),
        }
    }
}

fn reload_pair(
    files: &Files,
    stamp: &mut Stamp,
    pair: &mut Option<Arc<Pair>>,
    failing: &AtomicBool,
) -> Outcome {
    // Looked at before it is read: what changes in between is seen the next time.
    let present = Stamp::of(files);
    if present == *stamp {
        return Outcome::Unchanged;
    }
    *stamp = present;
    let read = Pair::read(files);
    failing.store(read.is_err(), Ordering::Relaxed);
    match read {
        // One that is gone stays in use.
        Ok(None) => Outcome::Unchanged,
        Ok(Some(new)) if pair.as_ref().is_some_and(|pair| new.is_same(pair)) => Outcome::Unchanged,
        Ok(Some(new)) => {
            let (not_after, sha256) = (new.not_after, new.sha256.clone());
            // Authorities issue certificates that name nobody but hosts.
            let subject =
                if new.subject.is_empty() { new.names.join(", ") } else { new.subject.clone() };
            *pair = Some(Arc::new(new));
            Outcome::Reloaded { subject, sha256, not_after }
        }
        Err(why) => Outcome::Kept { why },
    }
}

/// The pairs and how they are found. Lists of numbers have the cheaper keys first.
struct Table {
    pairs: Vec<Option<Arc<Pair>>>,
    names: HashMap<String, Vec<usize>>,
    /// The first pair, and those that have a name in common with it.
    default: Vec<usize>,
}

impl Table {
    fn new(pairs: Vec<Option<Arc<Pair>>>) -> Self {
        let there = || pairs.iter().enumerate().filter_map(|(n, pair)| Some((n, pair.as_ref()?)));
        let mut order: Vec<(usize, &Arc<Pair>)> = there().collect();
        order.sort_by_key(|(_, pair)| pair.is_rsa());
        let mut names: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, pair) in &order {
            for name in &pair.names {
                names.entry(name.clone()).or_default().push(*number);
            }
        }
        let first = there().next();
        let is_twin = |(number, pair): &(usize, &Arc<Pair>)| {
            first.is_some_and(|(first, other)| {
                *number == first || pair.names.iter().any(|name| other.names.contains(name))
            })
        };
        let default = order.into_iter().filter(is_twin).map(|(number, _)| number).collect();
        Self { pairs, names, default }
    }

    fn find(&self, host: &str) -> Option<&Vec<usize>> {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.names.get(&host).or_else(|| {
            let (_, domain) = host.split_once('.')?;
            self.names.get(&format!("*.{domain}"))
        })
    }

    /// Takes the first that the client understands. If it understands none, the handshake fails
    /// with the right alert whichever it is; and so it does when there is none at all.
    fn choose(&self, numbers: &[usize], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let of = |&number: &usize| self.pairs[number].as_ref().map(|pair| &pair.certified);
        let mut fitting = numbers.iter().filter_map(of);
        let understood = fitting.find(|one| one.key.choose_scheme(schemes).is_some());
        let any = || self.pairs.iter().flatten().next().map(|pair| &pair.certified);
        understood.or_else(any).map(Arc::clone)
    }
}

#[cfg(test)]
mod tests;
