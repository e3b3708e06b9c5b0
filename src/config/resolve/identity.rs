//! `[identity]`: keys of the operator's own, which names under which others tell an identity pass all
//! the same, and what ways to sign in are called.

use std::collections::BTreeMap;

use http::HeaderName;

use super::context::Context;
use crate::gate::policy::Route;
use crate::identity::foreign_headers::tells_identity;
use crate::identity::headers::{IdentityHeader, identity_header};
use crate::identity::release::Release;
use crate::identity::signing_key::{SigningKey, of_pem, of_pkcs12};
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

/// Reads the keys of the operator's own, in the order in which they sign.
pub(super) fn signing_keys(context: &mut Context<'_>, routes: &[Route]) -> Vec<SigningKey> {
    let file = &context.file().identity;
    let mut found: Vec<(String, SigningKey)> = Vec::new();
    for (index, path) in file.signing_key_files.iter().enumerate() {
        let key = format!("{}[{index}]", key!(identity.signing_key_files));
        let Some(bytes) = context.read_secret(&key, path) else { continue };
        let advice = "give one private key, unencrypted, in PEM or DER form: openssl genpkey \
                      -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE, or for RS256 \
                      -algorithm RSA -pkeyopt rsa_keygen_bits:3072";
        if let Some(signing) = context.parsed(&key, path, of_pem(&bytes), advice) {
            found.push((key, signing));
        }
    }
    for (index, entry) in file.signing_p12.iter().enumerate() {
        let key = format!("{}[{index}]", key!(identity.signing_p12));
        let (file_key, password_key) = (format!("{key}.file"), format!("{key}.password_file"));
        let path = context.required(&file_key, entry.file.as_deref(), "name the PKCS #12 file");
        let advice = "name the file of its password";
        let password = context.required(&password_key, entry.password_file.as_deref(), advice);
        let (Some(path), Some(password)) = (path, password) else { continue };
        let bytes = context.read_secret(&file_key, path);
        let password = context.read_secret(&password_key, password);
        let (Some(bytes), Some(password)) = (bytes, password) else { continue };
        let password = String::from_utf8_lossy(&password);
        let parsed = of_pkcs12(&bytes, password.trim_end_matches(['\r', '\n']));
        let advice =
            "check the password; the file must hold one private key, of P-256, Ed25519 or RSA";
        if let Some(signing) = context.parsed(&file_key, path, parsed, advice) {
            found.push((file_key, signing));
        }
    }
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (key, signing) in &found {
        if let Some(earlier) = known.insert(signing.id().to_owned(), key.clone()) {
            let what = format!("is the same key as {earlier}");
            context.error(key, what, "leave one of them out");
        }
        let algorithm = signing.algorithm();
        if !routes.iter().flat_map(Route::algorithms).any(|wanted| wanted == algorithm) {
            let what = format!("signs with {}, which no route wants", algorithm.name());
            let advice = "set token_algorithm of the routes of that audience, or leave the key out";
            context.warn(key, what, advice);
        }
    }
    found.into_iter().map(|(_, signing)| signing).collect()
}

/// Reports a route that wants another signature than an earlier one for the same audience: a
/// backend pins one.
pub(super) fn check_algorithm(
    context: &mut Context<'_>,
    key: &str,
    earlier: &[Route],
    release: &Release,
) {
    let is_other = |route: &&Route| {
        route.release.audience == release.audience && route.release.algorithm != release.algorithm
    };
    if !release.audience.is_empty()
        && let Some(other) = earlier.iter().find(is_other)
    {
        let (audience, host, path) = (&release.audience, &other.host, &other.path);
        let theirs = other.release.algorithm.name();
        let what = format!("the audience \"{audience}\" has {theirs} at {host}{path}");
        context.error(
            key,
            what,
            "give all routes of an audience the same, or this one another audience",
        );
    }
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
