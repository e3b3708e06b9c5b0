//! Citizens who sign in one after the other, while something else goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::citizen::Citizen;
use super::program::PATIENCE;

/// Logins under way.
pub(crate) struct Logins {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    citizens: Option<JoinHandle<(Vec<String>, Vec<String>)>>,
}

impl Logins {
    /// Has one citizen after the other sign in at a portal, each from the first page to the session.
    pub(crate) fn at(origin: &str) -> Self {
        let origin = origin.to_owned();
        Self::by(move || Citizen::at(&origin).sign_in("anna"))
    }

    /// Has one sign in after the other in this way, which panics when it fails.
    pub(crate) fn by(sign_in: impl Fn() -> String + Send + 'static) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::default()), Arc::new(AtomicUsize::default()));
        let (told, count) = (Arc::clone(&stop), Arc::clone(&done));
        let citizens = thread::spawn(move || {
            let (mut sessions, mut failed) = (Vec::new(), Vec::new());
            while !told.load(Ordering::Relaxed) {
                match catch_unwind(AssertUnwindSafe(&sign_in)) {
                    Ok(session) => sessions.push(session),
                    Err(why) => {
                        failed.push(text(&*why));
                        thread::sleep(Duration::from_millis(50));
                    }
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
            (sessions, failed)
        });
        Self { stop, done, citizens: Some(citizens) }
    }

    /// Waits until that many more have come to an end.
    pub(crate) fn ends(&self, count: usize) {
        for _ in 0..count {
            let (seen, deadline) = (self.done.load(Ordering::Relaxed), Instant::now() + PATIENCE);
            while self.done.load(Ordering::Relaxed) == seen {
                assert!(Instant::now() < deadline, "no login comes to an end");
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Ends them; returns the values of `Cookie` of those who are signed in. None may have failed.
    pub(crate) fn all_signed_in(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let (sessions, failed) = self.citizens.take().expect("they end once").join().unwrap();
        assert!(
            failed.is_empty(),
            "{} of {}: {failed:?}",
            failed.len(),
            self.done.load(Ordering::Relaxed)
        );
        sessions
    }
}

impl Drop for Logins {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn text(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default()
}
