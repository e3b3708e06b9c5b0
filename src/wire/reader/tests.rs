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
        let stream = Stream::Tcp(TcpStream::from_std(ours).unwrap());
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
    let ours = TcpStream::from_std(ours).unwrap();
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

fn joined() -> (Joined, tokio::net::UnixStream) {
    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    let (half, writer) = Stream::Unix(ours).split();
    (Joined { reader: Reader::new(half), writer }, theirs)
}

#[tokio::test]
async fn what_came_in_already_is_read_first_and_its_memory_is_given_back() {
    let (mut joined, mut theirs) = joined();
    joined.reader.buffer().extend_from_slice(b"before");
    theirs.write_all(b" after").await.unwrap();
    let (mut first, mut rest) = ([0; 2], [0; 10]);
    joined.read_exact(&mut first).await.unwrap();
    assert_eq!(&joined.reader.buffer()[..], b"fore", "what is not read stays");
    joined.read_exact(&mut rest).await.unwrap();
    assert_eq!((&first, &rest), (b"be", b"fore after"));
    assert_eq!(joined.reader.buffer().capacity(), 0);
    // What is written goes to the other side.
    assert!(joined.is_write_vectored());
    joined.write_all(b"answer").await.unwrap();
    joined.shutdown().await.unwrap();
    let mut answer = String::new();
    theirs.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "answer");
}

#[tokio::test]
async fn the_memory_of_a_large_message_is_given_back_when_it_was_used() {
    let (mut joined, _theirs) = joined();
    let reader = &mut joined.reader;
    for (capacity, rest, is_kept) in
        [(KEPT, &b""[..], true), (KEPT + 1, b"", false), (KEPT + 1, b"x", true)]
    {
        *reader.buffer() = BytesMut::with_capacity(capacity);
        reader.buffer().extend_from_slice(rest);
        reader.shrink();
        assert_eq!(reader.buffer().capacity() >= capacity, is_kept, "{capacity} and {rest:?}");
        assert_eq!(reader.buffer(), rest);
    }
}

#[tokio::test]
async fn only_a_socket_of_which_all_was_used_ends_without_a_last_word() {
    let (mut joined, _theirs) = joined();
    assert!(joined.reader.is_socket_without_rest());
    joined.reader.buffer().extend_from_slice(b"x");
    assert!(!joined.reader.is_socket_without_rest());
    let other = Reader::new(Stream::split_any(tokio::io::duplex(1).0).0);
    assert!(!other.is_socket_without_rest());
}

#[tokio::test]
async fn a_reader_waits_for_something_without_room_and_loses_nothing() {
    let (mut joined, mut theirs) = joined();
    let reader = &mut joined.reader;
    reader.buffer().reserve(1000);
    let begun = std::future::poll_fn(|cx| {
        let readable = std::pin::pin!(reader.readable());
        Poll::Ready(readable.poll(cx).is_pending())
    });
    assert!(begun.await, "nothing came yet");
    assert_eq!(reader.buffer().capacity(), 0);
    theirs.write_all(b"x").await.unwrap();
    reader.readable().await.unwrap();
    assert_eq!(reader.buffer().capacity(), 0, "it is not read yet");
    assert!(!reader.seems_silent());

    let (ours, mut theirs) = tokio::io::duplex(64);
    let mut other = Reader::new(Stream::split_any(ours).0);
    assert!(other.seems_silent() && other.is_silent());
    theirs.write_all(b"x").await.unwrap();
    other.readable().await.unwrap();
    assert_eq!(&other.buffer()[..], b"x");
    assert!(!other.seems_silent() && !other.is_silent(), "that is not used yet");
    other.buffer().clear();
    theirs.write_all(b"y").await.unwrap();
    assert!(!other.seems_silent());

    // What is here already is kept.
    other.buffer().clear();
    other.buffer().extend_from_slice(b"kept");
    theirs.write_all(b"z").await.unwrap();
    other.readable().await.unwrap();
    assert_eq!(&other.buffer()[..], b"keptz");
}

#[tokio::test]
async fn what_is_written_last_goes_out_with_the_end_and_not_before_if_that_is_near() {
    // The kernel waits a fifth of a second for the end, which a busy machine may let pass.
    let mut has_waited = false;
    for _ in 0..20 {
        let (ours, mut theirs) = tcp();
        ours.set_nonblocking(true).unwrap();
        let stream = Stream::Tcp(TcpStream::from_std(ours).unwrap());
        let (_reader, mut writer) = stream.split();
        writer.write_all(b"first").await.unwrap();
        theirs.read_exact(&mut [0; 5]).unwrap();
        theirs.set_nonblocking(true).unwrap();
        writer.write_last();
        writer.write_all(b"last").await.unwrap();
        let nothing = SockRef::from(&theirs).peek(&mut [MaybeUninit::uninit()]);
        has_waited |= nothing.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        writer.shutdown().await.unwrap();
        theirs.set_nonblocking(false).unwrap();
        let mut all = String::new();
        theirs.read_to_string(&mut all).unwrap();
        assert_eq!(all, "last", "all of it, and the end");
    }
    assert!(has_waited);
}

#[tokio::test]
async fn a_half_that_is_dropped_says_nothing_to_the_other_side() {
    let (mut joined, theirs) = joined();
    drop(std::mem::take(&mut joined.writer));
    let heard = || SockRef::from(&theirs).peek(&mut [MaybeUninit::uninit()]);
    assert_eq!(heard().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(joined);
    assert_eq!(heard().unwrap(), 0);
}
