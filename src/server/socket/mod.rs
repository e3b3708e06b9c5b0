//! Sockets that are listened on: where they come from, and how they are shared among workers.
//!
//! 1. Each worker gets a [`Bound`] of its own. For an address these are sockets of their own
//!    (`SO_REUSEPORT`), among which the kernel spreads the connections; a socket that another
//!    process bound cannot be multiplied, so its workers share one queue.
//! 2. An address that another program listens on is refused, although `SO_REUSEPORT` alone would
//!    share it with a second gateway of the same user, which is never meant.
//! 3. No inherited socket is left out, however many workers there are: connections may wait in
//!    its queue already.
//! 4. The file of a unix socket has its mode before a client can connect to it. A stale one is
//!    replaced, a living one is not. The process that made it removes it, unless a successor goes
//!    on.

use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, Protocol, SockAddr, SockRef, Type};
use tokio::net::TcpListener;

use crate::wire::disconnect;

/// Where to listen: what is still to be bound, or what already is.
#[derive(Debug)]
pub enum Socket {
    /// An address with its port, still to be bound.
    Address(SocketAddr),
    /// A bound socket, for instance because its port had to be known beforehand.
    Bound(std::net::TcpListener),
    /// A unix socket, still to be bound, and which users may connect to it.
    Unix {
        /// Path of the socket file.
        path: PathBuf,
        /// Its mode, such as `0o660`.
        mode: u32,
    },
    /// Sockets from systemd or from a predecessor, see
    /// [`Inherited`](super::handover::Inherited).
    Inherited(Vec<Listening>),
}

/// The sockets of one worker. No runtime knows them yet.
#[derive(Debug)]
pub struct Bound {
    sockets: Vec<Listening>,
    shared: Shared,
}

/// Whether another one has a socket too: systemd, a predecessor or a successor, another worker.
/// Then its queue goes on when we close it. Once it is so, it stays so.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<AtomicBool>);

impl Shared {
    /// Says that another one has it, or may have.
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Tells whether another one may have it.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// One listening socket, of whatever kind.
#[derive(Debug)]
pub enum Listening {
    /// A socket of TCP.
    Tcp(std::net::TcpListener),
    /// A unix socket, and its file if that is ours to remove.
    Unix(std::os::unix::net::UnixListener, Option<Arc<SocketFile>>),
}

/// The file of a unix socket; dropping it removes the file.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode: a file that was put in its place is not ours.
    identity: (u64, u64),
    is_kept: AtomicBool,
}

/// Listens at a socket for `copies` workers, with room for `backlog` connections that wait to be
/// accepted.
///
/// # Errors
/// When the address is taken, or the system refuses.
pub fn bind(socket: Socket, copies: usize, backlog: u32) -> io::Result<Vec<Bound>> {
    let copies = copies.max(1);
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    let shared = Shared::default();
    if !matches!(socket, Socket::Address(_)) {
        shared.set();
    }
    let sockets = match socket {
        Socket::Address(address) => bind_addresses(address, copies, backlog)?,
        Socket::Bound(listener) => vec![Listening::Tcp(listener)],
        Socket::Unix { path, mode } => vec![bind_file(path, mode, backlog)?],
        Socket::Inherited(sockets) if sockets.is_empty() => return Err(ErrorKind::NotFound.into()),
        Socket::Inherited(sockets) => sockets,
    };
    for socket in &sockets {
        socket.set_nonblocking()?;
    }
    deal(sockets, copies, &shared)
}

impl Socket {
    /// Binds a socket now, so that its port is known.
    ///
    /// # Errors
    /// When the address is taken.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Bound(listener))
    }

    /// Returns the address.
    ///
    /// # Errors
    /// When the system does not know it, or it is none of TCP.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Address(address) => Ok(*address),
            Self::Bound(listener) => listener.local_addr(),
            Self::Unix { .. } => Err(ErrorKind::Unsupported.into()),
            Self::Inherited(sockets) => {
                sockets.first().ok_or(ErrorKind::NotFound.into()).and_then(Listening::address)
            }
        }
    }

    /// Returns one TCP listener, binding it when that was not done before.
    ///
    /// # Errors
    /// When the address is taken, or the socket is none of TCP, or there are several.
    pub async fn into_listener(self) -> io::Result<TcpListener> {
        match self {
            Self::Address(address) => TcpListener::bind(address).await,
            Self::Bound(listener) => TcpListener::from_std(listener),
            Self::Unix { .. } => Err(ErrorKind::Unsupported.into()),
            Self::Inherited(mut sockets) => match (sockets.pop(), sockets.is_empty()) {
                (Some(Listening::Tcp(listener)), true) => {
                    listener.set_nonblocking(true)?;
                    TcpListener::from_std(listener)
                }
                _ => Err(ErrorKind::Unsupported.into()),
            },
        }
    }
}

impl From<SocketAddr> for Socket {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

/// As the log has it: `127.0.0.1:8080`, `unix:/run/brama/brama.sock`.
impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Bound(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("unknown"),
            },
            Self::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Self::Inherited(sockets) => match sockets.first() {
                Some(socket) => socket.fmt(f),
                None => f.write_str("unknown"),
            },
        }
    }
}

impl Bound {
    /// Returns the sockets, and whether others have them too.
    pub(super) fn into_parts(self) -> (Vec<Listening>, Shared) {
        (self.sockets, self.shared)
    }

    /// Says whether others have them too, now and later.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns the sockets of this worker.
    #[must_use]
    pub fn sockets(&self) -> &[Listening] {
        &self.sockets
    }

    /// Returns the address of the first one, if it is TCP.
    ///
    /// # Errors
    /// When the system does not know it, or it is none of TCP.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.sockets.first().ok_or(ErrorKind::NotFound.into()).and_then(Listening::address)
    }
}

impl Listening {
    /// Returns the address, if it is TCP.
    ///
    /// # Errors
    /// When the system does not know it, or it is none of TCP.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr(),
            Self::Unix(..) => Err(ErrorKind::Unsupported.into()),
        }
    }

    /// Returns the file that is ours to remove, if there is one.
    pub(super) fn file(&self) -> Option<&Arc<SocketFile>> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(_, file) => file.as_ref(),
        }
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => listener.set_nonblocking(true),
            Self::Unix(listener, _) => listener.set_nonblocking(true),
        }
    }

    /// Makes another handle to the same queue of connections.
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(listener) => Self::Tcp(listener.try_clone()?),
            Self::Unix(listener, file) => Self::Unix(listener.try_clone()?, file.clone()),
        })
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener, _) => listener.as_fd(),
        }
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => address.fmt(f),
                Err(_) => f.write_str("unknown"),
            },
            Self::Unix(listener, _) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                write!(f, "unix:{}", path.unwrap_or(Path::new("")).display())
            }
        }
    }
}

impl SocketFile {
    /// Takes charge of a file.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn own(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&path)?;
        Ok(Self { path, identity, is_kept: AtomicBool::new(false) })
    }

    /// Leaves the file where it is: a successor uses it.
    pub(super) fn keep(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = identity(&self.path).is_ok_and(|identity| identity == self.identity);
        if is_ours && !self.is_kept.load(Ordering::Relaxed) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

/// Gives each worker at least one socket, and each socket at least one worker.
fn deal(sockets: Vec<Listening>, copies: usize, shared: &Shared) -> io::Result<Vec<Bound>> {
    let mut shares: Vec<Vec<Listening>> = (0..copies).map(|_| Vec::new()).collect();
    for missing in sockets.len()..copies {
        shares[missing].push(sockets[missing % sockets.len()].try_clone()?);
    }
    for (number, socket) in sockets.into_iter().enumerate() {
        shares[number % copies].push(socket);
    }
    Ok(shares.into_iter().map(|sockets| Bound { sockets, shared: shared.clone() }).collect())
}

fn bind_addresses(address: SocketAddr, copies: usize, backlog: i32) -> io::Result<Vec<Listening>> {
    if copies > 1 && address.port() != 0 {
        // Without SO_REUSEPORT the system says whether a program listens there already.
        drop(bound(address, Sharing::Alone)?);
    }
    let sharing = if copies > 1 { Sharing::AmongWorkers } else { Sharing::Alone };
    let first = listening(bound(address, sharing)?, backlog)?;
    // With port 0 the first one has the port that the others take too.
    let address = first.local_addr()?;
    let mut sockets = vec![Listening::Tcp(first)];
    while sockets.len() < copies {
        sockets.push(Listening::Tcp(listening(bound(address, sharing)?, backlog)?));
    }
    Ok(sockets)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    AmongWorkers,
}

/// Binds a TCP socket as the standard library does: an IPv6 address that is unspecified takes
/// IPv4 too where the system says so (`net.ipv6.bindv6only`).
fn bound(address: SocketAddr, sharing: Sharing) -> io::Result<socket2::Socket> {
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if sharing == Sharing::AmongWorkers {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

fn listening(socket: socket2::Socket, backlog: i32) -> io::Result<std::net::TcpListener> {
    // Before a client is in the queue: what a connection inherits, it has from its beginning.
    prepare(&socket)?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

/// Prepares a socket of TCP to listen: what is set on it, every connection that it accepts inherits
/// (Linux `tcp(7)`), at no price for each.
pub(super) fn prepare<'s>(socket: impl Into<SockRef<'s>>) -> io::Result<()> {
    let socket = socket.into();
    socket.set_tcp_nodelay(true)?;
    disconnect::watch(&*socket)
}

fn bind_file(path: PathBuf, mode: u32, backlog: i32) -> io::Result<Listening> {
    remove_stale(&path)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(&path)?)?;
    let file = SocketFile::own(path)?;
    // Before listen(2) no client can connect, so none does while the mode is that of the umask.
    fs::set_permissions(&file.path, Permissions::from_mode(mode))?;
    socket.listen(backlog)?;
    Ok(Listening::Unix(socket.into(), Some(Arc::new(file))))
}

/// Removes a socket that no process answers on. Anything else stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        // A process that answers, or is too busy to answer, is alive.
        Ok(_) => Err(ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::AddrInUse.into()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
