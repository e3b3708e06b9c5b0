//! Worker threads, one for each core: each has a runtime of its own, its own sockets and its own
//! connections to upstreams. So no request waits for another core, and no task moves.

use std::future::Future;
use std::io;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

/// The threads that were started, each with what tells of its end.
#[derive(Debug)]
pub struct Workers {
    threads: Vec<(JoinHandle<()>, oneshot::Receiver<()>)>,
}

/// Starts a thread for each job. A job is made on its thread and never leaves it.
///
/// # Errors
/// When a thread or its runtime cannot be made; those that were started end with their jobs.
pub fn start<J, F>(jobs: Vec<J>) -> io::Result<Workers>
where
    J: FnOnce() -> F + Send + 'static,
    F: Future<Output = ()>,
{
    let mut threads = Vec::with_capacity(jobs.len());
    for (number, job) in jobs.into_iter().enumerate() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (ended, has_ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name(format!("brama-worker-{number}")).spawn(
            move || {
                runtime.block_on(async move { job().await });
                let _ = ended.send(());
            },
        )?;
        threads.push((thread, has_ended));
    }
    Ok(Workers { threads })
}

impl Workers {
    /// Waits until all jobs have ended.
    pub async fn ended(self) {
        for (thread, has_ended) in self.threads {
            // An error means that the thread panicked, which the join tells as well.
            let _ = has_ended.await;
            if thread.join().is_err() {
                tracing::error!("a worker thread panicked");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn every_job_runs_on_a_thread_of_its_own_and_is_waited_for() {
        let count = Arc::new(AtomicUsize::new(0));
        let jobs = (0..3).map(|_| {
            let count = Arc::clone(&count);
            move || async move {
                tokio::task::yield_now().await;
                assert_ne!(std::thread::current().name(), Some("main"));
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        start(jobs.collect()).unwrap().ended().await;
        assert_eq!(count.load(Ordering::SeqCst), 3);
    }
}
