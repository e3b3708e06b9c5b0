//! Visitors who ask again and again, and count what went wrong.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::program::PATIENCE;
use super::wire::{NoAnswer, Wire};

/// Visitors under way.
pub(crate) struct Load {
    orders: Arc<Orders>,
    visitors: Vec<JoinHandle<Tally>>,
}

/// What visitors are told, and what they tell while they are under way.
struct Orders {
    method: &'static str,
    host: &'static str,
    stop: AtomicBool,
    connect_no_more: AtomicBool,
    answered: AtomicUsize,
    /// From one request of a visitor to the next, when they come at a steady pace. Then it is a
    /// failure too when nobody is there.
    pace: Option<Duration>,
    /// Who is signed in: the visitors take turns in being one of them.
    cookies: Vec<String>,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            method: "GET",
            host: "localhost",
            stop: AtomicBool::default(),
            connect_no_more: AtomicBool::default(),
            answered: AtomicUsize::default(),
            pace: None,
            cookies: Vec::new(),
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How long each answer took.
    pub(crate) took: Vec<Duration>,
    pub(crate) failed: Vec<String>,
}

impl Load {
    /// Sends some visitors to a page. Each keeps its connection as long as it may.
    pub(crate) fn start(gateway: SocketAddr, visitors: usize, path: &'static str) -> Self {
        Self::send(gateway, visitors, path, Orders::default())
    }

    /// Sends one visitor who is signed in: with the value of the field `Cookie`.
    pub(crate) fn signed_in(gateway: SocketAddr, path: &'static str, cookie: &str) -> Self {
        let orders = Orders { cookies: vec![cookie.to_owned()], ..Orders::default() };
        Self::send(gateway, 1, path, orders)
    }

    /// Sends some visitors who make so many requests a second together, whether earlier ones took
    /// long or not, and for whom the gateway must always be there.
    pub(crate) fn paced(
        gateway: SocketAddr,
        visitors: u32,
        path: &'static str,
        each_second: u32,
    ) -> Self {
        Self::paced_with(gateway, visitors, "GET", path, each_second)
    }

    /// Does the same with requests of another method, without a body.
    pub(crate) fn paced_with(
        gateway: SocketAddr,
        visitors: u32,
        method: &'static str,
        path: &'static str,
        each_second: u32,
    ) -> Self {
        let pace = Duration::from_secs(1) * visitors / each_second;
        let orders = Orders { pace: Some(pace), method, ..Orders::default() };
        Self::send(gateway, visitors as usize, path, orders)
    }

    /// Sends as many visitors as there are citizens, each signed in with their own value of the
    /// field `Cookie`, who make so many requests a second together, whatever happens.
    pub(crate) fn citizens(
        gateway: SocketAddr,
        cookies: &[String],
        method: &'static str,
        path: &'static str,
        each_second: u32,
    ) -> Self {
        Self::citizens_of("localhost", gateway, cookies, method, path, each_second)
    }

    /// Does the same with a portal of another name.
    pub(crate) fn citizens_of(
        host: &'static str,
        gateway: SocketAddr,
        cookies: &[String],
        method: &'static str,
        path: &'static str,
        each_second: u32,
    ) -> Self {
        let visitors = u32::try_from(cookies.len()).unwrap();
        let pace = Duration::from_secs(1) * visitors / each_second;
        let cookies = cookies.to_vec();
        let orders = Orders { pace: Some(pace), host, method, cookies, ..Orders::default() };
        Self::send(gateway, visitors as usize, path, orders)
    }

    fn send(gateway: SocketAddr, visitors: usize, path: &'static str, orders: Orders) -> Self {
        let orders = Arc::new(orders);
        let visit = |number| {
            let orders = Arc::clone(&orders);
            thread::spawn(move || visit(gateway, path, number, &orders))
        };
        let visitors = (0..visitors).map(visit).collect();
        Self { orders, visitors }
    }

    /// Waits until that many more answers have come.
    pub(crate) fn answers(&self, count: usize) {
        let answered = || self.orders.answered.load(Ordering::Relaxed);
        let mut seen = answered();
        let wanted = seen + count;
        // On a busy machine many take long; what must not happen is that none comes.
        let mut deadline = Instant::now() + PATIENCE;
        while seen < wanted {
            assert!(Instant::now() < deadline, "visitors get no answers after {seen} of {wanted}");
            thread::sleep(Duration::from_millis(1));
            let now = answered();
            if now > seen {
                (seen, deadline) = (now, Instant::now() + PATIENCE);
            }
        }
    }

    /// Has no visitor open another connection, as a balancer does when a server is not ready.
    pub(crate) fn connect_no_more(&self) {
        self.orders.connect_no_more.store(true, Ordering::Relaxed);
    }

    /// Lets the visitors end what they do and go.
    pub(crate) fn stop(self) -> Tally {
        self.orders.stop.store(true, Ordering::Relaxed);
        let mut whole = Tally::default();
        for visitor in self.visitors {
            let tally = visitor.join().unwrap();
            whole.took.extend(tally.took);
            whole.failed.extend(tally.failed);
        }
        whole
    }
}

impl Tally {
    /// Returns the time within which 99 of 100 answers came.
    pub(crate) fn p99(&self) -> Duration {
        let mut took = self.took.clone();
        took.sort_unstable();
        took[took.len() * 99 / 100]
    }

    /// Asserts that every request was answered.
    pub(crate) fn all_answered(&self) {
        assert_eq!(self.failed, Vec::<String>::new(), "beside {} answers", self.took.len());
    }
}

fn visit(gateway: SocketAddr, path: &str, number: usize, orders: &Orders) -> Tally {
    let is = |order: &AtomicBool| order.load(Ordering::Relaxed);
    let cookie = orders
        .cookies
        .iter()
        .cycle()
        .skip(number)
        .take(1)
        .map(|cookie| format!("Cookie: {cookie}\r\n"));
    let cookie: String = cookie.collect();
    let (method, host) = (orders.method, orders.host);
    let length = if method == "GET" { "" } else { "Content-Length: 0\r\n" };
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{cookie}\r\n");
    let mut tally = Tally::default();
    let mut kept: Option<Wire> = None;
    let mut next = Instant::now();
    while !is(&orders.stop) {
        // A late answer does not excuse the next: its time counts from when it was due.
        let started = match orders.pace {
            Some(pace) => {
                thread::sleep(next.saturating_duration_since(Instant::now()));
                next += pace;
                next - pace
            }
            None => Instant::now(),
        };
        let is_reused = kept.is_some();
        if !is_reused && is(&orders.connect_no_more) {
            return tally;
        }
        let Some(mut wire) = kept.take().or_else(|| connect(gateway)) else {
            if orders.pace.is_some() {
                tally.failed.push("nobody is there".to_owned());
            }
            // Otherwise that may be as it should be, and no request was sent.
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        wire.send(request.as_bytes());
        match wire.try_answer(method) {
            Ok(answer) if answer.status == 200 => {
                tally.took.push(started.elapsed());
                orders.answered.fetch_add(1, Ordering::Relaxed);
                let ends = answer.header("connection") == Some("close");
                kept = (!ends).then_some(wire);
            }
            Ok(answer) => tally.failed.push(format!("{} {}", answer.status, answer.reason())),
            // RFC 9112 9.3.1: an idle connection may be closed at any time, and the request is
            // repeated over another.
            Err(NoAnswer::Closed) if is_reused => {}
            Err(none) => tally.failed.push(format!("{none:?}")),
        }
    }
    tally
}

fn connect(gateway: SocketAddr) -> Option<Wire> {
    TcpStream::connect(gateway).ok().map(Wire::over)
}
