//! The system's log (RFC 5424), and the journal of systemd by its own protocol.
//!
//! A datagram that the other side has no room for is not waited for here: the caller tries it again.
//! A stream takes a message within [`PATIENCE`], or the connection is given up.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::record::Record;
use super::super::settings::Syslog as At;

/// The system's log.
pub(super) struct Syslog {
    at: At,
    priority: u8,
    host: String,
    connection: Option<Connection>,
}

enum Connection {
    Unix(UnixDatagram),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Syslog {
    pub(super) fn new(at: At, facility: u8) -> Self {
        // RFC 5424 6.2.1: the facility times eight, and the severity, "informational".
        let priority = facility.min(23) * 8 + 6;
        Self { at, priority, host: host_name(), connection: None }
    }

    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }

    pub(super) fn send(&mut self, record: &[u8]) -> io::Result<()> {
        let message = self.message(record);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.at)?,
        };
        let sent = match &mut connection {
            Connection::Unix(socket) => socket.send(&message).map(drop),
            Connection::Udp(socket) => socket.send(&message).map(drop),
            Connection::Tcp(stream) => {
                // RFC 6587 3.4.1: octet counting.
                let head = format!("{} ", message.len());
                stream.write_all(&[head.as_bytes(), &message].concat())
            }
        };
        let is_full = |error: &io::Error| error.kind() == ErrorKind::WouldBlock;
        match (&connection, &sent) {
            (_, Ok(())) => self.connection = Some(connection),
            // Nothing of a datagram was sent, and the other side is still there.
            (Connection::Unix(_) | Connection::Udp(_), Err(error)) if is_full(error) => {
                self.connection = Some(connection);
            }
            _ => {}
        }
        sent
    }

    /// RFC 5424 6: version, time, host, application, process, kind of message, no structured data,
    /// message.
    fn message(&self, record: &[u8]) -> Vec<u8> {
        let read = Record::parse(record);
        let time = read.as_ref().map_or("-", |record| &*record.time);
        let head = format!(
            "<{}>1 {time} {} brama {} audit - ",
            self.priority,
            self.host,
            std::process::id()
        );
        [head.as_bytes(), record].concat()
    }
}

fn connect(at: &At) -> io::Result<Connection> {
    Ok(match at {
        At::Unix(path) => Connection::Unix(datagram(path)?),
        At::Udp(address) => {
            let own: SocketAddr = match address {
                SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            let socket = UdpSocket::bind(own)?;
            socket.connect(address)?;
            socket.set_nonblocking(true)?;
            Connection::Udp(socket)
        }
        At::Tcp(address) => {
            let stream = TcpStream::connect_timeout(address, PATIENCE)?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Connection::Tcp(stream)
        }
    })
}

fn datagram(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The journal of systemd.
pub(super) struct Journal {
    path: PathBuf,
    connection: Option<UnixDatagram>,
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, connection: None }
    }

    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }

    pub(super) fn send(&mut self, record: &[u8]) -> io::Result<()> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => datagram(&self.path)?,
        };
        // A record has no line feed, so each field is one line.
        let head = b"SYSLOG_IDENTIFIER=brama-audit\nPRIORITY=6\nMESSAGE=";
        let sent = connection.send(&[head, record, b"\n"].concat()).map(drop);
        let is_kept = sent.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::WouldBlock);
        self.connection = is_kept.then_some(connection);
        sent
    }
}

/// Returns the name of the machine, as RFC 5424 6.2.4 has it.
pub(in crate::audit) fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// How long a stream may take for a message.
const PATIENCE: Duration = Duration::from_secs(1);
