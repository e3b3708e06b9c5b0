//! Servers that tests start and end.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::settings::Address;
use super::PATIENCE;

/// A program that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program(PathBuf);

impl Program {
    /// Finds Redis. Nothing means that the test is to end.
    pub(super) fn redis() -> Option<Self> {
        let found = installed("redis-server");
        if found.is_none() {
            let required = std::env::var_os("BRAMA_JUDGES").is_some_and(|is| is == "required");
            assert!(!required, "redis-server is not installed, and BRAMA_JUDGES=required");
            eprintln!("SKIPPED: redis-server is not installed (apt-get install redis-server)");
        }
        found.map(Self)
    }

    /// Finds Valkey, where `BRAMA_VALKEY` says or on the path.
    pub(super) fn valkey() -> Option<Self> {
        let told = std::env::var_os("BRAMA_VALKEY").map(PathBuf::from);
        let found = told.or_else(|| installed("valkey-server"));
        if found.is_none() {
            eprintln!("SKIPPED: valkey-server is not installed; BRAMA_VALKEY may say where it is");
        }
        found.map(Self)
    }
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A running server in a folder of its own.
pub(super) struct Server {
    pub(super) address: Address,
    program: Program,
    config: PathBuf,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server with more lines of configuration.
    pub(super) fn start(program: &Program, lines: &str) -> Self {
        let port = free_port();
        Self::start_with(program, port, &format!("port {port}\n{lines}"), &[])
    }

    /// Starts a sentinel with these lines of configuration.
    pub(super) fn start_sentinel(program: &Program, lines: &str) -> Self {
        let port = free_port();
        Self::start_with(program, port, &format!("port {port}\n{lines}"), &["--sentinel"])
    }

    /// Starts a server that says itself on which port it listens.
    pub(super) fn start_with(program: &Program, port: u16, lines: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("server.conf");
        let mut text = format!("bind 127.0.0.1\ndir {}\n{lines}\n", folder.path().display());
        if more.is_empty() {
            text.push_str("save \"\"\nappendonly no\n");
        }
        std::fs::write(&config, text).unwrap();
        let child = spawn(program, &config, more);
        let address = Address { host: "127.0.0.1".to_owned(), port };
        let server = Self { address, program: program.clone(), config, child, _folder: folder };
        server.wait();
        server
    }

    /// Ends it without a warning.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it anew, empty, after it was killed.
    pub(super) fn restart(&mut self) {
        self.child = spawn(&self.program, &self.config, &[]);
        self.wait();
    }

    /// Lets it hang: it keeps its connections and answers nothing (SIGSTOP).
    pub(super) fn stop(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on after it hung.
    pub(super) fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Sends a command, and returns the first line of the answer.
    pub(super) fn ask(&self, command: &str) -> String {
        ask(self.address.port, command).unwrap()
    }

    /// Asks until the answer is as it should be.
    pub(super) fn ask_until(&self, command: &str, is_good: impl Fn(&str) -> bool) {
        let begin = Instant::now();
        while !ask(self.address.port, command).is_ok_and(|answer| is_good(&answer)) {
            assert!(begin.elapsed() < PATIENCE, "{command} never has the right answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until a replica has everything that this server has now.
    pub(super) fn is_followed_by(&self, replica: &Self) {
        let offset = |text: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
            line?.trim().parse().ok()
        };
        let mine = offset(&self.ask("INFO replication")).unwrap();
        replica.ask_until("INFO replication", |text| offset(text) >= Some(mine));
    }

    fn wait(&self) {
        let begin = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.address.port)).is_err() {
            assert!(begin.elapsed() < PATIENCE, "{:?} does not start", self.program);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Program, config: &PathBuf, more: &[&str]) -> Child {
    let mut command = Command::new(&program.0);
    command.arg(config).args(more).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap()
}

fn ask(port: u16, command: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    // Of a text, the whole.
    if let Some(length) = line.strip_prefix('$').and_then(|length| length.trim().parse().ok()) {
        let mut text = vec![0; length];
        std::io::Read::read_exact(&mut reader, &mut text)?;
        line = String::from_utf8_lossy(&text).into_owned();
    }
    Ok(line.trim().to_owned())
}

/// Returns a port that no process has, and neither the one 10,000 above, for the bus of a cluster.
/// Tests that run at the same time begin at different places.
pub(super) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    for _ in 0..RANGE {
        let step = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
        let offset = std::process::id().wrapping_mul(97).wrapping_add(step) % u32::from(RANGE);
        let port = FIRST + u16::try_from(offset).unwrap();
        if is_free(port) && is_free(port + 10_000) {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}

const FIRST: u16 = 10_000;
const RANGE: u16 = 10_000;

/// Answers whatever is sent to it with the same bytes, on a port of its own.
pub(super) async fn parrot(answer: &'static [u8]) -> Address {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut sent = [0; 4096];
                while stream.read(&mut sent).await.is_ok_and(|length| length > 0) {
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    Address { host: "127.0.0.1".to_owned(), port }
}

/// Passes connections on to a server, except one from when it is told so: on that one, what is sent
/// is swallowed, as by a firewall that has forgotten it.
pub(super) struct Firewall {
    pub(super) address: Address,
    forgotten: Arc<AtomicU16>,
}

impl Firewall {
    pub(super) async fn before(server: &Server) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address =
            Address { host: "127.0.0.1".to_owned(), port: listener.local_addr().unwrap().port() };
        let (forgotten, port) = (Arc::new(AtomicU16::new(0)), server.address.port);
        let forgets = Arc::clone(&forgotten);
        tokio::spawn(async move {
            for number in 1.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(pass_on(stream, port, number, Arc::clone(&forgets)));
            }
        });
        Self { address, forgotten }
    }

    /// Forgets a connection, counted from one.
    pub(super) fn forget(&self, number: u16) {
        self.forgotten.store(number, Ordering::SeqCst);
    }
}

async fn pass_on(
    stream: tokio::net::TcpStream,
    port: u16,
    number: u16,
    forgotten: Arc<AtomicU16>,
) -> std::io::Result<()> {
    let server = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (mut from, mut back) = stream.into_split();
    let (mut answers, mut to) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
    let mut bytes = [0; 4096];
    loop {
        let length = from.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        if forgotten.load(Ordering::SeqCst) != number {
            to.write_all(&bytes[..length]).await?;
        }
    }
}
