//! Stands in the place of the portal and notes what it hears. Only heads are read; every request
//! gets the same short answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What is heard.
pub(super) struct Portal(Arc<Mutex<Vec<String>>>);

/// How the mark of every request of the test begins.
pub(super) const MARK: &str = "brama-mark-";
/// In the query of a request whose answer is to lead elsewhere.
pub(super) const LEAD: &str = "brama-lead";
/// Behind the mark of a request that somebody makes who was led.
pub(super) const WAS_LED: &str = "-was-led";
/// The most heads that are kept.
const MOST: usize = 4096;
/// The longest head that is read.
const MAXIMUM: usize = 256 * 1024;
/// How long a proxy may keep a connection without saying anything.
const PATIENCE: Duration = Duration::from_secs(60);

impl Portal {
    /// Listens there for as long as this process lives. Answers that lead elsewhere lead to a place.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(super) fn start(address: SocketAddr, place: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let notes = Arc::clone(&heard);
        let place: Arc<str> = place.into();
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (notes, place) = (Arc::clone(&notes), Arc::clone(&place));
                thread::spawn(move || serve(stream, &notes, &place));
            }
        });
        Ok(Self(heard))
    }

    /// Returns the head of a request that has this mark in its first line.
    pub(super) fn heard(&self, mark: &str) -> Option<String> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |head: &&String| head.lines().next().is_some_and(|line| line.contains(mark));
        heard.iter().find(is_it).cloned()
    }
}

/// Keeps what belongs to the test, and nothing of others who come meanwhile.
fn note(notes: &Mutex<Vec<String>>, head: String) {
    let is_ours = head.lines().next().is_some_and(|line| line.contains(MARK));
    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    if is_ours && notes.len() < MOST {
        notes.push(head);
    }
}

/// What the portal answers with.
pub(super) const BODY: &str = "brama-probe\n";

/// Returns an answer to a request. Where it is to lead elsewhere, it does in the words of all servers
/// that can be told so.
fn answer(head: &str, place: &str) -> String {
    let line = head.lines().next().unwrap_or_default();
    let mark = line.find(MARK).map(|at| &line[at..]);
    let mark = mark.and_then(|rest| rest.split([' ', '&', '#']).next());
    let leads = match mark {
        Some(mark) if line.contains(LEAD) => format!(
            "X-Accel-Redirect: {place}?{mark}{WAS_LED}\r\nX-Sendfile: /proc/version\r\n\
             X-Lighttpd-Send-File: /proc/version\r\n\
             X-Reproxy-URL: http://127.0.0.1:9/{mark}{WAS_LED}\r\n"
        ),
        _ => String::new(),
    };
    format!("HTTP/1.1 200 OK\r\n{leads}Content-Length: {}\r\n\r\n{BODY}", BODY.len())
}

fn serve(mut stream: TcpStream, notes: &Mutex<Vec<String>>, place: &str) {
    if stream.set_read_timeout(Some(PATIENCE)).is_err() {
        return;
    }
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    loop {
        // A body, which no request of the test has, would be read as a head and end it here.
        while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            bytes.drain(..end + 4);
            let answer = answer(&head, place);
            note(notes, head);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match stream.read(&mut piece) {
            Ok(count) if count > 0 && bytes.len() < MAXIMUM => {
                bytes.extend_from_slice(&piece[..count]);
            }
            _ => return,
        }
    }
}
