//! Examinations of answers, away from the threads that serve requests.
//!
//! 1. A worker's thread serves all its connections, so it is not the one that parses, verifies and
//!    decrypts. A thread for work that blocks does ([`tokio::task::spawn_blocking`]).
//! 2. So many are examined at once that half of the processors remain for requests, whatever
//!    answers come. The others wait for their turn, first come, first served; they are no more than
//!    the exchanges that may be under way, since each holds its permit until it was examined.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The places in which answers are examined. Shared by all workers, and kept when the
/// configuration changes.
#[derive(Debug, Clone)]
pub struct Examiner(Arc<Semaphore>);

/// The examination did not come to its end: the process ends, or something in it failed. What it
/// failed with stays untold, since it may quote what was examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("examination of the answer was given up")]
pub struct GivenUp;

impl Default for Examiner {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        Self::of(processors.div_ceil(2))
    }
}

impl Examiner {
    /// Makes an examiner that examines so many answers at once.
    fn of(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Examines when there is a place, and returns what came of it.
    ///
    /// # Errors
    /// When the examination did not come to its end.
    pub async fn examine<T: Send + 'static>(
        &self,
        examination: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, GivenUp> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(|_| GivenUp)?;
        // It keeps its place even when no request waits for it any more.
        let examined = spawn_blocking(move || {
            let result = examination();
            drop(place);
            result
        });
        examined.await.map_err(|_| GivenUp)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn it_runs_on_another_thread_than_the_one_that_waits() {
        let here = thread::current().id();
        let there = Examiner::default().examine(|| thread::current().id()).await.unwrap();
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn no_more_run_at_once_than_there_are_places() {
        let examiner = Examiner::of(2);
        let (started, starts) = mpsc::channel();
        let mut ends = Vec::new();
        let mut running = Vec::new();
        for number in 0..4 {
            let (end, ended) = mpsc::channel::<()>();
            ends.push(end);
            let (examiner, started) = (examiner.clone(), started.clone());
            running.push(tokio::spawn(async move {
                let examination = move || {
                    started.send(number).unwrap();
                    ended.recv().unwrap_err();
                };
                examiner.examine(examination).await
            }));
        }
        // The runtime goes on while two of them hold their places.
        let next = || loop {
            if let Ok(number) = starts.try_recv() {
                break number;
            }
            thread::yield_now();
        };
        while examiner.0.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!([next(), next()].iter().sum::<i32>(), 1);
        for _ in 0..100 {
            tokio::task::yield_now().await;
            assert!(starts.try_recv().is_err(), "a third one runs");
        }
        drop(ends);
        for examined in running {
            examined.await.unwrap().unwrap();
        }
        assert_eq!(starts.try_iter().sum::<i32>(), 5);
        assert_eq!(examiner.0.available_permits(), 2);
    }

    #[tokio::test]
    async fn one_that_fails_gives_its_place_back() {
        let examiner = Examiner::of(1);
        let failed = examiner.examine(|| assert!(thread::current().name().is_none(), "no"));
        assert!(failed.await.is_err());
        assert_eq!(examiner.examine(|| 1).await, Ok(1));
    }
}
