//! The audit log as the rest of the program knows it.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::keys::{Keys, PersonKey};
use super::own::{self, Bounds, Part, Place};
use super::queue::{Entry, Queue, Room, room_for_starts};
use super::record::{Kind, Record, text};
use super::search::Query;
use super::settings::{Settings, Target};
use super::strangers::Strangers;
use super::target::{Output, signed};
use super::writer::{Due, Shared, Writer};
use crate::base::clock::{SharedClock, Time};
use crate::observe::access::Addresses;
use crate::observe::metrics::Count;
use crate::observe::trouble::Trouble;

/// Takes records and has them written, or nothing when there is no audit log.
pub struct AuditLog(Option<Running>);

struct Running {
    shared: Arc<Shared>,
    strangers: Strangers,
    /// The one that pseudonyms are made with, and then those that they were made with.
    persons: Vec<PersonKey>,
    /// The file that is written, where it is one.
    file: Option<PathBuf>,
    addresses: Addresses,
    instance: String,
    is_required: bool,
    clock: SharedClock,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuditLog").field(&self.0.as_ref().map(|running| &running.shared)).finish()
    }
}

/// What is known of an audit log at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Records that were written, also those of the chain itself.
    pub written: u64,
    /// Records that were lost.
    pub lost: u64,
    /// Attempts to write that failed.
    pub failures: u64,
    /// Bytes of records that wait.
    pub waiting: usize,
    /// The most bytes that may wait.
    pub most: usize,
    /// When it was last made sure that all was on the disk, in milliseconds since the epoch; 0 when
    /// it never was.
    pub synced: i64,
    /// Whether records can be written.
    pub is_well: bool,
}

impl Status {
    /// Tells whether so much waits that what is left is for logins that have begun.
    #[must_use]
    pub fn is_filling(&self) -> bool {
        self.waiting > room_for_starts(self.most)
    }
}

impl AuditLog {
    /// Writes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Opens the target and starts the thread that writes. `has_predecessor` says that another
    /// process with the same log serves until this one does.
    ///
    /// # Errors
    /// When the target cannot be opened, or there are no keys.
    pub fn start(
        settings: Settings,
        keys: Keys,
        clock: SharedClock,
        has_predecessor: bool,
    ) -> io::Result<Self> {
        let Keys { persons, signer, .. } = keys;
        if persons.is_empty() {
            return Err(io::Error::other("there is no key for pseudonyms"));
        }
        let (output, begun) = Output::open(&settings)?;
        let kind = if has_predecessor { Kind::Opened } else { begun.kind };
        let mut first = signed(kind, &signer, clock.now());
        first.instance = text(&settings.instance);
        first.outcome = Some(if has_predecessor { "successor" } else { begun.outcome }.into());
        first.number = begun.torn;
        let first = Entry::of(&first);
        let shared = Arc::new(Shared {
            queue: Queue::new(settings.queue_bytes),
            is_failing: AtomicBool::new(false),
            written: Count::default(),
            failures: Count::default(),
            synced: AtomicI64::new(0),
        });
        let running = Running {
            shared: Arc::clone(&shared),
            strangers: Strangers::default(),
            persons,
            file: match &settings.target {
                Target::File(file) => Some(file.path.clone()),
                Target::Stream(_) => None,
            },
            addresses: settings.addresses,
            instance: settings.instance.clone(),
            is_required: settings.required,
            clock: Arc::clone(&clock),
        };
        let writer = Writer {
            shared,
            settings,
            signer: Arc::new(signer),
            clock,
            output,
            unwritten: vec![first],
            due: Due::at_once(),
            trouble: Trouble::every(MINUTE),
        };
        let builder = std::thread::Builder::new().name("audit-log".to_owned());
        builder.spawn(move || writer.run())?;
        Ok(Self(Some(running)))
    }

    /// Tells whether there is one.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Has a record written. It never waits: what has no room is dropped, counted, and said in the
    /// log and in the chain.
    pub fn record<'r>(&'r self, record: Record<'r>) {
        self.record_of_client(record, None);
    }

    /// The same of what a client caused: of what anybody can cause, only so many are written from one
    /// network and from all, and then a record says how many more there were.
    pub(super) fn record_of_client<'r>(&'r self, record: Record<'r>, client: Option<IpAddr>) {
        let Some(running) = &self.0 else { return };
        let now = running.clock.now();
        if let Some(more) = running.strangers.more(now) {
            running.push(more_refused(more, now), Room::Citizens, now);
        }
        let room = room_of(&record);
        if room != Room::Strangers || running.strangers.admits(client, now) {
            running.push(record, room, now);
        }
    }

    /// Returns the pseudonym of a person, by the kind of the identifier ([`Identifier::kind`]) and
    /// the identifier, and the name of its key.
    ///
    /// [`Identifier::kind`]: crate::identity::person::Identifier::kind
    #[must_use]
    pub fn pseudonym(&self, kind: &str, identifier: &str) -> Option<(String, &str)> {
        let key = self.0.as_ref()?.persons.first()?;
        Some((key.pseudonym_of(kind, identifier), key.id()))
    }

    /// Returns the keys that pseudonyms of this log were made with, as far as they are kept.
    #[must_use]
    pub fn person_keys(&self) -> &[PersonKey] {
        self.0.as_ref().map_or(&[], |running| &running.persons)
    }

    /// Tells whether it is written to files, in which [`AuditLog::find`] finds something.
    #[must_use]
    pub fn has_files(&self) -> bool {
        self.0.as_ref().is_some_and(|running| running.file.is_some())
    }

    /// Finds records in its files, from behind a place on; nothing where it has no files. It reads as
    /// long as the bounds allow: for a thread that may wait.
    ///
    /// # Errors
    /// When the folder cannot be read, or the place is not there any more.
    pub fn find(
        &self,
        query: &Query,
        after: Option<&Place>,
        bounds: &Bounds,
    ) -> Result<Part, own::Error> {
        match self.0.as_ref().and_then(|running| running.file.as_deref()) {
            Some(file) => own::find(file, query, after, bounds),
            None => Ok(Part::default()),
        }
    }

    /// Returns as much of a client's address as is written.
    #[must_use]
    pub fn client(&self, address: IpAddr) -> Option<String> {
        let shown = self.0.as_ref()?.addresses.shown(address)?;
        Some(shown.to_string())
    }

    /// Tells whether a login may begin or be finished: its records will be written, or need not.
    #[must_use]
    pub fn takes_logins(&self) -> bool {
        let Some(running) = &self.0 else { return true };
        let shared = &running.shared;
        // What is left is for those that have begun.
        let is_well = !shared.is_failing.load(Ordering::Relaxed) && !shared.queue.is_filling();
        is_well || !running.is_required
    }

    /// Goes on in a new file when the old one was moved away, and connects anew elsewhere.
    pub fn reopen(&self) {
        let Some(running) = &self.0 else { return };
        running.shared.queue.wish(|wishes| wishes.reopen = true, Duration::ZERO);
    }

    /// Waits until what was told until now is written, but not for ever.
    pub fn flush(&self) {
        let Some(running) = &self.0 else { return };
        running.shared.queue.wish(|wishes| wishes.hurry = true, PATIENCE);
    }

    /// Writes what waits, and a last record that says that it is one, unless nothing takes it. What
    /// is told later is not written.
    pub fn close(&self) {
        let Some(running) = &self.0 else { return };
        if let Some(more) = running.strangers.rest() {
            let now = running.clock.now();
            running.push(more_refused(more, now), Room::Citizens, now);
        }
        running.shared.queue.wish(|wishes| wishes.end = true, PATIENCE);
    }

    /// Returns what is known of it at the moment.
    #[must_use]
    pub fn status(&self) -> Status {
        let Some(running) = &self.0 else {
            return Status { is_well: true, ..Status::default() };
        };
        let shared = &running.shared;
        Status {
            written: shared.written.value(),
            lost: shared.queue.lost(),
            failures: shared.failures.value(),
            waiting: shared.queue.weight(),
            most: shared.queue.most(),
            synced: shared.synced.load(Ordering::Relaxed),
            is_well: !shared.is_failing.load(Ordering::Relaxed),
        }
    }
}

impl Running {
    fn push<'r>(&'r self, mut record: Record<'r>, room: Room, now: Time) {
        record.instance = text(&self.instance);
        self.shared.queue.push(Entry::of(&record), room, now);
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// Says how many more there were of what anybody can cause than were written one by one.
fn more_refused(number: u64, now: Time) -> Record<'static> {
    Record { number: Some(number), outcome: text("more"), ..Record::new(Kind::RequestRefused, now) }
}

/// Returns how much of the room a record may take: what any client can have written without a
/// session takes none from the records of citizens.
fn room_of(record: &Record<'_>) -> Room {
    match record.kind {
        Kind::RequestRefused
        | Kind::ResponseCut
        | Kind::IdentityToldByClient
        | Kind::FormKept
        | Kind::FormNotKept => Room::Strangers,
        Kind::LoginRefused if record.authn_request.is_none() => Room::Strangers,
        Kind::LoginStarted => Room::Starts,
        Kind::Opened
        | Kind::Resumed
        | Kind::Rotated
        | Kind::Closed
        | Kind::Checkpoint
        | Kind::Gap
        | Kind::ArtifactResolved
        | Kind::SignedIn
        | Kind::LoginRefused
        | Kind::StepUpDemanded
        | Kind::HandOverBegun
        | Kind::HandedOver
        | Kind::SignedOut
        | Kind::LogoutNotConfirmed
        | Kind::SessionEnded
        | Kind::FormSent
        | Kind::FormLost
        | Kind::ConfigurationApplied
        | Kind::ConfigurationRefused
        | Kind::CertificateLoaded
        | Kind::CertificateRefused
        | Kind::CertificateAlarm
        | Kind::ClockOffset
        | Kind::NodeTrouble
        | Kind::AdminActed => Room::Citizens,
    }
}

/// How long an end or a flush waits for the target.
const PATIENCE: Duration = Duration::from_secs(3);
const MINUTE: Duration = Duration::from_secs(60);
