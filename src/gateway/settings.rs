//! What the configuration says of the portal, as requests need it.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::limits;
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::pages::{Appearance, Language, Local};
use crate::request::context::MAX_BODY;
use crate::request::cookie::Cookies;
use crate::request::headers::forwarded::Believed;
use crate::request::networks::Networks;
use crate::request::portal_cookie::PortalCookie;
use crate::wire::head::Bounds;

/// What the doors know of the portal.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name that citizens know.
    pub portal_name: String,
    /// Scheme, host and port of the registered host, without a slash at the end.
    pub origin: String,
    /// Portals on other hosts where citizens can sign in too.
    pub others: Vec<OtherPortal>,
    /// The prefix of our own places, with slashes around.
    pub prefix: String,
    /// The path at which the language of pages is chosen.
    pub language_place: String,
    /// The path of the assertion consumer service.
    pub acs_path: String,
    /// What makes our pages look like the office's own.
    pub appearance: Appearance,
    /// Where pages lead when something is over.
    pub returns: Returns,
    /// What the ribbon on every page says when this is not production.
    pub test_environment: Option<String>,
    /// The names of our cookies.
    pub cookies: Cookies,
    /// What stands between browsers and us.
    pub edge: Edge,
    /// How work on the portal is told.
    pub maintenance: Maintenance,
    /// How often one network may try to sign in.
    pub limits: limits::Settings,
    /// What is told while sign-in is closed; `None` when it is open.
    pub outage: Option<Outage>,
    /// Cookies of the portal that go when a citizen signs out or another person signs in.
    pub portal_cookies: Vec<PortalCookie>,
    /// Whether keys and issuer are told at well-known places too.
    pub well_known: bool,
}

impl Settings {
    /// Tells whether a path, as it came, may be one of our own places: a handle may stand in its
    /// query.
    #[must_use]
    pub fn may_be_ours(&self, path: &str) -> bool {
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        path.starts_with(&*self.prefix) || path == self.acs_path
    }

    /// Tells whether an address with this path has something in it that is good once: an artifact, the
    /// ticket of a login, the code of a hand-off.
    #[must_use]
    pub fn is_good_once(&self, path: &str) -> bool {
        let ours = path.strip_prefix(&*self.prefix);
        path == self.acs_path || matches!(ours, Some("acs" | "finish" | "cross" | "arrive"))
    }

    /// Returns the address at which a login begins that brings what is demanded.
    #[must_use]
    pub fn login_link(&self, return_to: &ReturnTo, requirement: AuthnRequirement) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("return_to", return_to.as_str());
        query.append_pair("assurance", requirement.assurance.name());
        if let Some(age) = requirement.max_age {
            query.append_pair("max_age", &age.as_secs().to_string());
        }
        format!("{}login?{}", self.prefix, query.finish())
    }
}

/// Where pages lead when something is over: paths of the portal, and addresses that the operator
/// named. Nothing else leads out of here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returns {
    /// After signing out, when the portal says nothing.
    pub after_logout: Option<String>,
    /// After giving up at the node.
    pub after_cancel: Option<String>,
    /// Addresses outside that the portal may name when it signs a citizen out.
    pub urls: Vec<String>,
}

impl Returns {
    /// Returns where the portal says that a citizen is led, when it is a path or one of the named
    /// addresses, whole. Whatever else it says is as if it had said nothing.
    #[must_use]
    pub fn named(&self, text: Option<&str>) -> Option<String> {
        let text = text?;
        let path = ReturnTo::parse(text);
        if path.as_str() == text {
            return Some(text.to_owned());
        }
        let address = url::Url::parse(text).ok()?;
        self.urls.iter().find(|known| **known == address.as_str()).cloned()
    }

    /// Returns where the page after signing out leads otherwise.
    #[must_use]
    pub fn home(&self) -> &str {
        self.after_logout.as_deref().unwrap_or("/")
    }
}

/// A portal on another host than the registered one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPortal {
    /// The name of its host.
    pub host: String,
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
}

/// What stands between browsers and us, and what is told of it.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Proxies in front whose word on the client is taken.
    pub trusted: Networks,
    /// For what it is taken.
    pub believed: Believed,
    /// Whether upstreams get the header `Forwarded` (RFC 7239) too.
    pub sends_forwarded: bool,
    /// The value of `Strict-Transport-Security`, when it is wanted.
    pub hsts: Option<HeaderValue>,
    /// The most bytes that the body of a request may have, unless its route says otherwise.
    pub max_body: u64,
    /// The bounds of a head, for requests of HTTP/2 too.
    pub bounds: Bounds,
    /// Names under which others tell an identity that pass all the same.
    pub identity_headers_passed: Vec<HeaderName>,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            trusted: Networks::default(),
            believed: Believed::default(),
            sends_forwarded: false,
            hsts: None,
            max_body: MAX_BODY,
            bounds: Bounds::default(),
            identity_headers_passed: Vec::new(),
        }
    }
}

/// How work on the portal is told.
#[derive(Debug, Clone)]
pub struct Maintenance {
    /// The value of `Retry-After`, in seconds.
    pub retry_after: HeaderValue,
    /// Networks of clients that may pass meanwhile.
    pub allow: Networks,
}

impl Default for Maintenance {
    fn default() -> Self {
        Self { retry_after: HeaderValue::from_static("600"), allow: Networks::default() }
    }
}

/// An outage of the node, as the operator tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// How long clients are told to wait (`Retry-After`).
    pub retry_after: Duration,
    /// What happened, in each language; `None` leaves it to us.
    pub said: Local,
}

impl Outage {
    /// Returns what the operator says in a language.
    #[must_use]
    pub fn said(&self, language: Language) -> Option<&str> {
        self.said[language as usize].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::portals::testing::settings;
    use crate::identity::assurance::Assurance;

    #[test]
    fn a_link_says_where_to_return_and_what_the_login_must_bring() {
        let settings = settings("https://a.example");
        let link = |max_age| {
            let requirement = AuthnRequirement { assurance: Assurance::High, max_age };
            settings.login_link(&ReturnTo::parse("/tax?a=b&c"), requirement)
        };
        let any = "/.brama/login?return_to=%2Ftax%3Fa%3Db%26c&assurance=high";
        assert_eq!(link(None), any);
        assert_eq!(link(Some(Duration::from_secs(600))), format!("{any}&max_age=600"));
    }

    #[test]
    fn the_way_back_is_a_path_or_a_named_address_and_nothing_else() {
        let urls =
            vec!["https://www.example.gov.pl/".to_owned(), "https://a.test/bye?x".to_owned()];
        let returns = Returns { urls, ..Returns::default() };
        let named = |text| returns.named(Some(text));
        for (text, expected) in [
            ("/", "/"),
            ("/bye?a=b", "/bye?a=b"),
            ("https://www.example.gov.pl/", "https://www.example.gov.pl/"),
            ("https://www.example.gov.pl", "https://www.example.gov.pl/"),
            ("https://a.test/bye?x", "https://a.test/bye?x"),
        ] {
            assert_eq!(named(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "//www.example.gov.pl/",
            "/\\evil.test",
            "https://www.example.gov.pl/more",
            "https://www.example.gov.pl.evil.test/",
            "https://www.example.gov.pl@evil.test/",
            "http://www.example.gov.pl/",
            "https://a.test/bye?x&y",
            "https://a.test/bye",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
            " https://a.test/bye?x@evil.test",
        ] {
            assert_eq!(named(text), None, "{text:?}");
        }
        assert_eq!(returns.named(None), None);
        assert_eq!(returns.home(), "/");
    }

    #[test]
    fn an_outage_is_told_in_the_language_that_was_asked_for() {
        let retry_after = Duration::from_secs(1);
        let said = [Some("przerwa".to_owned()), None, None];
        let outage = Outage { retry_after, said };
        assert_eq!(outage.said(Language::Polish), Some("przerwa"));
        assert_eq!(outage.said(Language::English), None);
    }
}
