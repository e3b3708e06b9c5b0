//! A connection of HTTP/1.1: its two halves, and what is known of it.

use std::task::{Context, Poll, ready};

use crate::base::shutdown::Shutdown;
use crate::request::service::Peer;
use crate::server::limits::Limits;
use crate::wire::deadline::Deadline;
use crate::wire::incoming::{Progress, ReaderLease};
use crate::wire::pace::Pace;
use crate::wire::reader::Reader;
use crate::wire::stream::WriteHalf;

/// What is known of a connection between and during its exchanges.
pub(super) struct Connection<'s, S> {
    pub(super) reader: Option<Reader>,
    pub(super) lease: Option<ReaderLease>,
    /// Whether what is left unread of a body is worth reading for the sake of the connection.
    pub(super) may_drain: bool,
    pub(super) unread: Option<Progress>,
    pub(super) writer: WriteHalf,
    pub(super) deadline: Deadline,
    /// How the client takes the answer.
    pub(super) pace: Pace,
    /// Whether no request was read yet.
    pub(super) is_first: bool,
    /// Whether something came after a long wait, of which nothing was read yet.
    pub(super) is_woken: bool,
    pub(super) service: &'s S,
    pub(super) peer: &'s Peer,
    pub(super) limits: &'s Limits,
    pub(super) stop: Shutdown,
}

/// Is ready when the client has hung up. What it sends ahead is kept, up to a bound.
pub(super) fn poll_gone(reader: &mut Reader, cx: &mut Context<'_>) -> Poll<()> {
    while reader.buffer().len() < AHEAD {
        match ready!(reader.poll_fill(cx, HEAD_ROOM)) {
            Ok(0) | Err(_) => return Poll::Ready(()),
            Ok(_) => {}
        }
    }
    Poll::Pending
}

/// Room for a head, and for what comes with it.
pub(super) const HEAD_ROOM: usize = 8 * 1024;
/// What a client may send ahead while it waits for an answer.
const AHEAD: usize = 16 * 1024;
