//! A WebSocket by hand (RFC 6455), over HTTP/1.1 and over HTTP/2 (RFC 8441): what the libraries do
//! not show is which frame came when.

use super::gateway::Gateway;
use super::http_2::{self, DATA, END_HEADERS, HEADERS, SETTINGS, block, frame};
use super::wire::{NoAnswer, Wire};

/// An open WebSocket.
pub(crate) struct WebSocket {
    wire: Wire,
    version: Version,
    /// Bytes that came in DATA and belong to frames that are not yet whole.
    came: Vec<u8>,
    /// The connection of HTTP/2 was told to end.
    is_told_to_end: bool,
}

/// What carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// A message, or a close frame with its code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(String),
    Close(u16, String),
}

impl WebSocket {
    /// Opens one at `/ws` of the plain listener.
    pub(crate) fn open(gateway: &Gateway, version: Version, cookie: &str) -> Self {
        match Self::try_open(gateway, version, cookie) {
            Ok(socket) => socket,
            Err(head) => panic!("not opened over {version:?}: {head}"),
        }
    }

    /// Opens one, or returns what can be read of the refusal.
    pub(crate) fn try_open(
        gateway: &Gateway,
        version: Version,
        cookie: &str,
    ) -> Result<Self, String> {
        Self::try_open_from(gateway, version, cookie, &[])
    }

    /// Opens one as a page of these origins would: of one, usually.
    pub(crate) fn try_open_from(
        gateway: &Gateway,
        version: Version,
        cookie: &str,
        origins: &[&str],
    ) -> Result<Self, String> {
        match version {
            Version::Http1 => {
                let mut wire = gateway.connect();
                let lines = origins.iter().map(|origin| format!("Origin: {origin}\r\n"));
                let lines: String = lines.collect();
                wire.send(
                    format!(
                        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\n\
                         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {cookie}\r\n\
                         {lines}\r\n",
                        gateway.host()
                    )
                    .as_bytes(),
                );
                let (status, fields) = wire.head().unwrap();
                let accept = ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                let accept = (accept.0.to_owned(), accept.1.to_owned());
                if status != 101 || !fields.contains(&accept) {
                    return Err(format!("{status} {fields:?}"));
                }
                Ok(Self { wire, version, came: Vec::new(), is_told_to_end: false })
            }
            Version::Http2 => {
                let mut wire = http_2::begin(gateway.connect());
                let host = gateway.host();
                let mut fields = vec![
                    (":method", "CONNECT"),
                    (":protocol", "websocket"),
                    (":scheme", "http"),
                    (":path", "/ws"),
                    (":authority", &*host),
                    ("sec-websocket-version", "13"),
                    ("cookie", cookie),
                ];
                fields.extend(origins.iter().map(|origin| ("origin", *origin)));
                wire.send(&frame(HEADERS, END_HEADERS, STREAM, &block(fields)));
                loop {
                    let frame = http_2::read(&mut wire).unwrap();
                    match frame.kind {
                        // RFC 7541 appendix A: 8 is `:status: 200`.
                        HEADERS if frame.payload.first() == Some(&0x88) => {
                            return Ok(Self {
                                wire,
                                version,
                                came: Vec::new(),
                                is_told_to_end: false,
                            });
                        }
                        HEADERS => return Err(format!("{frame:?}")),
                        SETTINGS if frame.flags == 0 => {
                            wire.send(&http_2::frame(SETTINGS, 1, 0, b""));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// Sends a text, masked as a client must.
    pub(crate) fn say(&mut self, text: &str) {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).unwrap();
        let mut bytes = vec![0x81, 0x80 | length, 1, 2, 3, 4];
        bytes.extend(text.bytes().zip([1, 2, 3, 4].iter().cycle()).map(|(b, mask)| b ^ mask));
        match self.version {
            Version::Http1 => self.wire.send(&bytes),
            Version::Http2 => self.wire.send(&frame(DATA, 0, STREAM, &bytes)),
        }
    }

    /// Returns the next text or close frame.
    pub(crate) fn hear(&mut self) -> Heard {
        loop {
            let head = self.exactly(2).unwrap();
            let length = match head[1] {
                126 => {
                    let long = self.exactly(2).unwrap();
                    usize::from(u16::from_be_bytes([long[0], long[1]]))
                }
                short => usize::from(short),
            };
            let payload = self.exactly(length).unwrap();
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            match head[0] {
                0x81 => return Heard::Text(text(&payload)),
                0x88 => {
                    let code = u16::from_be_bytes([payload[0], payload[1]]);
                    return Heard::Close(code, text(&payload[2..]));
                }
                _ => {}
            }
        }
    }

    /// Says something, and hears it come back.
    pub(crate) fn echoes(&mut self, text: &str) {
        self.say(text);
        assert_eq!(self.hear(), Heard::Text(text.to_owned()), "over {:?}", self.version);
    }

    /// Tells whether the connection that carries it takes leave (RFC 9113 6.8), as far as was read.
    pub(crate) fn is_told_to_end(&self) -> bool {
        self.is_told_to_end
    }

    /// Tells whether nothing more comes: the connection ended, or with HTTP/2 the stream.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.exactly(1) == Err(NoAnswer::Closed)
    }

    fn exactly(&mut self, count: usize) -> Result<Vec<u8>, NoAnswer> {
        if self.version == Version::Http1 {
            return self.wire.try_exactly(count);
        }
        while self.came.len() < count {
            let frame = http_2::read(&mut self.wire)?;
            self.is_told_to_end |= frame.kind == http_2::GOAWAY;
            let is_ours = frame.stream == STREAM;
            if is_ours && frame.kind == DATA {
                self.came.extend(&frame.payload);
            }
            let is_last = frame.kind == DATA && frame.flags & http_2::END_STREAM != 0;
            if is_ours && (is_last || frame.kind == http_2::RST_STREAM) && self.came.len() < count {
                return Err(NoAnswer::Closed);
            }
        }
        Ok(self.came.drain(..count).collect())
    }
}

const STREAM: u32 = 1;
