//! The PROXY protocol, versions 1 and 2: a proxy says which client's connection it brings.
//!
//! 1. Which peers send the header is settled by network, never by looking: a peer of a listed
//!    network must send one, and what any other peer sends is never taken for one. (haproxy,
//!    proxy-protocol.txt, section 2: "the receiver MUST be configured to only receive the
//!    protocol", and must not guess.)
//! 2. Exactly the header is read. The next byte is still in the stream, so nothing is lost and
//!    nothing needs to be given back.
//! 3. At most [`LONGEST`] bytes are read. A header that is malformed in any way ends the
//!    connection; half of it is never believed.
//! 4. How long the header may take is the caller's to say: [`Limits::handshake_timeout`].
//!
//! [`Limits::handshake_timeout`]: super::limits::Limits::handshake_timeout

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes that a header of version 2 may have, its extensions (TLVs) included. Version 1
/// has at most 107 by its definition.
pub const LONGEST: usize = 4096;

/// What the header says of where the connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The proxy's own, for instance a health check, or one of which it knows no address. The
    /// addresses of the connection itself count.
    Own,
    /// That of a client.
    Client {
        /// The client; IPv4 is never written as IPv6.
        source: SocketAddr,
        /// What the client connected to.
        destination: SocketAddr,
    },
}

/// Why a header is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection broke or ended within the header.
    #[error("connection ended within the PROXY header: {0}")]
    Io(#[from] io::Error),
    /// Its first bytes are those of no version.
    #[error("connection from a listed proxy does not begin with a PROXY header")]
    Missing,
    /// It is longer than it may be.
    #[error("PROXY header is too long")]
    TooLong,
    /// It breaks a rule of its version.
    #[error("PROXY header is malformed: {0}")]
    Malformed(&'static str),
}

/// Reads the header of a connection that must have one.
///
/// # Errors
/// When there is none, or it is malformed, or the connection ends.
pub async fn read<R: AsyncRead + Unpin>(stream: &mut R) -> Result<Header, Error> {
    // The shortest header has 15 bytes, so these do not reach beyond one.
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        read_binary(stream).await
    } else if start.starts_with(WORD) {
        read_line(stream, &start).await
    } else {
        Err(Error::Missing)
    }
}

/// Reads the rest of a version 1 header byte by byte: its length is not known before its end.
async fn read_line<R: AsyncRead + Unpin>(stream: &mut R, start: &[u8]) -> Result<Header, Error> {
    let mut line = Vec::with_capacity(LONGEST_LINE);
    line.extend_from_slice(start);
    while !line.ends_with(b"\r\n") {
        if line.len() == LONGEST_LINE {
            return Err(Error::TooLong);
        }
        line.push(stream.read_u8().await?);
    }
    line.truncate(line.len() - 2);
    let line = str::from_utf8(&line).map_err(|_| Error::Malformed("it is no text"))?;
    parse_line(line)
}

/// Reads the rest of a version 2 header, whose length is in its first 16 bytes.
async fn read_binary<R: AsyncRead + Unpin>(stream: &mut R) -> Result<Header, Error> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version_and_command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if SIGNATURE.len() + head.len() + length > LONGEST {
        return Err(Error::TooLong);
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    parse_binary(version_and_command, family, &rest)
}

/// Version 1, without its end of line: `PROXY TCP4 192.0.2.1 192.0.2.2 50000 443`.
fn parse_line(line: &str) -> Result<Header, Error> {
    let mut parts = line.split(' ');
    let _proxy = parts.next();
    let read = match parts.next() {
        // Whatever else the line has is to be passed over.
        Some("UNKNOWN") => return Ok(Header::Own),
        Some("TCP4") => |text| Ipv4Addr::from_str(text).ok().map(IpAddr::V4),
        Some("TCP6") => |text| Ipv6Addr::from_str(text).ok().map(IpAddr::V6),
        _ => return Err(Error::Malformed("its protocol is none of TCP4, TCP6, UNKNOWN")),
    };
    let (Some(source), Some(destination), Some(from), Some(to), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Error::Malformed("it has not six parts"));
    };
    let address = |text| read(text).ok_or(Error::Malformed("an address is none of its protocol"));
    Ok(client(address(source)?, port(from)?, address(destination)?, port(to)?))
}

/// Reads a port: digits only, and no zero in front of them.
fn port(text: &str) -> Result<u16, Error> {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let port = is_plain.then(|| text.parse().ok()).flatten();
    port.ok_or(Error::Malformed("a port is no number of a port"))
}

/// Version 2, after its signature and length.
fn parse_binary(version_and_command: u8, family: u8, rest: &[u8]) -> Result<Header, Error> {
    match version_and_command {
        // LOCAL: whatever addresses there are mean nothing.
        0x20 => return Ok(Header::Own),
        0x21 => {}
        _ => return Err(Error::Malformed("its version is not 2, or its command is unknown")),
    }
    match family {
        // Unspecified, for instance a UDP or raw socket on the other side of the proxy.
        0x00 => Ok(Header::Own),
        0x11 => addresses::<4, Ipv4Addr>(rest),
        0x21 => addresses::<16, Ipv6Addr>(rest),
        // A unix socket has no address that would mean anything here.
        0x31 if rest.len() >= 216 => Ok(Header::Own),
        0x31 => Err(Error::Malformed("it is too short for its addresses")),
        _ => Err(Error::Malformed("it is not for streams, or its family is unknown")),
    }
}

/// Takes both addresses and ports; extensions may follow them, which are passed over.
fn addresses<const LENGTH: usize, A>(rest: &[u8]) -> Result<Header, Error>
where
    A: From<[u8; LENGTH]> + Into<IpAddr>,
{
    let both = || {
        let (source, rest) = rest.split_first_chunk::<LENGTH>()?;
        let (destination, rest) = rest.split_first_chunk::<LENGTH>()?;
        let (from, rest) = rest.split_first_chunk::<2>()?;
        let (to, _extensions) = rest.split_first_chunk::<2>()?;
        let (from, to) = (u16::from_be_bytes(*from), u16::from_be_bytes(*to));
        Some(client(A::from(*source).into(), from, A::from(*destination).into(), to))
    };
    both().ok_or(Error::Malformed("it is too short for its addresses"))
}

fn client(source: IpAddr, from: u16, destination: IpAddr, to: u16) -> Header {
    Header::Client {
        source: SocketAddr::new(source.to_canonical(), from),
        destination: SocketAddr::new(destination.to_canonical(), to),
    }
}

/// How a header of version 2 begins.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// How a header of version 1 begins.
const WORD: &[u8] = b"PROXY ";

/// The longest header of version 1, its end of line included.
const LONGEST_LINE: usize = 107;

#[cfg(test)]
mod tests;
