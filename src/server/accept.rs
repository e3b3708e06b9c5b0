//! Where a worker accepts connections, and from whom.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::net::{TcpListener, UnixListener};

use super::socket::{Listening, SocketFile};
use crate::wire::stream::Stream;
use crate::wire::vanished;

/// The listening sockets of one worker; nearly always it is one.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<Accepting>,
    /// Where to look first, so that none of them starves.
    next: usize,
}

#[derive(Debug)]
enum Accepting {
    Tcp(TcpListener),
    /// Holds the socket's file as well, which goes with the last listener.
    Unix(UnixListener, #[expect(dead_code, reason = "held for its drop")] Option<Arc<SocketFile>>),
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
    pub(super) fn new(sockets: Vec<Listening>) -> io::Result<Self> {
        let accepting = |socket| {
            Ok(match socket {
                Listening::Tcp(listener) => Accepting::tcp(TcpListener::from_std(listener)?)?,
                Listening::Unix(listener, file) => {
                    Accepting::Unix(UnixListener::from_std(listener)?, file)
                }
            })
        };
        let sockets = sockets.into_iter().map(accepting).collect::<io::Result<_>>()?;
        Ok(Self { sockets, next: 0 })
    }

    /// Waits for a connection. Nothing is lost when the waiting is given up.
    ///
    /// # Errors
    /// When the system refuses, for instance because there are too many open files. The next
    /// attempt may succeed; wait a moment before it.
    pub async fn accept(&mut self) -> io::Result<(Stream, PeerAddress)> {
        poll_fn(|context| self.poll_accept(context)).await
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
    /// Prepares a listening socket: what is set on it, every connection that it accepts inherits
    /// (Linux `tcp(7)`), at no price for each.
    fn tcp(listener: TcpListener) -> io::Result<Self> {
        vanished::watch(&listener)?;
        SockRef::from(&listener).set_tcp_nodelay(true)?;
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
}

impl TryFrom<TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: TcpListener) -> io::Result<Self> {
        Ok(Self { sockets: vec![Accepting::tcp(listener)?], next: 0 })
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
    use super::*;

    #[tokio::test]
    async fn connections_inherit_what_the_listener_has() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut listener = Listener::try_from(listener).unwrap();
        let client = tokio::net::TcpStream::connect(address).await.unwrap();
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
}
