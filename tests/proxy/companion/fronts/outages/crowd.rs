//! Citizens and strangers who come at a steady pace, each request over a connection of its own and
//! whatever became of those before.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::{sleep_until, timeout};

use super::super::stories::{FETCH, NAVIGATION};
use crate::harness::PATIENCE;
use crate::harness::script::ECHO;

/// Requests a second.
const EACH_SECOND: u32 = 300;
/// How long everything may take to be well again before fewer come, as on a machine that others keep
/// busy: half as many each time, but never less than these.
const BEFORE_FEWER: Duration = Duration::from_secs(5);
const AT_LEAST: u32 = 30;
/// How long anything may take on such a machine.
const LONG: Duration = Duration::from_secs(60);
/// How many right answers in a row are taken for "everything works again".
const IN_A_ROW: usize = 120;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Who is signed in, by the name that the portal is to hear.
    Citizen(&'static str),
    /// Without a cookie.
    Stranger,
    /// Without a cookie, and with the fields by which the portal is told who comes.
    Forger,
}

/// One who comes again and again.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) who: Who,
    pub(super) path: &'static str,
    /// Fields of the request.
    pub(super) fields: String,
}

impl Visitor {
    /// Whoever it is goes to the place that asks who comes, and to the one that does not.
    pub(super) fn both(who: &Who, said: &str) -> [Self; 2] {
        let manner = if matches!(who, Who::Citizen(_)) { NAVIGATION } else { FETCH };
        let fields = format!("{manner}{said}");
        ["/tax", "/public"].map(|path| Self { who: who.clone(), path, fields: fields.clone() })
    }

    /// Tells whether that is how they are to be answered: a citizen and a public place have the
    /// portal's own answer; forged fields may be refused everywhere.
    fn is_right(&self, came: &Came) -> bool {
        let allowed: &[u16] = match (&self.who, self.path) {
            (Who::Citizen(_), _) | (Who::Stranger, "/public") => &[200],
            (Who::Stranger, _) => &[401],
            (Who::Forger, "/public") => &[200, 400, 403],
            (Who::Forger, _) => &[400, 401, 403],
        };
        came.status.is_some_and(|status| allowed.contains(&status))
    }
}

/// What came of a request.
#[derive(Debug, Clone)]
pub(super) struct Came {
    /// Who asked, as a place in the list of visitors.
    pub(super) visitor: usize,
    pub(super) sent: Instant,
    pub(super) ended: Instant,
    /// `None` when the connection ended without an answer, or there was none.
    pub(super) status: Option<u16>,
    /// All of what came.
    pub(super) text: String,
}

/// All of them under way.
pub(super) struct Crowd {
    runtime: Runtime,
    shared: Arc<Shared>,
}

struct Shared {
    front: SocketAddr,
    visitors: Vec<Visitor>,
    stop: AtomicBool,
    sent: AtomicUsize,
    /// How many come in a second.
    pace: AtomicU32,
    came: Mutex<BTreeMap<usize, Came>>,
}

impl Crowd {
    /// Has them come to a proxy, in turn.
    pub(super) fn start(front: SocketAddr, visitors: Vec<Visitor>) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Shared {
            front,
            visitors,
            stop: AtomicBool::default(),
            sent: AtomicUsize::default(),
            pace: AtomicU32::new(EACH_SECOND),
            came: Mutex::default(),
        });
        runtime.spawn(come(Arc::clone(&shared)));
        Self { runtime, shared }
    }

    /// Waits until that many more have come to ask, which takes as long as their pace has it.
    pub(super) fn ask(&self, count: usize) {
        let wanted = self.shared.sent.load(Ordering::Relaxed) + count;
        until("requests are sent", || {
            (self.shared.sent.load(Ordering::Relaxed) >= wanted).then_some(())
        });
    }

    /// Waits until one of those who came after that moment was answered, however slow the machine is.
    pub(super) fn until_answered_after(&self, moment: Instant) {
        until("one of them is answered", || {
            self.shared.came.lock().unwrap().values().any(|one| one.sent >= moment).then_some(())
        });
    }

    /// Waits until they are answered as they should be, again and again, and returns how long after
    /// that moment the first of these asked, and how many a second there were by then.
    pub(super) fn are_well_after(&self, moment: Instant) -> (Duration, u32) {
        let mut fewer = Instant::now() + BEFORE_FEWER;
        let took = until("they are answered as they should be", || {
            if Instant::now() > fewer {
                fewer += BEFORE_FEWER;
                let pace = self.shared.pace.load(Ordering::Relaxed);
                self.shared.pace.store(AT_LEAST.max(pace / 2), Ordering::Relaxed);
            }
            let came = self.shared.came.lock().unwrap();
            let mut run = None;
            for (number, one) in came.iter().filter(|(_, one)| one.sent >= moment) {
                let is_right = self.shared.visitors[one.visitor].is_right(one);
                run = match run {
                    _ if !is_right => None,
                    Some((first, last, sent)) if last + 1 == *number => {
                        Some((first, *number, sent))
                    }
                    _ => Some((*number, *number, &one.sent)),
                };
                if let Some((first, last, sent)) = run
                    && last - first + 1 == IN_A_ROW
                {
                    return Some(*sent - moment);
                }
            }
            None
        });
        (took, self.shared.pace.swap(EACH_SECOND, Ordering::Relaxed))
    }

    /// Lets those who wait be answered, and returns what came of every request.
    pub(super) fn stop(self) -> Vec<Came> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let all = until("everybody is answered", || {
            let came = self.shared.came.lock().unwrap();
            (came.len() == self.shared.sent.load(Ordering::Relaxed))
                .then(|| came.values().cloned().collect())
        });
        self.runtime.shutdown_background();
        all
    }

    pub(super) fn visitors(&self) -> &[Visitor] {
        &self.shared.visitors
    }
}

/// Waits for something that happens at the pace of others.
pub(super) fn until<T>(what: &str, mut happens: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(found) = happens() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {LONG:?}: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

async fn come(shared: Arc<Shared>) {
    let mut next = tokio::time::Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        // A late one does not excuse the next.
        next += Duration::from_secs(1) / shared.pace.load(Ordering::Relaxed);
        sleep_until(next).await;
        let number = shared.sent.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let visitor = number % shared.visitors.len();
            let sent = Instant::now();
            let heard = timeout(PATIENCE, ask(&shared, visitor, number)).await;
            let text = heard.ok().and_then(Result::ok).unwrap_or_default();
            let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
            let came = Came { visitor, sent, ended: Instant::now(), status, text };
            shared.came.lock().unwrap().insert(number, came);
        });
    }
}

async fn ask(shared: &Shared, visitor: usize, number: usize) -> std::io::Result<String> {
    let Visitor { path, fields, .. } = &shared.visitors[visitor];
    let mut stream = TcpStream::connect(shared.front).await?;
    let host = format!("localhost:{}", shared.front.port());
    let head = format!(
        "GET {path}?{} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n",
        mark(visitor, number)
    );
    stream.write_all(head.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // An answer of the portal is the one to this request.
    let is_other = text.starts_with("HTTP/1.1 200") && !text.ends_with(&format!("-{number}."));
    assert!(!is_other, "request {number} has the answer of another: {text}");
    Ok(text)
}

/// Says in the query who asks; the portal answers with it.
fn mark(visitor: usize, number: usize) -> String {
    format!("{ECHO}{visitor}-{number}.")
}

/// Reads who asked, as [`mark`] has it.
pub(super) fn who_asked(target: &str) -> Option<usize> {
    let (visitor, _) = target.split_once(ECHO)?.1.split_once('-')?;
    visitor.parse().ok()
}
