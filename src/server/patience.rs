//! How long a client may take with what it is sent, and by what right it is sent on.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::request::lasting::{LOOK, Lasting};
use crate::wire::deadline::{Deadline, Woken};

/// Is ready when the deadline has ended, or with an error when the answer may not go on.
pub(super) fn poll_patience(
    deadline: &mut Deadline,
    lasting: Option<&Arc<Lasting>>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let Some(lasting) = lasting else { return deadline.poll_over(cx).map(Ok) };
    if let Some(cut) = lasting.cut() {
        return Poll::Ready(Err(io::Error::other(cut)));
    }
    loop {
        match ready!(deadline.poll_look(LOOK, cx)) {
            Woken::Over => return Poll::Ready(Ok(())),
            Woken::ToLook => {
                if let Poll::Ready(cut) = lasting.look(cx) {
                    return Poll::Ready(Err(io::Error::other(cut)));
                }
            }
        }
    }
}
