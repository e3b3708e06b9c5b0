//! What a page says of what it may do: where its forms may go, what others may know of it.

use http::HeaderMap;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use url::Url;

/// The policies of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The sources of each `form-action` directive.
    form_actions: Vec<Vec<String>>,
    /// It has no origin of its own (`sandbox` without `allow-same-origin`).
    pub is_sandboxed: bool,
    /// The last word of `Referrer-Policy` that is known.
    referrer: Referrer,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Referrer {
    No,
    SameOrigin,
    Origin,
    StrictOrigin,
    OriginWhenCross,
    /// What browsers do where nothing is said.
    #[default]
    StrictOriginWhenCross,
    NoDowngrade,
    Always,
}

impl Policy {
    /// Reads the headers of an answer.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let mut policy = Self::default();
        for value in headers.get_all(CONTENT_SECURITY_POLICY) {
            for part in value.to_str().unwrap_or_default().split(',') {
                policy.read_content_security(part);
            }
        }
        for value in headers.get_all(REFERRER_POLICY) {
            for word in value.to_str().unwrap_or_default().split(',') {
                policy.referrer = referrer(word.trim()).unwrap_or(policy.referrer);
            }
        }
        policy
    }

    fn read_content_security(&mut self, policy: &str) {
        for directive in policy.split(';') {
            let mut words = directive.split_ascii_whitespace().map(str::to_ascii_lowercase);
            match words.next().as_deref() {
                Some("form-action") => self.form_actions.push(words.collect()),
                Some("sandbox") => {
                    self.is_sandboxed |= !words.any(|word| word == "allow-same-origin");
                }
                _ => {}
            }
        }
    }

    /// Takes over what a redirect says of `Referer` (Fetch 4.4).
    pub(super) const fn take_referrer(&mut self, other: &Self) {
        self.referrer = other.referrer;
    }

    /// Tells whether a form of the page may be sent there (CSP 3, 6.4.1).
    #[must_use]
    pub fn allows_form(&self, page: &Url, target: &Url) -> bool {
        self.form_actions.iter().all(|sources| {
            let allows = |source: &String| match source.as_str() {
                "'self'" => page.origin() == target.origin(),
                "'none'" => false,
                "*" => matches!(target.scheme(), "http" | "https"),
                source => allows_source(source, page, target),
            };
            sources.iter().any(allows)
        })
    }

    /// Returns what the `Referer` of a request says that the page causes.
    #[must_use]
    pub fn referrer(&self, page: &Url, target: &Url) -> Option<String> {
        let mut whole = page.clone();
        whole.set_fragment(None);
        // Neither fails for an address of HTTP.
        let _ = (whole.set_username(""), whole.set_password(None));
        let origin = || Some(format!("{}/", page.origin().ascii_serialization()));
        let whole = || Some(whole.to_string());
        let is_same = page.origin() == target.origin();
        let is_downgrade = page.scheme() == "https" && target.scheme() != "https";
        match self.referrer {
            Referrer::No => None,
            Referrer::SameOrigin => is_same.then(whole).flatten(),
            Referrer::Origin => origin(),
            Referrer::StrictOrigin => (!is_downgrade).then(origin).flatten(),
            Referrer::OriginWhenCross => {
                if is_same {
                    whole()
                } else {
                    origin()
                }
            }
            Referrer::StrictOriginWhenCross if is_same => whole(),
            Referrer::StrictOriginWhenCross => (!is_downgrade).then(origin).flatten(),
            Referrer::NoDowngrade => (!is_downgrade).then(whole).flatten(),
            Referrer::Always => whole(),
        }
    }

    /// Returns the `Origin` of a request that is no GET (Fetch, 3.2).
    #[must_use]
    pub fn origin(&self, page: &Url, target: &Url) -> String {
        let is_same = page.origin() == target.origin();
        let is_hidden = match self.referrer {
            Referrer::No => true,
            Referrer::SameOrigin => !is_same,
            Referrer::StrictOrigin | Referrer::StrictOriginWhenCross | Referrer::NoDowngrade => {
                page.scheme() == "https" && target.scheme() != "https"
            }
            Referrer::Origin | Referrer::OriginWhenCross | Referrer::Always => false,
        };
        if self.is_sandboxed || is_hidden {
            return "null".to_owned();
        }
        page.origin().ascii_serialization()
    }
}

/// A source that is a scheme or an origin, with `*.` for hosts below one; paths are left out.
fn allows_source(source: &str, page: &Url, target: &Url) -> bool {
    if let Some(scheme) = source.strip_suffix(':') {
        return target.scheme() == scheme;
    }
    let (scheme, rest) = source.split_once("://").unwrap_or((page.scheme(), source));
    let is_scheme = target.scheme() == scheme || scheme == "http" && target.scheme() == "https";
    let authority = rest.split('/').next().unwrap_or_default();
    // The colon of an IPv6 address is no port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let found = target.host_str().unwrap_or_default();
    let is_host = match host.strip_prefix('*') {
        Some(below) => !below.is_empty() && found.ends_with(below),
        None => found == host,
    };
    let is_port = match port {
        Some("*") => true,
        Some(port) => {
            target.port_or_known_default().map(|port| port.to_string()).as_deref() == Some(port)
        }
        None => target.port().is_none(),
    };
    is_scheme && is_host && is_port
}

fn referrer(word: &str) -> Option<Referrer> {
    Some(match word.to_ascii_lowercase().as_str() {
        "no-referrer" => Referrer::No,
        "same-origin" => Referrer::SameOrigin,
        "origin" => Referrer::Origin,
        "strict-origin" => Referrer::StrictOrigin,
        "origin-when-cross-origin" => Referrer::OriginWhenCross,
        "strict-origin-when-cross-origin" => Referrer::StrictOriginWhenCross,
        "no-referrer-when-downgrade" => Referrer::NoDowngrade,
        "unsafe-url" => Referrer::Always,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn policy(security: &'static str, referrer: &'static str) -> Policy {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(security));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static(referrer));
        Policy::read(&headers)
    }

    fn at(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn forms_go_where_the_page_allows_and_nowhere_else() {
        for (security, target, expected) in [
            ("", "https://other.pl/", true),
            ("default-src 'none'", "https://other.pl/", true),
            ("form-action 'self'", "https://a.pl/x", true),
            ("form-action 'self'", "https://b.pl/x", false),
            ("form-action 'none'", "https://a.pl/x", false),
            ("form-action", "https://a.pl/x", false),
            ("form-action https://b.pl", "https://b.pl/x", true),
            ("form-action https://b.pl", "https://b.pl:8443/x", false),
            ("form-action https://b.pl:*", "https://b.pl:8443/x", true),
            ("form-action https://b.pl:8443", "https://b.pl:8443/x", true),
            ("form-action http://127.0.0.1:8081", "http://127.0.0.1:8081/x", true),
            ("form-action http://127.0.0.1:8081", "http://127.0.0.1:8082/x", false),
            ("form-action https:", "https://b.pl/x", true),
            ("form-action https:", "http://b.pl/x", false),
            ("form-action https://*.b.pl", "https://c.b.pl/x", true),
            ("form-action https://*.b.pl", "https://b.pl/x", false),
            ("form-action 'self', form-action https://b.pl", "https://b.pl/x", false),
            ("form-action *", "javascript:alert(1)", false),
        ] {
            let found = policy(security, "").allows_form(&at("https://a.pl/page"), &at(target));
            assert_eq!(found, expected, "{security} {target}");
        }
    }

    #[test]
    fn others_are_told_as_much_as_the_page_says() {
        let page = at("https://u:p@a.pl/x?y#z");
        for (word, same, cross, plain) in [
            ("", Some("https://a.pl/x?y"), Some("https://a.pl/"), None),
            ("no-referrer", None, None, None),
            ("same-origin", Some("https://a.pl/x?y"), None, None),
            ("origin", Some("https://a.pl/"), Some("https://a.pl/"), Some("https://a.pl/")),
            (
                "unsafe-url, nonsense",
                Some("https://a.pl/x?y"),
                Some("https://a.pl/x?y"),
                Some("https://a.pl/x?y"),
            ),
        ] {
            let policy = policy("", word);
            let referrer = |target| policy.referrer(&page, &at(target));
            assert_eq!(referrer("https://a.pl/").as_deref(), same, "{word}");
            assert_eq!(referrer("https://b.pl/").as_deref(), cross, "{word}");
            assert_eq!(referrer("http://b.pl/").as_deref(), plain, "{word}");
        }
    }

    #[test]
    fn an_origin_is_hidden_by_a_sandbox_and_where_no_referrer_is_wanted() {
        let origin = |security, word| {
            policy(security, word).origin(&at("https://a.pl/x"), &at("https://b.pl"))
        };
        assert_eq!(origin("", ""), "https://a.pl");
        assert_eq!(origin("sandbox allow-scripts", ""), "null");
        assert_eq!(origin("sandbox allow-same-origin", ""), "https://a.pl");
        assert_eq!(origin("", "no-referrer"), "null");
        assert_eq!(origin("", "same-origin"), "null");
    }
}
