//! A listener: accepts connections until told to stop, and lets them end.
//!
//! 1. At most [`Limits::connections`] are open in the whole program; the next one waits in the
//!    kernel's queue. Of one client, [`Limits::connections_per_address`]; the next one is closed.
//! 2. A PROXY header and a TLS handshake have [`Limits::handshake_timeout`] together, the head of
//!    a request [`Limits::header_timeout`] to arrive.
//! 3. A client that neither reads nor sends for [`Limits::stall_timeout`] in the middle of an
//!    exchange loses its connection.
//! 4. On stop: who is in the queue already, or comes while others still come, is served; idle
//!    connections close, and busy ones finish within [`Limits::drain_timeout`]. Nobody is accepted by
//!    the kernel whom we do not serve.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::accept::{Listener, PeerAddress};
use super::addresses::PerAddress;
use super::connection::Connection;
use super::counts::Counts;
pub use crate::base::stop::{Stop, Stopper, stop};
use crate::request::networks::Networks;
pub use crate::request::service::{Peer, Service};
pub use crate::server::limits::Limits;
pub use crate::server::socket::Socket;
use crate::wire::stream::Stream;

/// What all listeners of the program share.
#[derive(Debug)]
pub struct Admission {
    pub(super) limits: Limits,
    pub(super) counts: Counts,
    /// How many are open. A place is taken before somebody comes, so places do not tell.
    open: AtomicUsize,
    places: Arc<Semaphore>,
    pub(super) per_address: Arc<PerAddress>,
    pub(super) proxies: Networks,
}

/// One way in.
#[derive(Debug)]
pub struct Door {
    /// Where connections come from.
    pub listener: Listener,
    /// How TLS is spoken, if it is.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Admission {
    /// Makes the shared bounds. Peers from `proxies` begin with a PROXY header; neither they nor
    /// `trusted` are counted as clients.
    #[must_use]
    pub fn new(limits: Limits, proxies: Vec<IpNet>, trusted: &[IpNet]) -> Arc<Self> {
        let exempt = [&proxies, trusted].concat();
        let per_address = PerAddress::new(limits.connections_per_address, exempt);
        let places = Arc::new(Semaphore::new(limits.connections));
        let (per_address, proxies) = (Arc::new(per_address), Networks::new(proxies));
        let (counts, open) = Default::default();
        Arc::new(Self { limits, counts, open, places, per_address, proxies })
    }

    /// Has other proxies not counted as clients from now on.
    pub fn trust(&self, proxies: &[IpNet], trusted: &[IpNet]) {
        self.per_address.exempt([proxies, trusted].concat());
    }

    /// Returns the bounds.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns what was counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// A connection that counts as open until this is dropped.
struct Open(Arc<Admission>);

impl Open {
    fn begin(admission: &Arc<Admission>) -> Self {
        admission.counts.accepted.add();
        admission.open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(admission))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts connections until told to stop, then waits for the open ones within the deadline.
pub async fn attend<S: Service>(
    door: Door,
    service: Arc<S>,
    admission: Arc<Admission>,
    mut stop: Stop,
) {
    let Door { mut listener, tls } = door;
    let acceptor = tls.map(TlsAcceptor::from);
    let open = TaskTracker::new();
    let start = |place: OwnedSemaphorePermit, stream: Stream, address: PeerAddress, stop: &Stop| {
        let connection = Connection {
            address,
            acceptor: acceptor.clone(),
            service: Arc::clone(&service),
            admission: Arc::clone(&admission),
            stop: stop.clone(),
        };
        let counted = Open::begin(&admission);
        // On the heap: a task is moved several times until it runs, and once more when it has ended.
        open.spawn(Box::pin(async move {
            connection.run(stream).await;
            drop((place, counted));
        }));
    };
    let mut stopped = stop.clone();
    let mut stopped = pin!(stopped.wait());
    loop {
        let place = tokio::select! {
            () = &mut stopped => break,
            place = Arc::clone(&admission.places).acquire_owned() => place,
        };
        let Ok(place) = place else { break };
        tokio::select! {
            () = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => start(place, stream, address, &stop),
                Err(error) => {
                    admission.counts.accept_errors.add();
                    // Out of descriptors, most likely: let some close before the next attempt.
                    warn!(%error, "connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    // Whoever is in the queue already believes to be connected. And who just read that we leave
    // connects anew, until a balancer has noticed.
    let last_call = Instant::now() + LAST_CALL;
    while Instant::now() < last_call {
        let next = async {
            let place = Arc::clone(&admission.places).acquire_owned().await.ok()?;
            Some((place, listener.accept().await.ok()?))
        };
        let Ok(Some((place, (stream, address)))) = timeout(SILENCE, next).await else { break };
        start(place, stream, address, &stop);
    }
    // Who has begun to connect is connected in a moment; nobody else begins.
    if listener.turn_away() {
        tokio::time::sleep(HANDSHAKE).await;
    }
    for (stream, address) in listener.close() {
        // Whoever finds no place would not have been accepted either.
        if let Ok(place) = Arc::clone(&admission.places).try_acquire_owned() {
            start(place, stream, address, &stop);
        }
    }
    stop.wait().await;
    open.close();
    if timeout(admission.limits.drain_timeout, open.wait()).await.is_err() {
        warn!("requests were still open at the end of the drain time");
    }
}

/// Serves one listener that shares nothing with others.
pub async fn serve<S: Service>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    service: Arc<S>,
    limits: Limits,
    stop: Stop,
) {
    let listener = match Listener::try_from(listener) {
        Ok(listener) => listener,
        Err(error) => return warn!(%error, "listener cannot be prepared"),
    };
    let door = Door { listener, tls };
    attend(door, service, Admission::new(limits, Vec::new(), &[]), stop).await;
}

/// When nobody has come for so long after a stop, nobody is in the queue.
const SILENCE: Duration = Duration::from_millis(50);
/// How long a handshake of TCP may take that has begun, with a balancer in the same building.
const HANDSHAKE: Duration = Duration::from_millis(2);
/// How long after a stop somebody may still come.
const LAST_CALL: Duration = Duration::from_secs(1);
