//! The log of the program: events become lines on standard output.
//!
//! 1. It makes no worker wait. Lines go to a thread that writes them ([`super::writer`]); what no
//!    reader takes is dropped, counted ([`lost`]) and told. A reader that hangs, a full disk or a
//!    closed pipe stops no login and no page.
//! 2. The same warning comes at most so many times a second ([`super::repeats`]).
//! 3. A panic is an event like others: what the standard library writes to standard error could
//!    wait for a reader.

use std::io::{self, IsTerminal};
use std::panic;
use std::sync::OnceLock;
use std::time::Duration;

use tracing::error;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::repeats::Repeats;
use super::writer::{Target, Writer};

/// The filter for logs is malformed.
#[derive(Debug, thiserror::Error)]
#[error("log level \"{0}\" is none; write \"info\" or \"brama=debug\"")]
pub struct BadLevel(String);

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The filter is malformed.
    #[error(transparent)]
    Level(#[from] BadLevel),
    /// There is no thread, or no standard output.
    #[error("the log cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// Starts logging to standard output. A second call changes nothing.
///
/// # Errors
/// When the level is malformed, or the system gives no thread.
pub fn start(json: bool, level: &str) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(level).map_err(|_| BadLevel(level.to_owned()))?;
    if LOG.get().is_some() {
        return Ok(());
    }
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

/// Takes a line, in one piece.
struct Line;

impl io::Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(writer) = LOG.get() {
            writer.push(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
