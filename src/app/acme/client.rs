//! The way to the authority: HTTPS alone, bounded in time and size.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use tokio::time::timeout;

use crate::base::connector::{Connector, connector};

/// Asks the authority.
pub(super) struct AuthorityClient(Client<Connector, BodyWrapper<Bytes>>);

/// How long an exchange may take, connection included.
const LONGEST: Duration = Duration::from_secs(30);
/// The most bytes that are read of an answer: a chain of certificates has some thousand.
const LARGEST: usize = 256 * 1024;

impl AuthorityClient {
    /// Makes a client that verifies the authority's server by `tls`.
    pub(super) fn new(tls: rustls::ClientConfig) -> Self {
        Self(Client::builder(TokioExecutor::new()).build(connector(tls, LONGEST)))
    }
}

impl HttpClient for AuthorityClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        // Its directory says where the authority is asked, and might say anything.
        if request.uri().scheme_str() != Some("https") {
            return Box::pin(async { Err(Error::Str("an address that begins with https://")) });
        }
        let asked = self.0.request(request);
        let exchange = async move {
            let (parts, body) = asked.await.map_err(other)?.into_parts();
            let body = Limited::new(body, LARGEST).collect().await.map_err(Error::Other)?;
            Ok(BytesResponse { parts, body: Box::new(body.to_bytes()) })
        };
        Box::pin(async move {
            let late = || other(io::Error::new(io::ErrorKind::TimedOut, "no answer within 30 s"));
            timeout(LONGEST, exchange).await.map_err(|_| late())?
        })
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}
