//! The portal at its public address: where it is, and questions to it as a browser or a program
//! would ask them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_LANGUAGE, HOST, USER_AGENT};
use http::{Method, Request};
use http_body_util::Full;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::exchange::{self, Answer, NoAnswer};
use super::tls::{self, Failed};

/// The public address, once something takes connections there.
#[derive(Debug)]
pub(super) struct Site {
    /// Scheme, host and port, as the configuration says.
    pub(super) origin: String,
    /// The name, without brackets.
    pub(super) host: String,
    /// What stands in `Host`.
    pub(super) authority: String,
    /// Where it is asked.
    pub(super) address: SocketAddr,
    /// How TLS is spoken, if it is.
    pub(super) tls: Option<ClientConfig>,
    pub(super) time: Duration,
}

/// What is asked.
#[derive(Debug, Default)]
pub(super) struct Question<'q> {
    pub(super) method: Method,
    pub(super) target: &'q str,
    pub(super) headers: &'q [(&'q str, &'q str)],
    pub(super) body: &'static str,
}

/// What a browser sends when somebody types an address (Fetch metadata).
pub(super) const NAVIGATION: [(&str, &str); 5] = [
    ("accept", "text/html,application/xhtml+xml"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "none"),
    ("sec-fetch-user", "?1"),
];

impl Site {
    /// Asks on a new connection. Returns our own address with the answer.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<(Answer, IpAddr), NoAnswer> {
        let request = self.request(question)?;
        match &self.tls {
            None => {
                let stream = self.connect().await?;
                let here = here(&stream);
                Ok((exchange::ask(stream, request, self.time).await?, here))
            }
            Some(config) => {
                let stream = tls::connect(self.address, &self.host, config, self.time).await;
                let stream = stream.map_err(|failed| match failed {
                    Failed::Refused(seen, _) | Failed::Broken(seen, _) => NoAnswer::Broken(seen),
                    Failed::OfOurs(alert) => {
                        NoAnswer::Broken(format!("it wants a client certificate ({alert:?})"))
                    }
                })?;
                let here = here(stream.get_ref().0);
                Ok((exchange::ask(stream, request, self.time).await?, here))
            }
        }
    }

    async fn connect(&self) -> Result<TcpStream, NoAnswer> {
        match timeout(self.time, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(NoAnswer::Broken(error.to_string())),
            Err(_) => Err(NoAnswer::Slow(self.time)),
        }
    }

    fn request(&self, question: &Question<'_>) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let Question { method, target, headers, body } = question;
        let mut request = Request::builder()
            .method(method)
            .uri(*target)
            .header(HOST, &self.authority)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT_LANGUAGE, "en");
        if !headers.iter().any(|(name, _)| *name == ACCEPT.as_str()) {
            request = request.header(ACCEPT, "application/json");
        }
        for (name, value) in *headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(*body));
        request.map_err(|error| NoAnswer::Broken(error.to_string()))
    }
}

fn here(stream: &TcpStream) -> IpAddr {
    stream.local_addr().map_or(IpAddr::from([0, 0, 0, 0]), |address| address.ip())
}

/// What we are called, in the logs of others.
pub(super) const AGENT: &str = concat!("brama-doctor/", env!("CARGO_PKG_VERSION"));
