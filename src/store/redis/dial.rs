//! Opens connections: TCP, TLS, authentication.
//!
//! The library could do this too, but would read the authorities of the system anew for each
//! connection; and like this the provider of cryptography is the one that we use everywhere.
//!
//! Password and certificates may change while the program runs ([`Dialer::renew`]): connections that
//! are open go on as they began, and the next one is opened with what is given then.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::error::CommandError;
use super::settings::{Address, ConnectError, Credentials, Settings};
use super::tls::client;

/// Opens connections to servers of one kind.
pub(super) struct Dialer {
    way: ArcSwap<Way>,
    timeout: Duration,
}

/// How a connection is opened: as whom, and through what.
pub(super) struct Way {
    tls: Option<TlsConnector>,
    info: RedisConnectionInfo,
}

/// A connection, and the task that moves its bytes. It ends with it.
pub(super) struct Connection {
    /// Sends commands; may be cloned.
    pub(super) sender: MultiplexedConnection,
    driver: JoinHandle<()>,
}

/// Bytes to and from a server.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Way {
    /// Reads what connections to servers that hold records need.
    pub(super) fn to_servers(settings: &Settings) -> Result<Self, ConnectError> {
        let info = info(settings.credentials.as_ref()).set_db(i64::from(settings.database));
        Self::new(settings, info)
    }

    /// Reads what connections to sentinels need.
    pub(super) fn to_sentinels(
        settings: &Settings,
        credentials: Option<&Credentials>,
    ) -> Result<Self, ConnectError> {
        Self::new(settings, info(credentials))
    }

    fn new(settings: &Settings, info: RedisConnectionInfo) -> Result<Self, ConnectError> {
        let tls = settings.tls.as_ref().map(client).transpose()?;
        let tls = tls.map(|config| TlsConnector::from(Arc::new(config)));
        Ok(Self { tls, info })
    }
}

impl Dialer {
    /// Prepares connections.
    pub(super) fn new(way: Way, settings: &Settings) -> Self {
        Self { way: ArcSwap::from_pointee(way), timeout: settings.connect_timeout }
    }

    /// Opens connections like this from now on.
    pub(super) fn renew(&self, way: Way) {
        self.way.store(Arc::new(way));
    }

    /// Opens a connection for commands.
    pub(super) async fn connect(&self, address: &Address) -> Result<Connection, CommandError> {
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let way = self.way.load_full();
        let connecting = async {
            let stream = way.stream(address).await?;
            MultiplexedConnection::new_with_config(&way.info, stream, config)
                .await
                .map_err(|error| CommandError::of(address, &error))
        };
        let (sender, driver) = self.in_time(address, connecting).await?;
        Ok(Connection { sender, driver: tokio::spawn(driver) })
    }

    /// Opens a connection that listens to a channel.
    pub(super) async fn listen(
        &self,
        address: &Address,
        channel: &str,
    ) -> Result<PubSub, CommandError> {
        let way = self.way.load_full();
        let connecting = async {
            let stream = way.stream(address).await?;
            let of = |error| CommandError::of(address, &error);
            let mut listening = PubSub::new(&way.info, stream).await.map_err(of)?;
            listening.subscribe(channel).await.map_err(of)?;
            Ok(listening)
        };
        self.in_time(address, connecting).await
    }

    async fn in_time<T>(
        &self,
        address: &Address,
        connecting: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        tokio::time::timeout(self.timeout, connecting).await.unwrap_or_else(|_| {
            let within = self.timeout.as_millis();
            Err(CommandError::Away(format!("{address} cannot be connected to within {within} ms")))
        })
    }
}

impl Way {
    async fn stream(&self, address: &Address) -> Result<Box<dyn Stream>, CommandError> {
        let away = |error: std::io::Error| {
            CommandError::Away(format!("{address} cannot be connected to: {error}"))
        };
        let target = (address.host.as_str(), address.port);
        let stream = TcpStream::connect(target).await.map_err(away)?;
        stream.set_nodelay(true).map_err(away)?;
        // A firewall that forgot the connection shows itself before a citizen does.
        let alive = TcpKeepalive::new().with_time(IDLE).with_interval(IDLE).with_retries(2);
        SockRef::from(&stream).set_tcp_keepalive(&alive).map_err(away)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(address.host.clone())
            .map_err(|_| CommandError::Away(format!("{address} has no name that TLS can check")))?;
        Ok(Box::new(tls.connect(name, stream).await.map_err(away)?))
    }
}

impl Connection {
    /// Tells whether the connection has ended.
    pub(super) fn is_over(&self) -> bool {
        self.driver.is_finished()
    }

    /// Ends the connection; a caller that waits for an answer hears so.
    pub(super) fn close(&self) {
        self.driver.abort();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

/// After how long without traffic a connection is probed.
const IDLE: Duration = Duration::from_secs(15);

fn info(credentials: Option<&Credentials>) -> RedisConnectionInfo {
    // Nothing that an ACL user would need a permission for besides what we do.
    let info =
        RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
    let Some(credentials) = credentials else { return info };
    let info = info.set_password(credentials.password.expose());
    match &credentials.user {
        Some(user) => info.set_username(user),
        None => info,
    }
}
