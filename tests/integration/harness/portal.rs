//! The portal behind the gateway: it records what reaches it and answers as it is asked to.

use std::sync::Mutex;

use brama::base::body::{self, Body};
use brama::server::listener::{Peer, Service};
use brama::wire::incoming::Incoming;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::Frame;

/// A request that reached the portal.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// The value of a header, as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The signed identity.
    pub(crate) fn assertion(&self) -> Option<&str> {
        self.header("x-brama-assertion")
    }
}

#[derive(Default)]
pub(crate) struct Portal {
    seen: Mutex<Vec<Seen>>,
}

impl Portal {
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

impl Service for Portal {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, incoming: Incoming, _peer: &Peer) -> Response<Body> {
        if parts.uri.path() == "/public/echo" {
            // Streams back what comes in, piece by piece.
            return Response::new(Body::stream(incoming));
        }
        let body = body::read(incoming, 64 * 1024 * 1024).await.unwrap_or_default();
        let seen = Seen {
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers.clone(),
            body,
        };
        self.seen.lock().unwrap().push(seen);
        match parts.uri.path() {
            "/public/never" => std::future::pending().await,
            "/public/cookies" => answer(&[
                ("set-cookie", "own=1; Path=/"),
                ("set-cookie", "brama=evil; Path=/"),
                ("set-cookie", "__Host-brama=evil; Path=/; Secure"),
                ("x-brama-assertion", "leaked"),
                ("connection", "x-hop"),
                ("x-hop", "1"),
                ("x-kept", "1"),
                ("clear-site-data", "\"*\""),
                ("server", "portal"),
            ]),
            "/public/endless" => Response::new(endless()),
            "/public/teapot" => {
                let mut response = answer(&[]);
                *response.status_mut() = StatusCode::IM_A_TEAPOT;
                response
            }
            _ => answer(&[("content-type", "text/html")]),
        }
    }
}

fn answer(headers: &[(&'static str, &'static str)]) -> Response<Body> {
    let mut response = Response::new(body::full("portal"));
    for (name, value) in headers {
        let name = HeaderName::from_static(name);
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    response
}

/// A body that never ends, at most as fast as it is read.
fn endless() -> Body {
    let pieces = futures_util::stream::repeat_with(|| {
        Ok::<_, body::BoxError>(Frame::data(Bytes::from_static(&[b'x'; 16 * 1024])))
    });
    Body::stream(StreamBody::new(pieces))
}
