//! A portal that answers with given bytes, right or wrong.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the portal does when it is asked for a path.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) bytes: Vec<u8>,
    /// Whether it ends the connection afterwards.
    pub(crate) closes: bool,
}

/// A request that the portal heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The number of the connection.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The head as it came.
    pub(crate) head: String,
}

/// The portal. What is not in the script is answered with the word `plain`, or with what stands
/// behind [`ECHO`] in the query.
pub(crate) struct Script {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Script {
    pub(crate) fn start(script: HashMap<String, Scripted>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(script);
        let portal = Self { address, heard: Arc::clone(&heard) };
        // Both kinds of threads end with the process.
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                let (script, heard) = (Arc::clone(&script), Arc::clone(&heard));
                thread::spawn(move || serve(stream.unwrap(), connection, &script, &heard));
            }
        });
        portal
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns every request until now.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

/// Before what the portal is to answer with, at the end of a query.
pub(crate) const ECHO: &str = "echo=";

fn serve(
    mut stream: TcpStream,
    connection: usize,
    script: &HashMap<String, Scripted>,
    heard: &Mutex<Vec<Heard>>,
) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(head) = head(&mut reader) {
        let mut words = head.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let word = path.split_once(ECHO).map_or("plain", |(_, word)| word);
        let plain = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{word}", word.len());
        let plain = Scripted { bytes: plain.into_bytes(), closes: false };
        let answer = script.get(&path).cloned().unwrap_or(plain);
        heard.lock().unwrap().push(Heard { connection, method, path, head });
        if stream.write_all(&answer.bytes).is_err() {
            return;
        }
        if answer.closes {
            let _ = stream.shutdown(Shutdown::Write);
            // Taken to the end, so that the end is an orderly one.
            let _ = reader.read_to_end(&mut Vec::new());
            return;
        }
    }
}

/// Reads the head of a request without a body.
fn head(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
