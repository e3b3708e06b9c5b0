//! `Forwarded` and `X-Forwarded-*`: who the client is.
//!
//! A stranger is believed nothing. What is told to an upstream begins with the client that is
//! believed, and a second gateway that trusts the first takes the same client from it.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::product::forwarded::{MAX_HOPS, MAX_REQUEST_ID, announce, read};
use crate::product::traces::{MAX_STATE, Parent, Traceparent};
use crate::product::{Believed, Host, Networks, Peer, elements};
use crate::within;

/// The other ends of a connection: two proxies, and a stranger.
const PEERS: [&str; 3] = ["10.0.0.1", "2001:db8::1", "192.0.2.1"];

/// Looks at one input: who connects, what is believed, then a header in each line.
pub fn run(data: &[u8]) {
    let Some(([peer, believed], bytes)) = data.split_first_chunk() else { return };
    let address: IpAddr = PEERS[usize::from(peer % 3)].parse().unwrap();
    let is_tls = peer & 0x80 != 0;
    let peer = Peer::new(SocketAddr::new(address, 4711), is_tls);
    let bit = |bit: u8| believed & bit != 0;
    let said = Believed {
        address: bit(1),
        scheme: bit(2),
        host: bit(4),
        request_id: bit(8),
        trace: bit(32),
    };
    let (headers, is_https) = (headers(bytes), bit(16));

    let memory = 64 * 1024 + 64 * bytes.len();
    let client = within(memory, || read(&headers, &peer, &trusted(), said, is_https));
    if !trusted().contains(address) {
        // 1. A stranger is believed nothing, and cannot be wrong either.
        let client = client.expect("a stranger's headers are not read");
        assert_eq!((client.address, client.is_tls), (address, is_tls || is_https));
        assert!(client.host.is_none() && client.request_id.is_none() && client.trace.is_none());
        assert_eq!(client.chain, peer.text);
        return;
    }
    let Ok(client) = client else { return };

    // 2. What is not believed is not taken.
    assert!(said.address || client.address == address);
    assert!(said.scheme || client.is_tls == (is_tls || is_https));
    assert!(said.host || client.host.is_none());
    assert!(said.request_id || client.request_id.is_none());
    assert!(said.trace || client.trace.is_none());
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if let Some(id) = &client.request_id {
        assert!((1..=MAX_REQUEST_ID).contains(&id.len()) && id.bytes().all(is_safe));
    }

    // What is read of a trace is what is written of it.
    if let Some(trace) = &client.trace {
        let told = Traceparent::new(trace.trace, trace.span, trace.flags);
        let mut again = HeaderMap::new();
        let value = HeaderValue::from_bytes(told.as_bytes());
        again.insert("traceparent", value.expect("a header"));
        if let Some(state) = &trace.state {
            assert!(state.len() <= MAX_STATE);
            again.insert("tracestate", state.clone());
        }
        assert_eq!(Parent::read(&again).as_ref(), Some(&**trace));
    }

    // 3. The chain is addresses: the client, then proxies that we trust, then the peer.
    let chain = client.chain.to_str().expect("a chain is text");
    let hops: Vec<IpAddr> = chain.split(", ").map(|hop| hop.parse().expect("an address")).collect();
    assert_eq!((hops[0], hops[hops.len() - 1]), (client.address, address));
    assert!(hops[1..].iter().all(|hop| trusted().contains(*hop)), "{chain}");
    assert!(hops.len() <= MAX_HOPS + 1);

    // 4. A gateway behind us takes the same client from what we tell it.
    let host = client.host.clone().unwrap_or_else(|| Host::parse(b"portal.example", true).unwrap());
    let mut told = HeaderMap::new();
    announce(&mut told, &client, &host, None, true);
    let standard = told.get("forwarded").and_then(|value| value.to_str().ok()).expect("it is told");
    assert_eq!(elements::parse(standard).map(|list| list.len()), Some(hops.len()), "{standard}");
    if hops.len() > MAX_HOPS {
        return;
    }
    let us = Peer::new("10.0.0.2:1".parse().unwrap(), false);
    for leave_out in ["none", "forwarded", "x-forwarded-for"] {
        let mut told = told.clone();
        told.remove(leave_out);
        if leave_out == "x-forwarded-for" {
            told.remove("x-forwarded-proto");
            told.remove("x-forwarded-host");
        }
        let again = read(&told, &us, &trusted(), Believed::ALL, false);
        let again = again.unwrap_or_else(|error| panic!("{error}: {told:?}"));
        assert_eq!((again.address, again.is_tls), (client.address, client.is_tls), "{told:?}");
        assert_eq!(again.host.as_ref().map(Host::name), Some(host.name()), "{told:?}");
    }
}

fn trusted() -> Networks {
    let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().unwrap());
    Networks::new(networks.to_vec())
}

fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|&byte| byte == b'\n').take(32) {
        let Some((&kind, value)) = line.split_first() else { continue };
        let name = match kind {
            b'F' => "forwarded",
            b'A' => "x-forwarded-for",
            b'P' => "x-forwarded-proto",
            b'H' => "x-forwarded-host",
            b'I' => "x-request-id",
            b'T' => "traceparent",
            b'S' => "tracestate",
            _ => "x-real-ip",
        };
        if let Ok(value) = HeaderValue::from_bytes(value.trim_ascii()) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}
