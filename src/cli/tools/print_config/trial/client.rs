//! A client that sends exactly what it is told to, one request on a connection. For WebSockets over
//! HTTP/2 it is [`super::http_2`].

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use url::Url;

use crate::server::tls;

/// How long an answer may take, and each part of it.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer that are read.
const MAXIMUM: u64 = 256 * 1024;

/// Sends requests to one address.
pub(super) struct Client {
    pub(super) url: Url,
    host: String,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
}

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) text: String,
}

impl Heard {
    /// Tells whether the other side ended without a word.
    pub(super) fn is_nothing(&self) -> bool {
        self.head.is_empty() && self.text.is_empty()
    }

    /// Tells whether it has a field of that name, in lower case.
    pub(super) fn has(&self, name: &str) -> bool {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.into_iter().any(|(known, _)| known.trim().eq_ignore_ascii_case(name))
    }
}

impl Client {
    pub(super) fn new(address: &str, trust: Option<&[u8]>) -> Result<Self, String> {
        let url =
            Url::parse(address).map_err(|error| format!("{address} is no address: {error}"))?;
        let host = url.host_str().ok_or_else(|| format!("{address} names no host"))?.to_owned();
        let tls = match url.scheme() {
            "http" => None,
            "https" => {
                let mut roots = RootCertStore::empty();
                match trust {
                    Some(pem) => {
                        let chain = tls::read_chain(pem).map_err(|error| error.to_string())?;
                        roots.add_parsable_certificates(chain);
                    }
                    None => {
                        roots.add_parsable_certificates(
                            rustls_native_certs::load_native_certs().certs,
                        );
                    }
                }
                let mut config = tls::client(roots, None).map_err(|error| error.to_string())?;
                config.alpn_protocols = vec![b"http/1.1".to_vec()];
                let name = ServerName::try_from(host.clone())
                    .map_err(|_| format!("{host} is no name of a host"))?;
                Some((Arc::new(config), name))
            }
            other => return Err(format!("{other} is neither http nor https")),
        };
        Ok(Self { url, host, tls })
    }

    /// Returns the name of the host.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns host and port, as a browser writes them.
    pub(super) fn authority(&self) -> &str {
        &self.url[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// Sends a request, behind whatever stands before it; an answer that cannot be read as one has
    /// the status 0.
    pub(super) fn send(
        &self,
        before: &[u8],
        (method, target): (&str, &str),
        fields: &str,
    ) -> io::Result<Heard> {
        let authority = self.authority();
        let host = match fields.to_ascii_lowercase().contains("\r\nhost:") {
            true => String::new(),
            false => format!("Host: {authority}\r\n"),
        };
        // The proxy may have to be told that nothing more comes.
        let close = match fields.to_ascii_lowercase().contains("connection:") {
            true => "",
            false => "Connection: close\r\n",
        };
        let request = format!("{method} {target} HTTP/1.1\r\n{host}{close}{fields}\r\n");
        let bytes = self.exchange(before, request.as_bytes())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Ok(Heard { status, head: head.to_owned(), text: body.to_owned() })
    }

    /// Connects to the first of its addresses at which somebody is.
    pub(super) fn connect(&self) -> io::Result<TcpStream> {
        let port = self.url.port_or_known_default().unwrap_or(443);
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (bare, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn exchange(&self, before: &[u8], request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = self.connect()?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(before)?;
        let talked = match &self.tls {
            None => talk(stream, request),
            Some((config, name)) => {
                let connection = ClientConnection::new(Arc::clone(config), name.clone())
                    .map_err(io::Error::other)?;
                talk(StreamOwned::new(connection, stream), request)
            }
        };
        match talked {
            // Who does not take what stands before the request has ended the connection.
            Err(_) if !before.is_empty() => Ok(Vec::new()),
            talked => talked,
        }
    }
}

/// Reads until the other side ends, or a whole answer is there and nothing more comes.
fn talk(mut stream: impl Read + Write, request: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(request)?;
    stream.flush()?;
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    while (bytes.len() as u64) < MAXIMUM && !is_whole(&bytes) {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            // Some end TLS without saying so, and some reset what they refuse.
            Err(_) if !bytes.is_empty() => break,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
                ) =>
            {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Tells whether an answer whose length is said is all there.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    length.is_some_and(|length| bytes.len() >= end + 4 + length)
}
