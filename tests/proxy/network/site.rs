//! What is on the hosts: `HAProxy` at the edge, set up by `deploy/haproxy/brama.cfg` as it is
//! shipped; two gateways, each with a portal beside it; Redis; the simulator.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use tempfile::TempDir;

use super::hosts::{Host, Network};
use crate::harness::redis::Redis;
use crate::harness::{
    Answer, Citizen, Gateway, Load, NoAnswer, PATIENCE, Plan, Program, Simulator, Wire, on_host,
    python_on, tools,
};

/// Where citizens find the portal.
pub(super) const ORIGIN: &str = "http://portal.localhost:8080";
const HOST: &str = "portal.localhost:8080";
/// How long a replica waits for the node here.
pub(super) const NODE_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) struct Site {
    pub(super) network: Network,
    pub(super) one: Gateway,
    pub(super) two: Gateway,
    pub(super) simulator: Simulator,
    pub(super) front: SocketAddr,
    edge: Program,
    _redis: Redis,
    _portals: [Program; 2],
    _folder: TempDir,
}

/// What a citizen sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// A page of the portal.
    Portal,
    /// The page that leads to the node.
    SignIn,
    /// A page of ours that says what is wrong: its status, and the code on it.
    Page(u16, String),
    /// Something that is not ours, such as a page of the balancer.
    Other(u16),
}

impl Site {
    /// Starts everything. The clock of the second replica is off by so much.
    pub(super) fn start(clock: &str) -> Self {
        let network = Network::start();
        let redis = Redis::start_on(Host::Redis.address(), &Host::Redis.enter());
        let name = "node.localhost";
        let node = Host::Node;
        let simulator = Simulator::start_on(node.address(), &node.enter(), name, ORIGIN);
        let (portal_one, url_one) = python_on(&Host::One.enter(), "recorder.py");
        let (portal_two, url_two) = python_on(&Host::Two.enter(), "recorder.py");
        let one = plan(Host::One, &url_one, &redis).node(&simulator).start();
        let two = plan(Host::Two, &url_two, &redis).with_clock().file("clock", clock);
        let two = two.node(&simulator).start();
        let folder = tempfile::tempdir().unwrap();
        let front = SocketAddr::new(Host::Edge.address(), 8080);
        let edge = start_edge(folder.path(), front, [&one, &two]);
        Self {
            network,
            one,
            two,
            simulator,
            front,
            edge,
            _redis: redis,
            _portals: [portal_one, portal_two],
            _folder: folder,
        }
    }

    /// Tells whether the edge takes a server for `UP` or `DOWN`; it begins with all of them up.
    pub(super) fn edge_has(&self, server: &str, state: &str) -> bool {
        let (said, beginning) = (self.edge.said(), format!("Server {server} is "));
        let last = said.iter().rev().find_map(|line| line.strip_prefix(&beginning));
        last.unwrap_or("UP").starts_with(state)
    }

    /// Waits until it does.
    pub(super) fn until_edge_has(&self, server: &str, state: &str) {
        until(|| self.edge_has(server, state));
    }

    /// Asks for a page at the edge as a browser does, with these cookies.
    pub(super) fn sees(&self, path: &str, cookie: &str) -> Seen {
        seen(&ask(self.front, path, cookie).expect("an answer"))
    }

    /// Asks one replica, past the edge.
    pub(super) fn sees_at(&self, gateway: &Gateway, path: &str, cookie: &str) -> Seen {
        seen(&ask(gateway.address, path, cookie).expect("an answer"))
    }

    /// Asks the edge until a page is as it should be; tells how long that took. What else came is
    /// one of `meanwhile`.
    #[track_caller]
    pub(super) fn until(&self, cookie: &str, wanted: &Seen, meanwhile: &[Seen]) -> Duration {
        let began = Instant::now();
        // Each replica has its turn.
        let mut in_a_row = 0;
        while in_a_row < 4 {
            let seen = self.sees("/account", cookie);
            in_a_row = if seen == *wanted { in_a_row + 1 } else { 0 };
            assert!(in_a_row > 0 || meanwhile.contains(&seen), "{seen:?}");
            assert!(began.elapsed() < PATIENCE, "still {seen:?}");
        }
        began.elapsed()
    }

    /// A browser at the edge, with nothing in it.
    pub(super) fn citizen(&self) -> Citizen {
        Citizen::at(&format!("{ORIGIN}/"))
    }

    /// Has somebody ask for pages at the edge, so many in a second, whatever happens.
    pub(super) fn visits(&self, cookie: &str, each_second: u32) -> Load {
        let cookies = [cookie.to_owned()];
        Load::citizens_of(HOST, self.front, &cookies, "GET", "/account", each_second)
    }

    /// Presses the button that signs out.
    pub(super) fn sign_out(&self, cookie: &str) -> Answer {
        let mut wire = Wire::connect(self.front);
        wire.send(
            format!(
                "POST /.brama/logout HTTP/1.1\r\nHost: {HOST}\r\nSec-Fetch-Site: same-origin\r\n\
                 Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nCookie: {cookie}\r\n\
                 Content-Length: 0\r\n\r\n"
            )
            .as_bytes(),
        );
        patiently(&mut wire, "POST").expect("an answer")
    }

    /// Waits until exactly one of the replicas, of which none was connected, has a connection to the
    /// node, and so has claimed a login. Returns whether it is the first.
    pub(super) fn who_asks_the_node(&self) -> bool {
        until(|| is_connected_to_node(&self.one) != is_connected_to_node(&self.two));
        is_connected_to_node(&self.one)
    }
}

/// Waits until a replica has no connection to the node that it keeps for the next login.
pub(super) fn until_not_connected_to_node(gateway: &Gateway) {
    until(|| !is_connected_to_node(gateway));
}

fn is_connected_to_node(gateway: &Gateway) -> bool {
    // The state 01 is "established", and 8082 the port of the node.
    let is_it = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.get(2).is_some_and(|remote| remote.ends_with(":1F92")) && words.get(3) == Some(&"01")
    };
    let table = format!("/proc/{}/net/tcp", gateway.program.id());
    std::fs::read_to_string(table).unwrap().lines().any(is_it)
}

fn until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns when a token was made that the portal was told with an answer of a replica, in seconds
/// since 1970.
pub(super) fn issued_at(gateway: &Gateway, cookie: &str) -> i64 {
    let told = ask(gateway.address, "/account", cookie).unwrap().json();
    let headers = told["headers"].as_array().unwrap();
    let token = headers.iter().find(|header| header[0] == "x-brama-assertion").unwrap();
    let claims = token[1].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    serde_json::from_slice::<serde_json::Value>(&claims).unwrap()["iat"].as_i64().unwrap()
}

fn plan(host: Host, portal: &str, redis: &Redis) -> Plan {
    let seconds = NODE_TIMEOUT.as_secs();
    Plan::empty()
        .upstream("portal", portal)
        .route("/", "portal", "required")
        .route("/public", "portal", "public")
        .with(&format!("\n[store]\n{}", redis.store()))
        .operated()
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise")
        .environment("BRAMA__NODE__TIMEOUT", &format!("{seconds}s"))
        .public_url(ORIGIN)
        .log("level = \"info\"\naccess = \"off\"")
        .listen(&format!("drain_delay = \"5s\"\ntrusted_proxies = [\"{}\"]", Host::Edge.address()))
        .on(host.address(), &host.enter())
}

/// Starts the edge by the shipped file, with addresses of ours and without TLS.
fn start_edge(folder: &Path, front: SocketAddr, replicas: [&Gateway; 2]) -> Program {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/haproxy/brama.cfg");
    let text = std::fs::read_to_string(file).unwrap();
    let bind = text.lines().find_map(|line| line.trim().strip_prefix("bind :443 "));
    let bind = bind.unwrap().to_owned();
    let changes = [
        ("10.0.0.1:8080", replicas[0].address.to_string()),
        ("10.0.0.2:8080", replicas[1].address.to_string()),
        ("bind :443", format!("bind {front}")),
        (&bind, String::new()),
        ("X-Forwarded-Proto https", "X-Forwarded-Proto http".to_owned()),
    ];
    let text = changes.into_iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the shipped file has {from}");
        text.replace(from, &to)
    });
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, text).unwrap();
    let haproxy = tools::haproxy().expect("HAProxy was found");
    let mut command = on_host(&Host::Edge.enter(), haproxy.to_str().unwrap());
    let mut program = Program::start(command.arg("-db").arg("-f").arg(&file));
    let deadline = Instant::now() + PATIENCE;
    while std::net::TcpStream::connect(front).is_err() {
        assert!(!program.has_ended(), "HAProxy did not start");
        assert!(Instant::now() < deadline, "HAProxy does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    program
}

/// Asks for a page as a browser does.
pub(super) fn ask(to: SocketAddr, path: &str, cookie: &str) -> Result<Answer, NoAnswer> {
    let mut wire = Wire::connect(to);
    wire.send(
        format!(
            "GET {path} HTTP/1.1\r\nHost: {HOST}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n"
        )
        .as_bytes(),
    );
    patiently(&mut wire, "GET")
}

/// Waits for an answer for as long as a browser may have to here.
pub(super) fn patiently(wire: &mut Wire, method: &str) -> Result<Answer, NoAnswer> {
    let began = Instant::now();
    loop {
        match wire.try_answer(method) {
            Err(NoAnswer::Silence) if began.elapsed() < 2 * PATIENCE => {}
            answer => return answer,
        }
    }
}

pub(super) fn seen(answer: &Answer) -> Seen {
    let (status, text) = (answer.status, answer.text());
    if answer.header("content-type") == Some("application/json") && status == 200 {
        return Seen::Portal;
    }
    if text.contains("SAMLRequest") {
        return Seen::SignIn;
    }
    let codes = text.split("<code>").skip(1).filter_map(|rest| rest.split("</code>").next());
    match codes.into_iter().find(|code| code.contains('.')) {
        Some(code) => Seen::Page(status, code.to_owned()),
        None => Seen::Other(status),
    }
}
