//! How a `[[route]]` tells its upstream who a citizen is: `identity` and what belongs to it.

mod in_use;

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use self::in_use::is_in_use;
use super::context::Context;
use crate::config::file::{self, HeaderEncoding, HeaderPreset, IdentityForm, SignatureAlgorithm};
use crate::gate::action::Action;
use crate::gate::header_rules::{Lines, Rules, Side};
use crate::gate::policy::Route;
use crate::identity::claims::PersonalClaim;
use crate::identity::foreign_headers::tells_identity;
use crate::identity::forms::Form;
use crate::identity::forms::headers::{Encoding, PlainHeaders, Preset, Value};
use crate::identity::forms::jwe::Recipient;
use crate::identity::forms::signature::{
    MessageSignature, RingAlgorithm, SIGNATURE, SIGNATURE_INPUT, SigningKey,
};
use crate::identity::headers::ToldNames;
use crate::identity::token::LONGEST_LIFETIME;
use crate::proxy::upstream::{self, ServerAddress, ServerSettings};
use crate::xml::keys::PrivateKey;
use crate::xml::public_key::ec_point;

/// The most headers of one route that tell an identity.
const MOST_FIELDS: usize = 32;
/// Times are told in whole seconds.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
/// The longest name of a shared secret.
const LONGEST_KEY_ID: usize = 64;

/// How a route tells an identity.
pub(super) struct Telling {
    pub(super) forms: Vec<Form>,
    pub(super) signature: Option<MessageSignature>,
}

/// Resolves it, for a route with these claims and this audience.
pub(super) fn resolve(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
    (claims, audience): (&[PersonalClaim], &str),
) -> Option<Telling> {
    let list = key(key!(Route: identity));
    let mut telling = Telling { forms: Vec::new(), signature: None };
    let mut is_whole = true;
    for (index, form) in route.identity.iter().enumerate() {
        if route.identity[..index].contains(form) {
            let what = "names a form twice";
            context.error(&format!("{list}[{index}]"), what, "leave it out");
            is_whole = false;
            continue;
        }
        let resolved = match form {
            IdentityForm::Assertion => Some(Form::Assertion),
            IdentityForm::Bearer => Some(Form::Bearer),
            IdentityForm::Jwe => jwe(context, route, key).map(Form::Jwe),
            IdentityForm::Headers => headers(context, route, key, claims).map(Form::Headers),
            IdentityForm::Signature => {
                telling.signature = signature(context, route, key, audience);
                is_whole &= telling.signature.is_some();
                continue;
            }
        };
        is_whole &= resolved.is_some();
        telling.forms.extend(resolved);
    }
    let is_named = |form| route.identity.contains(&form);
    let in_the_clear = [IdentityForm::Assertion, IdentityForm::Bearer, IdentityForm::Headers];
    if is_named(IdentityForm::Jwe) && in_the_clear.into_iter().any(is_named) {
        context.warn(
            &list,
            "tells in the clear what it encrypts as well, so whoever is between reads it",
            "leave out \"assertion\", \"bearer\" and \"headers\", unless that is what you want",
        );
    }
    check_unused(context, route, key);
    check_rules(context, route, key, &telling);
    check_passed(context, &list, &telling);
    is_whole.then_some(telling)
}

/// Warns of plain headers that cross a network in which others could write them.
pub(super) fn check(context: &mut Context<'_>, routes: &[Route], upstreams: &[upstream::Settings]) {
    let file = context.file();
    if routes.len() != file.routes.len() || upstreams.len() != file.upstreams.len() {
        return;
    }
    for (index, route) in routes.iter().enumerate() {
        let is_plain = route.release.forms.iter().any(|form| matches!(form, Form::Headers(_)));
        let Action::Forward(forward) = &route.action else { continue };
        let is_near = |server: &ServerSettings| match &server.address {
            ServerAddress::Unix(_) => true,
            ServerAddress::Socket(address) => address.ip().is_loopback(),
            ServerAddress::Name { host, .. } => host == "localhost",
        };
        let settings = &upstreams[forward.upstream];
        let proves_itself = settings.tls.is_some()
            && file.upstreams[forward.upstream].tls_client_certificate.is_some();
        let is_proven = proves_itself || route.signature.is_some();
        if is_plain && !is_proven && !settings.servers.iter().all(is_near) {
            let what = "nothing proves plain headers, and whoever reaches the upstream past the \
                        gateway can write them";
            context.warn(
                &format!("route[{index}].identity"),
                what,
                "let the upstream take connections from the gateway alone: loopback, unix:, or \
                 https:// with tls_client_certificate; or send \"signature\" beside them",
            );
        }
    }
}

/// Reports tables and keys of forms that the route does not have.
fn check_unused(context: &mut Context<'_>, route: &file::Route, key: &dyn Fn(&str) -> String) {
    let is_named = |form| route.identity.contains(&form);
    let unused = [
        (
            key!(Route: identity_jwe_key_file),
            IdentityForm::Jwe,
            route.identity_jwe_key_file.is_some(),
        ),
        (
            key!(Route: identity_headers),
            IdentityForm::Headers,
            route.identity_headers != file::IdentityHeaders::default(),
        ),
        (
            key!(Route: identity_signature),
            IdentityForm::Signature,
            route.identity_signature != file::IdentitySignature::default(),
        ),
    ];
    for (name, form, _) in
        unused.into_iter().filter(|(_, form, is_set)| *is_set && !is_named(*form))
    {
        let form = format!("{form:?}").to_lowercase();
        let what = format!("is set, and identity does not name \"{form}\"");
        context.error(&key(name), what, format!("add \"{form}\" to identity, or leave this out"));
    }
}

/// Reports rules for headers that the route tells an identity in: both would be sent.
fn check_rules(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
    telling: &Telling,
) {
    let mut names: Vec<HeaderName> = telling.forms.iter().flat_map(Form::names).collect();
    if telling.signature.is_some() {
        names.extend([SIGNATURE, SIGNATURE_INPUT]);
    }
    let told = ToldNames::new(&names);
    let rules = &route.request_headers;
    for (list, lines) in [("set", &rules.set), ("add", &rules.add), ("remove", &rules.remove)] {
        for (index, line) in lines.iter().enumerate() {
            let name = line.split(':').next().unwrap_or_default().trim();
            if told.has(name) {
                let key = format!("{}.{list}[{index}]", key(key!(Route: request_headers)));
                let what = format!("{name} is a header in which this route tells an identity");
                context.error(&key, what, "leave it out, or the form out of identity");
            }
        }
    }
}

/// Reports headers that clients of trusted proxies may send and this route tells an identity in.
fn check_passed(context: &mut Context<'_>, key: &str, telling: &Telling) {
    let names: Vec<HeaderName> = telling.forms.iter().flat_map(Form::taken).collect();
    let told = ToldNames::new(&names);
    if let Some(name) = context.file().identity.pass_headers.iter().find(|name| told.has(name)) {
        let what = format!("tells an identity in {name}, which identity.pass_headers lets pass");
        context.error(key, what, "take it out of identity.pass_headers");
    }
}

fn jwe(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
) -> Option<Recipient> {
    let key = key(key!(Route: identity_jwe_key_file));
    let advice = "give the backend's public key, which identity = [\"jwe\"] encrypts to";
    let path = context.required(&key, route.identity_jwe_key_file.as_deref(), advice)?;
    let bytes = context.read(&key, path)?;
    if PrivateKey::parse(&bytes).is_ok() {
        let what = format!("{} is a private key, which stays with the portal", path.display());
        context.error(&key, what, "give its public part: openssl pkey -in FILE -pubout");
        return None;
    }
    let point = context.parsed(
        &key,
        path,
        ec_point(&bytes),
        "give a public key on P-256 or P-384, as PEM (BEGIN PUBLIC KEY) or a certificate",
    )?;
    let recipient = Recipient::new(&point);
    if recipient.is_none() {
        let what = format!("{} is no key on P-256 or P-384, which ECDH-ES needs", path.display());
        context.error(
            &key,
            what,
            "make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out FILE, and \
             give its public part: openssl pkey -in FILE -pubout",
        );
    }
    recipient
}

fn headers(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
    claims: &[PersonalClaim],
) -> Option<PlainHeaders> {
    let file::IdentityHeaders { preset, fields, encoding } = &route.identity_headers;
    let table = key(key!(Route: identity_headers));
    let encoding = match encoding {
        HeaderEncoding::Percent => Encoding::Percent,
        HeaderEncoding::Utf8 => Encoding::Utf8,
        HeaderEncoding::Rfc2047 => Encoding::Rfc2047,
        HeaderEncoding::Base64 => Encoding::Base64,
    };
    if encoding == Encoding::Utf8 && route.identity.contains(&IdentityForm::Signature) {
        context.error(
            &format!("{table}.encoding"),
            "\"utf8\" cannot be signed: a signature covers ASCII (RFC 9421 2.5)",
            "choose \"percent\", \"rfc2047\" or \"base64\"",
        );
        return None;
    }
    if fields.is_empty() {
        let preset = match preset {
            HeaderPreset::Brama => Preset::Brama,
            HeaderPreset::RemoteUser => Preset::RemoteUser,
            HeaderPreset::Oauth2Proxy => Preset::Oauth2Proxy,
            HeaderPreset::Shibboleth => Preset::Shibboleth,
        };
        return Some(PlainHeaders::of(preset, encoding));
    }
    let list = format!("{table}.fields");
    if *preset != HeaderPreset::Brama {
        let what = "is set beside names of your own, which take its place";
        context.error(&format!("{table}.preset"), what, "leave one of both out");
        return None;
    }
    if fields.len() > MOST_FIELDS {
        let what = format!("has more than {MOST_FIELDS} headers");
        context.error(&list, what, "send the token instead: it holds everything");
        return None;
    }
    let mut found: Vec<(HeaderName, Value)> = Vec::new();
    for (index, line) in fields.iter().enumerate() {
        match field(line, claims) {
            Ok((name, _))
                if ToldNames::new(found.iter().map(|(name, _)| name)).has(name.as_str()) =>
            {
                let what = format!("{name} is there twice");
                context.error(&format!("{list}[{index}]"), what, "leave one out");
            }
            Ok(field) => {
                if field.0.as_str().contains('_') {
                    let key = format!("{list}[{index}]");
                    let what = "many servers drop headers with an underscore in their name";
                    context.warn(&key, what, "write it with \"-\"; a variable of it is the same");
                }
                found.push(field);
            }
            Err((what, advice)) => context.error(&format!("{list}[{index}]"), what, advice),
        }
    }
    (found.len() == fields.len()).then_some(PlainHeaders {
        encoding,
        fields: found,
        also_read: &[],
    })
}

/// Reads a line such as `X-Citizen-Id: subject`.
fn field(line: &str, claims: &[PersonalClaim]) -> Result<(HeaderName, Value), (String, String)> {
    let pair = line.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
    let (name, word) = pair.ok_or_else(|| {
        (format!("\"{line}\" has no colon"), "write it like \"X-Citizen-Id: subject\"".to_owned())
    })?;
    let other = || "give another name, such as \"X-Citizen-Id\"".to_owned();
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| (format!("\"{name}\" is no header name (RFC 9110 5.1)"), other()))?;
    // What a rule must not touch is not for an identity either; the names that other gateways use
    // for one are.
    if !tells_identity(name) {
        if is_in_use(name) {
            let what = format!("{name} has a meaning of its own, and every client would lose it");
            return Err((what, other()));
        }
        let line = [format!("{name}: x")];
        let lines = Lines { set: &line, ..Lines::default() };
        Rules::parse(Side::Request, lines)
            .map_err(|errors| (format!("{name} {}", errors[0].2), other()))?;
    }
    let value = Value::find(word).ok_or_else(|| {
        let words: Vec<_> = Value::ALL.iter().map(|(word, _)| *word).collect();
        (format!("\"{word}\" is no value"), format!("give one of {}", words.join(", ")))
    })?;
    if let Some(claim) = value.needs().iter().find(|claim| !claims.contains(claim)) {
        let what = format!("{word} is always empty: claims does not name {}", claim.name());
        return Err((what, format!("add \"{}\" to claims of this route", claim.name())));
    }
    Ok((parsed, value))
}

fn signature(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
    audience: &str,
) -> Option<MessageSignature> {
    let file::IdentitySignature { algorithm, secret_file, key_id, lifetime } =
        &route.identity_signature;
    let table = key(key!(Route: identity_signature));
    let lifetime = lifetime.get();
    if !(SHORTEST_LIFETIME..=LONGEST_LIFETIME).contains(&lifetime) {
        let key = format!("{table}.lifetime");
        let what = "a signature may live at most 5 minutes, and some time at least";
        context.error(&key, what, "give a value between \"1s\" and \"5m\"");
        return None;
    }
    let secret_key = format!("{table}.secret_file");
    let ring = match algorithm {
        SignatureAlgorithm::EcdsaP256Sha256 => Some(RingAlgorithm::EcdsaP256Sha256),
        SignatureAlgorithm::Ed25519 => Some(RingAlgorithm::Ed25519),
        SignatureAlgorithm::HmacSha256 => None,
    };
    let key = match ring {
        Some(algorithm) => {
            for (name, is_set) in
                [("secret_file", secret_file.is_some()), ("key_id", key_id.is_some())]
            {
                if is_set {
                    let what = "is for \"hmac-sha256\" alone; requests are signed by a key that \
                                signs tokens";
                    context.error(&format!("{table}.{name}"), what, "leave it out");
                    return None;
                }
            }
            SigningKey::Ring(algorithm)
        }
        None => {
            let advice = "name a file with 32 random bytes or more, which the portal has too";
            let path = context.required(&secret_key, secret_file.as_deref(), advice)?;
            let secret = context.read_secret(&secret_key, path)?;
            let id = key_id.as_deref().unwrap_or(audience);
            let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
            if id.is_empty() || id.len() > LONGEST_KEY_ID || !id.bytes().all(is_plain) {
                let what = format!("\"{id}\" cannot be a keyid");
                let advice = format!("give at most {LONGEST_KEY_ID} letters of ASCII");
                context.error(&format!("{table}.key_id"), what, advice);
                return None;
            }
            if secret.ends_with(b"\n") {
                let what = "ends with a line end, which belongs to the secret: nothing is trimmed";
                context.warn(&secret_key, what, "make one of bytes: openssl rand -out FILE 32");
            }
            let shared = SigningKey::shared(id, &secret);
            if shared.is_none() {
                let what = format!("is shorter than {} bytes", SigningKey::LEAST);
                context.error(&secret_key, what, "make one: openssl rand -out FILE 32");
            }
            shared?
        }
    };
    let value = HeaderValue::from_str(audience).ok().filter(|_| audience.is_ascii());
    let Some(audience) = value else {
        let what = format!("no signature covers the letters of the audience \"{audience}\"");
        context.error(&table, what, "give the route an audience of letters of ASCII");
        return None;
    };
    Some(MessageSignature { key, lifetime, audience })
}

#[cfg(test)]
mod tests;
