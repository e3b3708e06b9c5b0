//! The thread that writes the lines of a log out, so that a slow reader stops no worker.
//!
//! 1. Workers put lines into one buffer under a lock that is held for a copy of some hundred bytes.
//!    At most [`MAX_WAITING`] bytes wait; what does not fit is dropped, counted and told.
//! 2. The thread takes the whole buffer at most every [`Writer::start`]`(pause)`, so that a busy
//!    program makes one system call for many lines and a quiet one is not woken for each.
//! 3. Two logs on standard output take turns, a whole batch at a time: no line ends in the middle
//!    of another.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::OFlags;
use tracing::{error, warn};

use crate::base::appending;

/// The most bytes that wait to be written.
pub const MAX_WAITING: usize = 8 * 1024 * 1024;

/// How long an end or a flush waits for the reader of what we write.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where lines are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output, where the lines of the access log are between those of the program's.
    Stdout,
    /// A file that grows.
    File(PathBuf),
}

/// Takes lines and has them written.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Lines that were never written.
    lost: AtomicU64,
    /// Something changed for the thread.
    wake: Condvar,
    /// Something changed for a caller that waits for the thread.
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    dropped: u64,
    is_writing: bool,
    must_hurry: bool,
    must_reopen: bool,
    must_stop: bool,
    has_stopped: bool,
}

impl Writer {
    /// Opens the target and starts the thread. `name` is that of the log, as people call it;
    /// `pause` is how long lines may wait for others.
    pub(super) fn start(name: &'static str, target: Target, pause: Duration) -> io::Result<Self> {
        let output = Output::open(&target)?;
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        std::thread::Builder::new()
            .name(name.replace(' ', "-"))
            .spawn(move || for_thread.run(name, &target, pause, output))?;
        Ok(Self { shared })
    }

    /// Takes a line, or drops it when too many wait.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.shared.lock();
        if state.waiting.len() + line.len() > MAX_WAITING {
            state.dropped += 1;
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if is_first {
            self.shared.wake.notify_one();
        }
    }

    pub(super) fn reopen(&self) {
        self.shared.lock().must_reopen = true;
        self.shared.wake.notify_one();
    }

    /// Returns how many lines were never written.
    pub(super) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    pub(super) fn flush(&self) {
        self.shared.lock().must_hurry = true;
        self.shared.wait_until(|state| !state.is_writing && state.waiting.is_empty());
    }
}

#[cfg(test)]
impl Writer {
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.shared.lock().dropped
    }
}

/// What waits is written before the end, unless no reader takes it.
impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().must_stop = true;
        self.shared.wait_until(|state| state.has_stopped);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread and waits until it has done something, but not for ever.
    fn wait_until(&self, is_done: impl Fn(&State) -> bool) {
        self.wake.notify_one();
        let waiting = |state: &mut State| !is_done(state);
        let _ = self.written.wait_timeout_while(self.lock(), PATIENCE, waiting);
    }

    fn run(&self, name: &str, target: &Target, pause: Duration, mut output: Output) {
        let mut batch = Vec::new();
        let mut had_failed = false;
        loop {
            // 1. Wait for the first line, and then a little for others.
            let mut state = self.lock();
            while state.waiting.is_empty() && !state.must_stop && !state.must_reopen {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let in_no_hurry = |state: &mut State| {
                let told = state.must_hurry || state.must_stop || state.must_reopen;
                !told && state.waiting.len() < MAX_WAITING / 4
            };
            let waited = self.wake.wait_timeout_while(state, pause, in_no_hurry);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
            // 2. Take all of them, and leave an empty buffer of the same room.
            std::mem::swap(&mut state.waiting, &mut batch);
            let dropped = std::mem::take(&mut state.dropped);
            let must_reopen = std::mem::take(&mut state.must_reopen);
            let must_stop = state.must_stop;
            state.must_hurry = false;
            state.is_writing = true;
            drop(state);
            // 3. Write them. What came before the file is opened anew belongs into the old one.
            let result = output.write(&batch);
            if result.is_err() {
                let lines = batch.iter().filter(|&&byte| byte == b'\n').count() as u64;
                self.lost.fetch_add(lines, Ordering::Relaxed);
            }
            batch.clear();
            batch.shrink_to(MAX_WAITING / 8);
            match result {
                Ok(()) => had_failed = false,
                Err(error) if !had_failed => {
                    had_failed = true;
                    error!(%error, "{name} cannot be written, lines are lost");
                }
                Err(_) => {}
            }
            if dropped > 0 {
                warn!(lines = dropped, "{name} cannot keep up, lines were dropped");
            }
            if must_reopen {
                match Output::open(target) {
                    Ok(opened) => output = opened,
                    Err(error) => error!(%error, "{name} cannot be opened anew"),
                }
            }
            let mut state = self.lock();
            state.is_writing = false;
            state.has_stopped = must_stop;
            drop(state);
            self.written.notify_all();
            if must_stop {
                return;
            }
        }
    }
}

enum Output {
    /// A descriptor of its own: the buffer of [`io::Stdout`] would keep what could not be written.
    Stdout(File),
    File(File),
}

impl Output {
    fn open(target: &Target) -> io::Result<Self> {
        match target {
            Target::Stdout => {
                Ok(Self::Stdout(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
            }
            Target::File(path) => {
                // No link, unless it is one of the system's own: a user who can write to the folder
                // could have us write elsewhere. What is new is for the owner and its group.
                let is_systems = path.starts_with("/dev") || path.starts_with("/proc");
                let flags = if is_systems { OFlags::empty() } else { OFlags::NOFOLLOW };
                appending::open(&mut OpenOptions::new(), flags, path).map(Self::File)
            }
        }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout(output) => {
                let _turn = io::stdout().lock();
                appending::write_all(output, lines)
            }
            Self::File(file) => appending::write_all(file, lines),
        }
    }
}
