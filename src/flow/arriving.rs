//! What is arriving: bodies that are read whole before anything is decided about them.
//!
//! 1. What has come is counted, not what was announced: a client that announces much and sends
//!    little holds little.
//! 2. There is a bound for how many arrive at once and for their bytes, shared out by network
//!    ([`super::ledger`]). When it is tight, the network that has most loses the one that began
//!    first, and that one is not read any further.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::ledger::{Admission, Bounds, Entry, Ledger, Usage};
use crate::base::body::{BoxError, ReadError};
use crate::base::clock::Time;
use crate::base::network::Network;
use crate::base::random;
use crate::store::Digest;

/// How many forms may be arriving at once.
pub const MOST_ARRIVING: usize = 4_096;
/// How many bytes of them may have come.
pub const MOST_ARRIVING_BYTES: usize = 64 << 20;

/// The bodies that are arriving in this process, by network.
pub struct Arriving {
    ledger: Ledger,
    /// Those that are being read; one that is dropped here is read no further.
    readers: Mutex<HashMap<Digest, oneshot::Sender<()>>>,
}

/// One body that is arriving. Its share is free again when this is dropped.
pub struct Arrival<'a> {
    room: &'a Arriving,
    digest: Digest,
    stopped: oneshot::Receiver<()>,
}

/// Why a body did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum DidNotArrive {
    /// Others that have less had to have room.
    #[error("too much arrives at once, and most of it from this network")]
    NoRoom,
    /// It could not be read.
    #[error(transparent)]
    Unread(#[from] ReadError),
}

impl Default for Arriving {
    fn default() -> Self {
        Self::new(Bounds { entries: MOST_ARRIVING, bytes: MOST_ARRIVING_BYTES })
    }
}

impl Arriving {
    /// Makes room with these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self { ledger: Ledger::new(bounds), readers: Mutex::default() }
    }

    /// Begins to take something in from a network; none when there is no room for it.
    pub fn begin(&self, network: Network) -> Option<Arrival<'_>> {
        let (digest, bytes) = (random::bytes(), Bounds::weigh(0));
        let (reader, stopped) = oneshot::channel();
        self.readers().insert(digest, reader);
        let entry = Entry { digest, network, bytes, expires: Time::MAX };
        let arrival = Arrival { room: self, digest, stopped };
        self.stop(self.ledger.admit(entry, Time::MIN)).then_some(arrival)
    }

    /// Returns how much is arriving.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.ledger.usage()
    }

    /// Stops those that had to make room.
    fn stop(&self, admission: Admission) -> bool {
        let mut readers = self.readers();
        for digest in admission.evicted {
            readers.remove(&digest);
        }
        admission.is_admitted
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<Digest, oneshot::Sender<()>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival<'_> {
    /// Reads a body whole, up to a limit and within a time.
    ///
    /// # Errors
    /// When it is longer, takes longer, breaks off, or there is no room for it any more.
    pub async fn read<B>(
        mut self,
        body: B,
        limit: usize,
        time: Duration,
    ) -> Result<Bytes, DidNotArrive>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        match timeout(time, self.read_on(body, limit)).await {
            Ok(read) => read,
            Err(_) => Err(ReadError::Slow(time).into()),
        }
    }

    async fn read_on<B>(&mut self, body: B, limit: usize) -> Result<Bytes, DidNotArrive>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let (mut body, mut read) = (pin!(body), BytesMut::new());
        loop {
            let frame = tokio::select! {
                biased;
                _ = &mut self.stopped => return Err(DidNotArrive::NoRoom),
                frame = body.frame() => frame,
            };
            let Some(frame) = frame else { return Ok(read.freeze()) };
            let frame = frame.map_err(|error| ReadError::Broken(error.into()))?;
            let Ok(data) = frame.into_data() else { continue };
            if data.len() > limit - read.len() {
                return Err(ReadError::TooLong(limit).into());
            }
            // Copied, so that a piece of one byte does not hold the buffer that it came in.
            read.extend_from_slice(&data);
            let bytes = Bounds::weigh(read.len());
            let admission = self.room.ledger.grow(self.digest, bytes, Time::MIN);
            if !self.room.stop(admission) {
                return Err(DidNotArrive::NoRoom);
            }
        }
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.room.ledger.release(self.digest);
        self.room.readers().remove(&self.digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    const TIME: Duration = Duration::from_secs(60);

    fn network(number: u32) -> Network {
        Network::of(std::net::Ipv4Addr::from(number).into(), 32, 56)
    }

    /// A body of so many bytes that does not go on.
    fn stalled(length: usize) -> impl Body<Data = Bytes, Error = std::io::Error> {
        let first = futures_util::stream::iter([Ok(Frame::data(vec![b'x'; length].into()))]);
        StreamBody::new(futures_util::StreamExt::chain(first, futures_util::stream::pending()))
    }

    #[tokio::test]
    async fn whoever_announces_much_and_sends_little_holds_little() {
        let room = Arriving::new(Bounds { entries: 1000, bytes: 1 << 20 });
        let mut slow: Vec<_> = (0..64)
            .map(|_| Box::pin(room.begin(network(1)).unwrap().read(stalled(1), 1 << 20, TIME)))
            .collect();
        assert!(slow.iter_mut().all(|read| read.as_mut().now_or_never().is_none()));
        let usage = room.usage();
        assert_eq!((usage.entries, usage.bytes), (64, 64 * Bounds::weigh(1)));
        let whole = Full::new(Bytes::from(vec![b'y'; 900_000]));
        let read = room.begin(network(2)).unwrap().read(whole, 1 << 20, TIME).await.unwrap();
        assert_eq!(read.len(), 900_000);
        drop(slow);
        assert_eq!(room.usage().entries, 0, "all of it is free again");
    }

    #[tokio::test]
    async fn who_has_most_is_read_no_further_when_others_come() {
        let room = Arriving::new(Bounds { entries: 100, bytes: 100_000 });
        let begin = |of| room.begin(network(of)).unwrap();
        let mut flood: Vec<_> =
            (0..9).map(|_| Box::pin(begin(1).read(stalled(10_000), 50_000, TIME))).collect();
        assert!(flood.iter_mut().all(|read| read.as_mut().now_or_never().is_none()));
        let honest = Full::new(Bytes::from(vec![b'y'; 40_000]));
        let read = begin(2).read(honest, 50_000, TIME).await.unwrap();
        assert_eq!(read.len(), 40_000);
        let stopped: Vec<_> =
            flood.iter_mut().filter_map(|read| read.as_mut().now_or_never()).collect();
        assert!((3..=4).contains(&stopped.len()), "{}", stopped.len());
        assert!(stopped.iter().all(|read| matches!(read, Err(DidNotArrive::NoRoom))));
    }

    #[tokio::test]
    async fn what_is_too_long_or_breaks_off_does_not_arrive() {
        let room = Arriving::default();
        let begin = || room.begin(network(1)).unwrap();
        let whole = |length| Full::new(Bytes::from(vec![b'x'; length]));
        assert_eq!(begin().read(whole(10), 10, TIME).await.unwrap().len(), 10);
        let error = begin().read(whole(11), 10, TIME).await.unwrap_err();
        assert!(matches!(error, DidNotArrive::Unread(ReadError::TooLong(10))));
        let broken = StreamBody::new(futures_util::stream::iter([Err::<Frame<Bytes>, _>(
            std::io::Error::other("gone"),
        )]));
        let error = begin().read(broken, 10, TIME).await.unwrap_err();
        assert!(matches!(error, DidNotArrive::Unread(ReadError::Broken(_))));
        // However it is cut.
        let parts = |each| {
            let data = Bytes::from(vec![b'x'; each]);
            let part = move || Ok::<_, std::io::Error>(Frame::data(data.clone()));
            StreamBody::new(futures_util::stream::iter([part(), part()]))
        };
        assert_eq!(begin().read(parts(5), 10, TIME).await.unwrap().len(), 10);
        let error = begin().read(parts(6), 10, TIME).await.unwrap_err();
        assert!(matches!(error, DidNotArrive::Unread(ReadError::TooLong(10))));
        assert_eq!(room.usage().entries, 0);
        assert!(room.readers().is_empty(), "nobody is left to be told");
    }
}
