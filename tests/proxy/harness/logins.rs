//! Citizens who sign in one after the other, while something else goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::citizen::Citizen;
use super::program::PATIENCE;

/// Logins under way.
pub(crate) struct Logins {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    citizens: JoinHandle<(Vec<String>, Vec<String>)>,
}

impl Logins {
    /// Has one citizen after the other sign in at a portal, each from the first page to the session.
    pub(crate) fn at(origin: &str) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::default()), Arc::new(AtomicUsize::default()));
        let (told, count, origin) = (Arc::clone(&stop), Arc::clone(&done), origin.to_owned());
        let citizens = thread::spawn(move || {
            let (mut sessions, mut failed) = (Vec::new(), Vec::new());
            while !told.load(Ordering::Relaxed) {
                let mut citizen = Citizen::at(&origin);
                match catch_unwind(AssertUnwindSafe(|| citizen.sign_in("anna"))) {
                    Ok(session) => sessions.push(session),
                    Err(why) => failed.push(text(&*why)),
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
            (sessions, failed)
        });
        Self { stop, done, citizens }
    }

    /// Waits until that many more have come to an end.
    pub(crate) fn ends(&self, count: usize) {
        let wanted = self.done.load(Ordering::Relaxed) + count;
        let deadline = Instant::now() + PATIENCE;
        while self.done.load(Ordering::Relaxed) < wanted {
            assert!(Instant::now() < deadline, "no login comes to an end");
            thread::yield_now();
        }
    }

    /// Ends them; returns the values of `Cookie` of those who are signed in. None may have failed.
    pub(crate) fn all_signed_in(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let (sessions, failed) = self.citizens.join().unwrap();
        assert!(
            failed.is_empty(),
            "{} of {}: {failed:?}",
            failed.len(),
            self.done.load(Ordering::Relaxed)
        );
        sessions
    }
}

fn text(why: &(dyn std::any::Any + Send)) -> String {
    let text = why.downcast_ref::<String>().cloned();
    text.or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_default()
}
