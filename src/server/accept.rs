//! Where a worker accepts connections, and from which peers.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::{SockFilter, SockRef};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::socket::{Bound, Listening, Shared, SocketFile, prepare};
use crate::wire::stream::Stream;

/// The listening sockets of one worker; nearly always it is one.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<Accepting>,
    /// Where to look first, so that none of them starves.
    next: usize,
    shared: Shared,
}

#[derive(Debug)]
enum Accepting {
    Tcp(TcpListener),
    /// Holds the socket's file as well, which goes with the last listener.
    Unix(UnixListener, Option<Arc<SocketFile>>),
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerAddress {
    /// An address; IPv4 is never written as IPv6.
    Tcp(SocketAddr),
    /// A process of this machine.
    Unix,
}

impl Listener {
    pub(super) fn new(sockets: Vec<Listening>, shared: Shared) -> io::Result<Self> {
        let accepting = |socket| {
            Ok(match socket {
                Listening::Tcp(listener) => Accepting::tcp(TcpListener::from_std(listener)?)?,
                Listening::Unix(listener, file) => {
                    Accepting::Unix(UnixListener::from_std(listener)?, file)
                }
            })
        };
        let sockets = sockets.into_iter().map(accepting).collect::<io::Result<_>>()?;
        Ok(Self { sockets, next: 0, shared })
    }

    /// Waits for a connection. Nothing is lost when the waiting is given up.
    ///
    /// # Errors
    /// When the system refuses, for instance because there are too many open files. The next
    /// attempt may succeed; wait a moment before it.
    pub async fn accept(&mut self) -> io::Result<(Stream, PeerAddress)> {
        poll_fn(|context| self.poll_accept(context)).await
    }

    /// Lets no client begin to connect any more, where the queue would end with us; those that have
    /// begun still come. A client that tries now tries again after a second (RFC 6298 2), and is
    /// refused by then. Otherwise it could come into a queue at the very moment when it ends,
    /// believe to be connected, and send a request that is lost.
    ///
    /// Says whether it does anything.
    pub(super) fn turn_away(&self) -> bool {
        if self.shared.is_set() {
            return false;
        }
        let turned = self.sockets.iter().filter(|socket| match socket {
            Accepting::Tcp(listener) => {
                // Where the system does not know filters, it is as it would be without.
                SockRef::from(listener).attach_filter(&NO_SYN).is_ok()
            }
            Accepting::Unix(..) => false,
        });
        turned.count() > 0
    }

    /// Closes the sockets, and returns the clients in their queues: a client in a queue believes to
    /// be connected, may have sent a request already, and would lose it. So nothing is waited for
    /// between the last look into a queue and its end. The runtime's own word on whether a client
    /// is there is not taken: it may be older.
    pub(super) fn close(self) -> Vec<(Stream, PeerAddress)> {
        self.sockets.into_iter().flat_map(Accepting::close).collect()
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(Stream, PeerAddress)>> {
        let count = self.sockets.len();
        for step in 0..count {
            let number = (self.next + step) % count;
            if let Poll::Ready(accepted) = self.sockets[number].poll_accept(context) {
                self.next = number + 1;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

impl Accepting {
    fn tcp(listener: TcpListener) -> io::Result<Self> {
        // One that was passed to us listens already.
        prepare(&listener)?;
        Ok(Self::Tcp(listener))
    }

    fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<(Stream, PeerAddress)>> {
        match self {
            Self::Tcp(listener) => listener
                .poll_accept(context)
                .map_ok(|(stream, address)| (Stream::Tcp(stream), PeerAddress::tcp(address))),
            Self::Unix(listener, _) => listener
                .poll_accept(context)
                .map_ok(|(stream, _)| (Stream::Unix(stream), PeerAddress::Unix)),
        }
    }

    fn close(self) -> Vec<(Stream, PeerAddress)> {
        match self {
            Self::Tcp(listener) => {
                let Ok(listener) = listener.into_std() else { return Vec::new() };
                let queue = std::iter::from_fn(|| listener.accept().ok());
                let queued: Vec<_> = queue.take(QUEUE).collect();
                drop(listener);
                let ready = queued.into_iter().filter_map(|(stream, address)| {
                    stream.set_nonblocking(true).ok()?;
                    let stream = Stream::Tcp(TcpStream::from_std(stream).ok()?);
                    Some((stream, PeerAddress::tcp(address)))
                });
                ready.collect()
            }
            Self::Unix(listener, file) => {
                let Ok(listener) = listener.into_std() else { return Vec::new() };
                let queue = std::iter::from_fn(|| listener.accept().ok());
                let queued: Vec<_> = queue.take(QUEUE).collect();
                drop((listener, file));
                let ready = queued.into_iter().filter_map(|(stream, _)| {
                    stream.set_nonblocking(true).ok()?;
                    Some((Stream::Unix(UnixStream::from_std(stream).ok()?), PeerAddress::Unix))
                });
                ready.collect()
            }
        }
    }
}

/// A filter of a TCP socket that lets everything pass but segments with SYN (RFC 9293 3.1): load
/// byte 13 of the header; where bit 2 is set, go to "drop", otherwise to "pass".
const NO_SYN: [SockFilter; 4] = [
    SockFilter::new(0x30, 0, 0, 13),
    SockFilter::new(0x45, 0, 1, 0x02),
    SockFilter::new(0x06, 0, 0, 0),
    SockFilter::new(0x06, 0, 0, u32::MAX),
];

/// The most that are taken from a queue when it is closed; longer than queues are.
const QUEUE: usize = 65_536;

impl Bound {
    /// Hands the sockets to the runtime of the present task.
    ///
    /// # Errors
    /// When the system refuses, or there is no runtime.
    pub fn into_listener(self) -> io::Result<Listener> {
        let (sockets, shared) = self.into_parts();
        Listener::new(sockets, shared)
    }
}

impl TryFrom<TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: TcpListener) -> io::Result<Self> {
        let shared = Shared::default();
        shared.set();
        Ok(Self { sockets: vec![Accepting::tcp(listener)?], next: 0, shared })
    }
}

impl PeerAddress {
    /// Takes an address as a dual-stack socket tells it.
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        Self::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// Returns an address for whatever must have one: a process of this machine is at 127.0.0.1.
    #[must_use]
    pub fn socket(self) -> SocketAddr {
        match self {
            Self::Tcp(address) => address,
            Self::Unix => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// Returns the IP address, if there is one.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn connections_inherit_what_the_listener_has() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut listener = Listener::try_from(listener).unwrap();
        let client = TcpStream::connect(address).await.unwrap();
        let Stream::Tcp(accepted) = listener.accept().await.unwrap().0 else {
            panic!("not TCP");
        };
        assert!(accepted.nodelay().unwrap() && SockRef::from(&accepted).keepalive().unwrap());
        assert!(!client.nodelay().unwrap(), "it is nobody's default");
    }

    #[test]
    fn ipv4_is_never_written_as_ipv6() {
        for (given, ip) in [
            ("[::ffff:192.0.2.1]:7", "192.0.2.1"),
            ("192.0.2.1:7", "192.0.2.1"),
            ("[2001:db8::1]:7", "2001:db8::1"),
        ] {
            let address = PeerAddress::tcp(given.parse().unwrap());
            assert_eq!(address.ip(), Some(ip.parse().unwrap()));
        }
        assert_eq!(PeerAddress::Unix.ip(), None);
    }

    #[tokio::test]
    async fn whoever_is_in_the_queue_when_it_is_closed_is_not_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Blocking, so the runtime has had no occasion to notice a client.
        let clients: Vec<_> = (0..3)
            .map(|number| {
                let mut client = std::net::TcpStream::connect(address).unwrap();
                client.write_all(&[number]).unwrap();
                client
            })
            .collect();
        let queued = Listener::try_from(listener).unwrap().close();
        let own = |client: &std::net::TcpStream| client.local_addr().unwrap();
        let theirs: Vec<_> = clients.iter().map(|client| PeerAddress::Tcp(own(client))).collect();
        assert_eq!(queued.iter().map(|(_, address)| *address).collect::<Vec<_>>(), theirs);
        for (number, (stream, _)) in queued.into_iter().enumerate() {
            let (mut reader, _writer) = stream.split();
            assert_eq!(usize::from(reader.read_u8().await.unwrap()), number);
        }
        let late = std::net::TcpStream::connect(address).unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn nobody_comes_between_the_last_look_into_a_queue_and_its_end() {
        for turns_away in [true, false] {
            let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            socket.set_nonblocking(true).unwrap();
            let address = socket.local_addr().unwrap();
            let shared = Shared::default();
            let sockets = vec![Listening::Tcp(socket)];
            let mut listener = Listener::new(sockets, shared.clone()).unwrap();
            if !turns_away {
                shared.set();
            }
            let early = std::net::TcpStream::connect(address).unwrap();
            assert_eq!(listener.turn_away(), turns_away);
            let late = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100));
            let late = late.map_err(|error| error.kind());
            assert_eq!(late.is_ok(), !turns_away, "{late:?}");
            assert!(turns_away == matches!(late, Err(io::ErrorKind::TimedOut)));
            // A client that was connected goes on, in both directions.
            let (stream, peer) = listener.accept().await.unwrap();
            assert_eq!(peer, PeerAddress::Tcp(early.local_addr().unwrap()));
            let (mut reader, mut writer) = stream.split();
            (&early).write_all(b"?").unwrap();
            assert_eq!(reader.read_u8().await.unwrap(), b'?');
            writer.write_all(b"!").await.unwrap();
            let mut answer = [0];
            io::Read::read_exact(&mut &early, &mut answer).unwrap();
            assert_eq!(listener.close().len(), usize::from(!turns_away));
        }
    }
}
