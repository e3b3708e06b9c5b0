//! The gateway as a program of its own.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::program::{PATIENCE, Program, on_host};
use super::wire::Wire;

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) tls_address: Option<SocketAddr>,
    pub(crate) operations: SocketAddr,
    pub(super) folder: TempDir,
    pub(crate) environment: Vec<(String, String)>,
    /// The words that begin a command on its host, when that is another one.
    pub(super) host: Vec<String>,
}

impl Gateway {
    /// Opens a connection to the plain listener.
    pub(crate) fn connect(&self) -> Wire {
        Wire::connect(self.address)
    }

    /// Starts it again with the same configuration, after it has ended, and waits until it serves.
    pub(crate) fn start_again(&mut self) {
        drop(self.start_beside());
    }

    /// Starts it with the same configuration, and returns the program that it had before.
    pub(crate) fn start_beside(&mut self) -> Program {
        let mut command = on_host(&self.host, env!("CARGO_BIN_EXE_brama"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let file = self.folder.path().join("brama.toml");
        let program = Program::start(command.arg("run").arg("--config").arg(file));
        let before = std::mem::replace(&mut self.program, program);
        self.wait_until_ready();
        before
    }

    /// Runs `brama sessions` as its operator; says whether that went well, and what it said.
    pub(crate) fn operate(&self, words: &[&str], input: &str) -> (bool, String) {
        self.command("sessions", words, input)
    }

    /// Runs a command with its configuration; says whether that went well, and what it said.
    pub(crate) fn command(&self, name: &str, words: &[&str], input: &str) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.arg(name).arg("--config").arg(self.file("brama.toml")).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// Sets the time of day that it sees, as far from the true one as is said: `+2h`, `-50s`.
    pub(crate) fn set_clock(&self, off: &str) {
        fs::write(self.file("clock"), off).unwrap();
    }

    /// Runs `brama reload`; says whether that went well, and what it said.
    pub(crate) fn reload(&self) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        let output = command.args(["reload", "--pid", &self.program.id().to_string()]).output();
        let output = output.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// Opens a connection to the operations listener.
    pub(crate) fn operations(&self) -> Wire {
        Wire::connect(self.operations)
    }

    /// Returns the address of a page, as a browser would write it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.address.port())
    }

    /// Returns the value of `Host` that belongs to [`Self::url`].
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Returns the certificate that clients should trust for [`Tls::On`].
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("localhost.pem")
    }

    /// Asks the operations listener whether traffic should come.
    pub(crate) fn is_ready(&self) -> bool {
        let Ok(stream) = TcpStream::connect(self.operations) else { return false };
        let mut wire = Wire::over(stream);
        wire.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        wire.try_answer("GET").is_ok_and(|answer| answer.status == 200)
    }

    /// Waits until it says that no traffic should come.
    pub(crate) fn until_not_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while self.is_ready() {
            assert!(Instant::now() < deadline, "it still says that it is ready");
        }
    }

    /// Waits for a line that has all of this, before or after the line that was heard last.
    pub(crate) fn has_said(&self, parts: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        let is_it = |line: &String| parts.iter().all(|part| line.contains(part));
        while !self.program.said().iter().any(is_it) {
            assert!(Instant::now() < deadline, "nothing is said of {parts:?}");
            thread::yield_now();
        }
    }

    /// Returns a file beside its configuration.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the text of its configuration, which it does not know until it is told to look.
    pub(crate) fn edit_configuration(&self, from: &str, to: &str) {
        let path = self.folder.path().join("brama.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "the configuration has {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Counts its open descriptors: connections on both sides, among others.
    pub(crate) fn open_descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.program.id())).unwrap().count()
    }

    /// Counts connections that wait without a task: sockets of which the kernel tells once that something came
    /// (epoll(7), EPOLLIN with EPOLLONESHOT).
    pub(crate) fn parked(&self) -> usize {
        const WAITED_FOR: u32 = 0x4000_0001;
        let folder = fs::read_dir(format!("/proc/{}/fdinfo", self.program.id())).unwrap();
        let texts = folder.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
        let parked = |text: String| {
            let events = text
                .lines()
                .filter_map(|line| line.strip_prefix("tfd:")?.split_whitespace().nth(2));
            events
                .filter(|events| {
                    u32::from_str_radix(events, 16).unwrap() & WAITED_FOR == WAITED_FOR
                })
                .count()
        };
        texts.map(parked).sum()
    }

    /// Returns the most memory that it has had resident, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.number("status", "VmHWM:")
    }

    /// Returns the memory that is its own, in KiB: what it shares counts in part (PSS).
    pub(crate) fn memory_kib(&self) -> u64 {
        self.number("smaps_rollup", "Pss:")
    }

    /// Tells whether it waits for a signal, by number, that would end it otherwise.
    pub(crate) fn catches(&self, signal: u32) -> bool {
        let caught = u64::from_str_radix(&self.line("status", "SigCgt:"), 16).unwrap();
        caught & (1 << (signal - 1)) != 0
    }

    fn number(&self, file: &str, key: &str) -> u64 {
        self.line(file, key).trim_end_matches(" kB").parse().unwrap()
    }

    fn line(&self, file: &str, key: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.program.id())).unwrap();
        text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned()
    }

    pub(super) fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !(TcpStream::connect(self.address).is_ok() && self.is_ready()) {
            assert!(!self.program.has_ended(), "the gateway did not start");
            assert!(Instant::now() < deadline, "the gateway does not become ready");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
