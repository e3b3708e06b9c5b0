//! The way to the authority: HTTPS alone, bounded in time and size.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{HeaderMap, RETRY_AFTER};
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
            let (mut parts, body) = asked.await.map_err(other)?.into_parts();
            drop_senseless(&mut parts.headers);
            let body = Limited::new(body, LARGEST).collect().await.map_err(Error::Other)?;
            Ok(BytesResponse { parts, body: Box::new(body.to_bytes()) })
        };
        Box::pin(async move {
            let late = || other(io::Error::new(io::ErrorKind::TimedOut, "no answer within 30 s"));
            timeout(LONGEST, exchange).await.map_err(|_| late())?
        })
    }
}

/// Takes away how long to wait, where that is longer than anybody would (RFC 9110, 10.2.3): seconds
/// without end do not fit into the time of the library.
fn drop_senseless(headers: &mut HeaderMap) {
    let wait = headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap_or_default().trim());
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = |text: &str| text.parse().is_ok_and(|seconds: u64| seconds <= LONGEST_WAIT);
    if wait.is_some_and(|text| is_number(text) && !is_short(text)) {
        headers.remove(RETRY_AFTER);
    }
}

/// In seconds: two days.
const LONGEST_WAIT: u64 = 2 * 24 * 3600;

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_to_wait_longer_than_time_goes() {
        for (value, stays) in [
            ("5", true),
            ("172800", true),
            ("172801", false),
            ("18446744073709551615", false),
            ("99999999999999999999999", false),
            ("Wed, 21 Oct 2026 07:28:00 GMT", true),
            ("-1", true),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            drop_senseless(&mut headers);
            assert_eq!(headers.contains_key(RETRY_AFTER), stays, "{value}");
        }
    }
}
