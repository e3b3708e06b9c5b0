//! Portals on unrelated hosts, over TLS and HTTP/2, with a client that keeps cookies as it thinks
//! right: curl knows nothing of us, and takes a `__Host-` cookie only when all that belongs to it
//! is there.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use url::Url;

use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, Program, Simulator, Tls, form, python};

const A: &str = "https://portal-a.example";
const B: &str = "https://portal-b.test";
const HOSTS: [&str; 2] = ["portal-a.example", "portal-b.test"];

fn plan(portal: &str, more: &str) -> Plan {
    Plan::empty()
        .tls(Tls::On)
        .tls_names(&HOSTS)
        .public_url(A)
        .portal(&format!("other_urls = [\"{B}\"]"))
        .upstream("portal", portal)
        .route("/", "portal", "required")
        .route("/", "portal", "required")
        .with("host = \"portal-b.test\"")
        .with(more)
        .operated()
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise")
}

/// Somebody with curl, who reaches each host at a gateway of its own.
struct Person {
    folder: TempDir,
    at: Vec<(&'static str, SocketAddr)>,
}

struct Page {
    url: Url,
    status: u16,
    version: String,
    headers: Vec<(String, String)>,
    text: String,
}

impl Person {
    fn new(gateways: [&Gateway; 2]) -> Self {
        let folder = TempDir::new().unwrap();
        let certificates = gateways.map(|gateway| fs::read(gateway.certificate()).unwrap());
        fs::write(folder.path().join("trusted.pem"), certificates.concat()).unwrap();
        let addresses = gateways.map(|gateway| gateway.tls_address.unwrap());
        Self { folder, at: HOSTS.into_iter().zip(addresses).collect() }
    }

    fn jar(&self) -> PathBuf {
        self.folder.path().join("jar")
    }

    fn command(&self, url: &Url) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--include", "--http2", "--max-time", "60"]);
        command.args(["--noproxy", "*", "--ipv4"]);
        command.arg("--cacert").arg(self.folder.path().join("trusted.pem"));
        for (host, address) in &self.at {
            command.arg("--connect-to").arg(format!("{host}:443:{address}"));
        }
        for header in [
            "Accept: text/html",
            "Accept-Language: en",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
        ] {
            command.args(["--header", header]);
        }
        command.arg(url.as_str());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn with_cookies(&self, mut command: Command) -> Command {
        command.arg("--cookie").arg(self.jar()).arg("--cookie-jar").arg(self.jar());
        command
    }

    /// One request, with the cookies of its host.
    fn get(&self, url: &Url) -> Page {
        Page::read(url, self.with_cookies(self.command(url)).spawn().unwrap())
    }

    /// Sends a form to another site, so without Lax cookies, which curl does not know.
    fn post(&self, url: &Url, fields: &[(String, String)]) -> Page {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut command = self.command(url);
        command.args(["--data", &form]);
        Page::read(url, command.spawn().unwrap())
    }

    /// Follows to the end, or to where an address has this in it.
    fn follow(&self, mut page: Page, stop: &str) -> Page {
        for _ in 0..10 {
            match page.next() {
                Some(next) if stop.is_empty() || !next.as_str().contains(stop) => {
                    page = self.get(&next);
                }
                _ => return page,
            }
        }
        panic!("sent in circles, last to {}", page.url);
    }

    fn open(&self, url: &str) -> Page {
        self.follow(self.get(&Url::parse(url).unwrap()), "")
    }

    /// Opens a page without a session, and signs in for it.
    fn sign_in(&self, url: &str) -> Page {
        let page = self.open(url);
        assert!(page.url.as_str().starts_with(A), "the login takes place there: {}", page.url);
        let (action, fields) = form(&page.text, &page.url);
        let choice = self.post(&action, &fields);
        let (action, mut fields) = form(&choice.text, &action);
        fields.retain(|(name, _)| name == "transaction");
        fields.push(("person".to_owned(), "anna".to_owned()));
        let last = self.post(&action, &fields);
        let (acs, fields) = form(&last.text, &action);
        self.follow(self.post(&acs, &fields), "")
    }

    /// Goes to another portal until there is a code.
    fn code_for(&self, url: &str) -> Url {
        let page = self.get(&Url::parse(url).unwrap());
        self.follow(page, "/.brama/arrive?").next().unwrap()
    }
}

impl Page {
    fn read(url: &Url, child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().split(' ');
        let version = first.next().unwrap().to_owned();
        let status = first.next().unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
        Self { url: url.clone(), status, version, headers, text: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    fn next(&self) -> Option<Url> {
        let refresh = self.header("refresh").and_then(|value| value.strip_prefix("0; url="));
        Some(self.url.join(self.header("location").or(refresh)?).unwrap())
    }

    fn is_of_portal(&self, url: &str) {
        let found = (self.url.as_str(), self.status, &*self.version);
        assert_eq!(found, (url, 200, "HTTP/2"), "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text);
    }

    fn is_refused_with(&self, code: &str) {
        assert!(self.status >= 400 && self.text.contains(code), "{} {}", self.status, self.text);
        assert_eq!(self.header("set-cookie"), None);
    }
}

#[test]
fn curl_signs_in_at_two_hosts_with_two_cookies_and_one_session() {
    if !tools::has(&[Tool::Python, Tool::Curl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let simulator = Simulator::start_for(A);
    let gateway = plan(&url, "").node(&simulator).start();
    let anna = Person::new([&gateway, &gateway]);
    anna.sign_in(&format!("{B}/account?x=1")).is_of_portal(&format!("{B}/account?x=1"));
    anna.open(&format!("{A}/account")).is_of_portal(&format!("{A}/account"));

    let jar = fs::read_to_string(anna.jar()).unwrap();
    let sessions: Vec<Vec<_>> = jar
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| fields.get(5) == Some(&"__Host-brama"))
        .collect();
    assert_eq!(sessions.len(), 2, "{jar}");
    assert_ne!(sessions[0][6], sessions[1][6], "each host has a cookie of its own");

    let (_, listed) = gateway.operate(&["list"], "");
    assert_eq!(listed.lines().count(), 1, "it is one session: {listed}");
    let key: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
    let (ended, said) = gateway.operate(&["end", key["key"].as_str().unwrap()], "");
    assert!(ended, "{said}");
    for portal in [A, B] {
        anna.open(&format!("{portal}/account")).is_refused_with("session.ended_by_operator");
    }
}

#[test]
fn a_stolen_code_and_a_second_use_are_refused() {
    if !tools::has(&[Tool::Python, Tool::Curl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let simulator = Simulator::start_for(A);
    let gateway = plan(&url, "").node(&simulator).start();
    let (anna, thief) = (Person::new([&gateway, &gateway]), Person::new([&gateway, &gateway]));
    anna.sign_in(&format!("{A}/account")).is_of_portal(&format!("{A}/account"));
    // The thief has begun there too, so has a binding cookie.
    thief.get(&Url::parse(&format!("{B}/account")).unwrap());
    let code = anna.code_for(&format!("{B}/account"));
    thief.get(&code).is_refused_with("crossing.code_of_other_browser");
    anna.get(&code).is_refused_with("crossing.code_used");
    let code = anna.code_for(&format!("{B}/account"));
    anna.open(code.as_str()).is_of_portal(&format!("{B}/account"));
    anna.get(&code).is_refused_with("crossing.code_used");
    thief.get(&code).is_refused_with("crossing.code_used");
    anna.open(&format!("{B}/account")).is_of_portal(&format!("{B}/account"));
    assert!(thief.open(&format!("{B}/account")).text.contains("SAMLRequest"));
}

/// The registered host is served by the first replica, the other host by the second.
struct Replicas {
    one: Gateway,
    two: Gateway,
    _redis: Redis,
    _portal: Program,
    _simulator: Simulator,
}

fn replicas() -> Option<Replicas> {
    if !tools::has(&[Tool::Python, Tool::Curl, Tool::Redis]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let redis = Redis::start();
    let simulator = Simulator::start_for(A);
    let start = || plan(&url, &format!("\n[store]\n{}", redis.store())).node(&simulator).start();
    let (one, two) = (start(), start());
    Some(Replicas { one, two, _redis: redis, _portal: portal, _simulator: simulator })
}

#[test]
fn a_crossing_begins_at_one_replica_goes_on_at_another_and_ends_at_either() {
    let Some(Replicas { one, two, .. }) = &replicas() else { return };
    let anna = Person::new([one, two]);
    anna.sign_in(&format!("{B}/account")).is_of_portal(&format!("{B}/account"));
    anna.open(&format!("{A}/account")).is_of_portal(&format!("{A}/account"));
    // The same citizen at the other replicas.
    let moved = Person { at: Person::new([two, one]).at, ..anna };
    for portal in [A, B] {
        moved.open(&format!("{portal}/account")).is_of_portal(&format!("{portal}/account"));
    }
    let (ended, said) = one.operate(&["end-all", "--yes"], "");
    assert!(ended && said.contains('1'), "{said}");
    for portal in [B, A] {
        let page = moved.open(&format!("{portal}/account"));
        page.is_refused_with("session.ended_by_operator");
    }
}

#[test]
fn of_two_uses_of_a_code_at_two_replicas_at_once_one_gives_a_session() {
    let Some(Replicas { one, two, .. }) = &replicas() else { return };
    let anna = Person::new([one, two]);
    anna.sign_in(&format!("{A}/account")).is_of_portal(&format!("{A}/account"));
    for _ in 0..5 {
        // Without its session at the other host the browser wants a new one.
        let jar = fs::read_to_string(anna.jar()).unwrap();
        let is_kept = |line: &&str| !(line.contains("portal-b.test") && line.contains("brama\t"));
        let kept: String = jar.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        fs::write(anna.jar(), kept).unwrap();
        let code = anna.code_for(&format!("{B}/account"));
        let addresses = [one, two].map(|gateway| gateway.tls_address.unwrap());
        let uses = addresses.map(|address| {
            let at = vec![("portal-b.test", address)];
            let mut command = Person { at, folder: TempDir::new().unwrap() }.command(&code);
            command.arg("--cookie").arg(anna.jar());
            command.arg("--cacert").arg(anna.folder.path().join("trusted.pem"));
            command.spawn().unwrap()
        });
        let mut statuses = uses.map(|child| Page::read(&code, child).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}
