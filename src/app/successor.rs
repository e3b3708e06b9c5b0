//! A new version of the program takes over the sockets of the running one, and no connection is
//! refused in between.
//!
//! 1. The running program starts the new one with its listening sockets
//!    ([`crate::server::handover`]) and the name of a socket at which it waits to hear "ready" from a
//!    process of its own user. The name is random, in the abstract namespace (unix(7)), so there is
//!    no file to clean up.
//! 2. Both accept connections for a moment. The queue of each socket is common to both.
//! 3. The new one says that it is ready, its version and which file it runs: another process could
//!    not look that up ([`crate::base::dumps`]). The old one leaves. When the new one ends before,
//!    or is not ready in time, the old one goes on as if nothing had been.
//! 4. The first process of a container has none: when it leaves, the kernel ends all others there.

use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::{Child, Command};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tracing::warn;

use crate::base::random;
use crate::base::shutdown::Shutdown;
use crate::server::handover::{self, HandOver};

/// Why there is no successor.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    HandOver(#[from] handover::Error),
    #[error("successor cannot be started: {0}")]
    Start(#[from] io::Error),
    #[error("successor ended before it was ready ({0})")]
    Ended(std::process::ExitStatus),
    #[error("successor was not ready within {0:?}")]
    Slow(Duration),
    #[error("told to stop meanwhile")]
    Stopped,
    #[error(
        "this is the first process of its container, which would end with it: start a container of \
         the new version beside this one"
    )]
    First,
}

/// A program that serves in our place.
#[derive(Debug)]
pub(super) struct Successor {
    pub(super) process: u32,
    /// The file that it runs, as the system knows it; empty when it says nothing of itself.
    pub(super) program: String,
    /// Its version; empty like that.
    pub(super) version: String,
}

/// Starts a successor and waits until it is ready.
pub(super) async fn start(
    mut command: Command,
    sockets: &HandOver,
    stop: &mut Shutdown,
) -> Result<Successor, Error> {
    if std::process::id() == 1 {
        return Err(Error::First);
    }
    let name = random::handle();
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    sockets.prepare(&mut command)?;
    let mut child = command.env(VARIABLE, &name).spawn()?;
    let process = child.id();
    let ready = tokio::select! {
        accepted = accept(&listener) => accepted.map_err(Error::from),
        status = ended(&mut child) => Err(Error::Ended(status?)),
        () = tokio::time::sleep(PATIENCE) => Err(Error::Slow(PATIENCE)),
        () = stop.wait() => Err(Error::Stopped),
    };
    match ready {
        Ok(stream) => {
            let (version, program) = said(stream).await;
            Ok(Successor { process, program, version })
        }
        Err(error) => {
            if !matches!(error, Error::Ended(_)) {
                let _ = child.kill();
                let _ = child.wait();
            }
            Err(error)
        }
    }
}

/// Waits for the successor. Whoever may look at the sockets of the machine finds the name; others than
/// our own user are not heard.
async fn accept(listener: &tokio::net::UnixListener) -> io::Result<tokio::net::UnixStream> {
    let own = rustix::process::geteuid().as_raw();
    loop {
        let (stream, _) = listener.accept().await?;
        if stream.peer_cred()?.uid() == own {
            return Ok(stream);
        }
    }
}

/// Reads what the successor says of itself, within bounds: its version, and the file that it runs.
async fn said(stream: tokio::net::UnixStream) -> (String, String) {
    let mut said = String::new();
    let mut stream = stream.take(LONGEST_WORDS);
    // One that says nothing, or not this, is ready all the same.
    let _ = tokio::time::timeout(SHORT, stream.read_to_string(&mut said)).await;
    let mut lines = said.lines().map(|line| line.chars().filter(|c| !c.is_control()).collect());
    (lines.next().unwrap_or_default(), lines.next().unwrap_or_default())
}

/// Tells whether another process waits for this one to serve in its place.
pub(super) fn has_predecessor() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Tells the program that started this one, if one did, that this one serves.
pub(super) async fn tell_predecessor() {
    let Ok(name) = std::env::var(VARIABLE) else { return };
    let told = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(&name)?)?;
        let program = std::env::current_exe().unwrap_or_default();
        write!(stream, "{VERSION}\n{}\n", program.display())
    });
    if let Ok(Err(error)) = told.await {
        warn!(%error, "predecessor could not be told that this process is ready");
    }
}

async fn ended(child: &mut Child) -> io::Result<std::process::ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The version of this program.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The most bytes of what a successor says that are read, and how long they may take.
const LONGEST_WORDS: u64 = 4096 + 64;
const SHORT: Duration = Duration::from_secs(1);
/// Names the socket at which the predecessor waits.
const VARIABLE: &str = "BRAMA_PREDECESSOR";
/// How long a successor may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
