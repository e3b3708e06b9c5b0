//! The assembly: settings become a gateway with its listeners. Read this second, after `lib.rs`.

pub mod settings;
mod state;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::{error, info};

pub use self::settings::Settings;
use self::state::StateError;
use crate::base::clock::SharedClock;
use crate::flow::Flows;
use crate::flow::node::NodeClient;
use crate::gate::policy::Policy;
use crate::http::Gateway;
use crate::http::operations::Operations;
use crate::identity::keyring::KeyRing;
use crate::identity::token::Minter;
use crate::observe::access::AccessLog;
use crate::proxy::Upstreams;
use crate::server::listener::{self, Socket, Stop};
use crate::session::memory::Memory;

/// A gateway whose sockets are bound: it can be reached as soon as it runs.
pub struct App {
    gateway: Arc<Gateway>,
    http: Option<TcpListener>,
    https: Option<(TcpListener, Arc<rustls::ServerConfig>)>,
    operations: TcpListener,
    limits: listener::Limits,
    state: state::State,
    clock: SharedClock,
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The access log cannot be written.
    #[error("access log cannot be written: {0}")]
    AccessLog(std::io::Error),
    /// What is kept between runs cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl App {
    /// Puts everything together and binds the sockets.
    ///
    /// # Errors
    /// When an address is taken, or kept keys cannot be read.
    pub async fn bind(settings: Settings, clock: SharedClock) -> Result<Self, Error> {
        let now = clock.now();
        let state = state::State::new(settings.state_directory.clone());
        let ring = Arc::new(RwLock::new(state.key_ring(settings.key_rotation, now)?));
        let secret = match settings.pairwise_secret {
            Some(secret) => secret,
            None => state.pairwise_secret()?,
        };

        let sessions = Arc::new(Memory::new(settings.session.clone()));
        let node = NodeClient::new(settings.node, settings.node_tls);
        let policy = Policy::new(settings.routes);
        let kept_tokens = settings.session.maximum.saturating_mul(policy.releases() as u64);
        let minter = Minter::new(
            settings.http.origin.clone(),
            secret,
            settings.token_lifetime,
            Arc::clone(&ring),
            kept_tokens,
        );
        let flows =
            Flows::new(settings.flows, settings.session, node, sessions, Arc::clone(&clock));
        let gateway = Arc::new(Gateway {
            settings: settings.http,
            flows: Arc::new(flows),
            policy,
            minter,
            ring,
            upstreams: Upstreams::new(settings.upstreams, &settings.upstream_tls),
            access: Arc::new(AccessLog::start(settings.log.access).map_err(Error::AccessLog)?),
            clock: Arc::clone(&clock),
        });

        let http = match settings.listen.http {
            Some(socket) => Some(bind(socket).await?),
            None => None,
        };
        let https = match settings.listen.https {
            Some((socket, tls)) => Some((bind(socket).await?, tls)),
            None => None,
        };
        let operations = bind(settings.listen.operations).await?;
        Ok(Self { gateway, http, https, operations, limits: settings.listen.limits, state, clock })
    }

    /// Returns the address of the operations listener.
    #[must_use]
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations.local_addr().ok()
    }

    /// Serves until told to stop. The operations listener says "not ready" first and stops last.
    pub async fn run(self, mut stop: Stop) {
        let Self { gateway, http, https, operations, limits, state, clock } = self;
        info!(
            http = address(http.as_ref()),
            https = address(https.as_ref().map(|(listener, _)| listener)),
            operations = address(Some(&operations)),
            "gateway started"
        );
        let (operations_stopper, operations_stop) = listener::stop();
        let answers = Arc::new(Operations::new(stop.clone()));
        let operations = tokio::spawn(listener::serve(
            operations,
            None,
            answers,
            listener::Limits { connections: 100, drain_timeout: Duration::from_secs(1), ..limits },
            operations_stop,
        ));
        let rotation =
            tokio::spawn(rotate_keys(Arc::clone(&gateway.ring), state, Arc::clone(&clock)));
        let plain = async {
            if let Some(listener) = http {
                listener::serve(listener, None, Arc::clone(&gateway), limits, stop.clone()).await;
            }
        };
        let encrypted = async {
            if let Some((listener, tls)) = https {
                let gateway = Arc::clone(&gateway);
                listener::serve(listener, Some(tls), gateway, limits, stop.clone()).await;
            }
        };
        tokio::join!(plain, encrypted);
        stop.wait().await;
        gateway.access.flush();
        rotation.abort();
        operations_stopper.stop();
        let _ = operations.await;
        info!("gateway stopped");
    }
}

/// The address of a listener for the log; empty when there is none.
fn address(listener: Option<&TcpListener>) -> String {
    let address = listener.and_then(|listener| listener.local_addr().ok());
    address.map(|address| address.to_string()).unwrap_or_default()
}

async fn bind(socket: Socket) -> Result<TcpListener, Error> {
    let address = socket.address().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
    socket.into_listener().await.map_err(|source| Error::Listen { address, source })
}

/// Looks at the clock every minute; keys change every few weeks.
async fn rotate_keys(ring: Arc<RwLock<KeyRing>>, state: state::State, clock: SharedClock) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let changed = {
            let mut ring = ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.advance(clock.now()).then(|| ring.clone())
        };
        if let Some(ring) = changed {
            match state.keep_key_ring(&ring) {
                Ok(()) => info!("signing keys of identities changed"),
                Err(error) => error!(%error, "signing keys of identities cannot be kept"),
            }
        }
    }
}
