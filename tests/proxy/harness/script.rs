//! A portal that answers with given bytes, right or wrong.

use std::collections::HashMap;
use std::io::{Read, Write};
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

/// The portal. What is not in the script is answered with the word `plain`.
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

fn serve(
    mut stream: TcpStream,
    connection: usize,
    script: &HashMap<String, Scripted>,
    heard: &Mutex<Vec<Heard>>,
) {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    while let Some(head) = head(&mut stream) {
        let mut words = head.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default().to_owned();
        let scripted = script.get(&path).cloned();
        heard.lock().unwrap().push(Heard { connection, method, path, head });
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain".to_vec();
        let answer = scripted.unwrap_or(Scripted { bytes: plain, closes: false });
        if stream.write_all(&answer.bytes).is_err() {
            return;
        }
        if answer.closes {
            let _ = stream.shutdown(Shutdown::Write);
            // Taken to the end, so that the end is an orderly one.
            let _ = stream.read_to_end(&mut Vec::new());
            return;
        }
    }
}

/// Reads the head of a request without a body.
fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}
