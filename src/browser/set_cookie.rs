//! One `Set-Cookie` header, read as browsers do (RFC 6265bis 5.6).

use std::time::Duration;

use super::cookie_date;
use crate::base::clock::{Time, later};

/// With which requests of other sites a cookie goes along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// With none.
    Strict,
    /// With navigations by a safe method. This is also what holds where the cookie says nothing:
    /// that some browsers let such a cookie pass for two minutes is nothing to build on.
    #[default]
    Lax,
    /// With all.
    None,
}

/// What the header says, before it is known whether it may be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) domain: Option<String>,
    pub(super) path: Option<String>,
    pub(super) is_secure: bool,
    pub(super) is_http_only: bool,
    pub(super) same_site: SameSite,
    /// It says so itself.
    pub(super) says_same_site: bool,
    /// When it ends; `None` when the browser is closed.
    pub(super) expires: Option<Time>,
}

/// Reads a header; `None` where browsers take no notice of it.
pub(super) fn parse(header: &str, now: Time) -> Option<SetCookie> {
    if header.chars().any(|letter| letter.is_control() && letter != '\t') {
        return None;
    }
    let mut parts = header.split(';');
    let pair = parts.next().unwrap_or_default();
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() && value.is_empty() || name.len() + value.len() > MAX_PAIR {
        return None;
    }
    let mut cookie =
        SetCookie { name: name.to_owned(), value: value.to_owned(), ..SetCookie::default() };
    let (mut expires, mut max_age) = (None, None);
    for attribute in parts {
        let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        if value.len() > MAX_ATTRIBUTE {
            continue;
        }
        match name.trim().to_ascii_lowercase().as_str() {
            "expires" => expires = cookie_date::parse(value).or(expires),
            "max-age" => max_age = read_max_age(value, now).or(max_age),
            "domain" => {
                let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                cookie.domain = Some(domain).filter(|domain| !domain.is_empty());
            }
            "path" => cookie.path = Some(value.to_owned()).filter(|path| path.starts_with('/')),
            "secure" => cookie.is_secure = true,
            "httponly" => cookie.is_http_only = true,
            "samesite" => {
                cookie.says_same_site = true;
                cookie.same_site = match value.to_ascii_lowercase().as_str() {
                    "strict" => SameSite::Strict,
                    "none" => SameSite::None,
                    _ => SameSite::Lax,
                }
            }
            _ => {}
        }
    }
    cookie.expires = max_age.or(expires);
    Some(cookie)
}

/// 5.6.2: a number of seconds; none or less than one means that the cookie has ended.
fn read_max_age(value: &str, now: Time) -> Option<Time> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if value.starts_with('-') || digits.bytes().all(|byte| byte == b'0') {
        return Some(Time::MIN);
    }
    let seconds = digits.parse().unwrap_or(u64::MAX).min(MAX_AGE.as_secs());
    Some(later(now, Duration::from_secs(seconds)))
}

/// 5.5: no cookie lasts longer.
const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The most bytes of name and value together.
const MAX_PAIR: usize = 4096;
/// The most bytes of the value of an attribute.
const MAX_ATTRIBUTE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Time {
        "2031-05-05T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn reads_what_a_gateway_sends() {
        let cookie = parse("__Host-a=b=c; Path=/; Secure; HttpOnly; SameSite=None", now()).unwrap();
        assert_eq!((cookie.name.as_str(), cookie.value.as_str()), ("__Host-a", "b=c"));
        assert!(cookie.is_secure && cookie.is_http_only);
        assert_eq!((cookie.same_site, cookie.path.as_deref()), (SameSite::None, Some("/")));
        assert_eq!((cookie.domain, cookie.expires), (None, None));
        // Nothing said is Lax, and so is what is not known.
        for header in ["a=b", "a=b; SameSite", "a=b; SameSite=Sometimes"] {
            assert_eq!(parse(header, now()).unwrap().same_site, SameSite::Lax, "{header}");
        }
    }

    #[test]
    fn max_age_comes_before_expires_and_a_wrong_one_is_nothing() {
        let expires = |header: &str| parse(header, now()).unwrap().expires;
        let minute = later(now(), Duration::from_secs(60));
        assert_eq!(expires("a=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), Some(minute));
        for ended in ["a=; Max-Age=0", "a=; max-age=-1"] {
            assert_eq!(expires(ended), Some(Time::MIN), "{ended}");
        }
        for nothing in ["a=b; Max-Age=", "a=b; Max-Age=-", "a=b; Max-Age=1x", "a=b; Expires=soon"] {
            assert_eq!(expires(nothing), None, "{nothing}");
        }
        assert_eq!(expires("a=b; Max-Age=99999999999999999999"), Some(later(now(), MAX_AGE)));
    }

    #[test]
    fn takes_no_notice_of_controls_and_of_what_is_too_long() {
        let long = format!("a={}", "b".repeat(MAX_PAIR));
        for header in ["", "=", "a=b\u{1}", "a=b\u{7f}", "a=b; Path=/\r", long.as_str()] {
            assert_eq!(parse(header, now()), None, "{header}");
        }
        let longest = format!("a={}", "b".repeat(MAX_PAIR - 1));
        assert!(parse(&longest, now()).is_some());
        let domain = format!("a=b; Domain={}", "d".repeat(MAX_ATTRIBUTE + 1));
        assert_eq!(parse(&domain, now()).unwrap().domain, None);
    }
}
