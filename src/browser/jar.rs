//! The cookies of a browser: which are kept, and which go along with a request (RFC 6265bis 5.7, 5.8).

use http::Method;
use url::{Host, Url};

use super::set_cookie::{self, SameSite, SetCookie};
use super::site::is_trustworthy;
use crate::base::clock::Time;

/// The cookies of one browser.
#[derive(Clone, Debug, Default)]
pub struct Jar {
    /// The longest kept first.
    cookies: Vec<Cookie>,
}

/// A cookie as it is kept.
#[derive(Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// It goes to this host alone, and not to those below.
    is_host_only: bool,
    path: String,
    is_secure: bool,
    is_http_only: bool,
    same_site: SameSite,
    /// It says so itself; otherwise that is the default.
    says_same_site: bool,
    expires: Option<Time>,
}

impl std::fmt::Debug for Cookie {
    /// Without the value, which may be somebody's session.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=[secret] at {}{}", self.name, self.domain, self.path)
    }
}

/// What protects a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    /// It goes by TLS alone.
    pub is_secure: bool,
    /// No script reads it.
    pub is_http_only: bool,
    /// What it says of other sites, if it says something.
    pub same_site: Option<SameSite>,
}

/// What asks for an address, as far as cookies care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking<'a> {
    /// The site that asks is the site that is asked.
    pub is_same_site: bool,
    /// The page in the window changes.
    pub is_navigation: bool,
    /// The method of the request.
    pub method: &'a Method,
}

/// Why a cookie is not kept, as a browser tells a developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It cannot be read, or is too long.
    #[error("it is malformed or too long")]
    Malformed,
    /// Its domain is not of the host that sets it.
    #[error("its Domain is not of this host")]
    Domain,
    /// It is for TLS and came without.
    #[error("it is Secure and came without TLS")]
    Insecure,
    /// `SameSite=None` needs `Secure`.
    #[error("SameSite=None without Secure")]
    NoneWithoutSecure,
    /// It belongs to one site and was set by a request of another that is no navigation.
    #[error("it is SameSite and was set for another site")]
    CrossSite,
    /// Its name begins with `__Secure-` or `__Host-`, and its attributes do not keep the promise.
    #[error("its attributes do not keep what the prefix of its name says")]
    Prefix,
    /// There is one for TLS of that name, which must not be hidden.
    #[error("it would hide a Secure cookie")]
    WouldHide,
}

impl Jar {
    /// Keeps what an answer sets, in the place of a cookie of the same name, domain and path.
    ///
    /// # Errors
    /// When a browser would not keep it; then nothing changes.
    pub fn keep(
        &mut self,
        header: &str,
        url: &Url,
        asking: Asking<'_>,
        now: Time,
    ) -> Result<(), Rejection> {
        let set = set_cookie::parse(header, now).ok_or(Rejection::Malformed)?;
        let cookie = check(set, url, asking)?;
        let is_trusted = is_trustworthy(url);
        let hides = |other: &Cookie| {
            !is_trusted
                && other.is_secure
                && other.name == cookie.name
                && (domain_matches(&other.domain, &cookie.domain)
                    || domain_matches(&cookie.domain, &other.domain))
                && path_matches(&cookie.path, &other.path)
        };
        if self.cookies.iter().any(hides) {
            return Err(Rejection::WouldHide);
        }
        self.insert(cookie, now);
        Ok(())
    }

    fn insert(&mut self, cookie: Cookie, now: Time) {
        let is_it = |other: &Cookie| {
            (&other.name, &other.domain, &other.path, other.is_host_only)
                == (&cookie.name, &cookie.domain, &cookie.path, cookie.is_host_only)
        };
        let has_ended = cookie.expires.is_some_and(|end| end <= now);
        match self.cookies.iter().position(is_it) {
            // It keeps its age: a browser sends the older one first.
            Some(at) if !has_ended => self.cookies[at] = cookie,
            Some(at) => drop(self.cookies.remove(at)),
            None if has_ended => {}
            None => {
                let same: Vec<_> = (0..self.cookies.len())
                    .filter(|at| self.cookies[*at].domain == cookie.domain)
                    .collect();
                if let (true, Some(oldest)) = (same.len() >= MAX_PER_DOMAIN, same.first()) {
                    self.cookies.remove(*oldest);
                }
                if self.cookies.len() >= MAX {
                    self.cookies.remove(0);
                }
                self.cookies.push(cookie);
            }
        }
    }

    /// Returns the `Cookie` header of a request, if any cookie goes along.
    #[must_use]
    pub fn header(&self, url: &Url, asking: Asking<'_>, now: Time) -> Option<String> {
        let mut going: Vec<_> = self.at(url, now).filter(|cookie| goes(cookie, asking)).collect();
        // 5.8.3: longer paths first; among equals the older.
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<_> =
            going.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Returns the value of a cookie that would go to an address.
    #[must_use]
    pub fn value(&self, url: &Url, name: &str, now: Time) -> Option<&str> {
        self.at(url, now).find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// Returns what protects a cookie that would go to an address.
    #[must_use]
    pub fn flags(&self, url: &Url, name: &str, now: Time) -> Option<Flags> {
        let cookie = self.at(url, now).find(|cookie| cookie.name == name)?;
        let same_site = cookie.says_same_site.then_some(cookie.same_site);
        Some(Flags { is_secure: cookie.is_secure, is_http_only: cookie.is_http_only, same_site })
    }

    /// Returns the names of all cookies that belong to an address.
    pub fn names(&self, url: &Url, now: Time) -> impl Iterator<Item = &str> {
        self.at(url, now).map(|cookie| cookie.name.as_str())
    }

    /// Returns what protects a cookie that belongs to an address, such as `HttpOnly; Secure;
    /// SameSite=Lax`.
    #[must_use]
    pub fn describe(&self, url: &Url, name: &str) -> Option<String> {
        let mut cookies = self.cookies.iter();
        let cookie = cookies.find(|cookie| cookie.name == name && belongs(cookie, url))?;
        let same_site = format!("SameSite={:?}", cookie.same_site);
        let parts = [(cookie.is_http_only, "HttpOnly"), (cookie.is_secure, "Secure")];
        let parts = parts.into_iter().filter(|(is_so, _)| *is_so).map(|(_, name)| name);
        Some(parts.chain([same_site.as_str()]).collect::<Vec<_>>().join("; "))
    }

    /// Forgets the cookies of that name that belong to an address.
    pub fn forget(&mut self, url: &Url, name: &str) {
        self.cookies.retain(|cookie| cookie.name != name || !belongs(cookie, url));
    }

    fn at(&self, url: &Url, now: Time) -> impl Iterator<Item = &Cookie> {
        self.cookies.iter().filter(move |cookie| {
            belongs(cookie, url) && cookie.expires.is_none_or(|end| end > now)
        })
    }
}

/// 5.7, as far as the other cookies do not matter.
fn check(set: SetCookie, url: &Url, asking: Asking<'_>) -> Result<Cookie, Rejection> {
    let host = url.host_str().unwrap_or_default();
    let is_host_only = set.domain.as_ref().is_none_or(|domain| domain == host && is_address(url));
    if let Some(domain) = &set.domain {
        // No domain without a dot is anybody's but that host's own.
        let is_wide = domain != host && !domain.contains('.');
        if is_wide || !domain_matches(host, domain) || is_address(url) && domain != host {
            return Err(Rejection::Domain);
        }
    }
    if set.is_secure && !is_trustworthy(url) {
        return Err(Rejection::Insecure);
    }
    if set.same_site == SameSite::None && !set.is_secure {
        return Err(Rejection::NoneWithoutSecure);
    }
    if set.same_site != SameSite::None && !asking.is_same_site && !asking.is_navigation {
        return Err(Rejection::CrossSite);
    }
    // 4.1.3: in any case of letters, so that none is taken for one that keeps the promise.
    let begins = |prefix: &str| {
        set.name.get(..prefix.len()).is_some_and(|name| name.eq_ignore_ascii_case(prefix))
    };
    let is_for_host = set.is_secure && set.domain.is_none() && set.path.as_deref() == Some("/");
    if begins("__Host-") && !is_for_host || begins("__Secure-") && !set.is_secure {
        return Err(Rejection::Prefix);
    }
    if set.name.is_empty() {
        return Err(Rejection::Malformed);
    }
    Ok(Cookie {
        name: set.name,
        value: set.value,
        domain: set.domain.unwrap_or_else(|| host.to_owned()),
        is_host_only,
        path: set.path.unwrap_or_else(|| default_path(url)),
        is_secure: set.is_secure,
        is_http_only: set.is_http_only,
        same_site: set.same_site,
        says_same_site: set.says_same_site,
        expires: set.expires,
    })
}

fn belongs(cookie: &Cookie, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_host = if cookie.is_host_only {
        cookie.domain == host
    } else {
        domain_matches(host, &cookie.domain)
    };
    is_host && path_matches(url.path(), &cookie.path) && (!cookie.is_secure || is_trustworthy(url))
}

/// 5.8.3: what goes along with a request of another site.
fn goes(cookie: &Cookie, asking: Asking<'_>) -> bool {
    asking.is_same_site
        || match cookie.same_site {
            SameSite::None => true,
            SameSite::Lax => asking.is_navigation && asking.method.is_safe(),
            SameSite::Strict => false,
        }
}

/// 5.1.3: the host is the domain, or below it.
fn domain_matches(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn is_address(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
}

/// 5.1.4: the path is the cookie's, or below it.
fn path_matches(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

/// 5.1.4: the folder of the address.
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

/// The most cookies of one domain, as in a browser that many have.
const MAX_PER_DOMAIN: usize = 180;
/// The most cookies of all.
const MAX: usize = 3000;

#[cfg(test)]
mod tests {
    use super::*;

    const NAVIGATION: Asking<'_> =
        Asking { is_same_site: true, is_navigation: true, method: &Method::GET };

    fn now() -> Time {
        "2031-05-05T10:00:00Z".parse().unwrap()
    }

    fn at(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn jar(url: &str, headers: &[&str]) -> Jar {
        let mut jar = Jar::default();
        for header in headers {
            jar.keep(header, &at(url), NAVIGATION, now()).unwrap();
        }
        jar
    }

    #[test]
    fn cookies_go_to_their_host_and_path_only() {
        let jar = jar(
            "https://www.a.pl/x/y",
            &["own=1", "wide=2; Domain=a.pl; Path=/", "deep=3; Path=/x/y/z", "root=4; Path=/"],
        );
        for (url, expected) in [
            ("https://www.a.pl/x/y", Some("own=1; wide=2; root=4")),
            ("https://www.a.pl/x/y/z/", Some("deep=3; own=1; wide=2; root=4")),
            ("https://www.a.pl/xx", Some("wide=2; root=4")),
            ("https://b.a.pl/x", Some("wide=2")),
            ("https://a.pl/", Some("wide=2")),
            ("https://xa.pl/", None),
            ("https://pl/", None),
        ] {
            assert_eq!(jar.header(&at(url), NAVIGATION, now()).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_form_of_another_site_brings_none_cookies_alone() {
        let jar = jar(
            "https://a.pl/",
            &["s=1; SameSite=Strict", "l=2; SameSite=Lax", "d=3", "n=4; SameSite=None; Secure"],
        );
        let across = |method, is_navigation| {
            let asking = Asking { is_same_site: false, is_navigation, method };
            jar.header(&at("https://a.pl/"), asking, now()).unwrap()
        };
        assert_eq!(across(&Method::POST, true), "n=4");
        assert_eq!(across(&Method::GET, true), "l=2; d=3; n=4");
        assert_eq!(across(&Method::GET, false), "n=4");
        let own = Asking { is_same_site: true, is_navigation: true, method: &Method::POST };
        assert_eq!(jar.header(&at("https://a.pl/"), own, now()).unwrap(), "s=1; l=2; d=3; n=4");
    }

    #[test]
    fn what_protects_a_cookie_is_what_it_says_itself() {
        let jar = jar("https://a.pl/", &["s=1; HttpOnly; SameSite=Lax", "p=2; Secure"]);
        let flags = |name| jar.flags(&at("https://a.pl/"), name, now());
        let lax = Some(SameSite::Lax);
        let said = Flags { is_secure: false, is_http_only: true, same_site: lax };
        assert_eq!(flags("s"), Some(said));
        let silent = Flags { is_secure: true, is_http_only: false, same_site: None };
        assert_eq!(flags("p"), Some(silent));
        assert_eq!(flags("other"), None);
    }

    #[test]
    fn promises_of_a_name_are_kept_or_the_cookie_is_not() {
        use Rejection::*;
        for (url, header, expected) in [
            ("https://a.pl", "__Host-a=1; Secure; Path=/", Ok(())),
            ("https://a.pl", "__Host-a=1; Path=/", Err(Prefix)),
            ("https://a.pl", "__Host-a=1; Secure", Err(Prefix)),
            ("https://a.pl", "__host-a=1; Secure; Path=/x", Err(Prefix)),
            ("https://a.pl", "__Host-a=1; Secure; Path=/; Domain=a.pl", Err(Prefix)),
            ("https://a.pl", "__Secure-a=1", Err(Prefix)),
            ("https://a.pl", "__Secure-a=1; Secure", Ok(())),
            ("http://a.pl", "__Host-a=1; Secure; Path=/", Err(Insecure)),
            ("http://localhost", "__Host-a=1; Secure; Path=/", Ok(())),
            ("https://a.pl", "a=1; SameSite=None", Err(NoneWithoutSecure)),
            ("https://a.pl", "a=1; Domain=b.pl", Err(Domain)),
            ("https://a.pl", "a=1; Domain=pl", Err(Domain)),
            ("https://www.a.pl", "a=1; Domain=.a.pl", Ok(())),
            ("http://127.0.0.1", "a=1; Domain=0.1", Err(Domain)),
            ("https://a.pl", "a=1\u{1}", Err(Malformed)),
            ("https://a.pl", "lonely", Err(Malformed)),
        ] {
            let kept = Jar::default().keep(header, &at(url), NAVIGATION, now());
            assert_eq!(kept, expected, "{url} {header}");
        }
    }

    #[test]
    fn what_is_fetched_for_another_site_keeps_no_cookie_of_the_site() {
        let fetch = Asking { is_same_site: false, is_navigation: false, method: &Method::GET };
        let keep = |header| Jar::default().keep(header, &at("https://a.pl"), fetch, now());
        assert_eq!(keep("a=1; SameSite=Lax"), Err(Rejection::CrossSite));
        assert_eq!(keep("a=1; SameSite=None; Secure"), Ok(()));
    }

    #[test]
    fn a_cookie_without_tls_does_not_hide_one_with_it() {
        let mut jar = jar("https://a.pl/", &["a=1; Secure; Path=/"]);
        let keep = |jar: &mut Jar, header| jar.keep(header, &at("http://a.pl/"), NAVIGATION, now());
        assert_eq!(keep(&mut jar, "a=2; Path=/"), Err(Rejection::WouldHide));
        assert_eq!(keep(&mut jar, "b=2; Path=/"), Ok(()));
        assert_eq!(jar.header(&at("http://a.pl/"), NAVIGATION, now()).as_deref(), Some("b=2"));
    }

    #[test]
    fn cookies_end() {
        let mut jar = jar("https://a.pl/", &["a=1; Max-Age=60", "b=2"]);
        let url = at("https://a.pl/");
        let minute = now().saturating_add(std::time::Duration::from_secs(60)).unwrap();
        assert_eq!(jar.header(&url, NAVIGATION, now()).as_deref(), Some("a=1; b=2"));
        assert_eq!(jar.header(&url, NAVIGATION, minute).as_deref(), Some("b=2"));
        jar.keep("b=; Max-Age=0", &url, NAVIGATION, now()).unwrap();
        assert_eq!(jar.names(&url, now()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(jar.describe(&url, "a").as_deref(), Some("SameSite=Lax"));
        jar.forget(&url, "a");
        assert_eq!(jar.value(&url, "a", now()), None);
    }

    #[test]
    fn there_are_never_more_than_the_bound_and_no_value_is_shown() {
        let mut jar = Jar::default();
        for number in 0..MAX_PER_DOMAIN + 5 {
            jar.keep(&format!("c{number}=secret-value"), &at("https://a.pl/"), NAVIGATION, now())
                .unwrap();
        }
        assert_eq!(jar.cookies.len(), MAX_PER_DOMAIN);
        assert_eq!(jar.cookies[0].name, "c5");
        assert!(!format!("{jar:?}").contains("secret-value"));
    }
}
