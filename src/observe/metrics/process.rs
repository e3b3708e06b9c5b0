//! What the system knows of this process, under the names that every Prometheus library uses.

use std::fs;

use super::catalogue::{
    PROCESS_CPU, PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_RESIDENT, PROCESS_START,
    PROCESS_THREADS,
};
use super::encoder::MetricsEncoder;
use crate::base::clock::Time;

/// A process that began at some time.
#[derive(Debug)]
pub struct Process {
    began: Time,
}

impl Process {
    /// Notes when it began.
    #[must_use]
    pub fn began(at: Time) -> Self {
        Self { began: at }
    }

    /// Writes what the system says. What it does not say is left out.
    ///
    /// # Errors
    /// When the text cannot be made.
    pub fn write(&self, encoder: &mut MetricsEncoder<'_>) -> std::fmt::Result {
        encoder.one(&PROCESS_START, self.began.as_millisecond() as f64 / 1000.0)?;
        if let Some(seconds) = cpu_seconds() {
            encoder.one(&PROCESS_CPU, seconds)?;
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kib) = number(&status, "VmRSS:") {
            encoder.one(&PROCESS_RESIDENT, kib * 1024.0)?;
        }
        if let Some(threads) = number(&status, "Threads:") {
            encoder.one(&PROCESS_THREADS, threads)?;
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // One of them is the folder itself.
            encoder.one(&PROCESS_OPEN_FDS, open.count().saturating_sub(1) as f64)?;
        }
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        if let Some(most) = limit.current {
            encoder.one(&PROCESS_MAX_FDS, most as f64)?;
        }
        Ok(())
    }
}

/// Reads a number from `/proc/self/status`.
fn number(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// proc(5): fields 14 and 15 of `/proc/self/stat`; the second one may hold spaces and brackets.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let ticks = rustix::param::clock_ticks_per_second();
    Some((user + system) as f64 / ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_the_text_of_the_system() {
        let status = "Name:\tbrama\nVmRSS:\t   51234 kB\nThreads:\t12\n";
        assert_eq!(number(status, "VmRSS:"), Some(51234.0));
        assert_eq!(number(status, "Threads:"), Some(12.0));
        assert_eq!(number(status, "VmSwap:"), None);
        assert!(cpu_seconds().is_some());
    }
}
