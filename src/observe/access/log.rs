//! The access log: records become lines, and lines go to the thread that writes them.

use std::cell::RefCell;
use std::time::Duration;

use super::line;
use super::record::Record;
use super::settings::{Format, Settings};
use crate::observe::writer::Writer;

/// Writes a line for each request, unless it is off.
#[derive(Debug)]
pub struct AccessLog {
    settings: Settings,
    pub(super) writer: Option<Writer>,
}

impl AccessLog {
    /// Makes a log that writes nothing and starts no thread.
    #[must_use]
    pub fn off() -> Self {
        Self { settings: Settings::off(), writer: None }
    }

    /// Opens the file, if it is one, and starts the thread that writes.
    ///
    /// # Errors
    /// When the file cannot be opened or there can be no thread.
    pub fn start(settings: Settings) -> std::io::Result<Self> {
        let writer = match settings.format {
            Format::Off => None,
            Format::Text | Format::Json | Format::Combined => {
                Some(Writer::start("access log", settings.target.clone(), PAUSE)?)
            }
        };
        Ok(Self { settings, writer })
    }

    /// Tells whether records are thrown away, so that they need not be made.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.writer.is_none()
    }

    /// Tells whether records need what only the combined format has.
    #[must_use]
    pub fn is_combined(&self) -> bool {
        self.settings.format == Format::Combined
    }

    /// Returns how many lines were never written.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.writer.as_ref().map_or(0, Writer::lost)
    }

    /// Writes the line of a record; a log that is off ignores it.
    pub fn write(&self, record: &Record<'_>) {
        let Some(writer) = &self.writer else { return };
        LINE.with_borrow_mut(|line| {
            line.clear();
            line::write(line, record, &self.settings);
            writer.push(line);
        });
    }

    /// Opens the file anew, after it was moved away.
    pub fn reopen(&self) {
        if let Some(writer) = &self.writer {
            writer.reopen();
        }
    }

    /// Waits until everything is written that was there before the call; not for a worker.
    pub fn flush(&self) {
        if let Some(writer) = &self.writer {
            writer.flush();
        }
    }
}

thread_local! {
    /// The line that this thread writes, kept for the next.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// How long lines may wait for others.
const PAUSE: Duration = Duration::from_millis(100);
