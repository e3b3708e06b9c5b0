//! A new version of the program takes over the sockets of the running one, and no connection is
//! refused in between.
//!
//! 1. The running program starts the new one with its listening sockets
//!    ([`crate::server::handover`]) and the name of a socket at which it waits to hear "ready". The
//!    name is random, in the abstract namespace (unix(7)), so there is no file to clean up.
//! 2. Both accept connections for a moment. The queue of each socket is common to both.
//! 3. The new one says that it is ready; the old one leaves. When the new one ends before, or is
//!    not ready in time, the old one goes on as if nothing had been.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::process::{Child, Command};
use std::time::Duration;

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
}

/// Starts a successor and waits until it is ready; returns its process id.
pub(super) async fn start(
    mut command: Command,
    sockets: &HandOver,
    stop: &mut Shutdown,
) -> Result<u32, Error> {
    let name = random::handle();
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    sockets.prepare(&mut command)?;
    let mut child = command.env(VARIABLE, &name).spawn()?;
    let process = child.id();
    let ready = tokio::select! {
        accepted = listener.accept() => accepted.map(|_| process).map_err(Error::from),
        status = ended(&mut child) => Err(Error::Ended(status?)),
        () = tokio::time::sleep(PATIENCE) => Err(Error::Slow(PATIENCE)),
        () = stop.wait() => Err(Error::Stopped),
    };
    match ready {
        Ok(_) => {}
        Err(Error::Ended(_)) => {}
        Err(_) => {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
    ready
}

/// Tells whether another process waits for this one to serve in its place.
pub(super) fn has_predecessor() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Tells the program that started this one, if one did, that this one serves.
pub(super) async fn tell_predecessor() {
    let Ok(name) = std::env::var(VARIABLE) else { return };
    let told = tokio::task::spawn_blocking(move || {
        UnixStream::connect_addr(&SocketAddr::from_abstract_name(&name)?).map(drop)
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

/// Names the socket at which the predecessor waits.
const VARIABLE: &str = "BRAMA_PREDECESSOR";
/// How long a successor may take to start.
const PATIENCE: Duration = Duration::from_secs(60);
