//! The requests of a connection, one after the other, until it ends or goes on as HTTP/2.

use std::future::Future;

use http::Version;
use tokio::io::AsyncWriteExt;
use tracing::debug;

use super::connection::Connection;
use super::next::Next;
use super::response::Asked;
use crate::base::shutdown::Shutdown;
use crate::request::service::{Peer, Service};
use crate::server::limits::Limits;
use crate::wire::deadline::Deadline;
use crate::wire::pace::Pace;
use crate::wire::reader::Joined;
use crate::wire::refusal::Refusal;

/// How a connection goes on after HTTP/1.1.
pub enum After {
    /// It has ended, for whatever reason.
    Closed,
    /// The client speaks HTTP/2 without having said so before (RFC 9113 3.3).
    Http2(Box<Joined>),
}

/// Serves a connection until it ends.
pub fn serve<'s, S: Service>(
    stream: Joined,
    service: &'s S,
    peer: &'s Peer,
    limits: &'s Limits,
    stop: Shutdown,
) -> impl Future<Output = After> + Send + use<'s, S> {
    let Joined { reader, writer } = stream;
    let mut connection = Connection {
        reader: Some(reader),
        lease: None,
        may_drain: false,
        unread: None,
        writer,
        deadline: Deadline::default(),
        pace: Pace::default(),
        is_first: true,
        is_woken: false,
        service,
        peer,
        limits,
        stop,
    };
    // Not an `async fn`, which would hold what it is given twice, as long as the connection lasts.
    async move {
        loop {
            // On the heap, and only while it is busy: requests need far more room than a connection
            // that waits for the next one.
            match Box::pin(connection.serve_requests()).await {
                Stage::Idle if connection.wait().await => {}
                Stage::Idle => {
                    let _ = connection.writer.shutdown().await;
                    return After::Closed;
                }
                Stage::Closed => return After::Closed,
                Stage::Http2 => {
                    let Some(reader) = connection.reader else { return After::Closed };
                    let writer = connection.writer;
                    return After::Http2(Box::new(Joined { reader, writer }));
                }
            }
        }
    }
}

/// What a connection comes to after some requests.
enum Stage {
    Idle,
    Closed,
    Http2,
}

impl<S: Service> Connection<'_, S> {
    /// Serves requests for as long as the next one comes soon.
    async fn serve_requests(&mut self) -> Stage {
        loop {
            match self.next().await {
                Next::Request(head) => match self.exchange(head).await {
                    Ok(true) => {}
                    Ok(false) => return Stage::Closed,
                    Err(error) => {
                        debug!(%error, "connection ended early");
                        return Stage::Closed;
                    }
                },
                Next::Refused(refusal) => {
                    debug!(%refusal, "request refused");
                    self.refuse(refusal).await;
                    return Stage::Closed;
                }
                Next::Idle => return Stage::Idle,
                Next::Http2 => return Stage::Http2,
                Next::Closed => {
                    let _ = self.writer.shutdown().await;
                    return Stage::Closed;
                }
            }
        }
    }

    async fn refuse(&mut self, refusal: Refusal) {
        let wants_page = self
            .reader
            .as_mut()
            .is_some_and(|reader| memchr::memmem::find(reader.buffer(), b"text/html").is_some());
        let response = self.service.refuse(refusal, self.peer, wants_page);
        let asked = Asked { is_head: false, version: Version::HTTP_11, keep_alive: false };
        if self.respond(response.into(), asked).await.is_ok() {
            self.linger().await;
        }
    }
}
