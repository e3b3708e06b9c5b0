//! The wakers of a connection's two parts, its frames and its streams, which do not wake their task
//! while that is at work.
//!
//! What a stream sends wakes whoever reads and writes frames, and room on the connection wakes the
//! streams. Both are one task: it asks which part was woken before its turn ends, so another turn
//! is needed only for what happens between two of them, and a part that was not woken is left
//! alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Whether the task is at work.
#[derive(Default)]
pub(super) struct Turn {
    task: AtomicWaker,
    is_at_work: AtomicBool,
}

/// A part of the task, and whether it was woken since it was asked.
pub(super) struct Part {
    turn: Arc<Turn>,
    is_woken: AtomicBool,
}

impl Turn {
    /// Begins a turn of the task that this waker wakes.
    pub(super) fn begin(&self, task: &Waker) {
        self.task.register(task);
        self.is_at_work.store(true, Ordering::SeqCst);
    }

    /// Ends a turn. A part that was woken and not asked wakes the task.
    pub(super) fn end(&self, parts: [&Part; 2]) {
        self.is_at_work.store(false, Ordering::SeqCst);
        if parts.iter().any(|part| part.is_woken.load(Ordering::SeqCst)) {
            self.task.wake();
        }
    }
}

impl Part {
    /// A part that has not had its first turn.
    pub(super) fn new(turn: &Arc<Turn>) -> Arc<Self> {
        Arc::new(Self { turn: Arc::clone(turn), is_woken: AtomicBool::new(true) })
    }

    /// Tells whether it was woken since this was asked last.
    pub(super) fn take_woken(&self) -> bool {
        self.is_woken.swap(false, Ordering::SeqCst)
    }
}

impl Wake for Part {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if !self.turn.is_at_work.load(Ordering::SeqCst) {
            self.turn.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_task_is_woken_between_turns_and_for_what_a_turn_left() {
        let (turn, task) = (Arc::new(Turn::default()), Arc::new(Task::default()));
        let (one, other) = (Part::new(&turn), Part::new(&turn));
        let own = Waker::from(Arc::clone(&task));
        let end = || turn.end([&one, &other]);
        let times = || task.0.load(Ordering::SeqCst);
        // What was woken in a turn and asked costs no other one.
        turn.begin(&own);
        assert!(one.take_woken() && other.take_woken());
        one.wake_by_ref();
        assert!(one.take_woken() && !one.take_woken() && !other.take_woken());
        end();
        assert_eq!(times(), 0);
        // What was not asked does.
        turn.begin(&own);
        other.wake_by_ref();
        end();
        assert_eq!(times(), 1);
        // And so does what happens between two turns.
        turn.begin(&own);
        assert!(other.take_woken());
        end();
        one.wake_by_ref();
        assert_eq!(times(), 2);
        turn.begin(&own);
        assert!(one.take_woken() && !other.take_woken());
    }
}
