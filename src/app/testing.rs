//! A gateway for tests, put together from a configuration file and asked in place: no request comes by
//! its sockets. What passes goes to a portal that notes what it is told.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{App, Settings};
use crate::base::body::Body;
use crate::base::clock::{Clock as _, ManualClock, SharedClock, SystemClock};
use crate::config;
use crate::gateway::Worker;
use crate::identity::assurance::Assurance;
use crate::request::service::{Peer, Service as _};
use crate::session::{SessionId, testing};
use crate::simulator::kit::{Kit, Names};
use crate::wire::incoming::Incoming;

/// A gateway of one worker, with the portal behind it.
pub(crate) struct World {
    pub(crate) worker: Worker,
    pub(crate) clock: Arc<ManualClock>,
    /// What the portal was told: heads, as they came.
    pub(crate) heads: mpsc::UnboundedReceiver<String>,
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

/// The host of the portal.
pub(crate) const HOST: &str = "portal.test";

/// Reads a configuration with these lines for the listeners and these routes, with the portal at that
/// port of loopback.
fn settings(folder: &Path, portal: u16, (listen, routes): (&str, &str)) -> Settings {
    let now = SystemClock.now();
    let names = Names { node: "node.test", service: "portal.test", hosts: &[] };
    Kit::load_or_make(folder, names, now).unwrap();
    let text = format!(
        "[portal]\npublic_url = \"https://{HOST}\"\nother_urls = [\"https://b.test\"]\n\
         [listen]\nhttp = \"127.0.0.1:0\"\n{listen}\n\
         [operations]\nlisten = \"127.0.0.1:0\"\n\
         [node]\nenvironment = \"custom\"\nissuer = \"node.test\"\n\
         sso_url = \"https://node.test/sso\"\nresolve_url = \"https://127.0.0.1:1/resolve\"\n\
         logout_url = \"https://127.0.0.1:1/logout\"\n\
         certificates = [\"node-signing.crt.pem\"]\nsystem_roots = false\n\
         extra_ca_file = \"ca.crt.pem\"\n\
         [service]\nissuer = \"portal.test\"\nprovider_name = \"Portal\"\n\
         signing_certificate = \"service-sig.crt.pem\"\nsigning_key = \"service-sig.key.pem\"\n\
         decryption_keys = [\"service-enc.key.pem\"]\n\
         [log]\naccess = \"off\"\n\
         [[upstream]]\nname = \"portal\"\nurl = \"http://127.0.0.1:{portal}\"\n\
         {routes}\n"
    );
    let path = folder.join("brama.toml");
    fs::write(&path, text).unwrap();
    let loaded = config::load(&path, std::iter::empty()).unwrap();
    let (settings, problems) = config::resolve(loaded, now);
    settings.unwrap_or_else(|| panic!("{problems}"))
}

/// Begins a world with these routes, and a portal that answers each request so.
pub(crate) async fn world(routes: &str, answer: &'static str) -> World {
    world_with(("", routes), answer).await
}

/// Begins a world with lines for the listeners and routes.
pub(crate) async fn world_with(lines: (&str, &str), answer: &'static str) -> World {
    let (port, heads) = portal(answer).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), port, lines);
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let shared: SharedClock = clock.clone();
    let app = Box::pin(App::bind(settings, shared)).await.unwrap();
    let worker = Worker::new(&app.shared, &app.groups);
    World { worker, clock, heads, _app: app, _folder: folder }
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
