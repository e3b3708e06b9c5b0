//! A citizen with a browser without scripts: cookies of the portal, forms, and a login from the
//! first page to the session.

use std::net::{SocketAddr, ToSocketAddrs};

use url::Url;

use super::gateway::Gateway;
use super::wire::{Answer, Wire};

/// Signs a person of the simulator in, and returns the value of a `Cookie` field that has their
/// session.
pub(crate) fn sign_in(gateway: &Gateway, person: &str) -> String {
    Citizen::at(&gateway.url("/")).sign_in(person)
}

/// A browser, for one portal and the node.
pub(crate) struct Citizen {
    origin: Url,
    /// Where the portal is found, which may be one replica of several.
    portal: SocketAddr,
    cookies: Vec<(String, String)>,
}

/// Where a page leads to, and with which fields.
pub(crate) type Form = (Url, Vec<(String, String)>);

impl Citizen {
    /// Opens a browser for the portal at an address.
    pub(crate) fn at(origin: &str) -> Self {
        let origin = Url::parse(origin).unwrap();
        Self { portal: ipv4(&origin), origin, cookies: Vec::new() }
    }

    /// Finds the portal elsewhere from now on, as behind a balancer.
    pub(crate) fn goes_to(&mut self, portal: SocketAddr) {
        self.portal = portal;
    }

    /// Returns the value of a `Cookie` field.
    pub(crate) fn cookies(&self) -> String {
        let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Signs a person in, and returns the value of a `Cookie` field that has their session only.
    pub(crate) fn sign_in(&mut self, person: &str) -> String {
        let first = self.url("/.brama/login");
        let page = self.open(&first);
        let last = self.choose(&page, person);
        self.return_with(&last);
        self.session().expect("a session")
    }

    /// Returns the value of a `Cookie` field that has the session only.
    pub(crate) fn session(&self) -> Option<String> {
        let session = self.cookies.iter().find(|(name, _)| name == "brama");
        session.map(|(_, value)| format!("brama={value}"))
    }

    /// Goes on from the page that leads to the node until the node leads back.
    pub(crate) fn choose(&self, page: &Answer, person: &str) -> Form {
        let (action, fields) = form(&page.text(), &self.origin);
        let choice = well(&action, self.send(&action, Some(&fields)));
        let (action, mut fields) = form(&choice.text(), &action);
        fields.retain(|(name, _)| name == "transaction");
        fields.push(("person".to_owned(), person.to_owned()));
        let last = well(&action, self.send(&action, Some(&fields)));
        form(&last.text(), &action)
    }

    /// Comes back from the node, and returns the answer that brings the session.
    pub(crate) fn return_with(&mut self, (action, fields): &Form) -> Answer {
        // Across sites, and so without cookies.
        let kept = std::mem::take(&mut self.cookies);
        let mut answer = well(action, self.send(action, Some(fields)));
        self.cookies = kept;
        self.keep_cookies(&answer);
        for _ in 0..5 {
            if self.session().is_some() {
                return answer;
            }
            answer = self.follow(&answer);
        }
        panic!("no session: {answer:?}");
    }

    /// Goes where an answer of the portal leads to.
    pub(crate) fn follow(&mut self, answer: &Answer) -> Answer {
        let next = answer.header("location").or_else(|| answer.header("refresh"));
        let next = next.unwrap_or_else(|| panic!("no way on from {answer:?}"));
        let next = self.url(next.strip_prefix("0; url=").unwrap_or(next));
        self.open(&next)
    }

    /// Takes a cookie of the portal that came another way.
    pub(crate) fn keep_cookie(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Opens a page of the portal.
    pub(crate) fn open(&mut self, url: &Url) -> Answer {
        let answer = well(url, self.send(url, None));
        self.keep_cookies(&answer);
        answer
    }

    /// Presses a button of the portal that posts no fields.
    pub(crate) fn posts(&mut self, url: &Url) -> Answer {
        let mut sent = self.sent(url, Some(&[]), "Sec-Fetch-Site: same-origin\r\n");
        let answer = well(url, sent.answer("POST"));
        self.keep_cookies(&answer);
        answer
    }

    /// Returns the address of a page of the portal.
    pub(crate) fn url(&self, path: &str) -> Url {
        self.origin.join(path).unwrap()
    }

    /// Opens a page, or sends a form, and says whatever comes of it.
    pub(crate) fn send(&self, url: &Url, form: Option<&[(String, String)]>) -> Answer {
        let method = if form.is_some() { "POST" } else { "GET" };
        let mut url = url.clone();
        // As often as browsers go on.
        for _ in 0..20 {
            let answer = self.sent(&url, form, "").answer(method);
            match answer.header("location") {
                // Once more, as it was (RFC 9110 15.4.8).
                Some(same) if answer.status == 307 => url = url.join(same).unwrap(),
                _ => return answer,
            }
        }
        panic!("{url}: it leads to itself");
    }

    /// Asks for a page, and does not wait for the answer.
    pub(crate) fn asks(&self, url: &Url) -> Wire {
        self.sent(url, None, "")
    }

    fn sent(&self, url: &Url, form: Option<&[(String, String)]>, more: &str) -> Wire {
        let is_portal = url.origin() == self.origin.origin();
        let cookie = match self.cookies() {
            cookies if is_portal && !cookies.is_empty() => format!("Cookie: {cookies}\r\n"),
            _ => String::new(),
        };
        let method = if form.is_some() { "POST" } else { "GET" };
        let body = form.map_or_else(String::new, |fields| {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        });
        let target = &url[url::Position::BeforePath..];
        let mut wire = Wire::connect(if is_portal { self.portal } else { ipv4(url) });
        wire.send(
            format!(
                "{method} {target} HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\n\
                 Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n{cookie}{more}\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                &url[url::Position::BeforeHost..url::Position::BeforePath],
                body.len()
            )
            .as_bytes(),
        );
        wire
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            if let Some((name, value)) = value.split(';').next().and_then(|it| it.split_once('=')) {
                self.keep_cookie(name, value);
            }
        }
    }
}

fn well(url: &Url, answer: Answer) -> Answer {
    assert!(answer.status < 400, "{url}: {} {}", answer.status, answer.text());
    answer
}

fn ipv4(url: &Url) -> SocketAddr {
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    host.to_socket_addrs().unwrap().find(SocketAddr::is_ipv4).expect("loopback has an address")
}

/// Returns the action and the hidden fields of the first form of the page at `url`.
pub(crate) fn form(text: &str, url: &Url) -> Form {
    let form = text.split("<form").nth(1).unwrap_or_else(|| panic!("no form in {text}"));
    let form = form.split("</form>").next().unwrap();
    let tags = form.split("<input").skip(1).map(|tag| tag.split('>').next().unwrap());
    let fields = tags
        .filter(|tag| tag.contains("hidden"))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect();
    let action = attribute(form, "action").expect("a form has an action");
    (url.join(&action).unwrap(), fields)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!("{name}=\""))?.1.split('"').next()?;
    Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&"))
}
