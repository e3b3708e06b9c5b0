//! Redis, with and without sentinels, and a way to it that is slow.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::ports::free_address;
use super::program::{PATIENCE, Program, on_host};

/// A server of Redis, without anything on the disk unless its lines say so.
pub(crate) struct Redis {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    words: Vec<String>,
    host: Vec<String>,
    folder: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::start_with(&["--save", "", "--appendonly", "no"])
    }

    /// Starts it with these words on its command line.
    pub(crate) fn start_with(words: &[&str]) -> Self {
        Self::run(free_address(), &[], words)
    }

    /// Starts it on a host of its own, at this address: these words begin a command there.
    pub(crate) fn start_on(address: IpAddr, host: &[String]) -> Self {
        let words = ["--save", "", "--appendonly", "no", "--protected-mode", "no"];
        Self::run(SocketAddr::new(address, 6379), host, &words)
    }

    fn run(address: SocketAddr, host: &[String], words: &[&str]) -> Self {
        let (host, folder) = (host.to_vec(), tempfile::tempdir().unwrap());
        let words: Vec<_> = words.iter().copied().map(str::to_owned).collect();
        let program = run(address, &host, &folder, &words);
        Self { program, address, words, host, folder }
    }

    pub(crate) fn kill(&mut self) {
        self.program.signal("KILL");
        self.program.wait();
    }

    pub(crate) fn start_again(&mut self) {
        self.program = run(self.address, &self.host, &self.folder, &self.words);
    }

    /// Returns the lines of `[store]` for it.
    pub(crate) fn store(&self) -> String {
        redis_at(self.address)
    }

    /// Sends a command, and returns what `redis-cli` prints.
    pub(crate) fn ask(&self, command: &str) -> String {
        let mut client = Command::new("redis-cli");
        client.args(["-h", &self.address.ip().to_string(), "-p", &self.address.port().to_string()]);
        client.args(command.split(' '));
        String::from_utf8_lossy(&client.output().unwrap().stdout).into_owned()
    }

    /// Asks until the answer has this in it.
    pub(crate) fn ask_until(&self, command: &str, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.ask(command).contains(wanted) {
            assert!(Instant::now() < deadline, "{command}: {}", self.ask(command));
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The lines of `[store]` for a server of Redis.
pub(crate) fn redis_at(address: SocketAddr) -> String {
    format!("kind = \"redis\"\n{SECRET}\nredis = {{ addresses = [\"{address}\"] }}")
}

/// Records are sealed with a secret that replicas share.
pub(crate) const SECRET: &str = "secret_files = [\"pairwise\"]";

fn run(address: SocketAddr, host: &[String], folder: &TempDir, words: &[String]) -> Program {
    let mut command = on_host(host, "redis-server");
    if words.iter().any(|word| word == "--sentinel") {
        // A sentinel writes into its configuration.
        let file = folder.path().join("sentinel.conf");
        std::fs::write(&file, format!("port {}\nbind 127.0.0.1\n", address.port())).unwrap();
        command.arg(file);
    } else {
        command.args(["--port", &address.port().to_string()]);
        command.args(["--bind", &address.ip().to_string()]);
        command.args(["--maxmemory-policy", "noeviction", "--dir"]).arg(folder.path());
    }
    let mut program = Program::start(command.args(words));
    program.wait_for(|line| {
        let is_ready = ["Ready to accept connections", "Sentinel ID is"];
        is_ready.iter().any(|said| line.contains(said)).then_some(())
    });
    program
}

/// A master, its replica, and a sentinel that makes the replica a master when the master is gone.
pub(crate) struct Watched {
    pub(crate) master: Redis,
    pub(crate) replica: Redis,
    pub(crate) sentinel: Redis,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let plain = ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        let master = Redis::start_with(&plain);
        let port = master.address.port().to_string();
        let replica =
            Redis::start_with(&[&plain[..], &["--replicaof", "127.0.0.1", &port]].concat());
        replica.ask_until("INFO replication", "master_link_status:up");
        let sentinel = Redis::start_with(&["--sentinel"]);
        sentinel.ask(&format!("SENTINEL MONITOR main 127.0.0.1 {port} 1"));
        sentinel.ask("SENTINEL SET main down-after-milliseconds 500");
        sentinel.ask("SENTINEL SET main failover-timeout 3000");
        sentinel.ask_until("INFO sentinel", "slaves=1");
        Self { master, replica, sentinel }
    }

    /// Waits until the replica has everything that the master has now.
    pub(crate) fn until_replicated(&self) {
        let offset = |server: &Redis| {
            let text = server.ask("INFO replication");
            let line = text.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
            line.unwrap().trim().parse::<u64>().unwrap()
        };
        let (mine, deadline) = (offset(&self.master), Instant::now() + PATIENCE);
        while offset(&self.replica) < mine {
            assert!(Instant::now() < deadline, "the replica does not follow");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A way to a server on which each answer takes its time, and some of them longer.
pub(crate) struct SlowWay {
    pub(crate) address: SocketAddr,
    delay: Arc<AtomicU64>,
}

impl SlowWay {
    /// Makes a way that is not slow yet. Its threads end with the process.
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let delay = Arc::new(AtomicU64::new(0));
        let delayed = Arc::clone(&delay);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A server that is away shows by a connection that ends.
                let Ok(server) = TcpStream::connect(server) else { continue };
                pass_on(stream, server, &delayed);
            }
        });
        Self { address, delay }
    }

    /// Has each answer take so long, or a fifth more or less.
    pub(crate) fn delay(&self, delay: Duration) {
        self.delay.store(u64::try_from(delay.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

fn pass_on(client: TcpStream, server: TcpStream, delay: &Arc<AtomicU64>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut asks, mut asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut asks, &mut asked);
        let _ = asked.shutdown(Shutdown::Both);
    });
    // What is read is not held up by what waits: each answer has its own delay.
    let (queue, waiting) = mpsc::channel::<(Instant, Vec<u8>)>();
    let (mut answers, mut told, delay) = (server, client, Arc::clone(delay));
    thread::spawn(move || {
        let mut bytes = [0; 16 * 1024];
        for number in 0.. {
            let Ok(length @ 1..) = answers.read(&mut bytes) else { return };
            let delay = delay.load(Ordering::SeqCst);
            // Regular, so that a failure can be seen again.
            let due = Instant::now() + Duration::from_millis(delay * (4 + number % 3) / 5);
            if queue.send((due, bytes[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in waiting {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if told.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = told.shutdown(Shutdown::Both);
    });
}
