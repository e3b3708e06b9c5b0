//! The log of the program: events become lines on standard output.
//!
//! 1. It makes no worker wait. Lines go to a thread that writes them ([`super::writer`]); what no
//!    reader takes is dropped, counted ([`lost`]) and told. A reader that hangs, a full disk or a
//!    closed pipe stops no login and no page.
//! 2. The same warning comes at most so many times a second ([`super::repeats`]).
//! 3. What is written can change while it runs ([`set_level`]). An event that is not wanted costs
//!    what it costs without that: a comparison with a number ([`reload`]).
//! 4. A panic is an event like others: what the standard library writes to standard error could
//!    wait for a reader.

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::OnceLock;
use std::time::Duration;

use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, registry, reload};

use super::event::OF_OPERATORS;
use super::repeats::Repeats;
use super::traces::{self, TraceId};
use super::writer::{Target, Writer};

/// The filter for logs is malformed.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no level and no filter of a log")]
pub struct BadLevel(String);

/// What is written: a level, or a filter such as `info,brama::proxy=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level(String);

impl Level {
    /// Takes the text of a filter.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn new(text: &str) -> Result<Self, BadLevel> {
        let level = Self(text.to_owned());
        level.read().map(|_| level).ok_or_else(|| BadLevel(text.to_owned()))
    }

    /// Returns its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the same with another level for our own lines: what libraries say stays as it is. A
    /// filter for a part of ours stays as well. A level that is none changes nothing.
    #[must_use]
    pub fn with_ours_at(&self, level: &str) -> Self {
        Self::new(&format!("{},brama={level}", self.0)).unwrap_or_else(|_| self.clone())
    }

    /// What operators do is written at any level: whoever may change the level could otherwise hide
    /// what they do then.
    fn filter(&self) -> Targets {
        self.read().unwrap_or_default().with_target(OF_OPERATORS, LevelFilter::INFO)
    }

    /// Parts with nothing in them are left out. By spans and fields nothing is told apart here, so none are taken.
    fn read(&self) -> Option<Targets> {
        let parts: Vec<_> = self.0.split(',').filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Some(Targets::new().with_default(LevelFilter::ERROR));
        }
        if self.0.contains('[') { None } else { parts.join(",").parse().ok() }
    }
}

/// Starts logging to standard output. A second call changes nothing.
///
/// # Errors
/// When the system gives no thread.
pub fn start(json: bool, level: &Level) -> io::Result<()> {
    if LOG.get().is_some() {
        return Ok(());
    }
    let (filter, handle) = reload::Layer::new(level.filter());
    let _ = FILTER.set(handle);
    // Lines are few, and an operator at the terminal wants to see them at once.
    let _ = LOG.set(Writer::start("program log", Target::Stdout, Duration::ZERO)?);
    let lines = fmt::layer().with_writer(|| Line).log_internal_errors(false);
    let lines = if json {
        let lines = lines.json().flatten_event(true);
        lines.with_current_span(false).with_span_list(false).boxed()
    } else {
        lines.with_ansi(io::stdout().is_terminal()).compact().with_target(false).boxed()
    };
    let _ = registry().with(filter).with(Repeats::start()?).with(lines).try_init();
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        error!(place, "panic: {}", panic.payload_as_str().unwrap_or("without a message"));
    }));
    Ok(())
}

/// Writes by another level from now on. Where nothing is logged, nothing changes.
pub fn set_level(level: &Level) {
    if let Some(filter) = FILTER.get()
        && let Err(error) = filter.reload(level.filter())
    {
        error!(%error, "log.level stays as it was");
    }
}

/// Waits until everything is written that was there before the call, but not for ever.
pub fn flush() {
    if let Some(writer) = LOG.get() {
        writer.flush();
    }
}

/// Returns how many lines were never written.
#[must_use]
pub fn lost() -> u64 {
    LOG.get().map_or(0, Writer::lost)
}

/// There is one standard output, and one log of a process.
static LOG: OnceLock<Writer> = OnceLock::new();
/// What of it is written.
static FILTER: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Says of a line which trace the request belongs to that it was written for.
fn with_trace(line: &[u8], trace: TraceId) -> Vec<u8> {
    let (begin, told) = match line.strip_suffix(b"}\n") {
        Some(begin) if begin.starts_with(b"{\"") => {
            (begin, format!(",\"trace_id\":\"{trace}\"}}\n"))
        }
        _ => (line.strip_suffix(b"\n").unwrap_or(line), format!(" trace_id=\"{trace}\"\n")),
    };
    [begin, told.as_bytes()].concat()
}

/// Takes a line, in one piece.
struct Line;

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(writer) = LOG.get() {
            match traces::current_id() {
                Some(trace) => writer.push(&with_trace(line, trace)),
                None => writer.push(line),
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_operators_do_is_written_at_any_level() {
        for level in ["off", "error", "", "warn,brama=error", "brama::operators=off", "brama=trace"]
        {
            let written = Arc::new(Mutex::new(Vec::new()));
            let kept = Arc::clone(&written);
            let lines = fmt::layer().with_writer(move || Kept(Arc::clone(&kept))).with_ansi(false);
            let level = Level::new(level).unwrap();
            tracing::subscriber::with_default(registry().with(level.filter()).with(lines), || {
                tracing::info!(target: OF_OPERATORS, "act");
                tracing::debug!(target: OF_OPERATORS, "detail");
                tracing::info!(target: "brama::other", "other");
            });
            let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
            let is_loud = level.text().ends_with("trace");
            assert!(written.contains("act") && !written.contains("detail"), "{level:?}: {written}");
            assert_eq!(written.contains("other\n"), is_loud, "{level:?}: {written}");
        }
    }

    #[test]
    fn a_filter_is_read_whole_or_not_at_all() {
        for good in ["info", "INFO", "", ",warn,", "2", "info,brama::proxy=debug", "hyper=off"] {
            assert_eq!(Level::new(good).unwrap().text(), good);
        }
        for bad in ["brama=loud", "brama=info=debug", "[sign_in]=debug", "brama[{way}]=info"] {
            assert_eq!(Level::new(bad).unwrap_err().0, bad);
        }
    }

    #[test]
    fn a_line_says_which_trace_it_belongs_to_in_its_own_form() {
        let (trace, _) = traces::context::make_both();
        for (line, told) in [
            (
                "{\"level\":\"INFO\"}\n",
                format!("{{\"level\":\"INFO\",\"trace_id\":\"{trace}\"}}\n"),
            ),
            (" INFO a={}\n", format!(" INFO a={{}} trace_id=\"{trace}\"\n")),
            ("", format!(" trace_id=\"{trace}\"\n")),
        ] {
            assert_eq!(with_trace(line.as_bytes(), trace), told.as_bytes());
        }
    }
}
