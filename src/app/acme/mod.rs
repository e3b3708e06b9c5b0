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
mod book_store;
mod challenges;
mod client;
mod order;
mod ordering;
pub mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{error, info};

use self::book::{Book, Busy, Due, Issued, LEASE, Wanted};
pub(super) use self::book_store::RECORD;
use self::book_store::{BookError, BookStore, Found, Seen};
pub(super) use self::challenges::Challenges;
pub use self::settings::Settings;
use super::inventory::Use;
use super::state::State;
use crate::base::causes::in_one_line;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::random;
use crate::base::shutdown::Shutdown;
use crate::observe::events::Events;
use crate::observe::metrics::Count;
use crate::observe::trouble::{News, Trouble};
use crate::server::certificates::{self, Certificates};
use crate::store::shared::SharedRecord;

/// Orders certificates, and keeps them.
pub(super) struct Orders {
    settings: Settings,
    /// The names that are wanted now.
    names: Mutex<Vec<String>>,
    store: BookStore,
    state: State,
    challenges: Arc<Challenges>,
    certificates: Arc<Certificates>,
    clock: SharedClock,
    events: Arc<Events>,
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
        (clock, events): (SharedClock, Arc<Events>),
    ) -> Arc<Self> {
        let store = match record {
            Some(record) => BookStore::Shared(Box::new(record)),
            None => BookStore::Folder(state.clone()),
        };
        let names = Mutex::new(settings.names.clone());
        let (challenges, counts, owner) = (Arc::default(), Counts::default(), random::handle());
        Arc::new(Self {
            settings,
            names,
            store,
            state,
            challenges,
            certificates,
            clock,
            events,
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
        let mut trouble = Trouble::every(REMINDER);
        loop {
            let done = tokio::select! {
                () = stop.wait() => return,
                done = self.look(&mut known) => done,
            };
            let (book, wanted) = (&known.book, self.wanted());
            let is_well = book.certificate_for(&wanted).is_some() && book.failed.is_none();
            self.counts.is_well.store(is_well && done.is_ok(), Ordering::Relaxed);
            let wrong = done.err().map(|error| in_one_line(&error));
            match trouble.news(wrong, self.clock.now()) {
                Some(News::Wrong(error)) => {
                    error!(error, "no certificate can be ordered or taken over");
                }
                Some(News::Over) => info!("certificates can be ordered and taken over again"),
                None => {}
            }
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    /// Returns the copy of what replicas share, which may be later than what the store has.
    fn copy(&self) -> Book {
        let copy = self.state.authority_book().ok().flatten();
        copy.filter(|_| self.store.is_shared())
            .and_then(|copy| Book::read(&copy))
            .unwrap_or_default()
    }

    async fn look(&self, known: &mut Known) -> Result<(), BookError> {
        let now = self.clock.now();
        self.read(known, now).await?;
        self.note_issued(known).await?;
        self.take_in(&known.book).await?;
        let wanted = self.wanted();
        let due = known.book.due(&wanted, now);
        if due == Due::Nothing {
            return Ok(());
        }
        // Of those who find it due at the same time one is the first. Whoever dies at it has failed.
        let mut noted = known.book.clone();
        noted.busy = Some(Busy { owner: self.owner.clone(), until: later(now, LEASE) });
        if due == Due::Order {
            noted.note_failure(&wanted, now);
        }
        if !self.replace(known, noted, now).await? {
            return Ok(());
        }
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
        let Some(found) = self.store.read(known.seen.as_ref(), now).await? else { return Ok(()) };
        let Found { book, seen, is_sealed_otherwise } = found;
        known.seen = Some(seen);
        let is_later_here = known.book.revision > book.revision;
        if is_later_here {
            info!("what is known of the authority is put back: the store lost it");
        } else {
            known.book = book;
        }
        if is_later_here || is_sealed_otherwise {
            self.replace(known, known.book.clone(), now).await?;
        }
        Ok(())
    }

    /// Writes a book in the place of the one that is known; says whether that was still there. When it
    /// was not, the next look finds what is there.
    async fn replace(
        &self,
        known: &mut Known,
        mut next: Book,
        now: Time,
    ) -> Result<bool, BookError> {
        next.revision = known.book.revision + 1;
        let was = known.seen.as_ref().unwrap_or(&Seen::Nothing);
        let Some(written) = self.store.write(was, &next, now).await? else { return Ok(false) };
        (known.book, known.seen) = (next, Some(written));
        Ok(true)
    }

    /// Serves with what the book has, and keeps a copy of what replicas share.
    async fn take_in(&self, book: &Book) -> Result<(), BookError> {
        if let Some(account) = book.account_at(&self.settings.directory) {
            self.challenges.answer_with(&account.thumbprint);
        }
        if self.store.is_shared() && book.revision > 0 {
            self.state.keep_authority_book(&book.to_bytes()?)?;
        }
        let Some(issued) = &book.certificate else { return Ok(()) };
        if self.state.keep_issued(issued.pem.as_bytes())? {
            let certificates = Arc::clone(&self.certificates);
            let events = tokio::task::spawn_blocking(move || certificates.reload()).await;
            let now = self.clock.now();
            let tell =
                |event: &certificates::Event| event.tell(Use::Citizens.name(), &self.events, now);
            events.iter().flatten().for_each(tell);
        }
        Ok(())
    }

    /// Notes what was issued, until it is noted.
    async fn note_issued(&self, known: &mut Known) -> Result<(), BookError> {
        if let Some(issued) = known.unnoted.clone() {
            self.note(known, |book| book.take_in(issued.clone())).await?;
            known.unnoted = None;
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
            change(&mut next);
            if self.replace(known, next, now).await? {
                return Ok(());
            }
        }
        Err(BookError::Busy)
    }
}

#[cfg(test)]
mod tests;
