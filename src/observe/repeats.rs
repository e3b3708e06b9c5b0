//! The same warning comes at most so many times a second.
//!
//! A client that asks wrongly, a disk that is full or a system without descriptors would otherwise
//! fill the log, and what is said once among it would be lost.
//!
//! 1. Warnings are the same when they stand at one place of the code and name the same thing
//!    ([`TELLING`]): a flood of one reason hides no other reason, and no other upstream.
//! 2. [`MOST_A_SECOND`] of them are written; the rest are counted, and told after that second.
//! 3. At most [`MOST_KINDS`] kinds are told apart; beyond them a kind is counted anew.
//! 4. What is no warning and no error passes: it tells what happened, and each is another. So does what
//!    operators do.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::event::OF_OPERATORS;

/// How many of the same are written within a second.
const MOST_A_SECOND: u32 = 20;
/// How many kinds are told apart.
const MOST_KINDS: usize = 4096;
/// The fields that make two warnings of one place different.
const TELLING: [&str; 5] = ["reason", "problem", "upstream", "server", "certificate"];
/// How much of a message is told of what was left out.
const MOST_LETTERS: usize = 120;
const SECOND: Duration = Duration::from_secs(1);

/// Leaves out what is repeated too often.
pub(super) struct Repeats {
    kinds: Arc<Kinds>,
    /// Tells of what was left out.
    teller: Thread,
}

#[derive(Default)]
struct Kinds(Mutex<HashMap<u64, Kind>>);

struct Kind {
    began: Instant,
    written: u32,
    left_out: u64,
    message: String,
}

impl Repeats {
    /// Starts the thread that tells of what was left out; it sleeps as long as nothing is.
    pub(super) fn start() -> io::Result<Self> {
        let kinds = Arc::<Kinds>::default();
        let told = Arc::clone(&kinds);
        let teller = thread::Builder::new().name("log-repeats".to_owned()).spawn(move || {
            loop {
                thread::park();
                thread::sleep(SECOND);
                told.tell();
            }
        })?;
        Ok(Self { kinds, teller: teller.thread().clone() })
    }
}

impl<S: Subscriber> Layer<S> for Repeats {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let passes = [module_path!(), OF_OPERATORS].contains(&metadata.target());
        if passes || *metadata.level() > Level::WARN {
            return true;
        }
        match self.kinds.count(event, Instant::now()) {
            Verdict::Write => true,
            Verdict::LeaveOut { is_first } => {
                if is_first {
                    self.teller.unpark();
                }
                false
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Write,
    LeaveOut { is_first: bool },
}

impl Kinds {
    fn count(&self, event: &Event<'_>, now: Instant) -> Verdict {
        let mut reader = Telling(DefaultHasher::new());
        event.metadata().callsite().hash(&mut reader.0);
        event.record(&mut reader);
        let key = reader.0.finish();
        let mut kinds = self.lock();
        if kinds.len() >= MOST_KINDS && !kinds.contains_key(&key) {
            kinds.retain(|_, kind| kind.left_out > 0);
            if kinds.len() >= MOST_KINDS {
                kinds.clear();
            }
        }
        let begin = || Kind { began: now, written: 0, left_out: 0, message: String::new() };
        let kind = kinds.entry(key).or_insert_with(begin);
        if now.saturating_duration_since(kind.began) >= SECOND {
            (kind.began, kind.written) = (now, 0);
        }
        if kind.written < MOST_A_SECOND {
            kind.written += 1;
            return Verdict::Write;
        }
        kind.left_out += 1;
        let is_first = kind.left_out == 1;
        if is_first {
            let mut message = Message(String::new());
            event.record(&mut message);
            kind.message = message.0;
        }
        Verdict::LeaveOut { is_first }
    }

    /// Tells of what was left out, and forgets what did not come for a second.
    fn tell(&self) {
        let mut told = Vec::new();
        self.lock().retain(|_, kind| {
            let lines = std::mem::take(&mut kind.left_out);
            if lines > 0 {
                told.push((lines, std::mem::take(&mut kind.message)));
            }
            kind.began.elapsed() < SECOND
        });
        for (lines, like) in told {
            warn!(lines, like, "the same came too often, lines were left out");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Kind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the fields that tell one warning from another.
struct Telling(DefaultHasher);

impl Visit for Telling {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if TELLING.contains(&field.name()) {
            // A hash takes everything in.
            let _ = write!(self, "{value:?}");
        }
    }
}

impl fmt::Write for Telling {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// Reads the message and the fields that tell it from others.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let is_message = field.name() == "message";
        if is_message || TELLING.contains(&field.name()) {
            let mut text = format!("{value:?}");
            text.truncate(text.floor_char_boundary(MOST_LETTERS));
            let between = if self.0.is_empty() { "" } else { ", " };
            let _ = write!(self.0, "{between}{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;
    use tracing::{error, info};
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry;

    use super::*;
    use crate::base::clock::Time;
    use crate::observe::{ears, event};

    /// Keeps the messages that pass the filter, for the tests to compare.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Written {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }
    }

    impl Written {
        fn count(&self, text: &str) -> usize {
            self.0.lock().unwrap().iter().filter(|line| line.contains(text)).count()
        }
    }

    fn log(reason: &str) {
        warn!(reason, "request refused");
    }

    #[test]
    fn the_same_warning_is_written_so_many_times_and_other_reasons_are_not_hidden() {
        let repeats = Repeats::start().unwrap();
        let (kinds, passed) = (Arc::clone(&repeats.kinds), Written::default());
        with_default(registry().with(repeats).with(passed.clone()), || {
            for number in 0..1000 {
                log("one");
                info!("signed in");
                if number % 100 == 0 {
                    log("other");
                    error!(reason = %number, "broken");
                }
            }
            // All of it within a second, or else more of them were written.
            let most = MOST_A_SECOND as usize;
            assert!((most..1000).contains(&passed.count("one")));
            assert_eq!(passed.count("other"), 10);
            assert_eq!(passed.count("broken"), 10);
            assert_eq!(passed.count("signed in"), 1000);
            let left_out = kinds.lock().values().map(|kind| kind.left_out).sum::<u64>();
            assert_eq!(left_out as usize, 1000 - passed.count("one"));
            kinds.tell();
            assert_eq!(passed.count("lines were left out"), 1, "{:?}", passed.0);
        });
    }

    #[test]
    fn what_a_peer_says_in_its_own_words_makes_no_other_warning_of_it() {
        let repeats = Repeats::start().unwrap();
        let kinds = Arc::clone(&repeats.kinds);
        with_default(registry().with(repeats), || {
            for number in 0..1000 {
                let why = number.to_string();
                for event in [
                    event::Event::LogoutNotConfirmed { why: &why },
                    event::Event::FormNotKept { why: &why },
                    event::Event::FormLost { why: &why },
                ] {
                    let at = Time::UNIX_EPOCH;
                    ears::log::hear(&event::Told { request: None, at, event });
                }
            }
        });
        assert_eq!(kinds.lock().len(), 3);
    }

    #[test]
    fn kinds_without_number_take_no_room_without_bound() {
        let repeats = Repeats::start().unwrap();
        let kinds = Arc::clone(&repeats.kinds);
        with_default(registry().with(repeats), || {
            for number in 0..2 * MOST_KINDS {
                log(&number.to_string());
            }
        });
        // They were forgotten once, all at once, and are told apart again since.
        assert_eq!(kinds.lock().len(), MOST_KINDS);
    }
}
