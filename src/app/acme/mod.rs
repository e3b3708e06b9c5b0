//! Certificates for citizens from an authority that speaks ACME (RFC 8555).
//!
//! 1. Account, certificate and keys are one book. Where replicas share a store it is a record
//!    there, so all of them have one account and one certificate, and a new replica orders nothing;
//!    otherwise it is in the state folder.
//! 2. Whoever finds that something is due notes in the book that it is at it, by compare and set, and
//!    so nobody else is. It may die: the note ends by itself.
//! 3. Each takes the certificate from the book, writes it to a file of its own state folder, and
//!    serves that as any other pair ([`Certificates`]).
//! 4. The authority looks at our names over plain http, and whichever replica it comes to answers
//!    (`challenges`). After an account was made, an order waits until all of them know of it.
//! 5. What fails is told, counted, and tried again later and later. The old certificate stays.

mod book;
mod challenges;
mod client;
mod order;
mod place;
pub mod settings;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::{error, info, warn};

use self::book::{Account, Book, Due, Issued, Wanted};
pub(super) use self::challenges::Challenges;
use self::order::OrderError;
pub(super) use self::place::RECORD;
use self::place::{BookError, Place, Seen};
pub use self::settings::Settings;
use super::state::State;
use crate::base::causes::in_one_line;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::foreign::escaped;
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
    counts: Counts,
}

/// What became of orders, since the start of this process.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) issued: Count,
    pub(super) failed: Count,
}

/// How often the book is looked at.
const PERIOD: Duration = Duration::from_secs(5);
/// Until then every replica knows of an account that was made.
const SPREAD: Duration = Duration::from_secs(12);
/// Who is at it is so for no longer: all that can take long is bounded by less.
const LEASE: Duration = Duration::from_secs(300);
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
        let (challenges, counts) = (Arc::default(), Counts::default());
        Arc::new(Self { settings, names, place, state, challenges, certificates, clock, counts })
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
        let (mut seen, mut book, mut told) = (None, Book::default(), None);
        loop {
            let done = tokio::select! {
                () = stop.wait() => return,
                done = self.look(&mut seen, &mut book) => done,
            };
            self.tell(&mut told, done.err());
            tokio::select! {
                () = stop.wait() => return,
                () = tokio::time::sleep(PERIOD) => {}
            }
        }
    }

    async fn look(&self, seen: &mut Option<Seen>, book: &mut Book) -> Result<(), BookError> {
        let now = self.clock.now();
        if let Some((found, as_seen)) = self.place.read(seen.as_ref(), now).await? {
            self.take_in(&found).await?;
            (*book, *seen) = (found, Some(as_seen));
        }
        let wanted = self.wanted();
        let due = book.due(&wanted, now);
        let (Some(was), false) = (seen.as_ref(), due == Due::Nothing) else { return Ok(()) };
        // Of those who find it due at the same time one is the first.
        let noted = Book { busy_until: Some(later(now, LEASE)), ..book.clone() };
        let Some(mine) = self.place.write(was, &noted, now).await? else {
            *seen = None;
            return Ok(());
        };
        (*book, *seen) = (noted, Some(mine));
        match due {
            Due::Nothing => Ok(()),
            Due::Order => self.order(book, seen, &wanted).await,
            Due::Ask => self.ask(book, seen, &wanted).await,
        }
    }

    fn wanted(&self) -> Wanted {
        let Settings { directory, profile, .. } = &self.settings;
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Wanted { directory: directory.clone(), names, profile: profile.clone() }
    }

    /// Serves with what the book has.
    async fn take_in(&self, book: &Book) -> Result<(), BookError> {
        if let Some(account) = book.account_at(&self.settings.directory) {
            self.challenges.answer_with(&account.thumbprint);
        }
        let Some(issued) = &book.certificate else { return Ok(()) };
        if self.state.keep_issued(issued.pem.as_bytes())? {
            let certificates = Arc::clone(&self.certificates);
            let events = tokio::task::spawn_blocking(move || certificates.reload()).await;
            events.iter().flatten().for_each(certificates::Event::log);
        }
        Ok(())
    }

    /// Orders a certificate, and notes what became of it.
    async fn order(
        &self,
        book: &mut Book,
        seen: &mut Option<Seen>,
        wanted: &Wanted,
    ) -> Result<(), BookError> {
        let names = wanted.names.join(", ");
        info!(names, authority = wanted.directory, "a certificate is ordered");
        let ordered = self.ordered(book, seen, wanted).await;
        let now = self.clock.now();
        match ordered {
            Ok(issued) => {
                let (not_after, renew) = (issued.not_after, issued.renew);
                info!(names, %not_after, %renew, "a certificate was issued");
                self.counts.issued.add();
                self.note(seen, book, |book| {
                    book.certificate = Some(issued.clone());
                    book.failed = None;
                })
                .await?;
                self.take_in(book).await
            }
            Err(error) => {
                let is_forgotten = matches!(error, OrderError::NoAccount);
                let mut next = now;
                self.counts.failed.add();
                self.note(seen, book, |book| {
                    if is_forgotten {
                        book.account = None;
                    } else {
                        next = book.note_failure(wanted, now);
                    }
                })
                .await?;
                let error = escaped(&error.to_string());
                let kept = book.certificate.is_some();
                error!(names, error, %next, kept, "no certificate was issued, and it is tried again");
                Ok(())
            }
        }
    }

    async fn ordered(
        &self,
        book: &mut Book,
        seen: &mut Option<Seen>,
        wanted: &Wanted,
    ) -> Result<Issued, OrderError> {
        let account = match book.account_at(&wanted.directory) {
            Some(account) => account.clone(),
            None => {
                let account = order::register(&self.settings, self.clock.now()).await?;
                info!(authority = wanted.directory, "there is an account at the authority");
                // It is at it still.
                let noted = self.write(seen, book, |book| book.account = Some(account.clone()));
                noted.await.map_err(|error| OrderError::Unkept(in_one_line(&error)))?;
                account
            }
        };
        self.challenges.answer_with(&account.thumbprint);
        let entered = order::enter(&self.settings, &account).await?;
        self.spread(&account).await;
        let before = book.certificate.as_ref();
        order::order(&entered, wanted, before, self.clock.now()).await
    }

    /// Waits until every replica knows the account.
    async fn spread(&self, account: &Account) {
        let known = later(account.made, SPREAD);
        let left = Duration::try_from(known.duration_since(self.clock.now())).unwrap_or_default();
        if self.place.is_shared() {
            tokio::time::sleep(left.min(SPREAD)).await;
        }
    }

    /// Asks whether the authority wants the certificate replaced earlier.
    async fn ask(
        &self,
        book: &mut Book,
        seen: &mut Option<Seen>,
        wanted: &Wanted,
    ) -> Result<(), BookError> {
        let asked = self.asked(book, wanted).await;
        let now = self.clock.now();
        if let Err(error) = &asked {
            let error = escaped(&error.to_string());
            warn!(error, "the authority does not say when it wants the certificate replaced");
        }
        self.note(seen, book, |book| {
            let Some(issued) = &mut book.certificate else { return };
            issued.ask = Some(later(now, book::ASK_EVERY));
            match &asked {
                Ok(Some((window, again))) => {
                    issued.replace_within(*window);
                    issued.ask = Some(later(now, (*again).clamp(LEAST, book::ASK_EVERY * 4)));
                }
                Ok(None) => issued.ask = None,
                Err(_) => {}
            }
        })
        .await
    }

    async fn asked(
        &self,
        book: &Book,
        wanted: &Wanted,
    ) -> Result<Option<((Time, Time), Duration)>, OrderError> {
        let Some(account) = book.account_at(&wanted.directory) else { return Ok(None) };
        let Some(issued) = book.certificate_for(wanted) else { return Ok(None) };
        let asked = async {
            let entered = order::enter(&self.settings, account).await?;
            order::window(&entered, issued).await
        };
        tokio::time::timeout(order::LONGEST, asked).await.map_err(|_| OrderError::Late)?
    }

    /// Changes the book, and is not at it any more.
    async fn note(
        &self,
        seen: &mut Option<Seen>,
        book: &mut Book,
        mut change: impl FnMut(&mut Book),
    ) -> Result<(), BookError> {
        self.write(seen, book, |book| {
            book.busy_until = None;
            change(book);
        })
        .await
    }

    /// Changes the book, whatever others changed meanwhile.
    async fn write(
        &self,
        seen: &mut Option<Seen>,
        book: &mut Book,
        mut change: impl FnMut(&mut Book),
    ) -> Result<(), BookError> {
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            if let Some((found, as_seen)) = self.place.read(seen.as_ref(), now).await? {
                (*book, *seen) = (found, Some(as_seen));
            }
            let mut next = book.clone();
            change(&mut next);
            let was = seen.clone().unwrap_or(Seen::Nothing);
            if let Some(written) = self.place.write(&was, &next, now).await? {
                (*book, *seen) = (next, Some(written));
                return Ok(());
            }
            *seen = None;
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

/// The authority is not asked again before.
const LEAST: Duration = Duration::from_secs(600);
