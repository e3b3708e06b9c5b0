//! Listening sockets that come from outside: from systemd, or from the program's predecessor.
//!
//! Both speak the same way, that of sd_listen_fds(3): the sockets are descriptors 3 and up,
//! `LISTEN_FDS` says how many, `LISTEN_FDNAMES` what each is for: `http`, `https`, `redirect`,
//! `unix`, `operations`. A predecessor sets no `LISTEN_PID`, for it cannot know it.
//!
//! How a new version takes over without a refused connection:
//!
//! 1. The running program keeps a [`HandOver`] beside its workers.
//! 2. It starts the new version with [`HandOver::prepare`]d sockets. Both accept for a while.
//! 3. When the new one is ready, the old one calls [`HandOver::complete`] and stops as usual.
//!    Connections that wait in a queue are not lost, because the queue is the successor's too.
//!
//! While a [`HandOver`] exists its sockets stay open. Drop it before a stop without a successor,
//! or clients wait in a queue that is not served.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use command_fds::{CommandFdExt, FdMapping, FdMappingCollision};
use listenfd::ListenFd;
use socket2::SockRef;

use super::socket::{Bound, Listening, Shared, Socket, SocketFile};

/// Sockets that were passed to this process.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(String, Listening)>);

/// Sockets that can be passed to a successor.
#[derive(Debug, Default)]
pub struct HandOver {
    /// Where to say that another process has the sockets too.
    shared: Vec<Shared>,
    sockets: Vec<(String, OwnedFd)>,
    /// The inodes of the sockets: workers that share one pass it on once.
    inodes: Vec<u64>,
    files: Vec<Arc<SocketFile>>,
}

/// Why sockets cannot be taken over or passed on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More than a program would pass.
    #[error("LISTEN_FDS says {0} sockets, at most {MOST_SOCKETS} are taken")]
    Many(usize),
    /// A descriptor is not what it should be.
    #[error("socket {number} (\"{name}\") of LISTEN_FDS cannot be used: {source}")]
    Unusable {
        /// Which one, from zero.
        number: usize,
        /// The name that it came with, from `LISTEN_FDNAMES`.
        name: String,
        /// What the system says.
        source: io::Error,
    },
    /// The system does not let them be passed on.
    #[error("sockets cannot be passed on: {0}")]
    Io(#[from] io::Error),
    /// Two sockets would have one number. It cannot happen.
    #[error("sockets cannot be passed on: {0}")]
    Collision(#[from] FdMappingCollision),
}

impl Inherited {
    /// Takes what was passed to this process; nothing, when nothing was.
    ///
    /// Call it once, at the very beginning: it takes the variables out of the environment, which
    /// must not be done while other threads look there, and takes descriptors by their number,
    /// which must not be those of files that the program opened itself.
    ///
    /// # Errors
    /// When a descriptor is no listening socket of TCP or unix.
    pub fn from_environment() -> Result<Self, Error> {
        let count = number(std::env::var("LISTEN_FDS").ok());
        if count > MOST_SOCKETS {
            return Err(Error::Many(count));
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut passed = ListenFd::from_env();
        let mut sockets = Vec::new();
        for number in 0..passed.len() {
            let name = names.next().unwrap_or_default();
            let (name, is_ours) = match name.strip_suffix(OURS) {
                Some(name) => (name, true),
                None => (name, false),
            };
            let socket = take(&mut passed, number, is_ours);
            let socket = socket.map_err(|source| {
                let name = name.to_owned();
                Error::Unusable { number, name, source }
            })?;
            sockets.push((name.to_owned(), socket));
        }
        Ok(Self(sockets))
    }

    /// Takes the sockets of one name.
    #[must_use]
    pub fn take(&mut self, name: &str) -> Option<Socket> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|(n, _)| n == name);
        self.0 = left;
        let taken: Vec<(String, Listening)> = taken;
        let sockets: Vec<_> = taken.into_iter().map(|(_, socket)| socket).collect();
        (!sockets.is_empty()).then_some(Socket::Inherited(sockets))
    }

    /// Returns the names that were not taken: most likely a mistake in a socket unit.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl HandOver {
    /// Remembers the sockets of a listener under its name.
    ///
    /// # Errors
    /// When there are too many, or the system refuses another descriptor.
    pub fn add(&mut self, name: &str, shares: &[Bound]) -> Result<(), Error> {
        self.shared.extend(shares.iter().map(|share| share.shared().clone()));
        for socket in shares.iter().flat_map(Bound::sockets) {
            let copy = File::from(socket.as_fd().try_clone_to_owned()?);
            let inode = copy.metadata()?.ino();
            if self.inodes.contains(&inode) {
                continue;
            }
            if self.inodes.len() == MOST_SOCKETS {
                return Err(Error::Many(MOST_SOCKETS + 1));
            }
            let mark = if socket.file().is_some() { OURS } else { "" };
            self.files.extend(socket.file().cloned());
            self.inodes.push(inode);
            self.sockets.push((format!("{name}{mark}"), copy.into()));
        }
        Ok(())
    }

    /// Has a command pass the sockets on, when it is started.
    ///
    /// # Errors
    /// When the system refuses another descriptor.
    pub fn prepare(&self, command: &mut Command) -> Result<(), Error> {
        // From here on the queues may go on without us.
        self.shared.iter().for_each(Shared::set);
        let mut mappings = Vec::new();
        for ((_, socket), child_fd) in self.sockets.iter().zip(FIRST..) {
            mappings.push(FdMapping { parent_fd: socket.try_clone()?, child_fd });
        }
        command.fd_mappings(mappings)?;
        let names: Vec<_> = self.sockets.iter().map(|(name, _)| name.as_str()).collect();
        command
            .env("LISTEN_FDS", names.len().to_string())
            .env("LISTEN_FDNAMES", names.join(":"))
            .env_remove("LISTEN_PID")
            .env_remove("LISTEN_FDS_FIRST_FD")
            // Our own number; without it the successor is the one to say that it is alive.
            .env_remove("WATCHDOG_PID");
        Ok(())
    }

    /// Leaves everything to the successor, the files of unix sockets too.
    pub fn complete(self) {
        for file in &self.files {
            file.keep();
        }
    }
}

fn number(text: Option<String>) -> usize {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn take(passed: &mut ListenFd, number: usize, is_ours: bool) -> io::Result<Listening> {
    let socket = match passed.take_tcp_listener(number) {
        Ok(Some(listener)) => Listening::Tcp(listener),
        Ok(None) => return Err(ErrorKind::NotFound.into()),
        Err(_) => {
            let listener = passed.take_unix_listener(number)?.ok_or(ErrorKind::NotFound)?;
            let file = match listener.local_addr()?.as_pathname() {
                Some(path) if is_ours => Some(own(path)?),
                _ => None,
            };
            Listening::Unix(listener, file)
        }
    };
    if !SockRef::from(&socket).is_listener()? {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it does not listen"));
    }
    Ok(socket)
}

fn own(path: &Path) -> io::Result<Arc<SocketFile>> {
    Ok(Arc::new(SocketFile::own(path.to_owned())?))
}

/// The most sockets that are taken or passed on.
const MOST_SOCKETS: usize = 4096;

/// The first descriptor after standard input, output and errors (`SD_LISTEN_FDS_START`).
const FIRST: i32 = 3;

/// Marks a unix socket whose file the program made itself, so the last process removes it.
const OURS: &str = "+ours";

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::server::socket::bind;

    const CHILD: &str = "server::handover::tests::successor_that_serves_three_connections";

    fn successor() -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", CHILD, "--ignored", "--nocapture"]);
        command
    }

    #[test]
    fn a_successor_serves_what_waits_in_the_queues_and_removes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("brama.sock");
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let http = bind(any.into(), 2, 16).unwrap();
        let address = http[0].address().unwrap();
        let unix = bind(Socket::Unix { path: path.clone(), mode: 0o600 }, 2, 16).unwrap();
        let mut hand_over = HandOver::default();
        hand_over.add("http", &http).unwrap();
        hand_over.add("unix", &unix).unwrap();
        assert_eq!(hand_over.sockets.len(), 3, "workers that share a socket pass it on once");

        // Clients connect while no process accepts; the predecessor is gone before one does.
        let mut clients =
            [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
        let mut command = successor();
        hand_over.prepare(&mut command).unwrap();
        let mut child = command.spawn().unwrap();
        hand_over.complete();
        drop((http, unix, command));
        assert!(path.exists(), "the file is the successor's");
        // The third client: before it, the successor does not end.
        let mut local = UnixStream::connect(&path).unwrap();

        let mut text = String::new();
        for client in &mut clients {
            client.read_to_string(&mut text).unwrap();
        }
        local.read_to_string(&mut text).unwrap();
        assert_eq!(text, "http http unix ");
        assert!(child.wait().unwrap().success());
        assert!(!path.exists(), "the successor removes the file");
        assert!(TcpStream::connect(address).is_err(), "no handle was left over");
    }

    #[test]
    fn without_a_successor_the_predecessor_removes_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("brama.sock");
        let unix = bind(Socket::Unix { path: path.clone(), mode: 0o600 }, 2, 16).unwrap();
        let mut hand_over = HandOver::default();
        hand_over.add("unix", &unix).unwrap();
        drop(unix);
        assert!(path.exists());
        drop(hand_over);
        assert!(!path.exists());
    }

    #[test]
    fn descriptors_that_do_not_listen_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        for (fd, told) in [
            (OwnedFd::from(connected), "it does not listen"),
            (OwnedFd::from(file), "not a socket"),
        ] {
            let sockets = vec![("http".to_owned(), fd)];
            let hand_over = HandOver { sockets, ..HandOver::default() };
            let mut command = successor();
            hand_over.prepare(&mut command).unwrap();
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success());
            assert!(text.contains(told), "{text}");
        }
    }

    #[test]
    fn sockets_for_another_process_are_left_alone() {
        for (count, process, told) in
            [("1", "1", "nothing was passed"), ("5000", "", "at most 4096")]
        {
            let mut command = successor();
            command.env("LISTEN_FDS", count).env("LISTEN_PID", process);
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(text.contains(told), "{text}");
        }
    }

    /// Runs in a process of its own, as a new version would.
    #[test]
    #[ignore = "started by the tests above, which pass sockets to it"]
    fn successor_that_serves_three_connections() {
        let mut inherited = Inherited::from_environment().unwrap_or_else(|error| panic!("{error}"));
        let http = inherited.take("http").expect("nothing was passed");
        let unix = inherited.take("unix").expect("nothing was passed");
        assert!(inherited.take("http").is_none());
        assert_eq!(inherited.names().count(), 0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // One worker, although the predecessor had two.
            let mut http = bind(http, 1, 16).unwrap().remove(0).into_listener().unwrap();
            let mut unix = bind(unix, 1, 16).unwrap().remove(0).into_listener().unwrap();
            for (listener, name, count) in [(&mut http, "http ", 2), (&mut unix, "unix ", 1)] {
                for _ in 0..count {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    stream.write_all(name.as_bytes()).await.unwrap();
                }
            }
        });
    }
}
