//! Our cookies: the session, and what binds a thing to the browser that began it.
//!
//! 1. On HTTPS all have the `__Host-` prefix: no other host, not even a sub-domain, can set them
//!    (RFC 6265bis 4.1.3.2). On plain HTTP, which is for loopback only, browsers differ in whether
//!    they take such cookies, so the names are plain there.
//! 2. Each thing that is bound to a browser has a cookie of its own ([`Bound`], [`Tag`]): tabs do
//!    not overwrite each other's. There are a few of each kind at most; the earliest make room.
//! 3. A script of the portal can set a second cookie of a name of ours beside the first
//!    (`Partitioned`, RFC 6265bis 5.7 does not forbid it), and a browser sends both. Neither may
//!    lock the citizen out, so a few values of one name are looked at, each for what it is.

use std::time::Duration;

use bytes::BytesMut;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::base::random;
use crate::flow::binding::Tag;
use crate::pages::Language;

/// The names of our cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookies {
    prefix: &'static str,
    attributes: &'static str,
    /// The same for a cookie that comes along across sites, where there can be such.
    across: Option<&'static str>,
}

/// What is bound to a browser by a cookie of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// What was remembered when a login began.
    Login,
    /// The same of a login that another site's page led to. Those push out only each other.
    ForeignLogin,
    /// The twin of what was remembered, which comes along across sites.
    Twin,
    /// The same of a login that another site's page led to.
    ForeignTwin,
    /// A form that is kept.
    Form,
    /// A handoff request that was made at another host.
    HandoffRequest,
    /// A handoff request that was brought to the registered host.
    Home,
}

impl Bound {
    const ALL: [Self; 7] = [
        Self::Login,
        Self::ForeignLogin,
        Self::Twin,
        Self::ForeignTwin,
        Self::Form,
        Self::HandoffRequest,
        Self::Home,
    ];

    /// Tells whether its cookies come along across sites.
    fn is_twin(self) -> bool {
        matches!(self, Self::Twin | Self::ForeignTwin)
    }

    /// What the names of its cookies begin with, after the prefix.
    fn stem(self) -> &'static str {
        match self {
            Self::Login => "brama-login-",
            Self::ForeignLogin => "brama-xlogin-",
            Self::Twin => "brama-acs-",
            Self::ForeignTwin => "brama-xacs-",
            Self::Form => "brama-form-",
            Self::HandoffRequest => "brama-wish-",
            Self::Home => "brama-home-",
        }
    }
}

/// The values of one cookie's name, earliest first.
pub type Values<'h> = [Option<&'h str>; MOST_VALUES];

/// How many values of one name are looked at.
pub const MOST_VALUES: usize = 3;
/// How many things of one kind are bound to one browser at once.
pub const MOST_BOUND: usize = 12;
/// How many bytes the values of one kind have at most together; a proxy in front may take no more
/// than 8 KiB of headers.
pub const MOST_BOUND_BYTES: usize = 4096;

const SESSION: &str = "brama";
const LANGUAGE: &str = "brama-language";
const LANDING: &str = "brama-landing";
/// How long a chosen language is remembered, in seconds: a year.
const LANGUAGE_LIFETIME: u32 = 365 * 24 * 3600;

impl Cookies {
    /// For a portal on HTTPS.
    pub const SECURE: Self = Self {
        prefix: "__Host-",
        attributes: "; Path=/; Secure; HttpOnly; SameSite=Lax",
        across: Some("; Path=/; Secure; HttpOnly; SameSite=None"),
    };
    /// For a portal on plain HTTP on loopback.
    pub const PLAIN: Self =
        Self { prefix: "", attributes: "; Path=/; HttpOnly; SameSite=Lax", across: None };

    /// Returns the values of the session cookie.
    #[must_use]
    pub fn sessions(self, headers: &HeaderMap) -> Values<'_> {
        let wanted = |name: &[u8]| self.without_prefix(name) == Some(SESSION.as_bytes());
        let mut values = Values::default();
        let found = all(headers).filter(|(name, _)| wanted(name)).map(|(_, value)| value);
        for (place, value) in values.iter_mut().zip(found) {
            *place = std::str::from_utf8(value).ok();
        }
        values
    }

    /// Returns the language that was chosen: the first value that names one, of a few.
    #[must_use]
    pub fn language(self, headers: &HeaderMap) -> Option<Language> {
        let wanted = |name: &[u8]| self.without_prefix(name) == Some(LANGUAGE.as_bytes());
        let values = all(headers).filter(|(name, _)| wanted(name)).take(MOST_VALUES);
        let mut texts = values.filter_map(|(_, value)| std::str::from_utf8(value).ok());
        texts.find_map(Language::parse)
    }

    /// Remembers a chosen language. It says nothing of a person, and is the same for all.
    #[must_use]
    pub fn set_language(self, language: Language) -> HeaderValue {
        let (prefix, attributes, code) = (self.prefix, self.attributes, language.code());
        sensitive(format!("{prefix}{LANGUAGE}={code}; Max-Age={LANGUAGE_LIFETIME}{attributes}"))
    }

    /// Returns the secret by which the button of the page before the node is known as one of a page
    /// that this browser was shown.
    #[must_use]
    pub fn landings(self, headers: &HeaderMap) -> Vec<&str> {
        let wanted = |name: &[u8]| self.without_prefix(name) == Some(LANDING.as_bytes());
        let values = all(headers).filter(|(name, _)| wanted(name)).take(MOST_VALUES);
        let texts = values.filter_map(|(_, value)| std::str::from_utf8(value).ok());
        texts.filter(|text| random::is_handle(text)).collect()
    }

    /// Sets that secret, which goes away with the browser.
    #[must_use]
    pub fn set_landing(self, secret: &str) -> HeaderValue {
        sensitive(format!("{}{LANDING}={secret}{}", self.prefix, self.attributes))
    }

    /// Returns the values of the cookie that binds a thing.
    #[must_use]
    pub fn bound<'h>(self, headers: &'h HeaderMap, kind: Bound, tag: &Tag) -> Vec<&'h str> {
        let of_tag = self.all_bound(headers, kind).filter(|(known, _)| *known == tag.as_str());
        of_tag.map(|(_, value)| value).take(MOST_VALUES).collect()
    }

    /// Returns all cookies that bind things of a kind, with their tags, earliest first (RFC 6265bis
    /// 5.8.3).
    pub fn all_bound(self, headers: &HeaderMap, kind: Bound) -> impl Iterator<Item = (&str, &str)> {
        all(headers).filter_map(move |(name, value)| {
            let tag = self.without_prefix(name)?.strip_prefix(kind.stem().as_bytes())?;
            let tag = std::str::from_utf8(tag).ok().filter(|tag| Tag::is_one(tag))?;
            Some((tag, std::str::from_utf8(value).ok()?))
        })
    }

    /// Sets the session cookie, which goes away with the browser.
    #[must_use]
    pub fn set_session(self, value: &str) -> HeaderValue {
        sensitive(format!("{}{SESSION}={value}{}", self.prefix, self.attributes))
    }

    /// Takes the session cookie away.
    #[must_use]
    pub fn clear_session(self) -> HeaderValue {
        sensitive(format!("{}{SESSION}=; Max-Age=0{}", self.prefix, self.attributes))
    }

    /// Takes away a session cookie that a script may have set beside ours, where there is any at
    /// all. It goes before the one that sets ours: a browser that does not know such cookies takes
    /// it for that.
    #[must_use]
    pub fn clear_second_session(self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.across?;
        self.sessions(headers)[0]?;
        let attributes = self.attributes;
        Some(sensitive(format!("{}{SESSION}=; Max-Age=0{attributes}; Partitioned", self.prefix)))
    }

    /// Binds a thing to the browser; none where a cookie cannot come along across sites and would
    /// have to.
    #[must_use]
    pub fn bind(
        self,
        kind: Bound,
        tag: &Tag,
        value: &str,
        lifetime: Duration,
    ) -> Option<HeaderValue> {
        let attributes = if kind.is_twin() { self.across? } else { self.attributes };
        let (stem, tag, seconds) = (kind.stem(), tag.as_str(), lifetime.as_secs());
        Some(sensitive(format!(
            "{}{stem}{tag}={value}; Max-Age={seconds}{attributes}",
            self.prefix
        )))
    }

    /// Binds a thing to the browser that is answered, by a cookie of its own: the kind, the tag of
    /// the thing, and the value. The earliest of its kind make room when there are many.
    pub fn set_bound(
        self,
        request: &HeaderMap,
        (kind, tag, value): (Bound, &Tag, &str),
        lifetime: Duration,
        response: &mut HeaderMap,
    ) {
        for gone in self.make_room(request, kind, (tag, value.len())) {
            response.append(SET_COOKIE, gone);
        }
        if let Some(cookie) = self.bind(kind, tag, value, lifetime) {
            response.append(SET_COOKIE, cookie);
        }
    }

    /// Takes away the earliest cookies of a kind that leave no room for one more, that of the tag,
    /// with so many bytes.
    pub fn make_room<'h>(
        self,
        headers: &'h HeaderMap,
        kind: Bound,
        (tag, bytes): (&Tag, usize),
    ) -> impl Iterator<Item = HeaderValue> + 'h {
        let others = self.all_bound(headers, kind).filter(|(known, _)| *known != tag.as_str());
        let known: Vec<_> = others.collect();
        let (mut count, mut room) = (MOST_BOUND - 1, MOST_BOUND_BYTES.saturating_sub(bytes));
        // The latest stay.
        let stay = known.iter().rev().take_while(|(_, value)| {
            let fits = count > 0 && value.len() <= room;
            count = count.saturating_sub(1);
            room = room.saturating_sub(value.len());
            fits
        });
        let go = known.len() - stay.count();
        let attributes = if kind.is_twin() { self.across } else { Some(self.attributes) };
        known.into_iter().take(go).filter_map(move |(tag, _)| {
            let (prefix, stem) = (self.prefix, kind.stem());
            Some(sensitive(format!("{prefix}{stem}{tag}=; Max-Age=0{}", attributes?)))
        })
    }

    fn without_prefix(self, name: &[u8]) -> Option<&[u8]> {
        name.strip_prefix(self.prefix.as_bytes())
    }

    /// Removes our cookies from a request that goes on to an upstream.
    pub fn remove_from_request(self, headers: &mut HeaderMap) {
        let (mut count, mut has_ours, mut kept) = (0, false, BytesMut::new());
        for value in headers.get_all(COOKIE) {
            count += 1;
            for pair in pairs(value.as_bytes()) {
                // Few names of others begin like one of ours.
                if matches!(pair.first(), Some(b'b' | b'_')) && self.is_ours(name(pair)) {
                    has_ours = true;
                } else if !pair.is_empty() {
                    if kept.is_empty() {
                        kept.reserve(value.len());
                    } else {
                        kept.extend_from_slice(b"; ");
                    }
                    kept.extend_from_slice(pair);
                }
            }
        }
        // RFC 9113 8.2.3: what HTTP/2 brings in pieces goes on in one.
        if !has_ours && count < 2 {
            return;
        }
        if kept.is_empty() {
            headers.remove(COOKIE);
        } else if let Ok(value) = HeaderValue::from_maybe_shared(kept.freeze()) {
            headers.insert(COOKIE, value);
        } else {
            headers.remove(COOKIE);
        }
    }

    /// Tells whether a cookie of that name is ours, whichever scheme it was made for.
    #[must_use]
    pub fn is_ours(self, name: &[u8]) -> bool {
        let name = name.strip_prefix(b"__Host-").unwrap_or(name);
        let Some(rest) = name.strip_prefix(SESSION.as_bytes()) else { return false };
        // The last is the one cookie that earlier programs had for all logins.
        matches!(rest, b"" | b"-login" | b"-language" | b"-landing")
            || Bound::ALL.iter().any(|kind| name.starts_with(kind.stem().as_bytes()))
    }
}

/// Names and values of all cookies, in the order in which they came. Other cookies may hold
/// whatever bytes they like.
fn all(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = headers.get_all(COOKIE).into_iter().flat_map(|value| pairs(value.as_bytes()));
    pairs.filter_map(|pair| {
        let end = memchr::memchr(b'=', pair)?;
        Some((pair[..end].trim_ascii(), pair[end + 1..].trim_ascii_start()))
    })
}

/// Parts the value of a `Cookie` header into pairs.
fn pairs(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let here = rest?;
        let end = memchr::memchr(b';', here);
        rest = end.map(|end| &here[end + 1..]);
        Some(here[..end.unwrap_or(here.len())].trim_ascii())
    })
}

fn name(pair: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
    pair[..end].trim_ascii()
}

fn sensitive(text: String) -> HeaderValue {
    let mut value = HeaderValue::try_from(text).expect("our cookies are visible ASCII");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|value| (COOKIE, HeaderValue::from_static(value))).collect()
    }

    fn sessions(cookies: Cookies, headers: &HeaderMap) -> Vec<&str> {
        cookies.sessions(headers).into_iter().flatten().collect()
    }

    fn names(values: impl Iterator<Item = HeaderValue>) -> Vec<String> {
        values.map(|value| value.to_str().unwrap().split('=').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn finds_the_session_wherever_it_stands() {
        let cookies = Cookies::SECURE;
        for one in ["a=1; __Host-brama=x; b=2", " ;__Host-brama = x ;", "__Host-brama=x"] {
            assert_eq!(sessions(cookies, &headers(&[one])), ["x"], "{one}");
        }
        assert_eq!(sessions(cookies, &headers(&["a=1", "__Host-brama=x"])), ["x"]);
        for none in [
            "a=1",
            "__Host-bramax=1",
            "xx__Host-brama=1",
            "brama=x",
            "__Host-brama",
            "__Host-brama x=1",
            "__Host-brama-login-AAAAAAAA=1",
            "=__Host-brama=1",
        ] {
            assert_eq!(sessions(cookies, &headers(&[none])), Vec::<&str>::new(), "{none}");
        }
        let foreign = HeaderValue::from_bytes("lang=Żółw; __Host-brama=x".as_bytes()).unwrap();
        let map = HeaderMap::from_iter([(COOKIE, foreign)]);
        assert_eq!(sessions(cookies, &map), ["x"], "whatever letters another cookie has");
    }

    #[test]
    fn a_second_cookie_of_our_name_hides_none_and_a_few_are_looked_at() {
        let map = headers(&["__Host-brama=x; __Host-brama=y"]);
        assert_eq!(sessions(Cookies::SECURE, &map), ["x", "y"]);
        let second = Cookies::SECURE.clear_second_session(&map).unwrap();
        assert!(second.to_str().unwrap().ends_with("; Partitioned"));
        let many = format!("{}brama=z", "brama=x; ".repeat(100));
        let map = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(many).unwrap())]);
        assert_eq!(sessions(Cookies::PLAIN, &map).len(), MOST_VALUES);
        let one = headers(&["__Host-brama=x"]);
        assert!(Cookies::SECURE.clear_second_session(&one).is_some(), "whose, nobody knows");
        assert_eq!(Cookies::SECURE.clear_second_session(&headers(&["a=1"])), None);
    }

    #[test]
    fn a_chosen_language_is_one_of_ours_and_whatever_else_stands_there_is_ignored() {
        let cookies = Cookies::SECURE;
        for language in Language::ALL {
            let set = cookies.set_language(language);
            let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            let map = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pair).unwrap())]);
            assert_eq!(cookies.language(&map), Some(language));
            assert_eq!(Cookies::PLAIN.language(&map), None);
            for part in ["; Max-Age=31536000", "; Path=/", "; Secure", "; HttpOnly"] {
                assert!(set.to_str().unwrap().contains(part), "{set:?}");
            }
        }
        for (hostile, expected) in [
            ("__Host-brama-language=", None),
            ("__Host-brama-language=UK", None),
            ("__Host-brama-language=<script>", None),
            ("brama-language=uk", None),
            ("__Host-brama-languages=uk", None),
            ("__Host-brama-language=de; __Host-brama-language=uk", Some(Language::Ukrainian)),
        ] {
            assert_eq!(cookies.language(&headers(&[hostile])), expected, "{hostile}");
        }
        let many = format!("{}brama-language=uk", "brama-language=x; ".repeat(100));
        let map = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(many).unwrap())]);
        assert_eq!(Cookies::PLAIN.language(&map), None, "a few are looked at");
        let mut map = headers(&["a=1; __Host-brama-language=uk; brama-language=pl"]);
        cookies.remove_from_request(&mut map);
        assert_eq!(map.get(COOKIE).unwrap(), "a=1", "no portal sees it");
    }

    #[test]
    fn each_thing_has_a_cookie_of_its_own() {
        let (one, other) = (Tag::of("one"), Tag::of("other"));
        let cookies = Cookies::SECURE;
        let time = Duration::from_secs(600);
        let set = cookies.bind(Bound::Login, &one, "v", time).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let map = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pair).unwrap())]);
        assert_eq!(cookies.bound(&map, Bound::Login, &one), ["v"]);
        assert!(cookies.bound(&map, Bound::Login, &other).is_empty());
        assert!(cookies.bound(&map, Bound::Form, &one).is_empty());
        assert!(Cookies::PLAIN.bound(&map, Bound::Login, &one).is_empty());
        // Across sites only a twin comes along, and on plain HTTP not even that.
        let twin = cookies.bind(Bound::Twin, &one, "v", time).unwrap();
        assert!(twin.to_str().unwrap().contains("SameSite=None"));
        assert!(set.to_str().unwrap().contains("SameSite=Lax"));
        assert_eq!(Cookies::PLAIN.bind(Bound::Twin, &one, "v", time), None);
    }

    #[test]
    fn there_are_a_few_of_each_kind_and_the_earliest_make_room() {
        let cookies = Cookies::PLAIN;
        let tag = |number: usize| format!("{number:08}");
        let map = |count: usize, length: usize| {
            let pairs: Vec<_> = (0..count)
                .map(|n| format!("brama-login-{}={}", tag(n), "v".repeat(length)))
                .collect();
            HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pairs.join("; ")).unwrap())])
        };
        let gone = |count, length, bytes| {
            names(cookies.make_room(&map(count, length), Bound::Login, (&Tag::of("x"), bytes)))
        };
        assert_eq!(gone(MOST_BOUND - 1, 100, 100), Vec::<String>::new());
        assert_eq!(gone(MOST_BOUND, 100, 100), ["brama-login-00000000"]);
        assert_eq!(gone(MOST_BOUND + 2, 100, 100).len(), 3);
        // Long ones count by their length.
        assert_eq!(gone(3, 2000, 100).len(), 2);
        assert_eq!(gone(3, 1900, 100), ["brama-login-00000000"]);
        assert_eq!(gone(2, 2000, 3000).len(), 2);
        // To the very byte.
        assert_eq!(gone(2, 2000, MOST_BOUND_BYTES - 4000), Vec::<String>::new());
        assert_eq!(gone(2, 2000, MOST_BOUND_BYTES - 3999), ["brama-login-00000000"]);
        assert!(
            names(cookies.make_room(&map(20, 100), Bound::Form, (&Tag::of("x"), 10))).is_empty()
        );
    }

    #[test]
    fn a_cookie_goes_by_the_attributes_by_which_it_came() {
        let (cookies, tag) = (Cookies::SECURE, Tag::of("x"));
        for (kind, same_site) in [(Bound::Login, "Lax"), (Bound::Twin, "None")] {
            let pairs: Vec<_> = (0..MOST_BOUND)
                .map(|number| format!("__Host-{}{number:08}=v", kind.stem()))
                .collect();
            let there = HeaderValue::try_from(pairs.join("; ")).unwrap();
            let map = HeaderMap::from_iter([(COOKIE, there)]);
            let gone: Vec<_> = cookies.make_room(&map, kind, (&tag, 1)).collect();
            let [gone] = gone.as_slice() else { panic!("{gone:?}") };
            assert!(gone.to_str().unwrap().ends_with(&format!("SameSite={same_site}")), "{gone:?}");
        }
    }

    #[test]
    fn no_cookie_of_ours_is_shown_where_headers_are() {
        let cookies = Cookies::SECURE;
        let minute = Duration::from_secs(60);
        let bound = cookies.bind(Bound::Form, &Tag::of("x"), "v", minute).unwrap();
        for value in [cookies.set_session("v"), cookies.clear_session(), bound] {
            assert!(value.is_sensitive());
        }
    }

    #[test]
    fn removes_ours_and_leaves_the_portals() {
        let ours = "__Host-brama-login-AAAAAAAA=y; brama=z; c";
        let mut map = headers(&["a=1; __Host-brama=x;b=2", ours]);
        Cookies::SECURE.remove_from_request(&mut map);
        assert_eq!(map.get(COOKIE).unwrap(), "a=1; b=2; c");
        for (cookies, left) in [
            (vec!["brama"], None),
            (vec![" brama-login- = 1 ; brama-login=2"], None),
            (
                vec!["brama-acs-AAAAAAAA=1; __Host-brama-wish-x=2; brama-home-=3; brama-form-a"],
                None,
            ),
            (
                vec!["bramax=1; __Host-b=2;=brama; brama-portal=1"],
                Some("bramax=1; __Host-b=2;=brama; brama-portal=1"),
            ),
            (vec!["a=1", "b=2"], Some("a=1; b=2")),
            (vec!["a=1", "brama=2"], Some("a=1")),
            (vec![" ; ", ""], None),
        ] {
            let mut map = headers(&cookies);
            Cookies::PLAIN.remove_from_request(&mut map);
            assert_eq!(map.get(COOKIE).map(|value| value.to_str().unwrap()), left, "{cookies:?}");
            assert!(map.get_all(COOKIE).iter().count() < 2, "{cookies:?}");
        }
        let mut only_ours = headers(&["__Host-brama=x"]);
        Cookies::SECURE.remove_from_request(&mut only_ours);
        assert!(only_ours.get(COOKIE).is_none());
    }

    #[test]
    fn secure_cookies_have_every_attribute_of_the_host_prefix() {
        let set = Cookies::SECURE.set_session("x");
        let text = set.to_str().unwrap();
        for part in ["__Host-brama=x", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Domain"));
    }

    #[test]
    fn a_new_binding_is_set_after_the_earliest_of_its_kind_made_room() {
        let cookies = Cookies::SECURE;
        let minute = Duration::from_secs(60);
        let bind = |name: &str| {
            let bound = cookies.bind(Bound::Login, &Tag::of(name), "v", minute).unwrap();
            bound.to_str().unwrap().to_owned()
        };
        let set = |count: usize| {
            let there: Vec<_> = (0..count).map(|n| bind(&n.to_string())).collect();
            let pairs: Vec<_> = there.iter().map(|set| set.split(';').next().unwrap()).collect();
            let mut request = HeaderMap::new();
            request.insert(COOKIE, HeaderValue::try_from(pairs.join("; ")).unwrap());
            let mut response = HeaderMap::new();
            let new = (Bound::Login, &Tag::of("new"), "v");
            cookies.set_bound(&request, new, minute, &mut response);
            let set = response.get_all(SET_COOKIE).iter();
            set.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(set(1), [bind("new")]);
        let [gone, new] = set(MOST_BOUND).try_into().unwrap();
        assert_eq!(new, bind("new"));
        let first = bind("0");
        assert!(gone.starts_with(&first[..first.find("=v").unwrap()]), "{gone}");
        assert!(gone.contains("=; Max-Age=0"), "{gone}");
        // Where no cookie comes along across sites there is none to be set.
        let mut response = HeaderMap::new();
        let twin = (Bound::Twin, &Tag::of("new"), "v");
        Cookies::PLAIN.set_bound(&HeaderMap::new(), twin, minute, &mut response);
        assert!(response.is_empty());
    }
}
