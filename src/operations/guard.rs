//! Whether a request is meant for this listener, and was not made by a foreign page.
//!
//! A browser on the operator's machine reaches this listener, and so does every page that it shows:
//!
//! 1. A page whose name leads here by now (DNS rebinding) is of our origin to the browser and would
//!    read what is told. So a request must name an address of IP, `localhost`, or a host of
//!    `operations.hosts`.
//! 2. A page of another origin may have the browser send simple requests (Fetch 2.2.2), whose answer
//!    it does not see. What the browser brings by itself, a password of Basic or a certificate, would
//!    make them the operator's. So `Origin`, where it is said, must be our own, and `Sec-Fetch-Site`
//!    must be `same-origin`, or `none` for an address that was typed.
//! 3. A link of another site to the status page is followed all the same, as a page of its own: it
//!    changes nothing, no page may frame it, and who follows it is who reads it.
//!
//! Programs say neither `Origin` nor `Sec-Fetch-Site`. Browsers that know no `Sec-Fetch-Site` say
//! `Origin` with everything but simple questions, and those are answered by JSON that no other
//! origin may read.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Version};

use super::problem::Problem;
use crate::request::host::{self, Host};

/// The names of this listener.
#[derive(Debug, Default)]
pub struct Guard {
    /// Names of hosts, beside addresses and `localhost`, in their canonical form.
    hosts: Vec<String>,
}

impl Guard {
    /// Makes a guard for a listener that is asked under these names too.
    #[must_use]
    pub fn new(hosts: Vec<String>) -> Self {
        Self { hosts }
    }

    /// Lets a request pass that names this listener and that no foreign page made. `is_page` says that
    /// a page is asked for, to which links may lead.
    ///
    /// # Errors
    /// [`Problem::NotOurName`] and [`Problem::ForeignPage`].
    pub fn pass(&self, parts: &Parts, is_tls: bool, is_page: bool) -> Result<(), Problem> {
        let Ok(host) = host::canonical(parts, is_tls) else {
            // A browser always says it, and so does a program that speaks for one; a program of old
            // may not (RFC 1945).
            let is_said =
                [&HOST, &ORIGIN, &SITE].iter().any(|name| parts.headers.contains_key(*name));
            let is_old = parts.version < Version::HTTP_11 && !is_said && parts.uri.host().is_none();
            return is_old.then_some(()).ok_or(Problem::NotOurName);
        };
        if !self.is_ours(&host) {
            return Err(Problem::NotOurName);
        }
        let is_followed = is_page
            && parts.method == Method::GET
            && said(&parts.headers, &SITE).is_some()
            && said(&parts.headers, &MODE) == Some(b"navigate".as_slice())
            && said(&parts.headers, &DESTINATION) == Some(b"document".as_slice());
        let is_site_ours = match said(&parts.headers, &SITE) {
            None | Some(b"same-origin" | b"none") => true,
            Some(_) => is_followed,
        };
        let is_origin_ours = match said(&parts.headers, &ORIGIN) {
            None => true,
            Some(origin) => is_own(origin, &host, is_tls),
        };
        let is_once = [&SITE, &ORIGIN].iter().all(|name| {
            let mut all = parts.headers.get_all(*name).iter();
            all.next().is_none() || all.next().is_none()
        });
        if is_site_ours && is_origin_ours && is_once {
            return Ok(());
        }
        Err(Problem::ForeignPage)
    }

    fn is_ours(&self, host: &Host) -> bool {
        let name = host.name();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || address.parse::<IpAddr>().is_ok()
            || self.hosts.iter().any(|known| known == name)
    }
}

/// Tells whether an origin (RFC 6454 6.2) is that of the host that was asked.
fn is_own(origin: &[u8], host: &Host, is_tls: bool) -> bool {
    let scheme: &[u8] = if is_tls { b"https://" } else { b"http://" };
    let named = origin.strip_prefix(scheme).and_then(|rest| Host::parse(rest, is_tls).ok());
    named.is_some_and(|named| named == *host)
}

fn said<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    headers.get(name).map(http::HeaderValue::as_bytes)
}

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(method: &str, fields: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri("/sessions");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_what_names_us_passes() {
        let guard = Guard::new(vec!["ops.portal.svc".to_owned()]);
        for (host, expected) in [
            ("127.0.0.1:9480", true),
            ("[::1]:9480", true),
            ("localhost:9480", true),
            ("LOCALHOST", true),
            ("ops.portal.svc", true),
            ("ops.portal.svc.:9480", true),
            ("rebound.example:9480", false),
            ("localhost.rebound.example", false),
            ("127.0.0.1.rebound.example", false),
            ("0x7f.1", false),
            ("", false),
            ("a b", false),
        ] {
            let found = guard.pass(&parts("GET", &[("host", host)]), false, false);
            assert_eq!(found.is_ok(), expected, "{host}");
            assert!(expected || found == Err(Problem::NotOurName));
        }
        let two = parts("GET", &[("host", "localhost"), ("host", "localhost")]);
        assert!(guard.pass(&two, false, false).is_err());
    }

    #[test]
    fn a_program_of_old_may_leave_the_name_out_and_nobody_else() {
        let guard = Guard::default();
        let old = |uri: &str, fields: &[(&str, &str)]| {
            let mut head = parts("GET", fields);
            (head.version, head.uri) = (Version::HTTP_10, uri.parse().unwrap());
            guard.pass(&head, false, false)
        };
        assert_eq!(old("/sessions", &[]), Ok(()));
        assert_eq!(old("/sessions", &[("host", "localhost")]), Ok(()));
        for (uri, fields) in [
            ("/sessions", &[("origin", "http://evil.example")][..]),
            ("/sessions", &[("origin", "null")]),
            ("/sessions", &[("sec-fetch-site", "cross-site")]),
            ("/sessions", &[("host", "evil.example")]),
            ("http://evil.example/sessions", &[]),
        ] {
            assert!(old(uri, fields).is_err(), "{uri} {fields:?}");
        }
        assert_eq!(guard.pass(&parts("GET", &[]), false, false), Err(Problem::NotOurName));
    }

    #[test]
    fn what_a_foreign_page_had_sent_passes_nowhere() {
        let guard = Guard::default();
        for (fields, expected) in [
            (&[][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("origin", "http://localhost:9480")], true),
            (&[("origin", "http://localhost:9480"), ("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("origin", "https://localhost:9480")], false),
            (&[("origin", "http://localhost:9481")], false),
            (&[("origin", "http://localhost")], false),
            (&[("origin", "http://127.0.0.1:9480")], false),
            (&[("origin", "http://rebound.example")], false),
            (&[("origin", "http://localhost:9480"), ("origin", "http://evil.example")], false),
            (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "http://evil.example"), ("sec-fetch-site", "same-origin")], false),
        ] {
            for method in ["GET", "POST", "DELETE", "PUT"] {
                let fields = [&[("host", "localhost:9480")], fields].concat();
                let found = guard.pass(&parts(method, &fields), false, false);
                assert_eq!(found.is_ok(), expected, "{method} {fields:?}");
            }
        }
    }

    #[test]
    fn a_link_leads_to_a_page_and_nothing_else_does() {
        let guard = Guard::default();
        let fields = [("host", "localhost:9480"), ("sec-fetch-site", "cross-site")];
        let with = |more: &[(&'static str, &'static str)]| [&fields[..], more].concat();
        let link = with(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]);
        assert!(guard.pass(&parts("GET", &link), false, true).is_ok());
        assert!(guard.pass(&parts("GET", &link), false, false).is_err(), "no page");
        assert!(guard.pass(&parts("POST", &link), false, true).is_err(), "a form");
        let frame = with(&[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")]);
        assert!(guard.pass(&parts("GET", &frame), false, true).is_err());
        let image = with(&[("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")]);
        assert!(guard.pass(&parts("GET", &image), false, true).is_err());
    }
}
