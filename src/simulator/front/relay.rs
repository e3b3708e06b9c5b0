//! Takes connections, and carries them to the endpoint unless something is to go wrong.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::present::Front;
use super::schedule::Condition;
use super::tls_fault::TlsFault;
use crate::server::listener::Shutdown;
use crate::simulator::bounds::CONNECTIONS;

/// Serves until told to stop. `inner` is where the endpoint listens.
pub(in crate::simulator) async fn run(
    front: Arc<Front>,
    listener: TcpListener,
    inner: SocketAddr,
    stop: Shutdown,
) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stopped = stop;
    loop {
        let accepted = tokio::select! {
            () = stopped.wait_closing() => return,
            accepted = listener.accept() => accepted,
        };
        let (Ok((client, _)), Ok(permit)) = (accepted, Arc::clone(&permits).try_acquire_owned())
        else {
            // Out of descriptors or of permits: some will end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let front = Arc::clone(&front);
        tokio::spawn(async move {
            if let Err(error) = carry(&front, client, inner).await {
                tracing::debug!(%error, "connection ended");
            }
            drop(permit);
        });
    }
}

async fn carry(front: &Front, mut client: TcpStream, inner: SocketAddr) -> std::io::Result<()> {
    if front.condition() == Condition::Down {
        return reset(&client);
    }
    match front.tls() {
        Some(TlsFault::Cut) => {
            read_hello(&mut client).await?;
            return client.shutdown().await;
        }
        Some(TlsFault::Version) => {
            read_hello(&mut client).await?;
            client.write_all(&NO_SUCH_VERSION).await?;
            return client.shutdown().await;
        }
        Some(TlsFault::Slow(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let mut server = TcpStream::connect(inner).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let open = Open::new(front, server.local_addr()?.port());
    tokio::select! {
        () = both_ways(&mut client, &mut server) => Ok(()),
        () = open.ends.notified() => reset(&client),
    }
}

/// Copies until both sides have ended. What the endpoint said last arrives: a client that still
/// sends is read for a moment, or the system would throw away what it has not read yet.
async fn both_ways(client: &mut TcpStream, server: &mut TcpStream) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let mut up = pin!(async {
        let copied = copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
        if copied.is_err() {
            let _ = copy(&mut from_client, &mut sink()).await;
        }
    });
    let mut down = pin!(async {
        let _ = copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    });
    let mut is_up = true;
    loop {
        tokio::select! {
            () = &mut up, if is_up => is_up = false,
            () = &mut down => break,
        }
    }
    if is_up {
        let _ = tokio::time::timeout(LINGER, up).await;
    }
}

/// How long a client is read that the endpoint has left.
const LINGER: Duration = Duration::from_secs(1);

/// Has the system say to the other side that the connection is gone, instead of ending it.
fn reset(client: &TcpStream) -> std::io::Result<()> {
    SockRef::from(client).set_linger(Some(Duration::ZERO))
}

/// Reads the record in which a client begins its handshake (RFC 8446 5.1), as far as it comes.
async fn read_hello(client: &mut TcpStream) -> std::io::Result<()> {
    let mut head = [0; 5];
    client.read_exact(&mut head).await?;
    let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    client.read_exact(&mut hello).await.map(drop)
}

/// RFC 8446 6: a record with the fatal alert `protocol_version`.
const NO_SUCH_VERSION: [u8; 7] = [21, 3, 3, 0, 2, 2, 70];

/// A connection that can be ended by its port.
struct Open<'f> {
    front: &'f Front,
    port: u16,
    ends: Arc<Notify>,
}

impl<'f> Open<'f> {
    fn new(front: &'f Front, port: u16) -> Self {
        let ends = Arc::new(Notify::new());
        front.present().open.insert(port, Arc::clone(&ends));
        Self { front, port, ends }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.front.present().open.remove(&self.port);
    }
}
