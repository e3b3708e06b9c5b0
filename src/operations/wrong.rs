//! How wrong tokens are answered: one after the other, each after [`PAUSE`], and told with the address
//! that they came from.
//!
//! 1. A right one is compared before and waits for none, so operators get in whoever tries. Guesses can
//!    therefore be made as fast as answers come, by whoever does not wait for them: what keeps a
//!    token from being guessed is that it is drawn at random and long.
//! 2. [`MOST_WAITING`] wait at once; the next ones are refused at once, and counted.
//! 3. A place is held to the end, although the client leaves before.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tracing::warn;

use super::problem::Problem;
use crate::observe::OF_OPERATORS;

/// Answers wrong tokens.
pub(super) struct WrongTokens {
    turn: Arc<Mutex<()>>,
    places: Arc<Semaphore>,
    /// How many were refused at once, and not told yet.
    refused: Arc<AtomicU64>,
}

impl WrongTokens {
    pub(super) fn new() -> Self {
        let places = Arc::new(Semaphore::new(MOST_WAITING));
        Self { turn: Arc::default(), places, refused: Arc::default() }
    }

    /// Says what a wrong token is answered, when it is time to.
    pub(super) async fn answer(&self, from: IpAddr) -> Problem {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Problem::TooManyWrong;
        };
        let (turn, refused) = (Arc::clone(&self.turn), Arc::clone(&self.refused));
        let waited = tokio::spawn(async move {
            let _place = place;
            let _turn = turn.lock_owned().await;
            let from = from.to_canonical();
            warn!(
                target: OF_OPERATORS,
                %from, "somebody has a wrong token for the operations listener"
            );
            tokio::time::sleep(PAUSE).await;
            let more = refused.swap(0, Ordering::Relaxed);
            if more > 0 {
                warn!(target: OF_OPERATORS, more, "more wrong tokens were refused at once");
            }
        });
        // It ends without an answer only with the program.
        let _ = waited.await;
        Problem::Unauthorized
    }
}

/// How long a wrong token waits for its answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How many wrong tokens wait at once.
const MOST_WAITING: usize = 8;

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;

    use super::*;

    fn from() -> IpAddr {
        IpAddr::from([192, 0, 2, 1])
    }

    #[tokio::test(start_paused = true)]
    async fn the_ninth_is_refused_at_once_and_the_others_one_after_the_other() {
        let wrong = WrongTokens::new();
        let begun = tokio::time::Instant::now();
        let mut all: Vec<_> = (0..MOST_WAITING).map(|_| Box::pin(wrong.answer(from()))).collect();
        for one in &mut all {
            assert_eq!(poll_immediate(one).await, None);
        }
        assert_eq!(
            poll_immediate(Box::pin(wrong.answer(from()))).await,
            Some(Problem::TooManyWrong)
        );
        for one in all {
            assert_eq!(one.await, Problem::Unauthorized);
        }
        assert!(begun.elapsed() >= PAUSE * MOST_WAITING as u32, "{:?}", begun.elapsed());
        assert_eq!(wrong.refused.load(Ordering::Relaxed), 0, "they were told");
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_gives_no_place_back() {
        let wrong = WrongTokens::new();
        for _ in 0..MOST_WAITING {
            // Dropped while it waits.
            assert_eq!(poll_immediate(Box::pin(wrong.answer(from()))).await, None);
        }
        let next = poll_immediate(Box::pin(wrong.answer(from()))).await;
        assert_eq!(next, Some(Problem::TooManyWrong));
        // Until their time is over.
        tokio::time::sleep(PAUSE * (MOST_WAITING as u32 + 1)).await;
        assert_eq!(wrong.answer(from()).await, Problem::Unauthorized);
    }
}
