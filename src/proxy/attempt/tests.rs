//! What is sent again, on which connection, and who is blamed.

use std::io;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use http::{HeaderValue, Method, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::app::testing::{Answer, HOST, World, get, world_before};
use crate::request::service::WantsUpgrade;
use crate::wire::incoming::BodyError;
use crate::wire::refusal::Refusal;

fn died() -> Error {
    Error::Died(io::ErrorKind::UnexpectedEof.into())
}

#[test]
fn what_broke_off_is_sent_once_more_on_a_new_connection_if_it_only_reads() {
    let more = |error: &Error, is_repeatable, connections, tries| {
        once_more(error, is_repeatable, connections, tries)
    };
    for (tries, left) in [(2, 1), (1, 1), (0, 0)] {
        let expected = Some((left, Wanted::New));
        assert_eq!(more(&died(), true, Wanted::Any, tries), expected, "{tries}");
        assert_eq!(more(&died(), true, Wanted::Shared, tries), expected, "{tries}");
    }
    assert_eq!(more(&died(), false, Wanted::Any, 2), None);
    // An upstream that wants HTTP/1.1 wants it still.
    assert_eq!(more(&died(), true, Wanted::Http1, 2), Some((1, Wanted::Http1)));
    // It may be at work on these, or it is not its fault.
    for error in [
        Error::Slow(Duration::from_secs(1)),
        Error::BadAnswer(Refusal::Malformed("head of the answer")),
        Error::Body(BodyError::Incomplete),
    ] {
        assert_eq!(more(&error, true, Wanted::Any, 2), None, "{error}");
    }
}

#[test]
fn the_last_try_after_an_upstream_that_did_nothing_is_on_a_connection_of_its_own() {
    let after = [3, 2, 1, 0].map(Wanted::after_nothing);
    assert_eq!(after, [Wanted::Shared, Wanted::Shared, Wanted::New, Wanted::New]);
}

#[test]
fn a_server_is_blamed_for_what_it_did_and_not_for_what_may_have_been_others() {
    let slow = Error::Slow(Duration::from_secs(1));
    let bad = Error::BadAnswer(Refusal::Malformed("head of the answer"));
    let body = Error::Body(BodyError::Incomplete);
    for (error, is_fresh, is_cut_short, blamed) in [
        (&slow, true, false, Some(ServerError::Timeout)),
        (&slow, false, true, Some(ServerError::Timeout)),
        (&bad, false, true, Some(ServerError::Broken)),
        (&died(), true, false, Some(ServerError::Broken)),
        // A connection that waited, and a request in the middle of which it broke off.
        (&died(), false, false, None),
        (&died(), true, true, None),
        (&body, true, false, None),
    ] {
        let found = failure(error, is_fresh, is_cut_short);
        assert_eq!(found, blamed, "{error} {is_fresh} {is_cut_short}");
    }
}

/// What a portal does with a request.
#[derive(Clone, Copy)]
enum Act {
    /// In HTTP/1.1.
    Says(&'static str),
    HangsUp,
    /// In HTTP/2: the fields of a whole answer, as they are packed.
    Answers(&'static [u8]),
    Resets(Reason),
    /// It took no stream up to now, and takes none any more.
    Leaves,
}

const OK: Act = Act::Says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
const OK_2: Act = Act::Answers(b"\x88");
/// On which connection a request came, and in which HTTP.
type Seen = Arc<Mutex<Vec<(usize, u8)>>>;

/// A portal that does this on each of its connections, and takes no more of them.
async fn portal(connections: &'static [&'static [Act]]) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Seen::default());
    let all = Arc::clone(&seen);
    tokio::spawn(async move {
        for (number, acts) in connections.iter().enumerate() {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, acts, number, Arc::clone(&all)));
        }
    });
    (port, seen)
}

async fn serve(mut stream: TcpStream, acts: &[Act], number: usize, seen: Seen) -> io::Result<()> {
    let mut acts = acts.iter();
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if head.starts_with(b"PRI ") {
            stream.read_exact(&mut [0; b"SM\r\n\r\n".len()]).await?;
            return serve_2(stream, acts.as_slice(), number, seen).await;
        }
        if head.starts_with(b"POST ") {
            stream.read_exact(&mut [0; BODY.len()]).await?;
        }
        seen.lock().unwrap().push((number, 1));
        let Some(Act::Says(answer)) = acts.next() else { return Ok(()) };
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn serve_2(mut stream: TcpStream, acts: &[Act], number: usize, seen: Seen) -> io::Result<()> {
    let mut acts = acts.iter();
    stream.write_all(&frame(4, 0, &[0; 4], &[])).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; usize::try_from(length).unwrap()]).await?;
        if head[3] != 1 {
            continue;
        }
        seen.lock().unwrap().push((number, 2));
        let id = &head[5..];
        let said = match acts.next() {
            // The head ends, and so does the stream.
            Some(Act::Answers(fields)) => frame(1, 5, id, fields),
            Some(Act::Resets(reason)) => frame(3, 0, id, &u32::from(*reason).to_be_bytes()),
            Some(Act::Leaves) => frame(7, 0, &[0; 4], &[0; 8]),
            Some(Act::Says(_) | Act::HangsUp) | None => return Ok(()),
        };
        stream.write_all(&said).await?;
    }
}

/// A frame of HTTP/2: its kind, its flags, its stream, and what is in it.
fn frame(kind: u8, flags: u8, id: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags], id, payload].concat()
}

const BODY: &str = "abc";
const ROUTE: &str = "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n\
                     upgrade = [\"websocket\"]\n";

async fn before(port: u16, protocol: &str) -> World {
    world_before(port, ("", &format!("protocol = \"{protocol}\"\nmax_fails = 0\n{ROUTE}"))).await
}

/// Before two servers, the first of which has nearly all turns.
async fn before_two(heavy: u16, light: u16) -> World {
    let two = format!(
        "[[upstream]]\nname = \"two\"\n\
         [[upstream.servers]]\naddress = \"http://127.0.0.1:{heavy}\"\nweight = 1000\n\
         [[upstream.servers]]\naddress = \"http://127.0.0.1:{light}\"\nweight = 1\n{ROUTE}"
    );
    world_before(1, ("", &two.replace("\"portal\"", "\"two\""))).await
}

async fn ask(world: &World, method: &str) -> Answer {
    let mut request = get(HOST, "/", &[]);
    *request.method_mut() = method.parse().unwrap();
    if request.method() != Method::POST {
        return world.ask(request).await;
    }
    request.headers_mut().insert("content-length", HeaderValue::from(BODY.len()));
    world.ask_with(request, Incoming::whole(Bytes::from_static(BODY.as_bytes()))).await
}

/// How many attempts there were after a first one, and how many requests the server failed.
fn retries_and_failures(world: &World) -> (u64, u64) {
    let group = world.worker.proxy.upstreams.groups().next().unwrap();
    let status = group.status(Instant::now());
    (status.retries, status.servers[0].failures)
}

#[tokio::test]
async fn a_portal_of_http_1_is_asked_once_more_where_that_does_nothing_twice() {
    const DEAD: &[Act] = &[Act::HangsUp];
    const WELL: &[Act] = &[OK];
    const TIRED: &[Act] = &[OK, Act::HangsUp];
    let bad: &[Act] = &[Act::Says("nonsense\r\n\r\n")];
    for (methods, connections, status, expected, counts) in [
        (&["GET"][..], &[DEAD, WELL][..], 200, &[0, 1][..], (1, 1)),
        (&["HEAD"], &[DEAD, WELL], 200, &[0, 1], (1, 1)),
        (&["POST"], &[DEAD, WELL], 502, &[0], (0, 1)),
        (&["DELETE"], &[DEAD, WELL], 502, &[0], (0, 1)),
        (&["GET"], &[DEAD, DEAD, WELL], 502, &[0, 1], (1, 2)),
        (&["GET"], &[bad, WELL], 502, &[0], (0, 1)),
        // A connection that waited says nothing of its server.
        (&["GET", "GET"], &[TIRED, WELL], 200, &[0, 0, 1], (1, 0)),
        (&["GET", "POST"], &[TIRED, WELL], 502, &[0, 0], (0, 0)),
        (&["POST", "POST"], &[&[OK, OK]], 200, &[0, 0], (0, 0)),
    ] {
        let (port, seen) = portal(connections.to_vec().leak()).await;
        let world = before(port, "http1").await;
        let mut last = 0;
        for method in methods {
            last = ask(&world, method).await.status.as_u16();
        }
        let expected: Vec<_> = expected.iter().map(|number| (*number, 1)).collect();
        let what = format!("{methods:?} {}", connections.len());
        assert_eq!((last, &*seen.lock().unwrap()), (status, &expected), "{what}");
        assert_eq!(retries_and_failures(&world), counts, "{what}");
    }
}

#[tokio::test]
async fn a_portal_of_http_2_that_did_nothing_is_asked_again_whatever_the_method() {
    const REFUSES: Act = Act::Resets(Reason::REFUSED_STREAM);
    const FAILS: Act = Act::Resets(Reason::INTERNAL_ERROR);
    const WELL: &[Act] = &[OK_2];
    let old: &[Act] = &[Act::Resets(Reason::HTTP_1_1_REQUIRED), OK_2];
    let (one, more) = ((0, 2), (1, 2));
    for (methods, connections, status, expected, counts) in [
        (&["POST", "GET"][..], &[&[OK_2, OK_2][..]][..], 200, &[one, one][..], (0, 0)),
        (&["POST"], &[&[REFUSES, OK_2]], 200, &[one, one], (1, 1)),
        (&["POST"], &[&[REFUSES, REFUSES], WELL], 200, &[one, one, more], (2, 1)),
        (&["POST"], &[&[REFUSES, REFUSES], &[REFUSES]], 502, &[one, one, more], (2, 2)),
        (&["POST"], &[&[Act::Leaves], WELL], 200, &[one, more], (1, 1)),
        (&["POST"], &[&[FAILS], WELL], 502, &[one], (0, 1)),
        (&["GET"], &[&[FAILS], WELL], 200, &[one, more], (1, 1)),
        // It wants HTTP/1.1 for this one, and for no other.
        (&["POST", "GET"], &[old, &[OK]], 200, &[one, (1, 1), one], (1, 0)),
        // Two lengths are two meanings.
        (&["GET"], &[&[Act::Answers(b"\x88\x0f\x0d\x010\x0f\x0d\x010")]], 502, &[one], (0, 1)),
    ] {
        let (port, seen) = portal(connections.to_vec().leak()).await;
        let world = before(port, "http2").await;
        let mut last = 0;
        for method in methods {
            last = ask(&world, method).await.status.as_u16();
        }
        let what = format!("{methods:?} {expected:?}");
        assert_eq!((last, &**seen.lock().unwrap()), (status, expected), "{what}");
        assert_eq!(retries_and_failures(&world), counts, "{what}");
        let pool = &world.worker.proxy.upstreams.get(0).pool;
        assert_eq!(pool.waiting(), 0, "the next request is not to be spoken like that one");
    }
}

#[tokio::test]
async fn the_next_attempt_is_at_another_server_and_success_ends_a_row_of_failures() {
    let (heavy, seen) = portal(&[&[Act::HangsUp], &[OK]]).await;
    let (light, others) = portal(&[&[OK]]).await;
    let world = before_two(heavy, light).await;
    let fails = || {
        let status = world.worker.proxy.upstreams.groups().nth(1).unwrap().status(Instant::now());
        let servers = status.servers.iter();
        (status.retries, servers.map(|server| (server.fails, server.failures)).collect::<Vec<_>>())
    };
    assert_eq!(ask(&world, "GET").await.status.as_u16(), 200);
    assert_eq!(fails(), (1, vec![(1, 1), (0, 0)]));
    assert_eq!(ask(&world, "GET").await.status.as_u16(), 200);
    assert_eq!(fails(), (1, vec![(0, 1), (0, 0)]));
    assert_eq!((seen.lock().unwrap().len(), others.lock().unwrap().len()), (2, 1));
}

#[tokio::test]
async fn without_a_connection_the_next_attempt_is_at_another_server_too() {
    let (closed, _) = portal(&[]).await;
    while TcpStream::connect(("127.0.0.1", closed)).await.is_ok() {}
    let (light, others) = portal(&[&[OK]]).await;
    let world = before_two(closed, light).await;
    assert_eq!(ask(&world, "POST").await.status.as_u16(), 200);
    let status = world.worker.proxy.upstreams.groups().nth(1).unwrap().status(Instant::now());
    assert_eq!((status.retries, status.servers[0].failures), (1, 1));
    assert_eq!(others.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_tried_so_often_whatever_the_method() {
    for method in ["GET", "POST"] {
        let (port, _) = portal(&[]).await;
        let world = before(port, "http1").await;
        // Its listener is gone, since it takes no connection.
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {}
        assert_eq!(ask(&world, method).await.status.as_u16(), 502);
        assert_eq!(retries_and_failures(&world), (2, 3));
    }
}

#[tokio::test]
async fn success_is_no_answer_to_who_must_change_protocols() {
    const NOT_FOUND: Act = Act::Says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let (only, possible) = (WantsUpgrade::Only, WantsUpgrade::IfPossible);
    let wish = HeaderValue::from_static;
    for (wants, act, status, requests) in [
        (only(wish("websocket")), OK, 502, 1),
        (only(wish("websocket")), NOT_FOUND, 404, 1),
        (possible(wish("websocket")), OK, 200, 1),
        (possible(wish("chat")), OK, 200, 1),
        (only(wish("chat")), OK, 501, 0),
    ] {
        let (port, seen) = portal(vec![&*vec![act].leak()].leak()).await;
        let world = before(port, "http1").await;
        let mut request: Request<()> = get(HOST, "/", &[]);
        request.extensions_mut().insert(wants.clone());
        assert_eq!(world.ask(request).await.status.as_u16(), status, "{wants:?}");
        assert_eq!(seen.lock().unwrap().len(), requests, "{wants:?}");
    }
}
