//! How much the program logs, changed while it runs, for a while or until the next start.
//!
//! 1. What changes is the level of Brama's own lines. Those of libraries stay as `log.level` has
//!    them: at `trace` some of them write what they read, and that names persons.
//! 2. A level that was set for a while falls back by itself. A reload of the configuration changes
//!    what it falls back to.
//! 3. Every change is said in the log, with the operator's name: what operators do is written at any
//!    level ([`observe::OF_OPERATORS`]).
//! 4. A change is made while nobody else makes one, so that what is shown is what is written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::acts::Acts;
use super::call::{Call, Done, maybe_whole, said};
use super::problem::Problem;
use crate::base::clock::{SharedClock, Time, later};
use crate::observe::event::AdminAction;
use crate::observe::events::Events;
use crate::observe::{self, Level};

/// Answers operators who ask about the log.
pub struct LogDesk {
    clock: SharedClock,
    acts: Acts,
    apply: fn(&Level),
    state: Mutex<State>,
}

struct State {
    configured: Level,
    /// What an operator wanted, and until when.
    wanted: Option<(Amount, Option<Time>)>,
    /// How often it was changed: a timer of an earlier change does nothing.
    changes: u64,
}

/// How much Brama logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Amount {
    /// What does not work.
    Error,
    /// That, and what somebody should look at.
    Warn,
    /// That, and what happens.
    Info,
    /// That, and why.
    Debug,
    /// Everything.
    Trace,
}

/// What an operator wants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The level; null or none is that of the configuration.
    level: Option<Amount>,
    /// After how many seconds it falls back; none is at the next start.
    #[serde(default, deserialize_with = "maybe_whole")]
    #[schemars(range(min = 1, max = 86400))]
    for_seconds: Option<u32>,
}

/// How much is logged.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LogLevel")]
pub struct Shown {
    /// What is written: a level, or a filter of parts of the program.
    level: String,
    /// `log.level` of the configuration.
    configured: String,
    /// When it falls back to that; null when it does not by itself.
    until: Option<String>,
}

impl LogDesk {
    /// Makes the desk of a program that logs as it is configured.
    #[must_use]
    pub fn new(configured: Level, clock: SharedClock, events: Arc<Events>) -> Arc<Self> {
        let state = Mutex::new(State { configured, wanted: None, changes: 0 });
        let acts = Acts::new(events, Arc::clone(&clock));
        Arc::new(Self { clock, acts, apply: observe::set_level, state })
    }

    /// The configuration has another level. What an operator wanted goes on.
    pub fn configure(&self, configured: Level) {
        let mut state = self.lock();
        state.configured = configured;
        (self.apply)(&state.level());
    }

    pub(super) fn show(&self) -> Done {
        said(&self.lock().shown())
    }

    pub(super) async fn set(self: &Arc<Self>, call: Call) -> Done {
        let admin = call.admin()?;
        let wanted: Wanted = call.take().await?;
        if wanted.for_seconds.is_some_and(|seconds| seconds == 0 || seconds > LONGEST) {
            return Err(Problem::malformed("for_seconds is 1 to 86400"));
        }
        let time = wanted.for_seconds.map(|seconds| Duration::from_secs(seconds.into()));
        let time = time.filter(|_| wanted.level.is_some());
        let now = self.clock.now();
        let until = time.map(|time| later(now, time));
        let (change, shown) = {
            let mut state = self.lock();
            state.wanted = wanted.level.map(|amount| (amount, until));
            state.changes += 1;
            let level = state.level();
            (self.apply)(&level);
            let action = AdminAction::ChangedLogLevel { level: level.text(), until };
            self.acts.tell(&admin, action);
            (state.changes, state.shown())
        };
        if let Some(time) = time {
            let desk = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(time).await;
                desk.fall_back(change);
            });
        }
        said(&shown)
    }

    /// Logs as it is configured, unless somebody wanted something else since.
    fn fall_back(&self, change: u64) {
        let mut state = self.lock();
        if state.changes != change {
            return;
        }
        state.wanted = None;
        let level = state.level();
        (self.apply)(&level);
        tracing::warn!(
            target: observe::OF_OPERATORS,
            level = level.text(),
            "the level of the log is that of the configuration"
        );
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns what is written.
    fn level(&self) -> Level {
        match self.wanted {
            None => self.configured.clone(),
            Some((amount, _)) => self.configured.with_ours_at(amount.name()),
        }
    }

    fn shown(&self) -> Shown {
        let until = self.wanted.and_then(|(_, until)| until);
        Shown {
            level: self.level().text().to_owned(),
            configured: self.configured.text().to_owned(),
            until: until.map(|time| time.to_string()),
        }
    }
}

impl Amount {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// What setting it does, for the table.
pub(super) const SETS: &str =
    "Has the program log more or less, for a while or until the next start.";
/// The most seconds until it falls back: a day.
pub const LONGEST: u32 = 86_400;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{OnceLock, TryLockError};

    use super::*;

    fn state(wanted: Option<Amount>) -> State {
        let configured = Level::new("warn,brama::proxy=debug").unwrap();
        State { configured, wanted: wanted.map(|amount| (amount, None)), changes: 0 }
    }

    #[test]
    fn what_libraries_say_stays_as_it_is_configured() {
        assert_eq!(state(None).level().text(), "warn,brama::proxy=debug");
        let trace = state(Some(Amount::Trace)).level();
        assert_eq!(trace.text(), "warn,brama::proxy=debug,brama=trace");
        assert!(Level::new(trace.text()).is_ok());
    }

    static DESK: OnceLock<Arc<LogDesk>> = OnceLock::new();
    static APPLIED: AtomicUsize = AtomicUsize::new(0);

    fn apply(_: &Level) {
        let state = DESK.get().unwrap().state.try_lock();
        assert!(matches!(state, Err(TryLockError::WouldBlock)), "another change may come between");
        APPLIED.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn what_is_shown_is_what_is_written() {
        let clock = Arc::new(crate::base::clock::SystemClock);
        let mut desk = LogDesk::new(Level::new("info").unwrap(), clock, Arc::default());
        Arc::get_mut(&mut desk).unwrap().apply = apply;
        let desk = DESK.get_or_init(|| desk);
        desk.configure(Level::new("warn").unwrap());
        assert_eq!(desk.lock().level().text(), "warn");
        desk.lock().wanted = Some((Amount::Debug, None));
        desk.fall_back(0);
        assert_eq!(desk.lock().level().text(), "warn");
        assert_eq!(APPLIED.load(Ordering::Relaxed), 2);
    }
}
