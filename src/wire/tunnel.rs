//! What comes after `101 Switching Protocols`: bytes both ways, until one side or we end it.
//!
//! 1. Not a byte of the client goes on before the portal has agreed: the tunnel is made of what
//!    is there after its 101.
//! 2. A tunnel belongs to the session in whose name it was opened, and to the policy. When the
//!    session ends, or the policy would not let it be opened any more, so does the tunnel: it comes
//!    with a future that says when, and why.
//! 3. Where the protocol is WebSocket the client is told why, with a close frame between two
//!    frames of the portal ([`super::websocket`]).

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Buf;
use tokio::io::AsyncWriteExt;

use super::reader::{Joined, Reader};
use super::stream::WriteHalf;
use super::websocket::{Frames, Goodbye};

/// The portal's side of a tunnel, with what ends it.
pub struct Tunnel {
    /// The connection to the portal.
    pub far: Joined,
    /// Is ready when the tunnel must end, and says why.
    pub ended: Pin<Box<dyn Future<Output = Goodbye> + Send>>,
    /// Whether the protocol is WebSocket.
    pub is_websocket: bool,
}

/// A tunnel on its way to the task that holds the client's side; goes with an answer.
#[derive(Clone)]
pub struct TunnelHandover(Arc<Mutex<Option<Tunnel>>>);

impl TunnelHandover {
    /// Packs a tunnel, to be taken once.
    #[must_use]
    pub fn new(tunnel: Tunnel) -> Self {
        Self(Arc::new(Mutex::new(Some(tunnel))))
    }

    /// Takes the tunnel; there is one.
    #[must_use]
    pub fn take(&self) -> Option<Tunnel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What the client's side is told when we end a tunnel.
pub enum Ended {
    /// One of the two sides had enough.
    ByASide,
    /// We ended it, and the client is told why.
    ByUs(Goodbye),
}

impl Tunnel {
    /// Copies bytes both ways until a side closes, the session ends, or the program stops.
    pub async fn copy_bidirectional(
        self,
        mut near: Joined,
        stopping: impl Future<Output = ()>,
    ) -> Ended {
        let Self { mut far, ended, is_websocket } = self;
        let mut frames = Frames::default();
        let upwards = copy(&mut near.reader, &mut far.writer, |_| {});
        let downwards = copy(&mut far.reader, &mut near.writer, |bytes| frames.follow(bytes));
        // A side that has said its last may still listen. One whose connection broke does not, and
        // the other side learns it at once.
        let both = async { tokio::try_join!(upwards, downwards) };
        let goodbye = tokio::select! {
            biased;
            goodbye = ended => goodbye,
            () = stopping => Goodbye::Stopping,
            _ = both => return Ended::ByASide,
        };
        if is_websocket && frames.is_between() {
            let farewell = async {
                near.writer.write_all(goodbye.frame()).await?;
                near.writer.flush().await
            };
            let _ = tokio::time::timeout(FAREWELL, farewell).await;
        }
        let _ = tokio::time::timeout(FAREWELL, near.writer.shutdown()).await;
        Ended::ByUs(goodbye)
    }
}

/// How long a client may take to hear a goodbye.
const FAREWELL: Duration = Duration::from_millis(250);
const ROOM: usize = 16 * 1024;

/// Copies until the source ends, then says so to the target. Holds no memory while nothing comes.
async fn copy(
    source: &mut Reader,
    target: &mut WriteHalf,
    mut passed: impl FnMut(&[u8]),
) -> io::Result<()> {
    loop {
        while !source.buffer().is_empty() {
            let length = target.write(source.buffer()).await?;
            passed(&source.buffer()[..length]);
            source.buffer().advance(length);
        }
        target.flush().await?;
        source.readable().await?;
        let is_empty = source.buffer().is_empty();
        if is_empty && poll_fn(|cx| source.poll_fill(cx, ROOM)).await? == 0 {
            return target.shutdown().await;
        }
    }
}
