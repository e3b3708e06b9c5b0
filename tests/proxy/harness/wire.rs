//! A client without manners: it sends exactly the bytes it is given, and reads answers strictly.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a single read waits.
const READ: Duration = Duration::from_secs(10);

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Whether the other side took what was sent until now.
    is_taken: bool,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) end: End,
    /// The statuses of the 1xx answers before it.
    pub(crate) interim: Vec<u16>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As it announced.
    Complete,
    /// The connection ended, which was the announcement.
    ByClosing,
    /// The connection ended before the announced end.
    Broken,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The connection ended before one began.
    Closed,
    /// Nothing came for a while.
    Silence,
    /// What came is not an answer of HTTP/1.
    Nonsense(String),
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(READ)).unwrap();
        stream.set_write_timeout(Some(READ)).unwrap();
        Self { stream, buffer: Vec::new(), is_taken: true }
    }

    /// Returns the same connection once more, so that one sends while another reads.
    pub(crate) fn another(&self) -> Self {
        Self::over(self.stream.try_clone().unwrap())
    }

    /// Returns our end of it.
    pub(crate) fn address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Sends bytes. A server that has closed already is no failure: what it said shows by reading.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.is_taken = self.is_taken && self.stream.write_all(bytes).is_ok();
    }

    /// Sends bytes in pieces, each on its own.
    pub(crate) fn send_in_pieces(&mut self, bytes: &[u8], size: usize) {
        bytes.chunks(size).for_each(|piece| self.send(piece));
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Sends a request without a body and returns its answer.
    pub(crate) fn get(&mut self, host: &str, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        self.answer("GET")
    }

    /// Reads the answer to a request of this method.
    pub(crate) fn answer(&mut self, method: &str) -> Answer {
        self.try_answer(method).unwrap_or_else(|none| panic!("no answer: {none:?}"))
    }

    /// Reads the answer to a request of this method, when there is one.
    pub(crate) fn try_answer(&mut self, method: &str) -> Result<Answer, NoAnswer> {
        let mut interim = Vec::new();
        loop {
            let (status, headers) = self.head()?;
            if (100..200).contains(&status) && status != 101 {
                interim.push(status);
                continue;
            }
            let mut answer = Answer {
                status,
                headers,
                body: Vec::new(),
                trailers: Vec::new(),
                end: End::Complete,
                interim,
            };
            if method != "HEAD" && !matches!(status, 101 | 204 | 304) {
                self.body(&mut answer)?;
            }
            return Ok(answer);
        }
    }

    /// Reads the head of the next answer, interim or not.
    pub(crate) fn head(&mut self) -> Result<(u16, Vec<(String, String)>), NoAnswer> {
        let line = match self.line() {
            Err(NoAnswer::Nonsense(text)) if text.is_empty() => return Err(NoAnswer::Closed),
            line => line?,
        };
        // RFC 9110 2.5: a client of HTTP/1.0 may be answered in either version.
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .or_else(|| line.strip_prefix("HTTP/1.0 "))
            .and_then(|rest| rest.get(..3))
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| NoAnswer::Nonsense(line.clone()))?;
        Ok((status, self.fields()?))
    }

    /// Reads exactly that many bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        self.try_exactly(count).unwrap_or_else(|none| panic!("{none:?}, after {:?}", self.text()))
    }

    /// Reads exactly that many bytes, when they come.
    pub(crate) fn try_exactly(&mut self, count: usize) -> Result<Vec<u8>, NoAnswer> {
        while self.buffer.len() < count {
            if !self.more()? {
                return Err(NoAnswer::Closed);
            }
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// Reads the next chunk of an answer that comes in chunks.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let line = self.line().unwrap();
        let size = usize::from_str_radix(&line, 16).unwrap();
        let chunk = self.exactly(size);
        assert_eq!(self.exactly(2), b"\r\n");
        chunk
    }

    /// Reads until the connection ends, and returns what came. `None` when it does not end.
    pub(crate) fn rest(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.more() {
                Ok(true) => {}
                Ok(false) => return Some(std::mem::take(&mut self.buffer)),
                Err(_) => return None,
            }
        }
    }

    /// Waits less, or longer, for what may not come.
    pub(crate) fn patience(&mut self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).unwrap();
    }

    fn body(&mut self, answer: &mut Answer) -> Result<(), NoAnswer> {
        let length = answer.header("content-length").map(str::to_owned);
        match (length, answer.header("transfer-encoding")) {
            (Some(_), Some(_)) => Err(NoAnswer::Nonsense("length and encoding".to_owned())),
            (None, Some("chunked")) => self.chunks(answer),
            (None, Some(other)) => Err(NoAnswer::Nonsense(format!("encoding {other}"))),
            (Some(length), None) => {
                let length: usize =
                    length.parse().map_err(|_| NoAnswer::Nonsense(format!("length {length}")))?;
                while self.buffer.len() < length {
                    if !self.more()? {
                        answer.end = End::Broken;
                        break;
                    }
                }
                let length = length.min(self.buffer.len());
                answer.body = self.buffer.drain(..length).collect();
                Ok(())
            }
            (None, None) => {
                answer.body = self.rest().ok_or(NoAnswer::Silence)?;
                answer.end = End::ByClosing;
                Ok(())
            }
        }
    }

    fn chunks(&mut self, answer: &mut Answer) -> Result<(), NoAnswer> {
        loop {
            let Ok(line) = self.line() else {
                answer.end = End::Broken;
                return Ok(());
            };
            let size =
                usize::from_str_radix(&line, 16).map_err(|_| NoAnswer::Nonsense(line.clone()))?;
            if size == 0 {
                answer.trailers = self.fields()?;
                return Ok(());
            }
            while self.buffer.len() < size + 2 {
                if !self.more()? {
                    answer.body.append(&mut self.buffer);
                    answer.end = End::Broken;
                    return Ok(());
                }
            }
            answer.body.extend(self.buffer.drain(..size));
            if self.buffer.drain(..2).ne(*b"\r\n") {
                return Err(NoAnswer::Nonsense("a chunk without its end".to_owned()));
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<(String, String)>, NoAnswer> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) =
                line.split_once(':').ok_or_else(|| NoAnswer::Nonsense(line.clone()))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    /// Reads a line that ends with CRLF and has no other CR or LF. Each byte becomes one character.
    fn line(&mut self) -> Result<String, NoAnswer> {
        let end = loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                break end;
            }
            if !self.more()? {
                return Err(NoAnswer::Nonsense(self.text()));
            }
        };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        match line.strip_suffix(b"\r\n") {
            Some(line) if !line.contains(&b'\r') => Ok(latin1(line)),
            _ => Err(NoAnswer::Nonsense(latin1(&line))),
        }
    }

    /// Reads some bytes; `false` at the end.
    fn more(&mut self) -> Result<bool, NoAnswer> {
        let mut piece = vec![0; 64 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.buffer.extend_from_slice(&piece[..count]);
                Ok(true)
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(NoAnswer::Silence),
                ErrorKind::Interrupted => Ok(true),
                // A reset: an end all the same.
                _ => Ok(false),
            },
        }
    }

    fn text(&self) -> String {
        latin1(&self.buffer)
    }
}

impl Answer {
    /// Makes an answer of what came another way.
    pub(crate) fn ok(body: Vec<u8>) -> Self {
        let (headers, trailers, interim) = (Vec::new(), Vec::new(), Vec::new());
        Self { status: 200, headers, body, trailers, end: End::Complete, interim }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn text(&self) -> String {
        latin1(&self.body)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }

    /// Returns the reason code of a refusal.
    pub(crate) fn reason(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
