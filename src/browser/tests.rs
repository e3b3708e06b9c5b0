//! A browser in front of small servers that say what each test wants.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::settings::{Bounds, Reach, Way};
use super::*;
use crate::base::clock::ManualClock;

/// A server that gives answers in turn and keeps the requests.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut answers: VecDeque<_> = answers.iter().map(|text| (*text).to_owned()).collect();
        let kept = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read(&mut stream).await;
                kept.lock().unwrap().push(request);
                let answer = answers.pop_front().unwrap_or_else(|| page("done"));
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, requests }
    }

    fn request(&self, at: usize) -> String {
        self.requests.lock().unwrap()[at].clone()
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

fn page(body: &str) -> String {
    with(&[], body)
}

fn with(headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

fn redirect(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} There\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

/// `https://a.pl` and `https://b.pl` are at the two servers, behind what took TLS off.
fn browser(a: &Server, b: &Server, bounds: Bounds) -> Browser {
    let reach = |host: &str, server: &Server| Reach {
        host: host.to_owned(),
        port: 443,
        address: server.address,
        way: Way::Behind(vec![(
            HeaderName::from_static("x-forwarded-proto"),
            HeaderValue::from_static("https"),
        )]),
    };
    let reach = vec![reach("a.pl", a), reach("b.pl", b)];
    let settings = Settings { reach, is_confined: true, bounds, ..Settings::default() };
    let clock = ManualClock::at("2031-05-05T10:00:00Z".parse().unwrap());
    Browser::new(Arc::new(settings), Arc::new(clock))
}

fn at(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[tokio::test]
async fn a_form_that_sends_itself_to_another_site_brings_none_cookies_only() {
    let a = Server::start(&[
        &with(
            &["set-cookie: l=1; SameSite=Lax; Secure", "set-cookie: n=2; SameSite=None; Secure"],
            "<form method=post action=https://b.pl/node><input type=hidden name=x value=1></form>\
             <script>document.forms[0].submit()</script>",
        ),
        &redirect(303, "/next"),
    ])
    .await;
    let back = "<form method=post action=https://a.pl/acs><input type=hidden name=SAMLart value=y>\
                </form><body onload=\"document.forms[0].submit()\">";
    let b = Server::start(&[&page(back)]).await;
    let mut browser = browser(&a, &b, Bounds::default());
    let first = browser.open(&at("https://a.pl/")).await.unwrap();
    let last = browser.settle(first).await.unwrap();
    assert_eq!((last.status, last.url.as_str()), (StatusCode::OK, "https://a.pl/next"));

    let to_node = b.request(0);
    assert!(to_node.starts_with("POST /node HTTP/1.1\r\n") && to_node.ends_with("\r\n\r\nx=1"));
    assert!(to_node.contains("origin: https://a.pl\r\n"), "{to_node}");
    assert!(to_node.contains("sec-fetch-site: cross-site\r\n"), "{to_node}");
    assert!(to_node.contains("host: b.pl\r\n") && to_node.contains("referer: https://a.pl/\r\n"));
    let delivered = a.request(1);
    assert!(delivered.contains("cookie: n=2\r\n"), "{delivered}");
    let next = a.request(2);
    assert!(next.starts_with("GET /next ") && next.contains("cookie: l=1; n=2\r\n"), "{next}");
    assert!(!next.contains("content-type") && next.contains("x-forwarded-proto: https"), "{next}");
    // What was sent is in no record.
    let record = format!("{:?}", browser.steps());
    assert!(record.contains("SAMLart") && record.contains("https://a.pl/acs"), "{record}");
    assert_eq!(browser.steps().len(), 4);
}

#[tokio::test]
async fn methods_change_over_redirects_as_the_standard_says() {
    for (status, expected) in
        [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
    {
        let form = "<form method=post action=/x><input name=a value=b></form>";
        let a = Server::start(&[&page(form), &redirect(status, "https://b.pl/y")]).await;
        let b = Server::start(&[]).await;
        let mut browser = browser(&a, &b, Bounds::default());
        let first = browser.open(&at("https://a.pl/")).await.unwrap();
        let last = browser.submit(&first, &first.document.forms[0], &[("a", "c")]).await.unwrap();
        assert_eq!(last.url.as_str(), "https://b.pl/y");
        assert!(a.request(1).ends_with("\r\n\r\na=c"));
        let there = b.request(0);
        assert!(there.starts_with(&format!("{expected} /y ")), "{status} {there}");
        assert_eq!(there.ends_with("\r\n\r\na=c"), expected == "POST", "{status}");
        assert_eq!(there.contains("content-type"), expected == "POST", "{status}");
        assert!(there.contains("sec-fetch-user: ?1"), "{there}");
    }
}

#[tokio::test]
async fn a_page_may_forbid_where_its_form_goes() {
    for (policy, is_allowed) in [("form-action https://b.pl", true), ("form-action 'self'", false)]
    {
        let header = format!("content-security-policy: {policy}");
        let a =
            Server::start(&[&with(&[&header], "<form method=post action=https://b.pl/>")]).await;
        let b = Server::start(&[]).await;
        let mut browser = browser(&a, &b, Bounds::default());
        let first = browser.open(&at("https://a.pl/")).await.unwrap();
        let sent = browser.submit(&first, &first.document.forms[0], &[]).await;
        assert_eq!(sent.is_ok(), is_allowed, "{policy}");
        assert_eq!(b.requests.lock().unwrap().len(), usize::from(is_allowed));
    }
}

#[tokio::test]
async fn a_page_without_an_origin_is_another_site_to_everybody() {
    let header = "content-security-policy: sandbox allow-scripts allow-top-navigation";
    let form = "<form method=post action=/x>";
    let a = Server::start(&[&with(&[header, "set-cookie: l=1"], form)]).await;
    let b = Server::start(&[]).await;
    let mut browser = browser(&a, &b, Bounds::default());
    let first = browser.open(&at("https://a.pl/")).await.unwrap();
    browser.submit(&first, &first.document.forms[0], &[]).await.unwrap();
    let sent = a.request(1);
    assert!(sent.contains("origin: null\r\n") && !sent.contains("cookie"), "{sent}");
    assert!(sent.contains("sec-fetch-site: cross-site"), "{sent}");
}

#[tokio::test]
async fn refreshes_are_followed_and_a_stop_is_obeyed() {
    let back = "/a?next=https%3A%2F%2Fa.pl%2Fb";
    let first = redirect(302, back);
    let a = Server::start(&[&first, &with(&["refresh: 0; url=/b?x=1"], ""), &page("end")]).await;
    let b = Server::start(&[]).await;
    let mut browser = browser(&a, &b, Bounds::default());
    // An address that only names the place is another one.
    browser.stop_before(Some(Place::Page(at("https://a.pl/b"))));
    let stopped = browser.open(&at("https://a.pl/")).await.unwrap();
    assert_eq!(stopped.url, at(&format!("https://a.pl{back}")));
    assert_eq!(stopped.leads_to().unwrap().as_str(), "https://a.pl/b?x=1");
    browser.stop_before(None);
    let next = stopped.leads_to().unwrap();
    assert_eq!(browser.follow(&stopped, &next).await.unwrap().text, "end");
}

#[tokio::test]
async fn only_what_is_surely_meant_is_sent_without_a_person() {
    let search = "<form action=/search><input name=q></form>";
    let own = "<form action=/own method=post><input type=hidden name=a value=1></form>";
    let message = "<form action=/acs method=post><input type=hidden name=SAMLart value=x></form>";
    let script = "<script>menu.onclick = () => button.click()</script>";
    for (html, sent) in [
        (format!("{search}{message}{script}"), Some("/acs")),
        (format!("{own}{script}"), Some("/own")),
        // A script of something else, beside forms for people.
        (format!("{search}{own}{script}"), None),
        (format!("{search}{message}"), None),
        (script.to_owned(), None),
    ] {
        let a = Server::start(&[&page(&html)]).await;
        let b = Server::start(&[]).await;
        let mut browser = browser(&a, &b, Bounds::default());
        let page = browser.open(&at("https://a.pl/")).await.unwrap();
        assert_eq!(page.sends_itself().map(|form| &*form.action), sent, "{html}");
    }
}

#[test]
fn a_place_is_told_by_what_an_address_leads_to() {
    let page = Place::Page(at("https://a.pl/b"));
    let host = Place::Host("a.pl".to_owned());
    for (url, is_page, is_host) in [
        ("https://a.pl/b?x=1#y", true, true),
        ("https://a.pl/b/c", false, true),
        ("http://A.pl/b", false, true),
        ("https://a.pl:8443/b", false, true),
        ("https://b.pl/b?next=https://a.pl/b", false, false),
        ("https://a.pl.b.pl/b", false, false),
        ("https://a.pl@b.pl/b", false, false),
    ] {
        assert_eq!((page.has(&at(url)), host.has(&at(url))), (is_page, is_host), "{url}");
    }
}

#[tokio::test]
async fn everything_has_an_end() {
    let bounds = Bounds { patience: Duration::from_millis(300), body: 100, redirects: 3, steps: 8 };
    let around = redirect(302, "/");
    let a = Server::start(&[&around, &around, &around, &around]).await;
    let long = page(&"x".repeat(101));
    let b =
        Server::start(&[&long, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", "nonsense\r\n\r\n"])
            .await;
    let mut browser = browser(&a, &b, bounds);
    let error = browser.open(&at("https://a.pl/")).await.unwrap_err();
    assert!(matches!(error, Error::TooManyRedirects(3)), "{error}");
    let error = browser.open(&at("https://b.pl/")).await.unwrap_err();
    assert!(matches!(error, Error::Body(_)), "{error}");
    let error = browser.open(&at("https://b.pl/")).await.unwrap_err();
    assert!(matches!(error, Error::Body(_) | Error::TimedOut(_)), "{error}");
    let error = browser.open(&at("https://b.pl/")).await.unwrap_err();
    assert!(matches!(error, Error::Http(_)), "{error}");
    // Nothing else is reached, and nothing else is spoken.
    let error = browser.open(&at("https://c.pl/")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let error = browser.open(&at("https://b.pl/")).await.unwrap_err();
    assert!(matches!(error, Error::TooManySteps(8)), "{error}");
    let error = browser.open(&at("file:///etc/passwd")).await.unwrap_err();
    assert!(matches!(error, Error::Address(_)), "{error}");
    assert!(browser.steps().iter().any(|step| step.error.is_some()));
}

#[tokio::test]
async fn a_script_asks_with_cookies_and_follows_nothing() {
    let a = Server::start(&[&with(&["set-cookie: l=1"], ""), &redirect(302, "/x")]).await;
    let b = Server::start(&[]).await;
    let mut browser = browser(&a, &b, Bounds::default());
    browser.open(&at("https://a.pl/")).await.unwrap();
    let accept = (http::header::ACCEPT, HeaderValue::from_static("text/plain"));
    let answer =
        browser.fetch(Method::POST, &at("https://a.pl/api"), &[accept], "body").await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    let asked = a.request(1);
    for part in
        ["POST /api ", "cookie: l=1\r\n", "origin: https://a.pl\r\n", "accept: text/plain\r\n"]
    {
        assert!(asked.contains(part), "{part} {asked}");
    }
    assert!(asked.contains("sec-fetch-mode: cors") && asked.ends_with("\r\n\r\nbody"), "{asked}");
}
