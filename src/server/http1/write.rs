//! Writing to the client, as fast as it reads but not slower than it may.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use bytes::Buf;
use tokio::io::AsyncWrite as _;

use super::connection::Connection;
use crate::request::lasting::{LOOK, Lasting};
use crate::request::service::Service;
use crate::server::patience::poll_patience;
use crate::wire::stream::poll_write_some;

impl<S: Service> Connection<'_, S> {
    /// Writes all of it.
    pub(super) async fn write(&mut self, bytes: &mut impl Buf) -> io::Result<()> {
        self.write_while(bytes, None).await
    }

    /// Writes all of it, as long as the answer may go on.
    pub(super) async fn write_while(
        &mut self,
        bytes: &mut impl Buf,
        lasting: Option<&Arc<Lasting>>,
    ) -> io::Result<()> {
        let Self { writer, deadline, pace, limits, .. } = self;
        let slowest = limits.slowest();
        poll_fn(|cx| {
            loop {
                // TLS takes a piece although the client takes none: that shows when it has to go out.
                let is_taken = !bytes.has_remaining();
                let written = if is_taken {
                    Pin::new(&mut *writer).poll_flush(cx).map_ok(|()| 0)
                } else {
                    poll_write_some(writer, cx, bytes)
                };
                match written {
                    Poll::Ready(Ok(0)) if !is_taken => {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    Poll::Ready(Ok(written)) => pace.moved(written),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        if let Some(time) = pace.wait(&slowest) {
                            deadline.renew_looking(time, LOOK);
                        }
                        ready!(poll_patience(deadline, lasting, cx))?;
                        return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                    }
                }
                if is_taken {
                    return Poll::Ready(Ok(()));
                }
            }
        })
        .await
    }
}
