//! Peers that vanish without a word: a machine that lost its power, a network that forgot about a
//! connection. A side that only waits would never know, and a tunnel may only wait for hours.
//!
//! So the kernel asks (TCP keep-alive, RFC 9293 3.8.4). A peer that does not answer is found out
//! after [`IDLE`] and [`PROBES`] times [`INTERVAL`], which is two minutes; then the connection is
//! broken.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// How long nothing comes before the first question.
pub const IDLE: Duration = Duration::from_secs(60);
/// How long after a question the next one follows.
pub const INTERVAL: Duration = Duration::from_secs(15);
/// How many questions in a row stay without an answer.
pub const PROBES: u32 = 4;

/// Has the kernel watch over a connection of TCP, or over all that a listening socket accepts from
/// now on: they inherit it (Linux `tcp(7)`), which costs nothing for each.
///
/// # Errors
/// When the system refuses, for instance because it is another kind of socket.
pub fn watch<'s>(socket: impl Into<SockRef<'s>>) -> io::Result<()> {
    let questions =
        TcpKeepalive::new().with_time(IDLE).with_interval(INTERVAL).with_retries(PROBES);
    socket.into().set_tcp_keepalive(&questions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn watched(socket: &TcpStream) -> io::Result<Option<(Duration, Duration, u32)>> {
        let socket = SockRef::from(socket);
        Ok(socket.keepalive()?.then_some((
            socket.tcp_keepalive_time()?,
            socket.tcp_keepalive_interval()?,
            socket.tcp_keepalive_retries()?,
        )))
    }

    #[test]
    fn connections_are_watched_when_they_or_their_listener_are() {
        let expected = Some((IDLE, INTERVAL, PROBES));
        for is_listener_watched in [true, false] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            if is_listener_watched {
                watch(&listener).unwrap();
            }
            let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let far = listener.accept().unwrap().0;
            assert_eq!(watched(&far).unwrap(), expected.filter(|_| is_listener_watched));
            assert_eq!(watched(&near).unwrap(), None);
            watch(&near).unwrap();
            assert_eq!(watched(&near).unwrap(), expected);
        }
    }
}
