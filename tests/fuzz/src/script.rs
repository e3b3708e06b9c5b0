//! A connection whose other end says what is written in the input, in pieces that the input
//! chooses.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

/// Parts bytes into pieces: all in one when `cut` is zero, otherwise of 1 to `cut` bytes.
pub fn pieces(bytes: &[u8], cut: u8) -> Vec<&[u8]> {
    if cut == 0 {
        return vec![bytes];
    }
    let (mut rest, mut pieces, mut state) = (bytes, Vec::new(), u32::from(cut));
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 16) as usize % usize::from(cut);
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// The connection. It never lets anybody wait, and ends after the last piece.
pub struct Script {
    pieces: VecDeque<Vec<u8>>,
    waits: bool,
    waiting: Option<Waker>,
    written: Written,
}

/// What was written to a [`Script`].
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// Takes all of it.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Script {
    /// Says the bytes at once.
    pub fn new(bytes: &[u8], cut: u8) -> (Self, Written) {
        let pieces = pieces(bytes, cut).into_iter().map(<[u8]>::to_vec).collect();
        let written = Written::default();
        (Self { pieces, waits: false, waiting: None, written: written.clone() }, written)
    }

    /// Says nothing before something was written.
    pub fn answering(self) -> Self {
        Self { waits: true, ..self }
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        target: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.waits {
            self.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if let Some(mut piece) = self.pieces.pop_front() {
            let rest = piece.split_off(piece.len().min(target.remaining()));
            target.put_slice(&piece);
            if !rest.is_empty() {
                self.pieces.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.0.lock().unwrap().extend_from_slice(bytes);
        self.waits = false;
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

thread_local! {
    static RUNTIME: RefCell<Runtime> = RefCell::new(
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
    );
}

/// Runs to the end. Time stands still, and jumps when everybody waits for it.
pub fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.with_borrow_mut(|runtime| runtime.block_on(future))
}
