//! The PROXY protocol, versions 1 and 2.
//!
//! Exactly the header is read, a part of one is none, and the header that is written for what was
//! read is read the same.

use std::net::{IpAddr, SocketAddr};

use futures_util::FutureExt;

use crate::product::proxy_protocol::{Header, LONGEST, read};
use crate::within;

/// Looks at one input: the beginning of a connection.
pub fn run(bytes: &[u8]) {
    let Some((header, length)) = within(2 * LONGEST, || take(bytes)) else { return };
    assert!(length <= LONGEST, "{length} bytes");
    // 1. What comes behind it does not matter, and what comes before its end is no header.
    assert_eq!(take(&[&bytes[..length], b"GET"].concat()), Some((header, length)));
    for end in 0..length {
        assert_eq!(take(&bytes[..end]), None, "{end} of {length} bytes are a header");
    }
    // 2. It is one of the two versions.
    let is_line = bytes.starts_with(b"PROXY ") && bytes[..length].ends_with(b"\r\n");
    assert!(is_line || bytes.starts_with(b"\r\n\r\n\0\r\nQUIT\n"));
    // 3. Written anew it is the same.
    let Header::Client { source, destination } = header else { return };
    for text in [line(source, destination), binary(source, destination)].into_iter().flatten() {
        assert_eq!(take(&text), Some((header, text.len())), "{text:?}");
    }
}

fn take(bytes: &[u8]) -> Option<(Header, usize)> {
    let mut rest = bytes;
    let header = read(&mut rest).now_or_never().expect("bytes that are here keep nobody waiting");
    Some((header.ok()?, bytes.len() - rest.len()))
}

fn line(source: SocketAddr, destination: SocketAddr) -> Option<Vec<u8>> {
    let kind = match (source, destination) {
        (SocketAddr::V4(_), SocketAddr::V4(_)) => "TCP4",
        (SocketAddr::V6(_), SocketAddr::V6(_)) => "TCP6",
        _ => return None,
    };
    let (from, to) = (source.port(), destination.port());
    let text = format!("PROXY {kind} {} {} {from} {to}\r\n", source.ip(), destination.ip());
    Some(text.into_bytes())
}

fn binary(source: SocketAddr, destination: SocketAddr) -> Option<Vec<u8>> {
    let (family, addresses) = match (source.ip(), destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (0x11, [from.octets(), to.octets()].concat()),
        (IpAddr::V6(from), IpAddr::V6(to)) => (0x21, [from.octets(), to.octets()].concat()),
        _ => return None,
    };
    let ports = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    let length = (addresses.len() as u16 + 4).to_be_bytes();
    let begin = [&b"\r\n\r\n\0\r\nQUIT\n\x21"[..], &[family], &length].concat();
    Some([begin, addresses, ports].concat())
}
