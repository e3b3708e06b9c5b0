//! A login from the first page to the session cookie, as a browser without scripts does it.

use std::net::{SocketAddr, ToSocketAddrs};

use url::Url;

use super::gateway::Gateway;
use super::wire::{Answer, Wire};

/// Signs a person of the simulator in, and returns the value of a `Cookie` field that has their
/// session.
pub(crate) fn sign_in(gateway: &Gateway, person: &str) -> String {
    // 1. The portal leads to the node,
    let first = Url::parse(&gateway.url("/.brama/login")).unwrap();
    let page = visit(&first, "", None);
    let binding = page.cookie("brama-login").expect("a cookie that remembers the login");
    let (action, fields) = form(&page.text(), &first);
    // 2. where a person is chosen,
    let choice = visit(&action, "", Some(&fields));
    let (action, mut fields) = form(&choice.text(), &action);
    fields.retain(|(name, _)| name == "transaction");
    fields.push(("person".to_owned(), person.to_owned()));
    let last = visit(&action, "", Some(&fields));
    // 3. and the node leads back, across sites and so without cookies.
    let (mut here, fields) = form(&last.text(), &action);
    let mut answer = visit(&here, "", Some(&fields));
    for _ in 0..5 {
        if let Some(session) = answer.cookie("brama") {
            return format!("brama={session}");
        }
        let next = answer.header("location").or_else(|| answer.header("refresh"));
        let next = next.unwrap_or_else(|| panic!("no way on from {answer:?}"));
        here = here.join(next.strip_prefix("0; url=").unwrap_or(next)).unwrap();
        answer = visit(&here, &format!("brama-login={binding}"), None);
    }
    panic!("no session: {answer:?}");
}

/// Opens a page, or sends a form.
fn visit(url: &Url, cookie: &str, form: Option<&[(String, String)]>) -> Answer {
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let method = if form.is_some() { "POST" } else { "GET" };
    let body = form.map_or_else(String::new, |fields| {
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    });
    let target = &url[url::Position::BeforePath..];
    let cookie = if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
    let mut wire = Wire::connect(ipv4(&host));
    wire.send(
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n{cookie}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    let answer = wire.answer(method);
    assert!(answer.status < 400, "{url}: {} {}", answer.status, answer.text());
    answer
}

fn ipv4(host: &str) -> SocketAddr {
    host.to_socket_addrs().unwrap().find(SocketAddr::is_ipv4).expect("loopback has an address")
}

/// Returns the action and the hidden fields of the first form of the page at `url`.
pub(crate) fn form(text: &str, url: &Url) -> (Url, Vec<(String, String)>) {
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

impl Answer {
    /// Returns the value of a cookie that it sets.
    fn cookie(&self, wanted: &str) -> Option<String> {
        self.headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .filter_map(|(_, value)| value.split(';').next()?.split_once('='))
            .find(|(name, value)| *name == wanted && !value.is_empty())
            .map(|(_, value)| value.to_owned())
    }
}
