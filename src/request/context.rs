//! One request, as our own places and pages need it.

use std::sync::Arc;

use http::header::{ACCEPT, ACCEPT_LANGUAGE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use crate::base::clock::Time;
use crate::flow::pending::Origin;
use crate::observe::event::Asked;
use crate::observe::traces::Trace;
use crate::pages::Language;
use crate::request::access_record::AccessRecord;
use crate::request::cookie::Cookies;
use crate::request::headers::HeaderScan;
use crate::request::headers::forwarded::Client;
use crate::request::host::Host;
use crate::session::cached::Activity;

/// The most bytes that the body of a request may have, where nothing says otherwise.
pub const MAX_BODY: u64 = 64 * 1024 * 1024;

/// The kind of client that waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A person who goes to a page.
    Navigation,
    /// A page inside a page; a login cannot happen there.
    Frame,
    /// A script or a program: it wants JSON, not a login page.
    Program,
    /// No person sees what is answered: a browser fetches a page ahead, in case a person goes to
    /// it, or a client only asks about it (HEAD). What begins for a person begins for neither.
    Machine,
}

impl Caller {
    /// Tells which caller waits when the request has that method.
    #[must_use]
    pub fn asking_by(self, method: &Method) -> Self {
        match self {
            Self::Navigation | Self::Frame if *method == Method::HEAD => Self::Machine,
            _ => self,
        }
    }
}

/// One request, with all that is known of it until it is answered.
#[derive(Debug)]
pub struct RequestContext {
    /// Identifies the request in logs and on error pages.
    pub id: String,
    /// Method, target and headers, cleaned.
    pub parts: Box<Parts>,
    /// The client that made it, as far as we believe.
    pub client: Client,
    /// The canonical host that it is for.
    pub host: Host,
    /// What is noted of it for the access log.
    pub record: AccessRecord,
    /// The caller that waits, where the headers do not tell.
    pub assumed: Option<Caller>,
    /// When the request came.
    pub began: Time,
    /// What is among its headers.
    pub scan: HeaderScan,
    /// The trace that it belongs to, if there are traces.
    pub trace: Option<Arc<Trace>>,
}

impl RequestContext {
    /// Returns what is told of it where something happens within it.
    #[must_use]
    pub fn asked(&self) -> Asked<'_> {
        Asked {
            id: &self.id,
            client: self.client.address,
            host: self.host.name(),
            route: self.record.route.as_ref().map(|route| &*route.path),
            trace: self.trace.as_ref().map(|trace| trace.id()),
        }
    }

    /// Tells which caller waits. Looked at only when there is something to say of our own.
    #[must_use]
    pub fn caller(&self) -> Caller {
        let caller = self.assumed.unwrap_or_else(|| caller(&self.parts.headers));
        caller.asking_by(&self.parts.method)
    }

    /// Tells whether it is a sign of life.
    #[must_use]
    pub fn activity(&self) -> Activity {
        if self.scan.is_background { Activity::Background } else { Activity::Alive }
    }

    /// Tells which site's page led the browser here. A browser that does not say counts as another
    /// site's.
    #[must_use]
    pub fn origin(&self) -> Origin {
        match self.parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
            Some(b"none" | b"same-origin") => Origin::Own,
            _ => Origin::Elsewhere,
        }
    }

    /// Tells whether the browser says which site's page led it somewhere.
    #[must_use]
    pub fn says_origin(&self) -> bool {
        self.parts.headers.contains_key("sec-fetch-site")
    }

    /// Returns the language of pages: the chosen one, then what the browser prefers.
    #[must_use]
    pub fn language(&self, cookies: Cookies) -> Language {
        let headers = &self.parts.headers;
        let accepted = || Language::negotiate(header(headers, ACCEPT_LANGUAGE.as_str()));
        cookies.language(headers).unwrap_or_else(accepted)
    }

    /// Returns the path as it came.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// Returns path and query as they came.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        self.parts.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    /// Returns the value of a query parameter that is there exactly once.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        form_value(self.parts.uri.query().unwrap_or("").as_bytes(), &[name])
    }

    /// Tells whether the request was made by a page of our own origin; `None` when the browser
    /// does not say.
    #[must_use]
    pub fn is_same_origin(&self, origin: &str) -> Option<bool> {
        if let Some(site) = self.parts.headers.get("sec-fetch-site") {
            return Some(site.as_bytes() == b"same-origin");
        }
        Some(self.parts.headers.get(ORIGIN)?.as_bytes() == origin.as_bytes())
    }
}

/// Tells which caller waits for the answer (Fetch metadata; without it, what the client accepts),
/// whatever the method.
#[must_use]
pub fn caller(headers: &HeaderMap) -> Caller {
    match waiting(headers) {
        Caller::Navigation | Caller::Frame if is_ahead(headers) => Caller::Machine,
        caller => caller,
    }
}

/// Tells whether a browser fetches ahead: `Sec-Purpose: prefetch;prerender` (Fetch 3.8, a
/// structured token with parameters), and the names that browsers had for it before.
fn is_ahead(headers: &HeaderMap) -> bool {
    let said = AHEAD.iter().flat_map(|name| headers.get_all(*name));
    let mut words = said.flat_map(|value| value.as_bytes().split(|byte| b";,".contains(byte)));
    words.any(|word| {
        let word = word.trim_ascii();
        AHEAD_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    })
}

/// The headers in which browsers say that they fetch ahead.
const AHEAD: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
/// The words by which those headers say so.
const AHEAD_WORDS: [&str; 3] = ["prefetch", "prerender", "preview"];

fn waiting(headers: &HeaderMap) -> Caller {
    if let Some(mode) = header(headers, "sec-fetch-mode") {
        return match (mode, header(headers, "sec-fetch-dest")) {
            ("navigate", None | Some("document")) => Caller::Navigation,
            ("navigate", Some(_)) => Caller::Frame,
            _ => Caller::Program,
        };
    }
    let by_script = headers.contains_key("x-requested-with");
    let accepts_pages = header(headers, ACCEPT.as_str())
        .is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"));
    if accepts_pages && !by_script { Caller::Navigation } else { Caller::Program }
}

/// Tells whether the method only reads.
#[must_use]
pub fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Returns the value of a form field (`application/x-www-form-urlencoded`) that is there exactly
/// once under one of these names.
#[must_use]
pub fn form_value(form: &[u8], names: &[&str]) -> Option<String> {
    let mut values = url::form_urlencoded::parse(form)
        .filter(|(name, _)| names.contains(&&**name))
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.into_owned()),
        _ => None,
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(header).collect()
    }

    #[test]
    fn tells_people_from_programs() {
        let html = ("accept", "text/html,*/*;q=0.8");
        for (pairs, expected) in [
            (
                vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
                Caller::Navigation,
            ),
            (vec![("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], Caller::Frame),
            (vec![("sec-fetch-mode", "cors"), html], Caller::Program),
            (vec![("sec-fetch-mode", "no-cors")], Caller::Program),
            (vec![html], Caller::Navigation),
            (vec![html, ("x-requested-with", "XMLHttpRequest")], Caller::Program),
            (vec![("accept", "application/json")], Caller::Program),
            (vec![("accept", "*/*")], Caller::Program),
            (vec![], Caller::Program),
        ] {
            assert_eq!(caller(&headers(&pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn nobody_waits_for_what_is_fetched_ahead() {
        let navigation = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let purposes = [
            (("sec-purpose", "prefetch"), true),
            (("sec-purpose", "prefetch;prerender"), true),
            (("sec-purpose", "prefetch; anonymous-client-ip"), true),
            (("purpose", "prefetch"), true),
            (("purpose", "Prefetch"), true),
            (("x-purpose", "preview"), true),
            (("x-moz", "prefetch"), true),
            (("sec-purpose", ""), false),
            (("sec-purpose", "prefetched"), false),
            (("purpose", "tax"), false),
        ];
        for (purpose, is_ahead) in purposes {
            for person in [&navigation[..], &[("accept", "text/html")]] {
                let expected = if is_ahead { Caller::Machine } else { Caller::Navigation };
                let pairs = [person, &[purpose]].concat();
                assert_eq!(caller(&headers(&pairs)), expected, "{pairs:?}");
            }
            // A script is told what scripts are told.
            assert_eq!(caller(&headers(&[("sec-fetch-mode", "cors"), purpose])), Caller::Program);
        }
        for (caller, expected) in [
            (Caller::Navigation, Caller::Machine),
            (Caller::Frame, Caller::Machine),
            (Caller::Program, Caller::Program),
        ] {
            assert_eq!(caller.asking_by(&Method::HEAD), expected);
            assert_eq!(caller.asking_by(&Method::GET), caller);
        }
    }

    fn request(target: &str, pairs: &[(&'static str, &'static str)]) -> RequestContext {
        let (mut parts, ()) = http::Request::get(target).body(()).unwrap().into_parts();
        parts.headers = headers(pairs);
        let peer = crate::request::service::Peer::new("127.0.0.1:1".parse().unwrap(), false);
        RequestContext {
            id: String::new(),
            parts: Box::new(parts),
            client: Client::direct(&peer, false),
            host: Host::unknown(),
            record: AccessRecord::default(),
            assumed: None,
            began: Time::UNIX_EPOCH,
            scan: HeaderScan::default(),
            trace: None,
        }
    }

    #[test]
    fn a_browser_says_which_page_made_a_request() {
        let origin = "https://portal.example";
        for (pairs, is_same, is_own) in [
            (&[("sec-fetch-site", "same-origin")][..], Some(true), true),
            (&[("sec-fetch-site", "none")], Some(false), true),
            (&[("sec-fetch-site", "same-site")], Some(false), false),
            (
                &[("sec-fetch-site", "cross-site"), ("origin", "https://portal.example")],
                Some(false),
                false,
            ),
            (&[("origin", "https://portal.example")], Some(true), false),
            (&[("origin", "https://portal.example.evil")], Some(false), false),
            (&[("origin", "null")], Some(false), false),
            (&[], None, false),
        ] {
            let request = request("/", pairs);
            assert_eq!(request.is_same_origin(origin), is_same, "{pairs:?}");
            let expected = if is_own { Origin::Own } else { Origin::Elsewhere };
            assert_eq!(request.origin(), expected, "{pairs:?}");
            let says = pairs.iter().any(|(name, _)| *name == "sec-fetch-site");
            assert_eq!(request.says_origin(), says, "{pairs:?}");
        }
    }

    #[test]
    fn the_chosen_language_goes_before_what_the_browser_prefers() {
        for (cookie, accepted, expected) in [
            ("brama-language=uk", "en", Language::Ukrainian),
            ("a=b; brama-language=en", "pl", Language::English),
            ("", "en", Language::English),
            ("", "", Language::Polish),
            ("brama-language=de", "en", Language::English),
            ("__Host-brama-language=uk", "en", Language::English),
        ] {
            let request = request("/", &[("cookie", cookie), ("accept-language", accepted)]);
            assert_eq!(request.language(Cookies::PLAIN), expected, "{cookie:?} {accepted:?}");
        }
    }

    #[test]
    fn a_request_in_the_background_is_no_sign_of_life() {
        let mut request = request("/", &[]);
        assert_eq!(request.activity(), Activity::Alive);
        request.scan.is_background = true;
        assert_eq!(request.activity(), Activity::Background);
    }

    #[test]
    fn a_parameter_of_the_query_is_there_once_or_not_at_all() {
        let value = |target: &str| request(target, &[]).query("id");
        assert_eq!(value("/a?id=1&x=2").as_deref(), Some("1"));
        assert_eq!(value("/a?id=1&id=2"), None);
        assert_eq!(value("/a"), None);
    }

    #[test]
    fn two_methods_only_read() {
        for (method, reads) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::POST, false),
            (Method::OPTIONS, false),
            (Method::DELETE, false),
        ] {
            assert_eq!(is_reading(&method), reads, "{method}");
        }
    }

    #[test]
    fn a_form_field_is_there_once_or_not_at_all() {
        assert_eq!(form_value(b"a=1&b=%C5%BC+x", &["b"]).as_deref(), Some("ż x"));
        assert_eq!(form_value(b"SAMLArt=1", &["SAMLart", "SAMLArt"]).as_deref(), Some("1"));
        assert_eq!(form_value(b"SAMLart=1&SAMLArt=2", &["SAMLart", "SAMLArt"]), None);
        assert_eq!(form_value(b"a=1&a=1", &["a"]), None);
        assert_eq!(form_value(b"", &["a"]), None);
    }
}
