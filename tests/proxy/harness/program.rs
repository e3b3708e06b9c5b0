//! A program, what it says, and its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// A running program, killed when dropped. What it says is kept, and shown when the test fails.
pub(crate) struct Program {
    name: String,
    child: Child,
    said: Arc<Said>,
    heard: usize,
    listeners: Vec<JoinHandle<()>>,
}

/// The lines of both of its outputs, in the order they came.
#[derive(Default)]
struct Said {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let said = Arc::new(Said::default());
        let listeners = vec![
            listen(child.stdout.take().expect("stdout is piped"), &said),
            listen(child.stderr.take().expect("stderr is piped"), &said),
        ];
        let name = command.get_program().to_string_lossy().into_owned();
        Self { name, child, said, heard: 0, listeners }
    }

    /// Starts Chromium at a page, with a profile of its own in a folder.
    pub(crate) fn chromium(profile: &Path, page: &str) -> Self {
        Self::start(
            Command::new("chromium")
                .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
                .args(["--disable-background-networking", "--disable-component-update"])
                .args(["--ignore-certificate-errors", "--disable-quic"])
                .arg("--host-resolver-rules=MAP localhost 127.0.0.1")
                // Without a driver at the other end of the pipe the browser would end at once.
                .arg(format!("--user-data-dir={}", profile.display()))
                .arg(page),
        )
    }

    /// Starts a program that announces with a line `listening ADDRESS` where it is.
    pub(crate) fn start_listening(command: &mut Command) -> (Self, String) {
        let mut program = Self::start(command);
        let address = program.wait_for(|line| line.strip_prefix("listening ").map(str::to_owned));
        (program, address)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        writeln!(stdin, "{line}").unwrap();
        stdin.flush().unwrap();
    }

    /// Waits for a line, after those that were heard before, that means something to `meaning`.
    pub(crate) fn wait_for<T>(&mut self, mut meaning: impl FnMut(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // What it said last is heard after its end.
            let has_ended = self.has_ended();
            while let Some(line) = self.next_line(deadline) {
                if let Some(found) = meaning(&line) {
                    return found;
                }
            }
            assert!(!has_ended, "{} ended", self.name);
            assert!(Instant::now() < deadline, "{} did not say what was waited for", self.name);
        }
    }

    /// Returns the next line that was not heard before. `None` when none comes for a moment.
    fn next_line(&mut self, deadline: Instant) -> Option<String> {
        let moment = GLANCE.min(deadline.saturating_duration_since(Instant::now()));
        let lines = self.said.lines.lock().unwrap();
        let nothing = |lines: &mut Vec<String>| lines.len() == self.heard;
        let (lines, _) = self.said.more.wait_timeout_while(lines, moment, nothing).unwrap();
        let line = lines.get(self.heard).cloned();
        self.heard += usize::from(line.is_some());
        line
    }

    /// Tells whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for a line of JSON with this `kind`, and returns it.
    pub(crate) fn event(&mut self, kind: &str) -> serde_json::Value {
        self.wait_for(|line| {
            let event: serde_json::Value = serde_json::from_str(line).ok()?;
            (event["kind"] == kind).then_some(event)
        })
    }

    /// Returns everything that it has said until now.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lines.lock().unwrap().clone()
    }

    /// Returns everything that it said, after it has ended.
    pub(crate) fn said_to_the_end(&mut self) -> Vec<String> {
        assert!(self.has_ended(), "{} goes on", self.name);
        for listener in self.listeners.drain(..) {
            listener.join().unwrap();
        }
        self.said()
    }

    /// Sends a signal by name, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success(), "signal {name} to {}", self.name);
    }

    /// Waits until it ends by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "{} does not end", self.name);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let lines = self.said();
            let last = &lines[lines.len().saturating_sub(LAST_WORDS)..];
            eprintln!("--- {} said last:\n{}", self.name, last.join("\n"));
        }
    }
}

/// Begins a command on a host of which these words begin each command; here when there are none.
pub(crate) fn on_host(host: &[String], program: &str) -> Command {
    let mut words = host.iter().map(String::as_str).chain([program]);
    let mut command = Command::new(words.next().expect("there is a program"));
    command.args(words);
    command
}

/// How often we look whether a silent program still lives.
const GLANCE: Duration = Duration::from_millis(100);
/// How many lines are shown when a test fails.
const LAST_WORDS: usize = 15;

/// Reads to the end, listened to or not, so that the program never waits for a reader.
fn listen(output: impl Read + Send + 'static, said: &Arc<Said>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            said.lines.lock().unwrap().push(line);
            said.more.notify_all();
        }
    })
}
