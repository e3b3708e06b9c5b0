//! The end of an exchange: the reader comes home from the body that took it along, and a connection
//! that ends is closed so that its last answer arrives.

use std::future::poll_fn;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::connection::Connection;
use crate::request::service::Service;
use crate::wire::incoming::Returned;

impl<S: Service> Connection<'_, S> {
    /// Takes the reader back if it is home already.
    pub(super) fn look_for_reader(&mut self) {
        if let Some(lease) = &mut self.lease
            && let Ok(returned) = lease.home.try_recv()
        {
            self.lease = None;
            self.take_back(returned);
        }
    }

    pub(super) fn take_back(&mut self, returned: Returned) {
        let Returned { reader, progress } = returned;
        self.reader = Some(reader);
        self.unread = Some(progress).filter(|progress| !progress.is_over());
    }

    /// Waits for the reader that a body took along, and reads what was not wanted of the body.
    /// Without a reader afterwards, there is no next request.
    pub(super) async fn reclaim(&mut self) {
        if let Some(lease) = self.lease.take()
            && let Ok(Ok(returned)) = tokio::time::timeout(RECLAIM, lease.home).await
        {
            self.take_back(returned);
        }
        let Some(mut unread) = self.unread.take() else { return };
        if let Some(reader) = &mut self.reader
            && self.may_drain
        {
            let drain = async {
                while let Some(Ok(_)) = poll_fn(|cx| unread.poll_piece(reader, cx)).await {}
            };
            let _ = tokio::time::timeout(LINGER, drain).await;
        }
        if !unread.is_over() {
            self.linger().await;
        }
    }

    /// Closes so that the client can still read the answer: what it goes on sending is read and
    /// thrown away for a while, because a reset would overtake the answer.
    pub(super) async fn linger(&mut self) {
        let Some(mut reader) = self.reader.take() else { return };
        let writer = &mut self.writer;
        let discard = async {
            // With TLS that waits for a client that does not read.
            if writer.shutdown().await.is_err() {
                return;
            }
            let mut left = LINGER_BYTES;
            while left > 0 {
                reader.buffer().clear();
                match poll_fn(|cx| reader.poll_fill(cx, 16 * 1024)).await {
                    Ok(length) if length > 0 => left = left.saturating_sub(length),
                    _ => return,
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, discard).await;
    }
}

/// How long a body that is not held any more may take to send its reader home.
const RECLAIM: Duration = Duration::from_secs(5);
/// What is read of a body that was not wanted, so that the connection can go on.
pub(super) const DRAIN: u64 = 64 * 1024;
/// How long, and how much, is still read of a client that was refused.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;
