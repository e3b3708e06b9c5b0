//! Certificates for citizens from an authority that speaks ACME (RFC 8555).
//!
//! 1. Accounts, certificate and keys are one book. Where replicas share a store it is a record
//!    there, so all of them have one account and one certificate, and a new replica orders nothing;
//!    otherwise it is in the state folder. With a store the folder has a copy, and whoever knows a
//!    later one than the store puts it back.
//! 2. Whoever finds that something is due notes in the book that it is at it, by compare and set, and
//!    so nobody else is. It may die: the note ends by itself, and the order counts as failed.
//! 3. Each takes the certificate from the book, writes it to a file of its own state folder, and
//!    serves that as any other pair ([`Certificates`]).
//! 4. The authority looks at our names over plain http, and whichever replica it comes to answers
//!    (`challenges`). After an account was made, an order waits until all of them know of it.
//! 5. What fails is told, counted, and tried again later and later. The old certificate stays.

mod book;
mod challenges;
mod client;
mod order;
mod ordering;
mod place;
pub mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{error, info};

use self::book::{Book, Busy, Due, Issued, LEASE, Wanted};
pub(super) use self::challenges::Challenges;
pub(super) use self::place::RECORD;
use self::place::{BookError, Found, Place, Seen};
pub use self::settings::Settings;
use super::state::State;
use crate::base::causes::in_one_line;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::random;
use crate::base::shutdown::Shutdown;
use crate::observe::metrics::Count;
use crate::server::certificates::{self, Certificates};
use crate::store::shared::SharedRecord;

/// Orders certificates, and keeps them.
pub(super) struct Orders {
    settings: Settings,
    /// The names that are wanted now.
    names: Mutex<Vec<String>>,
    place: Place,
    state: State,
    challenges: Arc<Challenges>,
    certificates: Arc<Certificates>,
    clock: SharedClock,
    /// A name that no other process has.
    owner: String,
    counts: Counts,
}

/// What became of orders, since the start of this process.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) issued: Count,
    pub(super) failed: Count,
    /// Whether what is wanted is there, and nothing that failed waits to be tried again.
    pub(super) is_well: AtomicBool,
}

/// What is known of the book.
#[derive(Default)]
struct Known {
    book: Book,
    /// How it was when it was read or written last.
    seen: Option<Seen>,
    /// What was issued and could not be noted yet.
    unnoted: Option<Issued>,
    /// What the log was told, and when.
    told: Option<(String, Time)>,
}

/// How often the book is looked at.
const PERIOD: Duration = Duration::from_secs(5);
/// How often the log is told that the book cannot be used, while that goes on.
const REMINDER: Duration = Duration::from_secs(300);
/// How often a note is tried while others write.
const ATTEMPTS: usize = 8;

impl Orders {
    pub(super) fn new(
        settings: Settings,
        (record, state): (Option<SharedRecord>, State),
        certificates: Arc<Certificates>,
        clock: SharedClock,
    ) -> Arc<Self> {
        let place = match record {
            Some(record) => Place::Shared(Box::new(record)),
            None => Place::Folder(state.clone()),
        };
        let names = Mutex::new(settings.names.clone());
        let (challenges, counts, owner) = (Arc::default(), Counts::default(), random::handle());
        Arc::new(Self {
            settings,
            names,
            place,
            state,
            challenges,
            certificates,
            clock,
            owner,
            counts,
        })
    }

    /// Returns what answers the authority.
    pub(super) fn challenges(&self) -> Arc<Challenges> {
        Arc::clone(&self.challenges)
    }

    /// Returns what became of orders.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Wants a certificate for these names from now on.
    pub(super) fn want(&self, names: Vec<String>) {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    /// Looks at the book again and again, and does what is due, until told to stop.
    pub(super) async fn keep(self: Arc<Self>, mut stop: Shutdown) {
        let mut known = Known { book: self.copy(), ..Known::default() };
        loop {
            let done = tokio::select! {
                () = stop.wait() => return,
                done = self.look(&mut known) => done,
            };
            let (book, wanted) = (&known.book, self.wanted());
            let is_well = book.certificate_for(&wanted).is_some() && book.failed.is_none();
            self.counts.is_well.store(is_well && done.is_ok(), Ordering::Relaxed);
            self.tell(&mut known.told, done.err());
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// Returns the copy of what replicas share, which may be later than what the store has.
    fn copy(&self) -> Book {
        let copy = self.state.authority_book().ok().flatten();
        copy.filter(|_| self.place.is_shared())
            .and_then(|copy| Book::read(&copy))
            .unwrap_or_default()
    }

    async fn look(&self, known: &mut Known) -> Result<(), BookError> {
        let now = self.clock.now();
        self.read(known, now).await?;
        if let Some(issued) = known.unnoted.clone() {
            self.note(known, |book| book.take_in(issued.clone())).await?;
            known.unnoted = None;
        }
        self.take_in(&known.book).await?;
        let wanted = self.wanted();
        let due = known.book.due(&wanted, now);
        let (Some(was), false) = (known.seen.as_ref(), due == Due::Nothing) else { return Ok(()) };
        // Of those who find it due at the same time one is the first. Whoever dies at it has failed.
        let mut noted = known.book.clone();
        noted.revision += 1;
        noted.busy = Some(Busy { owner: self.owner.clone(), until: later(now, LEASE) });
        if due == Due::Order {
            noted.note_failure(&wanted, now);
        }
        let Some(mine) = self.place.write(was, &noted, now).await? else { return Ok(()) };
        (known.book, known.seen) = (noted, Some(mine));
        match due {
            Due::Nothing => Ok(()),
            Due::Order => self.order(known, &wanted).await,
            Due::Ask => self.ask(known, &wanted).await,
        }
    }

    fn wanted(&self) -> Wanted {
        let Settings { directory, profile, .. } = &self.settings;
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Wanted { directory: directory.clone(), names, profile: profile.clone() }
    }

    /// Takes in what others wrote. What is later here than there, or lost there, is put back.
    async fn read(&self, known: &mut Known, now: Time) -> Result<(), BookError> {
        let Some(found) = self.place.read(known.seen.as_ref(), now).await? else { return Ok(()) };
        let Found { book, seen, is_sealed_otherwise } = found;
        let is_later_here = known.book.revision > book.revision;
        if is_later_here {
            info!("what is known of the authority is put back: the store lost it");
        }
        if !is_later_here {
            known.book = book;
        }
        known.seen = Some(seen);
        if (is_later_here || is_sealed_otherwise)
            && let Some(was) = &known.seen
        {
            let next = Book { revision: known.book.revision + 1, ..known.book.clone() };
            if let Some(written) = self.place.write(was, &next, now).await? {
                (known.book, known.seen) = (next, Some(written));
            } else {
                known.seen = None;
            }
        }
        Ok(())
    }

    /// Serves with what the book has, and keeps a copy of what replicas share.
    async fn take_in(&self, book: &Book) -> Result<(), BookError> {
        if let Some(account) = book.account_at(&self.settings.directory) {
            self.challenges.answer_with(&account.thumbprint);
        }
        if self.place.is_shared() && book.revision > 0 {
            let bytes = book.to_bytes()?;
            if self.state.authority_book()?.is_none_or(|copy| copy != bytes) {
                self.state.keep_authority_book(&bytes)?;
            }
        }
        let Some(issued) = &book.certificate else { return Ok(()) };
        if self.state.keep_issued(issued.pem.as_bytes())? {
            let certificates = Arc::clone(&self.certificates);
            let events = tokio::task::spawn_blocking(move || certificates.reload()).await;
            events.iter().flatten().for_each(certificates::Event::log);
        }
        Ok(())
    }

    /// Changes the book, and is not at it any more.
    async fn note(
        &self,
        known: &mut Known,
        mut change: impl FnMut(&mut Book),
    ) -> Result<(), BookError> {
        self.write(known, |book| {
            // Somebody else may be at it by now.
            book.busy.take_if(|busy| busy.owner == self.owner);
            change(book);
        })
        .await
    }

    /// Changes the book, whatever others changed meanwhile.
    async fn write(
        &self,
        known: &mut Known,
        mut change: impl FnMut(&mut Book),
    ) -> Result<(), BookError> {
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            self.read(known, now).await?;
            let mut next = known.book.clone();
            next.revision += 1;
            change(&mut next);
            let was = known.seen.clone().unwrap_or(Seen::Nothing);
            if let Some(written) = self.place.write(&was, &next, now).await? {
                (known.book, known.seen) = (next, Some(written));
                return Ok(());
            }
            known.seen = None;
        }
        Err(BookError::Busy)
    }

    /// Logs that the book cannot be used when that begins, again and again, and when it is over.
    fn tell(&self, told: &mut Option<(String, Time)>, error: Option<BookError>) {
        let now = self.clock.now();
        match error {
            Some(error) => {
                let error = in_one_line(&error);
                let is_told =
                    |(known, at): &(String, Time)| *known == error && now < later(*at, REMINDER);
                if !told.as_ref().is_some_and(is_told) {
                    error!(error, "no certificate can be ordered or taken over");
                    *told = Some((error, now));
                }
            }
            None => {
                if told.take().is_some() {
                    info!("certificates can be ordered and taken over again");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
