//! What a listener carries requests to.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::STRICT_TRANSPORT_SECURITY;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::base::network::write_address;
use crate::request::headers::raw::RawHeaders;
use crate::request::interim::Interim;
use crate::request::lasting::Lasting;
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

/// Where a request came from. Made once for a connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The other end of the connection.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// The address without port, as it is told to upstreams.
    pub text: HeaderValue,
    /// The certificate that the client showed, in DER: its authority was looked at, and that the client has
    /// its key. None where none is asked for.
    pub certificate: Option<Arc<[u8]>>,
    /// Takes the interim responses of an upstream, where they can go on: in HTTP/1.1.
    pub interim: Option<Arc<Interim>>,
}

impl Peer {
    /// Notes where a connection came from.
    #[must_use]
    pub fn new(address: SocketAddr, is_tls: bool) -> Self {
        // A listener on `::` sees IPv4 clients as `::ffff:1.2.3.4`.
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let text = text(address.ip()).unwrap_or(HeaderValue::from_static("unknown"));
        Self { address, is_tls, text, certificate: None, interim: None }
    }

    /// Says that the client showed a certificate.
    #[must_use]
    pub fn with_certificate(self, certificate: Option<Arc<[u8]>>) -> Self {
        Self { certificate, ..self }
    }

    /// Says that interim responses can be sent on to the client.
    #[must_use]
    pub fn with_interim(self) -> Self {
        Self { interim: Some(Arc::default()), ..self }
    }
}

/// Returns an address as headers have it.
fn text(address: IpAddr) -> Option<HeaderValue> {
    let mut text = [0; LONGEST_ADDRESS];
    let mut left = &mut text[..];
    write_address(&mut left, address).ok()?;
    let length = LONGEST_ADDRESS - left.len();
    HeaderValue::from_bytes(&text[..length]).ok()
}

/// Of IPv6 with all its groups.
const LONGEST_ADDRESS: usize = 39;

/// The protocols that a client would like to go on with; an extension of a request.
#[derive(Debug, Clone)]
pub enum WantsUpgrade {
    /// If it can be (HTTP/1.1, RFC 9110 7.8).
    IfPossible(HeaderValue),
    /// Or not at all: an answer of success means that it was done (HTTP/2, RFC 8441 4).
    Only(HeaderValue),
}

/// The client waits for `100 Continue`; an extension of a request.
#[derive(Debug, Clone, Copy)]
pub struct ExpectContinue;

/// An answer on its way to the client.
pub struct ServiceResponse {
    /// What Brama says: the status, its own fields, and the body.
    pub response: Response<Body>,
    /// The fields that an upstream said, which go out as they are.
    pub passed: RawHeaders,
    /// The right by which it goes on, when it is not all there.
    pub lasting: Option<Arc<Lasting>>,
}

impl From<Response<Body>> for ServiceResponse {
    fn from(response: Response<Body>) -> Self {
        Self { response, passed: RawHeaders::default(), lasting: None }
    }
}

impl ServiceResponse {
    /// Puts all fields into one map.
    #[must_use]
    pub fn into_response(self) -> Response<Body> {
        let Self { mut response, passed, .. } = self;
        passed.put_into(response.headers_mut());
        response
    }

    /// Tells browsers to come back over TLS only (RFC 6797 7.2: over TLS, once), unless an upstream
    /// does.
    pub fn add_hsts(&mut self, value: Option<&HeaderValue>, is_tls: bool) {
        if let Some(value) = value.filter(|_| is_tls)
            && !self.response.headers().contains_key(STRICT_TRANSPORT_SECURITY)
        {
            self.passed.be_strict(value.clone());
        }
    }
}

/// Answers requests: the gateway, the listener that redirects, the operations, the simulator.
pub trait Service: Send + Sync + 'static {
    /// A response where all is said by us, a [`ServiceResponse`] where an upstream has its say.
    type Said: Into<ServiceResponse> + Send;

    /// Answers one request: its head, which stays where it was read to, and its body. Every failure
    /// is an answer too.
    fn call(
        &self,
        parts: Box<Parts>,
        body: Incoming,
        peer: &Peer,
    ) -> impl Future<Output = Self::Said> + Send;

    /// Answers what cannot be read as a request. `wants_page` says that a person may be waiting.
    fn refuse(&self, refusal: Refusal, _peer: &Peer, _wants_page: bool) -> Response<Body> {
        let mut response = Response::new(body::full(refusal.code().as_str()));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::request::headers::response::hsts;

    struct Mute;

    impl Service for Mute {
        type Said = Response<Body>;

        async fn call(&self, _: Box<Parts>, _: Incoming, _: &Peer) -> Response<Body> {
            Response::new(body::empty())
        }
    }

    #[test]
    fn what_is_no_request_is_refused_as_such() {
        let peer = Peer::new("127.0.0.1:1".parse().unwrap(), false);
        let refusal = Refusal::Framing("size of a chunk");
        let response = Mute.refuse(refusal, &peer, true);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_address_is_told_as_everybody_writes_it() {
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "203.0.113.255",
            "255.255.255.255",
            "::",
            "2001:db8::a:1",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            let peer = Peer::new(SocketAddr::new(address.parse().unwrap(), 7), false);
            assert_eq!(peer.text, address);
        }
        let mapped = Peer::new("[::ffff:192.0.2.10]:7".parse().unwrap(), false);
        assert_eq!(mapped.text, "192.0.2.10");
    }

    #[test]
    fn hsts_is_added_over_tls_unless_the_portal_says_it() {
        let value = hsts(Duration::from_secs(1));
        for (said, wanted, is_tls, expected) in [
            (None, Some(&value), true, Some("max-age=1")),
            (None, Some(&value), false, None),
            (None, None, true, None),
            (Some("max-age=2"), Some(&value), true, Some("max-age=2")),
        ] {
            let mut response = Response::new(body::empty());
            if let Some(said) = said {
                let said = HeaderValue::from_static(said);
                response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, said);
            }
            let mut answer = ServiceResponse::from(response);
            answer.add_hsts(wanted, is_tls);
            let response = answer.into_response();
            let mut there = response.headers().get_all(STRICT_TRANSPORT_SECURITY).iter();
            let first = there.next().map(|value| value.to_str().unwrap());
            assert!(there.next().is_none());
            let there = first;
            assert_eq!(there, expected);
        }
    }
}
