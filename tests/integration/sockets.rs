//! Sockets that come from outside, and what systemd hears.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use brama::server::handover::HandOver;
use brama::server::socket::bind;

use crate::commands::{GOOD, Running, folder};

#[test]
fn a_socket_that_was_passed_is_served_and_systemd_hears_of_it() {
    let folder = folder(GOOD);
    let notify = folder.path().join("notify");
    let systemd = UnixDatagram::bind(&notify).unwrap();
    systemd.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let heard = || {
        let mut buffer = [0; 100];
        let length = systemd.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };

    // A citizen connects before there is a program at all.
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let shares = bind(any.into(), 1, 16).unwrap();
    let mut citizen = TcpStream::connect(shares[0].address().unwrap()).unwrap();
    let mut sockets = HandOver::default();
    sockets.add("http", &shares).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    sockets.prepare(&mut command).unwrap();
    let mut running = command
        .args(["run", "--config"])
        .arg(folder.path().join("brama.toml"))
        .env("NOTIFY_SOCKET", &notify)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(heard(), "READY=1\n");

    let request = "GET /.brama/jwks.json HTTP/1.1\r\nHost: portal.example.gov.pl\r\n\
                   Connection: close\r\n\r\n";
    citizen.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    citizen.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");

    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(heard(), "STOPPING=1\n");
    assert!(running.wait().unwrap().success());
}

#[test]
fn a_proxy_header_from_a_network_that_is_not_listed_is_a_malformed_request() {
    let folder = folder(GOOD);
    let running = Running::start(folder.path());
    let request = b"GET /.brama/jwks.json HTTP/1.1\r\nHost: portal.example.gov.pl\r\n\
                    Connection: close\r\n\r\n";
    let binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\x30\x39\x01\xbb";
    for (header, is_answered) in [
        (&b""[..], true),
        (b"PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n", false),
        (b"PROXY UNKNOWN\r\n", false),
        (binary, false),
    ] {
        let mut stream = TcpStream::connect(&running.address).unwrap();
        stream.write_all(&[header, request].concat()).unwrap();
        let mut answer = Vec::new();
        // The refusal may come as a reset when more was sent than was read.
        let _ = stream.read_to_end(&mut answer);
        let is_200 = answer.starts_with(b"HTTP/1.1 200 ");
        assert_eq!(is_200, is_answered, "{} {}", header.escape_ascii(), answer.escape_ascii());
        let is_400 = answer.is_empty() || answer.starts_with(b"HTTP/1.1 400 ");
        assert!(is_200 || is_400, "{}", answer.escape_ascii());
    }
}
