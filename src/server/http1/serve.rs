//! The requests of a connection, one after the other, until it ends or goes on as HTTP/2.

use std::future::Future;

use http::Version;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::debug;

use super::connection::Connection;
use super::next::Next;
use super::response::Asked;
use crate::base::shutdown::Shutdown;
use crate::request::service::{Peer, Service};
use crate::server::limits::Limits;
use crate::wire::deadline::Deadline;
use crate::wire::pace::Pace;
use crate::wire::reader::{Joined, Reader};
use crate::wire::refusal::Refusal;

/// How a connection goes on after HTTP/1.1.
pub enum After {
    /// It has ended, for whatever reason.
    Closed,
    /// Nothing comes, and all that there is of it is a socket.
    Idle(Idle),
    /// The client speaks HTTP/2 without having said so before (RFC 9113 3.3).
    Http2(Box<Joined>),
}

/// A connection that waits for a request.
pub struct Idle {
    /// Its socket.
    pub socket: TcpStream,
    /// When it has waited long enough.
    pub until: Instant,
    /// Whether no request has come yet.
    pub is_first: bool,
}

/// How a connection comes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was made just now.
    New,
    /// It waited elsewhere, and something has come.
    Woken {
        /// Whether that is the beginning of its first request.
        is_first: bool,
    },
    /// It was to wait elsewhere, where there is no room.
    StillIdle {
        /// Whether no request has come yet.
        is_first: bool,
        /// When it has waited long enough.
        until: Instant,
    },
}

impl Arrival {
    fn is_first(self) -> bool {
        match self {
            Self::New => true,
            Self::Woken { is_first } | Self::StillIdle { is_first, .. } => is_first,
        }
    }

    fn waits_until(self) -> Option<Instant> {
        match self {
            Self::StillIdle { until, .. } => Some(until),
            Self::New | Self::Woken { .. } => None,
        }
    }
}

/// What becomes of a connection while it waits for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhileIdle {
    /// It keeps its task.
    Stays,
    /// It is handed back ([`After::Idle`]), when a socket of TCP is all there is of it.
    IsParked,
}

/// Serves a connection until it ends, or waits where it may be kept elsewhere meanwhile.
pub fn serve<'s, S: Service>(
    stream: Joined,
    arrival: Arrival,
    while_idle: WhileIdle,
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
        is_first: arrival.is_first(),
        is_woken: matches!(arrival, Arrival::Woken { .. }),
        service,
        peer,
        limits,
        stop,
    };
    // Not an `async fn`, which would hold what it is given twice, as long as the connection lasts.
    async move {
        let mut waits_until = arrival.waits_until();
        loop {
            if let Some(until) = waits_until.take()
                && !connection.wait(until).await
            {
                let _ = connection.writer.shutdown().await;
                return After::Closed;
            }
            // On the heap, and only while it is busy: requests need far more room than a connection
            // that waits for the next one.
            match Box::pin(connection.serve_requests()).await {
                Stage::Idle => {
                    let until = connection.waits_until();
                    if while_idle == WhileIdle::IsParked && connection.is_parkable() {
                        return connection.into_idle(until).map_or(After::Closed, After::Idle);
                    }
                    waits_until = Some(until);
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
    fn is_parkable(&self) -> bool {
        self.reader.as_ref().is_some_and(Reader::is_parkable)
    }

    fn into_idle(self, until: Instant) -> Option<Idle> {
        let stream = Joined { reader: self.reader?, writer: self.writer };
        Some(Idle { socket: stream.into_socket()?, until, is_first: self.is_first })
    }

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
