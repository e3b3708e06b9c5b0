//! How a page of ours arrives at a browser: its cookies and the fields that protect it, after
//! whatever proxies in front made of them.

use std::collections::BTreeSet;

use http::header::SET_COOKIE;

use super::check::Check;
use super::exchange::Answer;
use super::finding::Findings;
use crate::app::Settings;
use crate::request::cookie::Cookies;

/// Looks at the cookies of a login page.
pub(super) fn cookies(about: &str, answer: &Answer, settings: &Settings, findings: &mut Findings) {
    let check = Check::PublicCookies;
    let is_secure = settings.gateway.cookies == Cookies::SECURE;
    let lines = answer.headers.get_all(SET_COOKIE).iter();
    let cookies: Vec<_> = lines.filter_map(|line| Cookie::parse(line.to_str().ok()?)).collect();
    let prefix = if is_secure { "__Host-" } else { "" };
    let wanted = [("brama-login-", "lax", true), ("brama-acs-", "none", is_secure)];
    let mut wrong = Vec::new();
    for (stem, same_site, _) in wanted.into_iter().filter(|(_, _, is_wanted)| *is_wanted) {
        let named = |cookie: &&Cookie| cookie.name.contains(stem);
        match cookies.iter().find(named) {
            None => wrong.push(format!("the cookie {prefix}{stem}… does not arrive")),
            Some(cookie) => wrong.extend(cookie.differs((prefix, stem), same_site, is_secure)),
        }
    }
    if wrong.is_empty() {
        let stems = wanted.into_iter().filter(|(_, _, is_wanted)| *is_wanted);
        let names: Vec<_> = stems.map(|(stem, _, _)| format!("{prefix}{stem}…")).collect();
        findings.ok(check, about, format!("{} arrive with all attributes", names.join(" and ")));
    } else {
        let advice = "the proxy in front must pass Set-Cookie on as it is: no proxy_hide_header or \
                      proxy_ignore_headers for it, no cache, no proxy_cookie_* and no rule for cookies";
        findings.problem(check, about, wrong.join("; "), advice);
    }
}

/// A cookie that is set: its name, and its attributes in lower case.
struct Cookie {
    name: String,
    attributes: BTreeSet<String>,
}

impl Cookie {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(';');
        let (name, _) = parts.next()?.split_once('=')?;
        let attributes = parts.map(|part| part.trim().to_ascii_lowercase()).collect();
        Some(Self { name: name.trim().to_owned(), attributes })
    }

    /// Returns what is not as we set it.
    fn differs(
        &self,
        (prefix, stem): (&str, &str),
        same_site: &str,
        is_secure: bool,
    ) -> Vec<String> {
        let has = |attribute: &str| self.attributes.contains(attribute);
        // Its end belongs to one login.
        let before = self.name.split_once(stem).map_or("", |(before, _)| before);
        let name = format!("{before}{stem}…");
        let mut wrong = Vec::new();
        if !self.name.starts_with(&format!("{prefix}{stem}")) {
            wrong.push(format!("{name} has another name than {prefix}{stem}…"));
        }
        let same_site = format!("samesite={same_site}");
        for (attribute, is_wanted) in
            [("httponly", true), ("path=/", true), (&*same_site, true), ("secure", is_secure)]
        {
            if is_wanted && !has(attribute) {
                wrong.push(format!("{name} has lost {attribute}"));
            }
        }
        if let Some(domain) = self.attributes.iter().find(|one| one.starts_with("domain")) {
            wrong.push(format!("{name} has got {domain}"));
        }
        wrong
    }
}

/// Looks at the fields that protect a page of ours.
pub(super) fn headers(about: &str, answer: &Answer, settings: &Settings, findings: &mut Findings) {
    let check = Check::PublicHeaders;
    let has = |name: &str, part: &str| {
        let values = answer.headers.get_all(name).iter();
        let mut values = values.filter_map(|value| value.to_str().ok());
        values.any(|value| value.to_ascii_lowercase().contains(part))
    };
    let mut wrong = Vec::new();
    for (name, part) in [
        ("content-security-policy", "form-action"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "deny"),
        ("referrer-policy", "strict-origin"),
    ] {
        if !has(name, part) {
            wrong.push(format!("{name} has no {part}"));
        }
    }
    // It goes to browsers that speak TLS, as the gateway sees it.
    let is_tls_seen = !findings.is_problem(Check::FrontScheme);
    if settings.gateway.edge.hsts.is_some()
        && is_tls_seen
        && !has("strict-transport-security", "max-age")
    {
        wrong.push("strict-transport-security is missing".to_owned());
    }
    if answer.headers.get_all("content-security-policy").iter().count() > 1 {
        wrong.push("content-security-policy comes twice, and browsers obey both".to_owned());
    }
    if has("age", "") {
        wrong.push("it comes from a cache (Age)".to_owned());
    }
    if wrong.is_empty() {
        findings.ok(check, about, "they arrive as they were set");
    } else {
        let advice = "the proxy in front must leave the headers of the gateway's own places as they \
                      are, and keep nothing of them in a cache";
        findings.problem(check, about, wrong.join("; "), advice);
    }
}
