//! A form that meets no session at one replica is sent after the login by another, over both
//! versions of HTTP.

use std::fs;

use tempfile::TempDir;

use super::{Replicas, replicas};
use crate::harness::curl::{self, Fetched};
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Citizen, Gateway, http_2};

const TARGET: &str = "/tax/form?year=2031&x=%C5%BB";
const MULTIPART: &str = "multipart/form-data; boundary=----brama7f3a";
const URLENCODED: &str = "application/x-www-form-urlencoded";

/// A browser in which a form was written.
struct Writer<'r> {
    replicas: &'r Replicas,
    version: &'static str,
    folder: TempDir,
}

impl Writer<'_> {
    /// Sends a body to the address of the form at a replica, as a page of this site would.
    fn send(&self, to: &Gateway, site: &str, kind: &str, cookie: &str, body: &[u8]) -> Fetched {
        let file = self.folder.path().join("body");
        fs::write(&file, body).unwrap();
        let port = self.replicas.one.address.port();
        let way = format!("localhost:{port}:127.0.0.1:{}", to.address.port());
        let body = format!("@{}", file.display());
        let (site, kind) = (format!("Sec-Fetch-Site: {site}"), format!("Content-Type: {kind}"));
        let cookie = format!("Cookie: {cookie}");
        let mut arguments = vec![self.version, "--connect-to", &way, "--data-binary", &body];
        for header in
            ["Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Expect:"]
        {
            arguments.extend(["-H", header]);
        }
        arguments.extend(["-H", &site, "-H", &kind, "-H", &cookie]);
        let url = self.replicas.one.url(TARGET);
        arguments.push(&url);
        curl::curl_at(to, &arguments)
    }

    fn press(&self, to: &Gateway, site: &str, cookie: &str, handle: &str) -> Fetched {
        let body = format!("brama-form={handle}");
        self.send(to, site, URLENCODED, cookie, body.as_bytes())
    }
}

/// Returns names and values of the cookies that an answer sets.
fn cookies(answer: &Fetched) -> Vec<(&str, &str)> {
    let line = "set-cookie: ";
    let set = answer.said.lines().filter_map(|said| {
        let said = said.strip_prefix("< ")?;
        let pair = said.to_ascii_lowercase().starts_with(line).then(|| &said[line.len()..])?;
        pair.split(';').next()?.split_once('=')
    });
    set.collect()
}

#[track_caller]
fn refused(answer: &Fetched, status: u16, code: &str) {
    let found = (answer.status, answer.text().contains(code));
    assert_eq!(found, (status, true), "{}", answer.said);
}

/// Sends a form as a page of another site would, and returns the page that is answered before the
/// form is read. (curl 7.88 loses such an answer of HTTP/2.)
fn foreign(to: &Gateway, version: &str) -> String {
    let fields = [
        ("accept", "text/html"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("sec-fetch-site", "cross-site"),
        ("content-type", URLENCODED),
        ("content-length", "3"),
    ];
    let (host, mut wire) = (to.host(), to.connect());
    if version == "1.1" {
        let lines = fields.map(|(name, value)| format!("{name}: {value}\r\n")).concat();
        let request = format!("POST {TARGET} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\na=b");
        wire.send(request.as_bytes());
        return wire.answer("POST").text();
    }
    let mut wire = http_2::begin(wire);
    let first =
        [(":method", "POST"), (":scheme", "http"), (":path", TARGET), (":authority", &host)];
    let block = http_2::block(first.into_iter().chain(fields));
    wire.send(&http_2::frame(http_2::HEADERS, http_2::END_HEADERS, 1, &block));
    wire.send(&http_2::frame(http_2::DATA, http_2::END_STREAM, 1, b"a=b"));
    let mut page = Vec::new();
    loop {
        let frame = http_2::read(&mut wire).unwrap();
        assert_ne!(frame.kind, http_2::RST_STREAM, "reset before the end of the answer");
        if frame.kind == http_2::DATA {
            page.extend(frame.payload);
            if frame.flags & http_2::END_STREAM != 0 {
                return String::from_utf8(page).unwrap();
            }
        }
    }
}

fn handle(asked: &Answer, citizen: &Citizen) -> String {
    let (action, fields) = crate::harness::form(&asked.text(), &citizen.url("/"));
    assert_eq!(&action[url::Position::BeforePath..], TARGET, "it asks where the form goes");
    let [(name, value)] = fields.as_slice() else { panic!("one field: {fields:?}") };
    assert_eq!(name, "brama-form");
    value.clone()
}

#[test]
fn a_form_kept_at_one_replica_is_sent_after_the_login_by_the_other() {
    if !tools::has(&[Tool::Curl]) {
        return;
    }
    let Some((_redis, replicas)) = replicas("recorder.py") else { return };
    let (one, two) = (&replicas.one, &replicas.two);
    let mut body = b"------brama7f3a\r\nContent-Disposition: form-data; name=\"file\"; \
                     filename=\"a.bin\"\r\n\r\n"
        .to_vec();
    body.extend((0..300_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    body.extend_from_slice(b"\r\n------brama7f3a--\r\n");
    for (version, number) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
        for (here, there) in [(one, two), (two, one)] {
            let folder = TempDir::new().unwrap();
            let writer = Writer { replicas: &replicas, version, folder };
            // 1. The form meets no session here; another site's is not kept, and says so.
            assert!(foreign(here, number).contains("request.form_without_session"));
            let page = writer.send(here, "same-origin", MULTIPART, "", &body);
            page.is_fine_over(number);
            // 2. Its citizen goes to the node, and comes back there.
            let mut citizen = Citizen::at(&one.url("/"));
            let bound = cookies(&page);
            assert_eq!(bound.len(), 2, "that of the login and that of the form: {bound:?}");
            for (name, value) in bound {
                citizen.keep_cookie(name, value);
            }
            citizen.goes_to(there.address);
            let page = Answer::ok(page.body);
            let back = citizen.choose(&page, "anna");
            let arrived = citizen.return_with(&back);
            let asked = citizen.follow(&arrived);
            let (handle, session) = (handle(&asked, &citizen), citizen.session().unwrap());
            // 3. Neither another browser nor another site sends it, at either replica.
            let cookies = citizen.cookies();
            for replica in [here, there] {
                let stranger = writer.press(replica, "same-origin", &session, &handle);
                refused(&stranger, 410, "form.unknown");
                let foreign = writer.press(replica, "cross-site", &cookies, &handle);
                refused(&foreign, 403, "form.from_elsewhere");
            }
            // 4. The button does, byte for byte, and once.
            let sent = writer.press(there, "same-origin", &cookies, &handle);
            let seen = sent.is_fine_over(number).json();
            assert_eq!((&seen["method"], &seen["target"]), (&"POST".into(), &TARGET.into()));
            let received: Vec<_> =
                seen["body"].as_str().unwrap().chars().map(|it| it as u8).collect();
            assert!(received == body, "byte for byte");
            let mut names = seen["headers"].as_array().unwrap().iter().map(|header| &header[0]);
            assert!(names.any(|name| name == "x-brama-assertion"), "in the citizen's name");
            for replica in [there, here] {
                let again = writer.press(replica, "same-origin", &cookies, &handle);
                refused(&again, 410, "form.unknown");
            }
        }
    }
}
