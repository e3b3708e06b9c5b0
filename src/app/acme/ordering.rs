//! What is done at the authority when it is due, and what is noted of it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tracing::{error, info, warn};

use super::book::{ASK_EVERY, AcmeAccount, Book, Issued, Wanted};
use super::book_store::BookError;
use super::order::{self, OrderError};
use super::{Known, Orders};
use crate::base::causes::in_one_line;
use crate::base::clock::{Time, later};
use crate::base::foreign::escaped;

/// How long all of it may take: less than nobody else is at it.
const LONGEST: Duration = Duration::from_secs(240);
/// Until then every replica knows of an account that was made.
const SPREAD: Duration = Duration::from_secs(12);
/// The authority is not asked again before.
const ASK_LEAST: Duration = Duration::from_secs(600);
/// An account that an authority forgot when it was younger is not made anew at once.
const SETTLED: Duration = Duration::from_secs(24 * 3600);
/// The most letters of what an authority says, in the log.
const MOST_LETTERS: usize = 1000;

impl Orders {
    /// Orders a certificate, and notes what became of it.
    pub(super) async fn order(&self, known: &mut Known, wanted: &Wanted) -> Result<(), BookError> {
        let names = wanted.names.join(", ");
        info!(names, authority = wanted.directory, "a certificate is ordered");
        match guarded(self.ordered(known, wanted)).await {
            Ok(issued) => {
                let (not_after, renew) = (issued.not_after, issued.renew);
                info!(names, %not_after, %renew, "a certificate was issued");
                self.counts.issued.add();
                // It is served even where it cannot be noted.
                let mut book = known.book.clone();
                book.take_in(issued.clone());
                known.unnoted = Some(issued);
                let is_served = self.take_in(&book).await;
                self.note_issued(known).await?;
                is_served
            }
            Err(error) => {
                self.counts.failed.add();
                let now = self.clock.now();
                let forgotten = known.book.account_at(&wanted.directory).cloned();
                let forgotten = forgotten.filter(|_| matches!(error, OrderError::NoAccount));
                self.note(known, |book| book.forget(forgotten.as_ref(), now)).await?;
                let next = known.book.next_try().unwrap_or(now);
                let kept = known.book.certificate.is_some();
                let error = bounded(&error.to_string());
                error!(names, error, %next, kept, "no certificate was issued, and it is tried again");
                Ok(())
            }
        }
    }

    async fn ordered(&self, known: &mut Known, wanted: &Wanted) -> Result<Issued, OrderError> {
        let account = match known.book.account_at(&wanted.directory) {
            Some(account) => account.clone(),
            None => {
                let account = order::register(&self.settings, self.clock.now()).await?;
                info!(authority = wanted.directory, "there is an account at the authority");
                // It is at it still.
                let noted = self.write(known, |book| book.keep_account(account.clone()));
                noted.await.map_err(|error| OrderError::Unkept(in_one_line(&error)))?;
                account
            }
        };
        self.challenges.answer_with(&account.thumbprint);
        let entered = order::enter(&self.settings, &account).await?;
        self.spread(&account).await;
        let before = known.book.certificate.as_ref();
        order::order(&entered, wanted, before, self.clock.now()).await
    }

    /// Waits until every replica knows the account.
    async fn spread(&self, account: &AcmeAccount) {
        let spread = later(account.made, SPREAD);
        let left = Duration::try_from(spread.duration_since(self.clock.now())).unwrap_or_default();
        if self.store.is_shared() {
            tokio::time::sleep(left.min(SPREAD)).await;
        }
    }

    /// Asks whether the authority wants the certificate replaced earlier.
    pub(super) async fn ask(&self, known: &mut Known, wanted: &Wanted) -> Result<(), BookError> {
        let about = known.book.certificate_for(wanted).map(|issued| issued.pem.clone());
        let asked = guarded(self.asked(&known.book, wanted)).await;
        let now = self.clock.now();
        if let Err(error) = &asked {
            let error = bounded(&error.to_string());
            warn!(error, "the authority does not say when it wants the certificate replaced");
        }
        self.note(known, |book| {
            let issued = book.certificate.as_mut().filter(|one| Some(&one.pem) == about.as_ref());
            let Some(issued) = issued else { return };
            issued.ask = Some(later(now, ASK_EVERY));
            match &asked {
                Ok(Some((window, again))) => {
                    issued.replace_within(*window, now);
                    issued.ask = Some(later(now, (*again).clamp(ASK_LEAST, ASK_EVERY * 4)));
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
        let entered = order::enter(&self.settings, account).await?;
        order::window(&entered, issued).await
    }
}

impl Book {
    /// Keeps what was issued.
    pub(super) fn take_in(&mut self, issued: Issued) {
        self.certificate = Some(issued);
        self.failed = None;
    }

    /// Takes an account away that its authority does not know any more. One that was good for long is
    /// made anew at once.
    fn forget(&mut self, forgotten: Option<&AcmeAccount>, now: Time) {
        let Some(forgotten) = forgotten else { return };
        self.accounts.retain(|account| account != forgotten);
        if later(forgotten.made, SETTLED) <= now {
            self.failed = None;
        }
    }
}

/// Bounds what is done at an authority in time, and takes a panic for a failure: the library has some
/// for answers that make no sense.
async fn guarded<T>(work: impl Future<Output = Result<T, OrderError>>) -> Result<T, OrderError> {
    let work = AssertUnwindSafe(tokio::time::timeout(LONGEST, work)).catch_unwind();
    match work.await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(OrderError::Late),
        Err(_) => Err(OrderError::Senseless),
    }
}

/// What an authority says, for the log.
fn bounded(said: &str) -> String {
    let said = escaped(said);
    match said.char_indices().nth(MOST_LETTERS) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_the_library_is_a_failure_as_any_other() {
        let panics = async { if bounded("a") == "a" { panic!("overflow") } else { Ok(()) } };
        assert!(matches!(guarded(panics).await, Err(OrderError::Senseless)));
        assert!(guarded(async { Ok(()) }).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_come_to_an_end_is_ended() {
        let endless = std::future::pending::<Result<(), OrderError>>();
        assert!(matches!(guarded(endless).await, Err(OrderError::Late)));
    }

    #[test]
    fn what_an_authority_says_is_bounded_and_escaped() {
        assert_eq!(bounded("a\nb"), "a\\nb");
        let long = bounded(&"\u{202e}".repeat(100_000));
        assert_eq!(long.chars().count(), MOST_LETTERS + 1);
        assert!(long.is_ascii() || long.ends_with('…'));
    }

    #[test]
    fn an_account_that_was_forgotten_is_made_anew_at_once_only_when_it_was_good_for_long() {
        let now = Time::from_second(1_900_000_000).unwrap();
        let account = |made| AcmeAccount {
            directory: "https://authority.example/".to_owned(),
            credentials: String::new(),
            thumbprint: String::new(),
            made,
        };
        let wanted = Wanted { directory: String::new(), names: Vec::new(), profile: None };
        let old = account(crate::base::clock::earlier(now, SETTLED));
        for (made, is_paused) in [(&old, false), (&account(now), true)] {
            let mut book = Book::default();
            book.keep_account(made.clone());
            book.note_failure(&wanted, now);
            book.forget(Some(made), now);
            assert!(book.accounts.is_empty());
            assert_eq!(book.failed.is_some(), is_paused);
        }
        // Another account that was made meanwhile stays.
        let mut book = Book::default();
        book.keep_account(account(now));
        book.forget(Some(&old), now);
        assert_eq!(book.accounts.len(), 1);
    }
}
