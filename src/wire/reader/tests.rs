//! A connection that waits: is it really silent? The runtime gets no turn in these tests between
//! what the other side does and the question, as on a worker that is busy.

use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::{TlsConnector, TlsStream};

use super::*;
use crate::wire::stream::Stream;

const STRAY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A connection over TCP, our end and that of the other side.
fn tcp() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, theirs)
}

/// Waits until the kernel has something for us. The runtime does not hear of it.
fn until_there(ours: &std::net::TcpStream) {
    let socket = SockRef::from(ours);
    let deadline = Instant::now() + Duration::from_secs(10);
    while socket.peek(&mut [MaybeUninit::uninit()]).is_err() {
        assert!(Instant::now() < deadline, "nothing comes");
        thread::yield_now();
    }
}

/// What the other side does, unasked.
const ACTS: [fn(&mut dyn Write); 2] = [|theirs| theirs.write_all(STRAY).unwrap(), |_| {}];

#[tokio::test]
async fn what_came_over_tcp_unasked_is_heard_at_once() {
    for act in ACTS {
        let (ours, mut theirs) = tcp();
        let watched = ours.try_clone().unwrap();
        ours.set_nonblocking(true).unwrap();
        let stream = Stream::Tcp(tokio::net::TcpStream::from_std(ours).unwrap());
        let mut reader = Reader::new(stream.split().0);
        assert!(reader.is_silent());
        act(&mut theirs);
        // The side that says nothing hangs up.
        drop(theirs);
        until_there(&watched);
        assert!(!reader.is_silent());
    }
}

#[tokio::test]
async fn what_came_over_a_unix_socket_unasked_is_heard_at_once() {
    for act in ACTS {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let stream = Stream::Unix(tokio::net::UnixStream::from_std(ours).unwrap());
        let mut reader = Reader::new(stream.split().0);
        assert!(reader.is_silent());
        act(&mut theirs);
        drop(theirs);
        assert!(!reader.is_silent());
    }
}

#[tokio::test]
async fn what_came_over_tls_unasked_is_heard_at_once_and_session_tickets_do_no_harm() {
    let (client, server) = tls();
    let (ours, theirs) = tcp();
    let watched = ours.try_clone().unwrap();
    ours.set_nonblocking(true).unwrap();
    let (speak, is_to_speak) = mpsc::channel();
    // It answers once, behind its session tickets, and then says something unasked.
    let other_side = thread::spawn(move || {
        let mut stream = StreamOwned::new(ServerConnection::new(server).unwrap(), theirs);
        stream.read_exact(&mut [0; 3]).unwrap();
        stream.write_all(b"answer").unwrap();
        is_to_speak.recv().unwrap();
        stream.write_all(STRAY).unwrap();
        stream
    });
    let ours = tokio::net::TcpStream::from_std(ours).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(client).connect(name, ours).await.unwrap();
    let (reader, mut writer) = Stream::Tls(Box::new(TlsStream::Client(tls))).split();
    writer.write_all(b"ask").await.unwrap();
    writer.flush().await.unwrap();
    let mut joined = Joined { reader: Reader::new(reader), writer };
    joined.read_exact(&mut [0; 6]).await.unwrap();
    assert!(joined.reader.is_silent());
    speak.send(()).unwrap();
    until_there(&watched);
    assert!(!joined.reader.is_silent());
    drop(other_side.join().unwrap());
}

fn tls() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = pair.cert.der().clone();
    let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(client), Arc::new(server))
}
