//! A timer that is cheap to set again and again.
//!
//! A busy connection moves its deadline with each request and hardly ever reaches one. So the
//! timer is left alone while the deadline moves away, and looks at the deadline anew when it fires.
//!
//! A task that waits for long can be woken in between to look around, by the same timer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// How long to wait still.
#[derive(Debug, Default)]
pub struct Deadline {
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// Why a task that waits is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// To look around, and wait on.
    ToLook,
    /// The deadline has ended.
    Over,
}

impl Deadline {
    /// Ends so long from now.
    pub fn renew(&mut self, time: Duration) {
        self.until(Instant::now() + time);
    }

    /// Sets the moment at which it ends.
    pub fn until(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Takes the deadline away: it never ends.
    pub fn clear(&mut self) {
        self.deadline = None;
    }

    /// Tells whether there is no end to it.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.deadline.is_none()
    }

    /// Is ready when a task has waited for so long without [`clear`](Self::clear) being said in
    /// between. The time begins with the first wait.
    pub fn poll_stalled(&mut self, time: Duration, cx: &mut Context<'_>) -> Poll<()> {
        if self.deadline.is_none() {
            self.renew(time);
        }
        self.poll_over(cx)
    }

    /// Ends so long from now, and looks around within so much of it.
    pub fn renew_looking(&mut self, time: Duration, look: Duration) {
        let now = Instant::now();
        self.until(now + time);
        if let Some(timer) = &mut self.timer
            && timer.deadline() > now + look
        {
            timer.as_mut().reset(now + look);
        }
    }

    /// As [`poll_stalled`](Self::poll_stalled), and looks around meanwhile.
    pub fn poll_stalled_or_look(
        &mut self,
        time: Duration,
        look: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<Woken> {
        if self.deadline.is_none() {
            self.renew(time);
        }
        self.poll_look(look, cx)
    }

    /// Is ready when the deadline has ended, and now and then before that: at the latest so long
    /// after the timer was set last. A task that has looked around waits again, also without a
    /// deadline.
    pub fn poll_look(&mut self, look: Duration, cx: &mut Context<'_>) -> Poll<Woken> {
        let next = |deadline: Option<Instant>| {
            let look = Instant::now() + look;
            deadline.map_or(look, |deadline| deadline.min(look))
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(next(self.deadline))));
        if let Some(deadline) = self.deadline
            && timer.deadline() > deadline
        {
            timer.as_mut().reset(deadline);
        }
        ready!(timer.as_mut().poll(cx));
        if self.deadline.is_some_and(|deadline| timer.deadline() >= deadline) {
            // The next deadline begins with a timer that can still fire.
            self.timer = None;
            return Poll::Ready(Woken::Over);
        }
        timer.as_mut().reset(next(self.deadline));
        Poll::Ready(Woken::ToLook)
    }

    /// Is ready when the deadline has ended.
    pub fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        loop {
            match timer.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if timer.deadline() >= deadline => {
                    // The next deadline begins with a timer that can still fire.
                    self.timer = None;
                    return Poll::Ready(());
                }
                Poll::Ready(()) => timer.as_mut().reset(deadline),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_deadline_that_was_set_last() {
        let begin = Instant::now();
        let mut deadline = Deadline::default();
        assert!(deadline.is_endless());
        deadline.renew(Duration::from_secs(5));
        assert!(!deadline.is_endless());
        assert!(poll_fn(|cx| Poll::Ready(deadline.poll_over(cx).is_pending())).await);
        deadline.renew(Duration::from_secs(60));
        poll_fn(|cx| deadline.poll_over(cx)).await;
        assert_eq!(begin.elapsed().as_secs(), 60);
        deadline.renew(Duration::from_secs(1));
        poll_fn(|cx| deadline.poll_over(cx)).await;
        assert_eq!(begin.elapsed().as_secs(), 61);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_counted_from_the_first_wait_on() {
        let (mut deadline, stall) = (Deadline::default(), Duration::from_secs(5));
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(4)).await;
            let stalled = poll_fn(|cx| Poll::Ready(deadline.poll_stalled(stall, cx)));
            assert!(stalled.await.is_pending());
            deadline.clear();
        }
        let begin = Instant::now();
        poll_fn(|cx| deadline.poll_stalled(stall, cx)).await;
        assert_eq!(begin.elapsed(), stall);
    }

    #[tokio::test(start_paused = true)]
    async fn who_looks_around_does_so_again_and_again_and_still_ends_in_time() {
        let (begin, look) = (Instant::now(), Duration::from_millis(400));
        let mut deadline = Deadline::default();
        // A timer of an earlier wait, far away.
        deadline.renew(Duration::from_secs(75));
        assert!(poll_fn(|cx| Poll::Ready(deadline.poll_over(cx).is_pending())).await);
        deadline.renew_looking(Duration::from_secs(1), look);
        let mut woken = Vec::new();
        while woken.last().is_none_or(|(why, _)| *why == Woken::ToLook) {
            let why = poll_fn(|cx| deadline.poll_look(look, cx)).await;
            woken.push((why, begin.elapsed().as_millis()));
        }
        let looks = [(Woken::ToLook, 400), (Woken::ToLook, 800), (Woken::Over, 1000)];
        assert_eq!(woken, looks);
        deadline.clear();
        for _ in 0..3 {
            assert_eq!(poll_fn(|cx| deadline.poll_look(look, cx)).await, Woken::ToLook);
        }
        assert_eq!(begin.elapsed().as_millis(), 2200);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stalls_is_woken_to_look_around_meanwhile() {
        let (stall, look) = (Duration::from_secs(1), Duration::from_millis(400));
        let mut deadline = Deadline::default();
        for _ in 0..2 {
            let begin = Instant::now();
            let mut woken = Vec::new();
            for _ in 0..3 {
                let why = poll_fn(|cx| deadline.poll_stalled_or_look(stall, look, cx)).await;
                woken.push((why, begin.elapsed().as_millis()));
            }
            let looks = [(Woken::ToLook, 400), (Woken::ToLook, 800), (Woken::Over, 1000)];
            assert_eq!(woken, looks);
            deadline.clear();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_looks_around_seldom_ends_in_time_all_the_same() {
        let begin = Instant::now();
        let mut deadline = Deadline::default();
        // A timer of an earlier wait, far away.
        deadline.renew(Duration::from_secs(75));
        assert!(poll_fn(|cx| Poll::Ready(deadline.poll_over(cx).is_pending())).await);
        deadline.renew(Duration::from_secs(1));
        let why = poll_fn(|cx| deadline.poll_look(Duration::from_secs(60), cx)).await;
        assert_eq!((why, begin.elapsed().as_secs()), (Woken::Over, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_can_come_nearer_and_go_away() {
        let begin = Instant::now();
        let mut deadline = Deadline::default();
        deadline.renew(Duration::from_secs(60));
        assert!(poll_fn(|cx| Poll::Ready(deadline.poll_over(cx).is_pending())).await);
        deadline.renew(Duration::from_secs(2));
        poll_fn(|cx| deadline.poll_over(cx)).await;
        assert_eq!(begin.elapsed().as_secs(), 2);
        deadline.clear();
        assert!(poll_fn(|cx| Poll::Ready(deadline.poll_over(cx).is_pending())).await);
    }
}
