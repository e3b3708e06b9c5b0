//! A gateway for tests, put together from a configuration file and asked in place: no request comes by
//! its sockets. What passes goes to a portal that notes what it is told.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{App, Settings};
use crate::base::body::Body;
use crate::base::clock::{Clock as _, ManualClock, SharedClock, SystemClock};
use crate::config;
use crate::flow::testing::{between, post};
use crate::gateway::Worker;
use crate::identity::assurance::Assurance;
use crate::request::service::{Peer, Service as _};
use crate::server::listener::{ShutdownHandle, shutdown};
use crate::session::{SessionId, testing};
use crate::simulator::kit::{Kit, Names};
use crate::simulator::{self, MutualTls, Simulator};
use crate::wire::incoming::Incoming;

/// A gateway of one worker, with the portal behind it.
pub(crate) struct World {
    pub(crate) worker: Worker,
    pub(crate) clock: Arc<ManualClock>,
    /// What the portal was told: heads, as they came.
    pub(crate) heads: mpsc::UnboundedReceiver<String>,
    node: Option<Node>,
    _app: App,
    _folder: TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    /// Whether it came to its end.
    pub(crate) whole: bool,
}

/// The node, simulated, which is stopped with this.
struct Node {
    sso: String,
    pages: String,
    resolve: String,
    logout: String,
    _stopper: ShutdownHandle,
}

/// The host of the portal.
pub(crate) const HOST: &str = "portal.test";

/// Reads a configuration with these lines for the listeners and these routes, with the portal at that
/// port of loopback.
fn settings(
    folder: &Path,
    portal: u16,
    (listen, routes): (&str, &str),
    node: Option<&Node>,
) -> Settings {
    let (sso, resolve, logout) = match node {
        Some(node) => (&*node.sso, &*node.resolve, &*node.logout),
        None => {
            ("https://node.test/sso", "https://127.0.0.1:1/resolve", "https://127.0.0.1:1/logout")
        }
    };
    let of_node = |line: &&str| line.starts_with("node: ");
    let more: Vec<_> = listen.lines().filter(of_node).map(|line| &line["node: ".len()..]).collect();
    let listen: Vec<_> = listen.lines().filter(|line| !of_node(line)).collect();
    let (node_lines, listen) = (more.join("\n"), listen.join("\n"));
    let log = if listen.contains("[log]") { "" } else { "[log]\naccess = \"off\"\n" };
    let text = format!(
        "[portal]\npublic_url = \"https://{HOST}\"\nother_urls = [\"https://b.test\"]\n\
         clear_cookies_at_logout = [\"PORTAL\"]\n\
         [listen]\nhttp = \"127.0.0.1:0\"\n{listen}\n\
         [operations]\nlisten = \"127.0.0.1:0\"\n\
         [node]\nenvironment = \"custom\"\nissuer = \"node.test\"\n\
         sso_url = \"{sso}\"\nresolve_url = \"{resolve}\"\nlogout_url = \"{logout}\"\n{node_lines}\n\
         certificates = [\"node-signing.crt.pem\"]\nsystem_roots = false\n\
         extra_ca_file = \"ca.crt.pem\"\n\
         [service]\nissuer = \"portal.test\"\nprovider_name = \"Portal\"\n\
         signing_certificate = \"service-sig.crt.pem\"\nsigning_key = \"service-sig.key.pem\"\n\
         decryption_keys = [\"service-enc.key.pem\"]\n\
         {log}\
         [[upstream]]\nname = \"portal\"\nurl = \"http://127.0.0.1:{portal}\"\n\
         {routes}\n"
    );
    let path = folder.join("brama.toml");
    fs::write(&path, text).unwrap();
    let loaded = config::load(&path, std::iter::empty()).unwrap();
    let (settings, problems) = config::resolve(loaded, SystemClock.now());
    settings.unwrap_or_else(|| panic!("{problems}"))
}

/// Begins a world with these routes, and a portal that answers each request so.
pub(crate) async fn world(routes: &str, answer: &'static str) -> World {
    world_with(("", routes), answer).await
}

/// Begins a world with lines for the listeners, behind which there may be a table for the log, and
/// routes. A line for the node begins with `node: `.
pub(crate) async fn world_with(lines: (&str, &str), answer: &'static str) -> World {
    let (port, heads) = portal(answer).await;
    World { heads, ..begin(port, lines, false).await }
}

/// Begins a world with lines for the listeners and routes, and a portal of one's own at that port of
/// loopback. Before the first route there may be lines for the upstream.
pub(crate) async fn world_before(port: u16, lines: (&str, &str)) -> World {
    begin(port, lines, false).await
}

/// Begins a world with these routes and a node at which citizens can identify.
pub(crate) async fn world_with_node(routes: &str, answer: &'static str) -> World {
    let (port, heads) = portal(answer).await;
    World { heads, ..begin(port, ("", routes), true).await }
}

/// Begins a world with a node and these routes, and a portal of one's own at that port of loopback.
pub(crate) async fn world_with_node_before(port: u16, routes: &str) -> World {
    begin(port, ("", routes), true).await
}

async fn begin(port: u16, lines: (&str, &str), has_node: bool) -> World {
    let (_, heads) = mpsc::unbounded_channel();
    let folder = tempfile::tempdir().unwrap();
    // TLS goes by the time of the machine.
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let names = Names { node: "node.test", service: HOST, hosts: &[] };
    let kit = Kit::load_or_make(folder.path(), names, clock.now()).unwrap();
    let node = has_node.then(|| Node::begin(kit, &clock));
    let settings = settings(folder.path(), port, lines, node.as_ref());
    let shared: SharedClock = clock.clone();
    let app = Box::pin(App::bind(settings, shared)).await.unwrap();
    let worker = Worker::new(&app.shared, &app.groups);
    World { worker, clock, heads, node, _app: app, _folder: folder }
}

impl Node {
    fn begin(kit: Kit, clock: &Arc<ManualClock>) -> Self {
        let kit = Arc::new(kit);
        let acs = format!("https://{HOST}/.brama/acs");
        let settings = simulator::Settings {
            mutual_tls: MutualTls::Off,
            node_issuer: "node.test".to_owned(),
            services: vec![kit.service(HOST, vec![acs], None)],
            ..simulator::Settings::default()
        };
        let simulator = Simulator::bind_with(settings, kit, clock.clone()).unwrap();
        let (stopper, stop) = shutdown();
        let node = Self {
            sso: simulator.sso_url().to_owned(),
            pages: simulator.pages_origin().to_owned(),
            resolve: simulator.resolve_url().to_owned(),
            logout: simulator.logout_url().to_owned(),
            _stopper: stopper,
        };
        tokio::spawn(simulator.run(stop));
        node
    }
}

/// A portal that answers each request so and ends the connection.
async fn portal(answer: &'static str) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (seen, heads) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else { return };
                    head.push(byte);
                }
                seen.send(String::from_utf8(head).unwrap()).unwrap();
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (port, heads)
}

/// What a portal answers that has nothing else to say.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

impl World {
    /// Asks in place of a client of 192.0.2.1.
    pub(crate) async fn ask(&self, request: Request<()>) -> Answer {
        self.ask_with(request, Incoming::empty()).await
    }

    /// Asks with a body.
    pub(crate) async fn ask_with(&self, request: Request<()>, body: Incoming) -> Answer {
        let peer = Peer::new("192.0.2.1:1".parse().unwrap(), true);
        let (parts, ()) = request.into_parts();
        let answer = self.worker.call(Box::new(parts), body, &peer).await;
        read(answer.into_response()).await
    }

    /// Gets a page, with what else is said.
    pub(crate) async fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(get(HOST, target, headers)).await
    }

    /// Signs a citizen in; returns the cookie of the session.
    pub(crate) async fn sign_in(&self, assurance: Assurance) -> (SessionId, String) {
        let (flows, now) = (&self.worker.shared.flows, self.clock.now());
        let id = SessionId::make(&flows.session_marks);
        let session = testing::session_of(assurance, id.key(), now);
        flows.sessions.insert(&id, session, now).await.unwrap();
        let cookie = self.cookie(id.expose());
        (id, cookie)
    }

    /// Returns the cookie of a session with that value.
    pub(crate) fn cookie(&self, value: &str) -> String {
        let set = self.worker.shared.settings.cookies.set_session(value);
        set.to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

/// A browser of a citizen, which keeps the cookies of one host and says what browsers say.
pub(crate) struct Browser<'w> {
    world: &'w World,
    host: &'static str,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl<'w> Browser<'w> {
    pub(crate) fn new(world: &'w World, host: &'static str) -> Self {
        Self { world, host, cookies: Mutex::default() }
    }

    /// Goes to a page by itself.
    pub(crate) async fn visit(&self, target: &str) -> Answer {
        self.go(get(self.host, target, &[("sec-fetch-site", "none")]), "").await
    }

    /// Goes to a page, from a page of that kind (`same-origin`, `cross-site`).
    pub(crate) async fn follow(&self, target: &str, site: &str) -> Answer {
        self.go(get(self.host, target, &[("sec-fetch-site", site)]), "").await
    }

    /// Sends a form, from a page of that kind.
    pub(crate) async fn send(&self, target: &str, site: &str, form: &str) -> Answer {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let length = form.len().to_string();
        let said = [("sec-fetch-site", site), kind, ("content-length", length.as_str())];
        let mut request = get(self.host, target, &said);
        *request.method_mut() = Method::POST;
        self.go(request, form).await
    }

    /// Goes where a request leads, with what is said of every page, and keeps the cookies.
    pub(crate) async fn go(&self, mut request: Request<()>, body: &str) -> Answer {
        let cookies = self.cookies();
        let said = [
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        for (name, value) in said.into_iter().chain([("cookie", cookies.as_str())]) {
            if !value.is_empty() && !request.headers().contains_key(name) {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let body = Incoming::whole(Bytes::from(body.to_owned()));
        let answer = self.world.ask_with(request, body).await;
        let mut kept = self.cookies.lock().unwrap();
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                kept.remove(name);
            } else {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// The cookies as they are said.
    pub(crate) fn cookies(&self) -> String {
        let kept = self.cookies.lock().unwrap();
        let cookies: Vec<_> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
        cookies.join("; ")
    }

    /// Identifies at the node to which a page leads; returns the target at which the node has the
    /// browser bring its answer.
    pub(crate) async fn identify(&self, page: &Answer, person: &str) -> String {
        let node = self.world.node.as_ref().expect("there is a node");
        let field = |name: &str| between(&page.text, &format!("name=\"{name}\" value=\""), "\"");
        let (request, state) = (field("SAMLRequest"), field("RelayState"));
        let said = [("SAMLRequest", request), ("RelayState", state)];
        let choose = post(&node.sso, &said).await;
        let handle = between(&choose, "name=\"transaction\" value=\"", "\"");
        let to = format!("{}/login/choose", node.pages);
        let back = post(&to, &[("transaction", handle), ("person", person)]).await;
        let artifact = between(&back, "name=\"SAMLart\" value=\"", "\"");
        let mut query = url::form_urlencoded::Serializer::new("/.brama/acs?".to_owned());
        query.append_pair("SAMLart", artifact).append_pair("RelayState", state);
        query.finish()
    }

    /// Signs in where a page leads to the node; returns the last answer, which leads on.
    pub(crate) async fn sign_in(&self, page: &Answer, person: &str) -> Answer {
        let acs = self.identify(page, person).await;
        let told = self.follow(&acs, "cross-site").await;
        self.follow(told.location(), "cross-site").await
    }
}

impl Answer {
    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        let location = self.headers.get("location").unwrap_or_else(|| panic!("{}", self.text));
        location.to_str().unwrap()
    }
}

/// A request for a page.
pub(crate) fn get(host: &str, target: &str, headers: &[(&str, &str)]) -> Request<()> {
    let request = Request::get(target).header("host", host);
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap()
}

async fn read(answer: Response<Body>) -> Answer {
    let (parts, body) = answer.into_parts();
    let read = body.collect().await.map(|body| body.to_bytes());
    let whole = read.is_ok();
    let text = String::from_utf8_lossy(&read.unwrap_or_default()).into_owned();
    Answer { status: parts.status, headers: parts.headers, text, whole }
}
