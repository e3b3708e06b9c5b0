//! The access log: one line for each request, for operators and their statistics.
//!
//! 1. No personal data by default: no query, no name of a session, addresses without their last
//!    part ([`Addresses`]). Nothing that a client sends can begin a new line or end a field.
//! 2. It never makes a request wait. A line is written into memory, where at most [`MAX_WAITING`]
//!    bytes wait for the thread that writes them out. What does not fit is dropped,
//!    counted and told in the log.
//! 3. Every field is bounded ([`MAX_FIELD`]).
//!
//! What could break it in deployment: a full disk (lines are lost, the log says so; requests go
//! on), and a file that is moved away without [`AccessLog::reopen`] (lines go on into it).

mod line;
mod writer;

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::Version;

use self::writer::Writer;
use crate::base::clock::Time;

pub use self::line::{MAX_FIELD, masked};
pub use self::writer::MAX_WAITING;

/// How the access log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What a line looks like.
    pub format: Format,
    /// Where the lines go.
    pub target: Target,
    /// How much of an address is written.
    pub addresses: Addresses,
    /// Whether the query is written too.
    pub query: bool,
}

impl Settings {
    /// Writes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self {
            format: Format::Off,
            target: Target::Stdout,
            addresses: Addresses::Masked,
            query: false,
        }
    }
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// There is none.
    Off,
    /// One JSON object a line.
    Json,
    /// The combined format of web servers.
    Combined,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output, between the lines of the program's log.
    Stdout,
    /// A file that grows.
    File(PathBuf),
}

/// How much of an address is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// All of it.
    Full,
    /// Without the last 8 bits of IPv4 and the last 80 of IPv6, which tell one household from
    /// another.
    Masked,
    /// None of it.
    Off,
}

/// One request and what became of it.
#[derive(Debug, Clone)]
pub struct Record<'r> {
    /// When it came.
    pub time: Time,
    /// Its number.
    pub request: &'r str,
    /// The client.
    pub address: IpAddr,
    /// The method.
    pub method: &'r str,
    /// The canonical host; empty when there was none.
    pub host: &'r str,
    /// The path as it came.
    pub path: &'r str,
    /// The query as it came.
    pub query: Option<&'r str>,
    /// The protocol of the client's connection.
    pub protocol: Version,
    /// Whether the browser's connection was encrypted.
    pub is_tls: bool,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the answer's body.
    pub sent: u64,
    /// Until the last byte was handed over.
    pub total: Duration,
    /// Until there was a connection to the upstream; absent when one was there already.
    pub connect: Option<Duration>,
    /// From the request until the head of the upstream's answer.
    pub first_byte: Option<Duration>,
    /// The server that answered.
    pub upstream: Option<&'r str>,
    /// The path prefix of the route.
    pub route: Option<&'r str>,
    /// Why it was refused.
    pub reason: Option<&'r str>,
    /// `Referer`; only its part before the query is written, in the combined format.
    pub referer: Option<&'r [u8]>,
    /// `User-Agent`, written in the combined format.
    pub user_agent: Option<&'r [u8]>,
}

/// The access log.
#[derive(Debug)]
pub struct AccessLog {
    settings: Settings,
    writer: Option<Writer>,
}

impl AccessLog {
    /// Writes nothing.
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
            Format::Json | Format::Combined => Some(Writer::start(settings.target.clone())?),
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

    /// Writes a record.
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

#[cfg(test)]
mod tests;
