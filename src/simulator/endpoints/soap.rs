//! The SOAP listener. Content-Type and SOAPAction are not looked at: the node does not.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::request::Parts;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::{Method, Response, StatusCode};

use super::message::{answer, read};
use crate::base::body::{Body, BoxError};
use crate::server::listener::{Peer, Service};
use crate::simulator::bounds::{ENDLESS, HANG, PIECE};
use crate::simulator::front::Condition;
use crate::simulator::node::{Node, Pace, Reply};
use crate::simulator::paths::{LOGOUT_PATH, RESOLVE_PATH};
use crate::wire::incoming::Incoming;

/// Answers the SOAP messages of service providers.
pub(in crate::simulator) struct Soap {
    node: Arc<Node>,
}

impl Soap {
    pub(in crate::simulator) fn new(node: Arc<Node>) -> Self {
        Self { node }
    }
}

impl Service for Soap {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Response<Body> {
        let path = parts.uri.path().to_owned();
        let known = path == RESOLVE_PATH || path == LOGOUT_PATH;
        if !known {
            return plain(StatusCode::NOT_FOUND);
        }
        if parts.method != Method::POST {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        }
        let body = match read(body).await {
            Ok(body) => body,
            Err(status) => return plain(status),
        };
        if path == RESOLVE_PATH {
            match self.node.equipment.front.condition() {
                Condition::Ok => {}
                Condition::Unavailable => return plain(StatusCode::SERVICE_UNAVAILABLE),
                Condition::Slow(time) => tokio::time::sleep(time).await,
                // A connection of before, which is open still, is as good as none.
                Condition::Down | Condition::Reset => {
                    self.node.equipment.front.reset(peer.address.port());
                    tokio::time::sleep(HANG).await;
                    return plain(StatusCode::GATEWAY_TIMEOUT);
                }
            }
        }
        let reply =
            if path == RESOLVE_PATH { self.node.resolve(&body) } else { self.node.logout(&body) };
        send(reply).await
    }
}

async fn send(reply: Reply) -> Response<Body> {
    match reply.pace {
        Pace::Now => {}
        Pace::After(time) => tokio::time::sleep(time).await,
        Pace::Never(time) => {
            tokio::time::sleep(time).await;
            return plain(StatusCode::GATEWAY_TIMEOUT);
        }
        Pace::Drips(time) => return slowly(reply, time),
        Pace::Endless => return endlessly(reply),
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, "text/xml;charset=UTF-8", reply.body)
}

/// A byte each second.
fn slowly(reply: Reply, time: Duration) -> Response<Body> {
    let bytes = reply.body.into_iter().take(usize::try_from(time.as_secs()).unwrap_or(usize::MAX));
    let pieces = stream::iter(bytes).then(|byte| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, BoxError>(Frame::data(Bytes::from(vec![byte])))
    });
    send_stream(pieces)
}

/// The message, and then white space for as long as it is read.
fn endlessly(reply: Reply) -> Response<Body> {
    let space = Bytes::from(vec![b' '; PIECE]);
    let rest = stream::repeat_with(move || space.clone()).take(ENDLESS / PIECE);
    let pieces = stream::once(async { Bytes::from(reply.body) }).chain(rest);
    send_stream(pieces.map(|piece| Ok::<_, BoxError>(Frame::data(piece))))
}

fn send_stream(
    pieces: impl Stream<Item = Result<Frame<Bytes>, BoxError>> + Send + 'static,
) -> Response<Body> {
    let mut response = answer(StatusCode::OK, "text/xml;charset=UTF-8", "");
    *response.body_mut() = Body::stream(StreamBody::new(pieces));
    response
}

fn plain(status: StatusCode) -> Response<Body> {
    answer(status, "text/plain; charset=utf-8", status.to_string())
}
