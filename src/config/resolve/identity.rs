//! `[identity]`: which names under which others tell an identity pass all the same, and what ways to
//! sign in are called.

use http::HeaderName;

use super::context::Context;
use crate::identity::foreign_headers::tells_identity;
use crate::identity::headers::{IdentityHeader, identity_header};
use crate::identity::ways::Ways;

/// Resolves `identity.pass_headers`.
pub(super) fn passed(context: &mut Context<'_>) -> Vec<HeaderName> {
    let mut passed = Vec::new();
    let file = context.file();
    if !file.identity.pass_headers.is_empty() && file.listen.trusted_proxies.is_empty() {
        context.warn(
            key!(identity.pass_headers),
            "these headers are taken from listen.trusted_proxies alone, and there are none",
            "name the network of the proxy that sets them there, or leave this out",
        );
    }
    for (index, text) in context.file().identity.pass_headers.iter().enumerate() {
        let key = format!("{}[{index}]", key!(identity.pass_headers));
        let Ok(name) = HeaderName::from_bytes(text.as_bytes()) else {
            let what = format!("\"{text}\" is no header name (RFC 9110 5.1)");
            context.error(&key, what, "give one name, such as \"X-Client-Cert\"");
            continue;
        };
        if identity_header(text) != IdentityHeader::Foreign {
            let what = format!("{text} is a name of the gateway's own, which no client may send");
            context.error(&key, what, "leave it out");
        } else if !tells_identity(text) {
            let what = format!("{text} is not among the names that are removed for an identity");
            context.warn(&key, what, "leave it out: this key changes nothing about it");
        } else {
            passed.push(name);
        }
    }
    passed
}

/// Resolves `identity.ways`.
pub(super) fn ways(context: &mut Context<'_>) -> Ways {
    let mut named = Vec::new();
    for (index, line) in context.file().identity.ways.iter().enumerate() {
        let pair = line.rsplit_once(':').map(|(authority, way)| (authority.trim(), way.trim()));
        match pair {
            Some((authority, way)) if !authority.is_empty() && !way.is_empty() => {
                named.push((authority.to_owned(), way.to_owned()));
            }
            _ => {
                let key = format!("{}[{index}]", key!(identity.ways));
                let what = format!("\"{line}\" is no authority with a name");
                context.error(&key, what, "write it like \"bank.example: bank\"");
            }
        }
    }
    Ways::extended(named)
}

#[cfg(test)]
mod tests {
    use crate::base::clock::{Clock, SystemClock};
    use crate::config;
    use crate::config::load::load_text;

    #[test]
    fn a_name_is_given_back_or_it_is_said_why_not() {
        for (name, said) in [
            ("X-Client-Cert", None),
            ("remote-user", None),
            ("X-Forwarded-User", None),
            ("Remote User", Some("pass_headers[0]: \"Remote User\" is no header name")),
            ("", Some("pass_headers[0]: \"\" is no header name")),
            ("X-Brama-Assertion", Some("pass_headers[0]: X-Brama-Assertion is a name of the")),
            ("x_brama_subject", Some("pass_headers[0]: x_brama_subject is a name of the")),
            ("Accept", Some("pass_headers[0]: Accept is not among the names")),
        ] {
            let text = format!(
                "[listen]\ntrusted_proxies = [\"10.0.0.1\"]\n[identity]\npass_headers = [\"{name}\"]\n"
            );
            let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
            let (_, problems) = config::resolve(loaded, SystemClock.now());
            let problems = problems.to_string();
            assert_eq!(problems.contains("pass_headers"), said.is_some(), "{name}: {problems}");
            assert!(said.is_none_or(|said| problems.contains(said)), "{name}: {problems}");
        }
        let text = "[identity]\npass_headers = [\"X-Client-Cert\"]\n";
        let loaded = load_text("brama.toml", text, std::iter::empty()).unwrap();
        let (_, problems) = config::resolve(loaded, SystemClock.now());
        assert!(problems.to_string().contains("taken from listen.trusted_proxies alone"));
    }
}
