//! Headers byte by byte, each with its twin that is refused.

use proptest::prelude::*;
use tokio::io::AsyncReadExt;

use super::*;
use crate::request::networks::Networks;

/// Reads a header from bytes, and what is left of them.
fn read_from(mut bytes: &[u8]) -> (Result<Header, Error>, Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let header = runtime.block_on(read(&mut bytes));
    (header, bytes.to_vec())
}

fn client(source: &str, destination: &str) -> Header {
    Header::Client { source: source.parse().unwrap(), destination: destination.parse().unwrap() }
}

/// Makes a header of version 2.
fn binary(version_and_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[version_and_command, family], &length, rest].concat()
}

const IPV4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 2, 0xC3, 0x50, 0x01, 0xBB];

fn ipv6() -> Vec<u8> {
    let address = |last: u8| [&[0x20, 0x01, 0x0d, 0xb8][..], &[0; 11], &[last]].concat();
    [address(1), address(2), vec![0xC3, 0x50, 0x01, 0xBB]].concat()
}

fn mapped() -> Vec<u8> {
    let address = |last: u8| [&[0; 10][..], &[0xff, 0xff, 192, 0, 2, last]].concat();
    [address(1), address(2), vec![0, 1, 0, 2]].concat()
}

fn good() -> Vec<(Vec<u8>, Header)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let ipv4 = client("192.0.2.1:50000", "198.51.100.2:443");
    let both = client("[2001:db8::1]:50000", "[2001:db8::2]:443");
    let with = |more: &[u8]| [&IPV4[..], more].concat();
    vec![
        (text("PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n"), ipv4),
        (text("PROXY TCP6 2001:db8::1 2001:db8::2 50000 443\r\n"), both),
        (
            text("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n"),
            client("255.255.255.255:65535", "0.0.0.0:0"),
        ),
        (text("PROXY UNKNOWN\r\n"), Header::Own),
        (text("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), Header::Own),
        (binary(0x21, 0x11, &IPV4), ipv4),
        (binary(0x21, 0x21, &ipv6()), both),
        (binary(0x21, 0x21, &mapped()), client("192.0.2.1:1", "192.0.2.2:2")),
        // Extensions are passed over, well-formed or not.
        (binary(0x21, 0x11, &with(&[0x04, 0, 1, 0])), ipv4),
        (binary(0x21, 0x11, &with(&[0xee; 500])), ipv4),
        (binary(0x21, 0x11, &with(&vec![0; LONGEST - 16 - 12])), ipv4),
        (binary(0x21, 0x31, &[0; 216]), Header::Own),
        (binary(0x21, 0x00, &[]), Header::Own),
        (binary(0x21, 0x00, &[1, 2, 3]), Header::Own),
        (binary(0x20, 0x00, &[]), Header::Own),
        (binary(0x20, 0x11, &IPV4), Header::Own),
    ]
}

#[test]
fn reads_exactly_the_header_and_leaves_what_follows() {
    for (bytes, expected) in good() {
        for more in [&b""[..], b"G", b"GET / HTTP/1.1\r\n", b"\r\nPROXY TCP4", &SIGNATURE] {
            let (header, left) = read_from(&[&bytes, more].concat());
            assert_eq!(header.unwrap(), expected, "{}", bytes.escape_ascii());
            assert_eq!(left, more, "{}", bytes.escape_ascii());
        }
    }
}

#[test]
fn refuses_every_header_that_ends_too_early() {
    for (bytes, _) in good() {
        for length in 0..bytes.len() {
            let (header, _) = read_from(&bytes[..length]);
            assert!(matches!(header, Err(Error::Io(_))), "{}", bytes[..length].escape_ascii());
        }
    }
}

#[test]
fn refuses_lines_with_one_thing_wrong() {
    for line in [
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443 1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 192.0.2.1\t198.51.100.2 50000 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 50000 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 192.0.2 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 50000 443\r\n",
        "PROXY TCP4 localhost 198.51.100.2 50000 443\r\n",
        "PROXY TCP6 fe80::1%eth0 fe80::2 50000 443\r\n",
        "PROXY TCP6 [2001:db8::1] 2001:db8::2 50000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +50000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 050000 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 00 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\n\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\0\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY \r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        let (header, _) = read_from(line.as_bytes());
        assert!(matches!(header, Err(Error::Malformed(_))), "{line:?}: {header:?}");
    }
}

#[test]
fn refuses_connections_that_begin_otherwise() {
    let mut spoiled = binary(0x21, 0x11, &IPV4);
    spoiled[11] = b'\r';
    for start in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00",
        b"proxy TCP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        b" PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        b"\r\nPROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        b"PROXY\tTCP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        b"PROXYTCP4 192.0.2.1 198.51.100.2 50000 443\r\n",
        &spoiled,
    ] {
        let (header, _) = read_from(start);
        assert!(matches!(header, Err(Error::Missing)), "{}: {header:?}", start.escape_ascii());
    }
}

#[test]
fn refuses_binary_headers_with_one_thing_wrong() {
    for (version_and_command, family, rest) in [
        (0x11, 0x11, &IPV4[..]),
        (0x31, 0x11, &IPV4),
        (0x22, 0x11, &IPV4),
        (0x2f, 0x11, &IPV4),
        (0x21, 0x12, &IPV4),
        (0x21, 0x10, &IPV4),
        (0x21, 0x41, &IPV4),
        (0x21, 0x01, &IPV4),
        (0x21, 0x11, &IPV4[..11]),
        (0x21, 0x11, &[]),
        (0x21, 0x21, &IPV4),
        (0x21, 0x21, &ipv6()[..35]),
        (0x21, 0x31, &[0; 215]),
        (0x21, 0x32, &[0; 216]),
    ] {
        let (header, _) = read_from(&binary(version_and_command, family, rest));
        let told = format!("{version_and_command:x} {family:x} {rest:?}: {header:?}");
        assert!(matches!(header, Err(Error::Malformed(_))), "{told}");
    }
}

#[test]
fn refuses_what_is_too_long_without_reading_it() {
    let (header, left) = read_from(&binary(0x21, 0x11, &vec![0; LONGEST - 16 + 1]));
    assert!(matches!(header, Err(Error::TooLong)));
    assert_eq!(left.len(), LONGEST - 16 + 1);

    let line = |length: usize| format!("PROXY UNKNOWN {}\r\n", "x".repeat(length - 16));
    assert_eq!(read_from(line(107).as_bytes()).0.unwrap(), Header::Own);
    let (header, left) = read_from(line(108).as_bytes());
    assert!(matches!(header, Err(Error::TooLong)));
    assert_eq!(left.len(), 1);
}

#[test]
fn the_header_may_come_in_pieces() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (bytes, expected) in good() {
        let mut stream = in_pieces(&bytes);
        assert_eq!(runtime.block_on(read(&mut stream)).unwrap(), expected);
        let mut left = Vec::new();
        runtime.block_on(stream.read_to_end(&mut left)).unwrap();
        assert_eq!(left, b"!");
    }
}

/// The bytes one by one, and an exclamation mark at the end.
fn in_pieces(bytes: &[u8]) -> Box<dyn AsyncRead + Unpin> {
    let start: Box<dyn AsyncRead + Unpin> = Box::new(tokio::io::empty());
    bytes
        .iter()
        .chain(b"!")
        .fold(start, |so_far, byte| Box::new(so_far.chain(io::Cursor::new(vec![*byte]))))
}

#[test]
fn only_listed_networks_are_expected_to_send_one() {
    let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap());
    let networks = Networks::new(networks.to_vec());
    for (peer, expected) in [
        ("10.255.0.1", true),
        ("::ffff:10.1.2.3", true),
        ("11.0.0.1", false),
        ("127.0.0.1", false),
        ("2001:db8::7", true),
        ("2001:db9::7", false),
        ("::a00:1", false),
    ] {
        assert_eq!(networks.contains(peer.parse().unwrap()), expected, "{peer}");
    }
    assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_read_more_than_a_header(
        start in prop::sample::select(vec![&b""[..], b"PROXY ", b"PROXY TCP4 ", &SIGNATURE]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = [start, &rest].concat();
        let (_, left) = read_from(&bytes);
        prop_assert!(bytes.ends_with(&left));
    }

    #[test]
    fn what_a_proxy_writes_is_read_back(
        source: Ipv4Addr, destination: Ipv4Addr, from: u16, to: u16,
        source6: Ipv6Addr, destination6: Ipv6Addr,
    ) {
        let line = format!("PROXY TCP4 {source} {destination} {from} {to}\r\n");
        let rest = [
            &source.octets()[..], &destination.octets(), &from.to_be_bytes(), &to.to_be_bytes(),
        ].concat();
        let expected = super::client(source.into(), from, destination.into(), to);
        prop_assert_eq!(read_from(line.as_bytes()).0.unwrap(), expected);
        prop_assert_eq!(read_from(&binary(0x21, 0x11, &rest)).0.unwrap(), expected);

        let line = format!("PROXY TCP6 {source6} {destination6} {from} {to}\r\n");
        let expected = super::client(source6.into(), from, destination6.into(), to);
        prop_assert_eq!(read_from(line.as_bytes()).0.unwrap(), expected);
    }
}
