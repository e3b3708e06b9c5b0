//! Somebody with curl: over TLS and HTTP/2, with cookies as curl thinks right, which knows nothing of
//! us.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use url::Url;

use super::citizen::form;

/// Somebody with curl, who reaches each portal where it is said to be.
pub(crate) struct Person {
    folder: TempDir,
    /// Host and port as they are in addresses, and where that is.
    at: Vec<(String, SocketAddr)>,
}

/// What curl got.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Person {
    /// Trusts these certificates, in PEM.
    pub(crate) fn new(at: Vec<(String, SocketAddr)>, trusted: &[u8]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("trusted.pem"), trusted).unwrap();
        Self { folder, at }
    }

    /// Finds the portals elsewhere from now on, as behind a balancer.
    pub(crate) fn goes_to(self, at: Vec<(String, SocketAddr)>) -> Self {
        Self { at, ..self }
    }

    /// Somebody else, with the same cookies, who keeps none.
    pub(crate) fn copying(&self, url: &Url, at: Vec<(String, SocketAddr)>) -> Child {
        let mut command = Self { at, folder: TempDir::new().unwrap() }.command(url);
        command.arg("--cookie").arg(self.jar());
        command.arg("--cacert").arg(self.folder.path().join("trusted.pem"));
        command.spawn().unwrap()
    }

    /// Returns the file with the cookies.
    pub(crate) fn jar(&self) -> PathBuf {
        self.folder.path().join("jar")
    }

    /// Returns a command for an address, without cookies and with no more than curl says itself.
    fn bare(&self, url: &Url) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--include", "--http2", "--max-time", "60"]);
        command.args(["--noproxy", "*", "--ipv4"]);
        command.arg("--cacert").arg(self.folder.path().join("trusted.pem"));
        for (host, address) in &self.at {
            command.arg("--connect-to").arg(format!("{host}:{address}"));
        }
        command.arg(url.as_str());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Returns a command for a page, without cookies.
    fn command(&self, url: &Url) -> Command {
        let mut command = self.bare(url);
        for header in [
            "Accept: text/html",
            "Accept-Language: en",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
        ] {
            command.args(["--header", header]);
        }
        command
    }

    /// Adds the cookies, those that come too.
    fn with_cookies(&self, mut command: Command) -> Command {
        command.arg("--cookie").arg(self.jar()).arg("--cookie-jar").arg(self.jar());
        command
    }

    /// One request, with the cookies of its host.
    pub(crate) fn get(&self, url: &Url) -> Page {
        Page::read(url, self.with_cookies(self.command(url)).spawn().unwrap())
    }

    /// One request with these fields and the cookies of its host, which is no navigation.
    pub(crate) fn say(&self, url: &Url, fields: &[&str]) -> Page {
        let mut command = self.with_cookies(self.bare(url));
        command.args(fields.iter().flat_map(|field| ["--header", field]));
        Page::read(url, command.spawn().unwrap())
    }

    /// The same with a form without fields.
    pub(crate) fn post(&self, url: &Url, fields: &[&str]) -> Page {
        let mut command = self.with_cookies(self.bare(url));
        command.args(["--data", ""]).args(fields.iter().flat_map(|field| ["--header", field]));
        Page::read(url, command.spawn().unwrap())
    }

    /// Sends a form to another site, so without Lax cookies, which curl does not know.
    fn post_elsewhere(&self, url: &Url, fields: &[(String, String)]) -> Page {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut command = self.command(url);
        command.args(["--data", &form]);
        Page::read(url, command.spawn().unwrap())
    }

    /// Follows to the end, or to where an address has this in it.
    pub(crate) fn follow(&self, mut page: Page, stop: &str) -> Page {
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

    /// Opens a page, and follows to the end.
    pub(crate) fn open(&self, url: &str) -> Page {
        self.follow(self.get(&Url::parse(url).unwrap()), "")
    }

    /// Opens a page without a session, and signs in for it at the portal that the node knows.
    pub(crate) fn sign_in(&self, url: &str, registered: &str) -> Page {
        let page = self.open(url);
        let is_there = page.url.as_str().starts_with(registered);
        assert!(is_there, "the login takes place there: {}", page.url);
        let choice = self.answer_of_node(&page);
        let (action, mut fields) = form(&choice.text, &choice.url);
        fields.retain(|(name, _)| name == "transaction");
        fields.push(("person".to_owned(), "anna".to_owned()));
        let last = self.post_elsewhere(&action, &fields);
        let (acs, fields) = form(&last.text, &action);
        self.follow(self.post_elsewhere(&acs, &fields), "")
    }

    /// Goes from the page that leads to the node to what the node answers.
    pub(crate) fn answer_of_node(&self, page: &Page) -> Page {
        let (action, fields) = form(&page.text, &page.url);
        self.post_elsewhere(&action, &fields)
    }

    /// Goes to another portal until there is a code.
    pub(crate) fn code_for(&self, url: &str) -> Url {
        let page = self.get(&Url::parse(url).unwrap());
        self.follow(page, "/.brama/arrive?").next().unwrap()
    }
}

impl Page {
    /// Waits for a command of curl.
    pub(crate) fn read(url: &Url, child: Child) -> Self {
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

    /// Returns a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Returns where it leads to.
    pub(crate) fn next(&self) -> Option<Url> {
        let refresh = self.header("refresh").and_then(|value| value.strip_prefix("0; url="));
        Some(self.url.join(self.header("location").or(refresh)?).unwrap())
    }

    /// Asserts that it is what the portal answers there, by HTTP/2.
    pub(crate) fn is_of_portal(&self, url: &str) {
        let found = (self.url.as_str(), self.status, &*self.version);
        assert_eq!(found, (url, 200, "HTTP/2"), "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text);
    }

    /// Asserts that it is our refusal.
    pub(crate) fn is_refused_with(&self, code: &str) {
        assert!(self.status >= 400 && self.text.contains(code), "{} {}", self.status, self.text);
        assert_eq!(self.header("set-cookie"), None);
    }
}
