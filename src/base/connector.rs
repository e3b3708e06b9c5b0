//! The one way in which we connect to others: TCP, with TLS where the address says so.

use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;

/// Connects to `http://` and `https://` addresses, speaking HTTP/1.1.
pub type Connector = HttpsConnector<HttpConnector>;

/// Makes a connector that verifies servers by `tls`.
#[must_use]
pub fn connector(tls: rustls::ClientConfig, connect_timeout: Duration) -> Connector {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(connect_timeout));
    HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http)
}
