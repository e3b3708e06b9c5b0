//! The content security policy of a page: nothing is allowed but what the page itself brings.
//!
//! A policy is a header, so every piece that comes from outside this file is checked: one that
//! could start another directive or another header is replaced with `'none'`.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a page needs allowed.
pub(super) struct Needs<'a> {
    /// What [`hash_source`] says of the stylesheet, which is the same on all pages.
    pub(super) style: &'a str,
    pub(super) script: Option<&'a str>,
    /// A logo, from below our own prefix.
    pub(super) has_images: bool,
    /// The session timer is a file of its own, and asks the gateway. It needs no more than this,
    /// whatever the browser checks about text that becomes a script.
    pub(super) has_timer: bool,
    pub(super) form_action: &'a str,
    pub(super) frame_ancestors: &'static str,
}

/// Writes the policy: the style and script by hash, forms and frames as the page needs.
pub(super) fn build(needs: &Needs<'_>) -> String {
    let style = needs.style;
    let inline = needs.script.map(hash_source);
    let file = needs.has_timer.then(|| "'self'".to_owned());
    let scripts: Vec<_> = file.into_iter().chain(inline).collect();
    let mut script = match scripts.is_empty() {
        true => String::new(),
        false => format!("; script-src {}", scripts.join(" ")),
    };
    if needs.has_timer {
        script.push_str("; connect-src 'self'; require-trusted-types-for 'script'");
    }
    let images = if needs.has_images { "; img-src 'self'" } else { "" };
    let forms = checked(needs.form_action);
    let frames = needs.frame_ancestors;
    // The last three do not fall back to default-src, so each must be said.
    format!(
        "default-src 'none'; style-src {style}{script}{images}; base-uri 'none'; form-action {forms}; \
         frame-ancestors {frames}"
    )
}

/// Returns the source that allows a form with this action: its origin, or `'self'` for a path.
///
/// An address that cannot be told apart safely gives `'none'`: the form then does not leave.
pub(super) fn form_source(action: &str) -> String {
    if action.starts_with('/') && !action.starts_with("//") {
        return "'self'".to_owned();
    }
    match action.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            origin_source(scheme, authority).unwrap_or_else(|| NONE.to_owned())
        }
        _ => NONE.to_owned(),
    }
}

/// Writes an origin as a source. The grammar of CSP 3 has no IPv6 addresses, so for those only the
/// scheme is named.
fn origin_source(scheme: &str, authority: &str) -> Option<String> {
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    let is_address = |byte: u8| is_host(byte) || b"[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(is_address) {
        None
    } else if authority.bytes().all(is_host) {
        Some(format!("{scheme}://{authority}"))
    } else {
        Some(format!("{scheme}:"))
    }
}

/// Returns the source that allows an inline style or script.
pub(super) fn hash_source(inline: &str) -> String {
    let hash = digest::digest(&digest::SHA256, inline.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
}

fn checked(sources: &str) -> &str {
    let is_plain = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && !b";,".contains(&byte));
    if sources.trim().is_empty() || !sources.bytes().all(is_plain) { NONE } else { sources }
}

const NONE: &str = "'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_origin_of_a_form_and_nothing_more() {
        let table = [
            ("/.brama/logout", "'self'"),
            ("https://login.gov.pl/login/SingleSignOnService", "https://login.gov.pl"),
            ("https://node.test:8443?a=b", "https://node.test:8443"),
            ("http://127.0.0.1:9000/sso", "http://127.0.0.1:9000"),
            ("http://[::1]:9000/sso", "http:"),
            ("//other.test/", "'none'"),
            ("https://", "'none'"),
            ("https://a.test;script-src *", "'none'"),
            ("https://person@a.test/", "'none'"),
            ("https://a.test https://b.test", "'none'"),
            ("javascript:alert(1)", "'none'"),
            ("data:text/html,x", "'none'"),
            ("", "'none'"),
        ];
        for (action, expected) in table {
            assert_eq!(form_source(action), expected, "{action:?}");
        }
    }

    #[test]
    fn refuses_sources_that_would_start_another_directive_or_header() {
        for hostile in ["", " ", "'self'; script-src *", "'self', default-src *", "a\r\nb", "ż"] {
            let policy = build(&Needs {
                style: "",
                script: None,
                has_images: false,
                has_timer: false,
                form_action: hostile,
                frame_ancestors: "'none'",
            });
            assert!(policy.contains("; form-action 'none'; frame-ancestors 'none'"), "{policy}");
            assert!(!policy.contains('*'), "{policy}");
        }
    }

    #[test]
    fn allows_no_script_when_the_page_has_none() {
        let needs = Needs {
            style: &hash_source("p{}"),
            script: None,
            has_images: false,
            has_timer: false,
            form_action: "'self'",
            frame_ancestors: "'none'",
        };
        assert_eq!(
            build(&needs),
            "default-src 'none'; style-src 'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
    }
    #[test]
    fn allows_the_session_timer_its_file_and_its_questions_and_no_more() {
        let needs = Needs {
            style: &hash_source("p{}"),
            script: None,
            has_images: false,
            has_timer: true,
            form_action: "'self'",
            frame_ancestors: "'none'",
        };
        let policy = build(&needs);
        assert!(policy.contains(
            "; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; base-uri"
        ));
        assert!(!policy.contains("unsafe") && !policy.contains("img-src"), "{policy}");
        let policy = build(&Needs { has_images: true, ..needs });
        assert!(policy.contains("; img-src 'self'; base-uri"), "{policy}");
    }
}
