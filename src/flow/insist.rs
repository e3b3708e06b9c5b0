//! What a store is asked for again while it does not answer, because what was spent for it cannot
//! be had a second time: the node tells once what an artifact stands for.
//!
//! A server of Redis that is replaced by another is away for some seconds. A citizen whose login
//! comes to its end just then waits for that long, and is signed in.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::store::Unavailable;

/// Until when a store is asked for all that one citizen waits for.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Has the store asked for so long from now on.
    #[must_use]
    pub fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }
}

/// Asks until there is an answer or the deadline comes, and once when it has. What is asked for
/// must be the same when it is done twice. A store that works and is full is not asked again.
///
/// # Errors
/// The last one.
pub(super) async fn insist<T, F, Fut>(deadline: Deadline, mut ask: F) -> Result<T, Unavailable>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Unavailable>>,
{
    let (Deadline(end), mut pause) = (deadline, SOON);
    loop {
        match ask().await {
            Err(away) if !away.is_full() && Instant::now() + pause < end => {
                sleep(pause).await;
                pause = (pause * 2).min(SELDOM);
            }
            answer => return answer,
        }
    }
}

/// What a store is asked for behind the back of requests: only one that comes again waits for it.
pub(super) struct Behind(Semaphore);

/// All of this process.
pub(super) static BEHIND: Behind = Behind::new(AT_ONCE);

impl Behind {
    const fn new(at_once: usize) -> Self {
        Self(Semaphore::const_new(at_once))
    }

    /// Asks as [`insist`] does. Where a store is asked for too much already, it is asked once.
    ///
    /// # Errors
    /// The last one.
    pub(super) async fn insist<T, F, Fut>(
        &self,
        patience: Duration,
        ask: F,
    ) -> Result<T, Unavailable>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Unavailable>>,
    {
        let turn = self.0.try_acquire();
        let patience = if turn.is_ok() { patience } else { Duration::ZERO };
        insist(Deadline::after(patience), ask).await
    }
}

/// How many are asked for again and again at once behind requests: whoever has a login come to its
/// end while the store is away begins one, which lasts for a minute.
const AT_ONCE: usize = 4096;
/// For how long it is asked while a citizen waits, for all of it together.
pub(super) const PATIENCE: Duration = Duration::from_secs(8);
/// How soon it is asked again, and how seldom when it lasts.
const SOON: Duration = Duration::from_millis(100);
const SELDOM: Duration = Duration::from_millis(800);

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    fn away(number: u32) -> Unavailable {
        Unavailable(format!("away, for the {number}th time"))
    }

    /// Asks a store that answers when it is asked for that time, and says how often it was asked.
    async fn ask(deadline: Deadline, answers_at: u32) -> (Result<u32, Unavailable>, u32) {
        let asked = Cell::new(0);
        let answer = insist(deadline, || {
            asked.set(asked.get() + 1);
            let number = asked.get();
            async move { if number == answers_at { Ok(number) } else { Err(away(number)) } }
        });
        (answer.await, asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_is_asked_until_it_answers_and_no_longer() {
        for answers_at in [1, 2, 5] {
            let (answer, asked) = ask(Deadline::after(PATIENCE), answers_at).await;
            assert_eq!((answer, asked), (Ok(answers_at), answers_at));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_the_last_error_comes_back() {
        for patience in [PATIENCE, PATIENCE * 7] {
            let began = Instant::now();
            let (answer, asked) = ask(Deadline::after(patience), u32::MAX).await;
            assert_eq!(answer, Err(away(asked)));
            assert!(asked > 10, "{asked}");
            let took = began.elapsed();
            assert!(took <= patience && took + SELDOM >= patience, "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_that_one_deadline_is_for_takes_no_longer_together() {
        let (began, deadline) = (Instant::now(), Deadline::after(PATIENCE));
        for _ in 0..4 {
            assert!(ask(deadline, u32::MAX).await.0.is_err());
        }
        assert!(began.elapsed() <= PATIENCE, "{:?}", began.elapsed());
        // When it has come, what is asked for is asked for once.
        tokio::time::advance(PATIENCE).await;
        assert_eq!(ask(deadline, u32::MAX).await, (Err(away(1)), 1));
        assert_eq!(ask(deadline, 1).await, (Ok(1), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn behind_requests_so_many_are_asked_for_again_and_others_once() {
        let behind = Behind::new(1);
        let again = |asked: &'static str, count: Rc<Cell<u32>>| {
            behind.insist(PATIENCE, move || {
                count.set(count.get() + 1);
                async move { Err::<(), _>(Unavailable(asked.to_owned())) }
            })
        };
        let (one, other) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let answers = tokio::join!(again("one", one.clone()), again("other", other.clone()));
        assert!(answers.0.is_err() && answers.1.is_err());
        assert!(one.get() > 10, "{one:?}");
        assert_eq!(other.get(), 1);
        // The turn was given back.
        again("third", other.clone()).await.unwrap_err();
        assert!(other.get() > 10, "{other:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_full_is_not_asked_again() {
        let asked = Cell::new(0);
        let answer: Result<(), _> = insist(Deadline::after(PATIENCE), || {
            asked.set(asked.get() + 1);
            async { Err(Unavailable::full()) }
        })
        .await;
        assert_eq!((answer, asked.get()), (Err(Unavailable::full()), 1));
    }
}
