//! The requests of a connection, one after the other, until it ends or goes on as HTTP/2.

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
pub async fn serve<S: Service>(
    stream: Joined,
    service: &S,
    peer: &Peer,
    limits: &Limits,
    stop: Shutdown,
) -> After {
    let Joined { reader, writer } = stream;
    let connection = Connection {
        reader: Some(reader),
        lease: None,
        may_drain: false,
        unread: None,
        writer,
        deadline: Deadline::default(),
        pace: Pace::default(),
        is_first: true,
        service,
        peer,
        limits,
        stop,
    };
    connection.run().await
}

impl<S: Service> Connection<'_, S> {
    async fn run(mut self) -> After {
        loop {
            match self.next().await {
                Next::Request(head) => match self.exchange(head).await {
                    Ok(true) => {}
                    Ok(false) => return After::Closed,
                    Err(error) => {
                        debug!(%error, "connection ended early");
                        return After::Closed;
                    }
                },
                Next::Refused(refusal) => {
                    debug!(%refusal, "request refused");
                    self.refuse(refusal).await;
                    return After::Closed;
                }
                Next::Http2 => {
                    return match self.reader {
                        Some(reader) => {
                            After::Http2(Box::new(Joined { reader, writer: self.writer }))
                        }
                        None => After::Closed,
                    };
                }
                Next::Closed => {
                    let _ = self.writer.shutdown().await;
                    return After::Closed;
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
