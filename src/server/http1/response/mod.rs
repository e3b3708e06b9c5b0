//! Writing an answer: its head, then its body as it comes, in the framing that the client knows.

mod body;
mod head;
#[cfg(test)]
mod tests;

use std::io;

use http::StatusCode;
use hyper::body::Body as _;

use self::body::Sending;
pub(super) use self::head::Asked;
use self::head::Head;
use super::connection::Connection;
use crate::request::service::{Service, ServiceResponse};
use crate::wire::write_buffer;

impl<S: Service> Connection<'_, S> {
    /// Writes an answer; says whether the connection may be used again.
    pub(super) async fn respond(
        &mut self,
        answer: ServiceResponse,
        asked: Asked,
    ) -> io::Result<bool> {
        let ServiceResponse { response, passed, lasting } = answer;
        let (parts, body) = response.into_parts();
        // 1. The head.
        let mut out = write_buffer::take();
        let exact = body.size_hint().exact();
        let Head { framing, goes_on } = Head::write(&mut out, &parts, &passed, exact, asked);
        let goes_on = goes_on && self.knows_next_start(parts.status) && !self.stop.is_draining();
        head::end(&mut out, goes_on);
        // They hold what the upstream's head was read into: not for as long as a client takes its time.
        drop((parts, passed));
        // 2. The body, of which the beginning is often there already and goes in one piece with
        //    the head.
        let mut sending = Sending::new(framing, body, out, lasting);
        sending.is_last = !goes_on && self.reader.is_some() && self.unread.is_none();
        let is_sent = self.send(&mut sending).await?;
        if is_sent {
            write_buffer::give_back(sending.out);
        }
        Ok(is_sent && goes_on)
    }

    /// Tells whether the next request can be found on the connection: the body was read, is being
    /// read by the service, or is short enough to be read to its end.
    fn knows_next_start(&self, status: StatusCode) -> bool {
        let is_read = self.reader.is_some() && self.unread.is_none();
        let is_being_read = self.lease.is_some() && !status.is_client_error();
        is_read || is_being_read || self.may_drain
    }
}
