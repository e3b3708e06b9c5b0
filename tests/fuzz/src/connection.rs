//! A whole connection of HTTP/1.1: which requests a service gets to see, and what goes back.
//!
//! Hyper is given the same bytes. Each request that our reading brings to its end, hyper must bring
//! to its end too, as the same request with the same body: where the two part, a request could be
//! smuggled past one of them. Hyper may take more.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body_util::{BodyExt, Empty};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use crate::product::{
    Body, Bounds, Framing, Incoming, Joined, Limits, Peer, Reader, Search, Service, Stream, body,
    http1::{Arrival, WhileIdle, serve},
    shutdown,
};
use crate::script::{Script, block_on};

/// A request as a service sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    /// Nothing when it did not come to its end.
    body: Option<(Vec<u8>, HeaderMap)>,
}

#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<Heard>>>);

impl Record {
    async fn hear<B>(&self, parts: Parts, body: B)
    where
        B: hyper::body::Body<Data = Bytes>,
    {
        let Parts { method, uri, version, headers, .. } = parts;
        let body = body.collect().await.ok().map(|whole| {
            let trailer = whole.trailers().cloned().unwrap_or_default();
            (whole.to_bytes().to_vec(), trailer)
        });
        self.0.lock().unwrap().push(Heard { method, uri, version, headers, body });
    }

    fn all(&self) -> Vec<Heard> {
        self.0.lock().unwrap().clone()
    }
}

impl Service for Record {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, body: Incoming, _peer: &Peer) -> Self::Said {
        self.hear(*parts, body).await;
        Response::new(body::full("heard"))
    }
}

/// Looks at one input: how it is cut, then all that the client says.
pub fn run(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    // 1. However it comes, it is the same.
    let (ours, said) = by_us(bytes, 0);
    let (parts, _) = by_us(bytes, cut);
    assert_eq!(ours, parts, "cut by {cut}");
    check_answers(&ours, &said);
    // 2. Hyper sees the same.
    let theirs = by_hyper(bytes);
    // What we say yes to is a tunnel to hyper from there on, where a gateway would never say it.
    let until_tunnel = ours.iter().position(|heard| heard.method == Method::CONNECT);
    let compared = until_tunnel.map_or(ours.len(), |index| index + 1);
    for (index, ours) in ours.iter().enumerate().take(compared) {
        let theirs = theirs.get(index);
        match (&ours.body, theirs) {
            (Some(_), Some(theirs)) => assert_eq!(ours, theirs, "request {index}"),
            (Some(_), None) => panic!("hyper did not see request {index}: {ours:?}"),
            // What we do not bring to its end ends the connection.
            (None, _) => assert_eq!(index + 1, parts.len()),
        }
    }
}

fn by_us(bytes: &[u8], cut: u8) -> (Vec<Heard>, Vec<u8>) {
    let record = Record::default();
    let (script, written) = Script::new(bytes, cut);
    let (reader, writer) = Stream::split_any(script);
    let stream = Joined { reader: Reader::new(reader), writer };
    let peer = Peer::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), false);
    let limits = Limits { http2: false, ..Limits::default() };
    let (_stopper, stop) = shutdown();
    block_on(async {
        serve(stream, Arrival::New, WhileIdle::Stays, &record, &peer, &limits, stop).await
    });
    (record.all(), written.take())
}

fn by_hyper(bytes: &[u8]) -> Vec<Heard> {
    let record = Record::default();
    let (script, _written) = Script::new(bytes, 0);
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        let record = record.clone();
        async move {
            let (parts, body) = request.into_parts();
            record.hear(parts, body).await;
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.header_read_timeout(None).half_close(true).max_headers(256);
    // What it says of a broken connection is of no matter here.
    let _ = block_on(async { builder.serve_connection(TokioIo::new(script), service).await });
    record.all()
}

/// What goes back is one answer for each request, and at most one refusal after them.
fn check_answers(heard: &[Heard], said: &[u8]) {
    let mut buffer = BytesMut::from(said);
    let (mut index, mut refused) = (0, 0);
    while !buffer.is_empty() {
        let head = Search::default().take_answer(&mut buffer, &Bounds::default());
        let head = head.expect("an answer is well-formed").expect("and whole");
        if head.status.is_informational() {
            continue;
        }
        let method = heard.get(index).map_or(Method::GET, |heard| heard.method.clone());
        let framing = head.said.of_answer(head.version, head.status, &method).expect("plain");
        let Framing::Length(length) = framing else { panic!("{framing:?}") };
        assert!(length <= buffer.len() as u64, "an answer is cut off");
        let _body = buffer.split_to(length as usize);
        match head.status.is_success() {
            true => index += 1,
            false => refused += 1,
        }
        assert!(refused == 0 || buffer.is_empty(), "something goes out after a refusal");
    }
    assert!(index == heard.len(), "{index} answers for {} requests", heard.len());
}
