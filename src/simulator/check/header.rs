//! What every message begins with: version, date, issuer, signature (SAML core 3.2.1).

use std::sync::Arc;

use super::rules::{self, Rule};
use super::{Context, Registered, Report, Seen};
use crate::base::clock::{Time, earlier, later};
use crate::base::encoding::from_base64;
use crate::saml::namespaces::SAML2;
use crate::simulator::bounds::{ID_CHARACTERS, MESSAGE_AGE, SKEW};
use crate::xml::algorithms::{DS, ECDSA_SHA256, SHA256};
use crate::xml::signature::{self, ReferenceStyle, TrustedCertificates};
use crate::xml::tree::{Document, Element};

/// Which certificates a message may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignedBy {
    /// The signing ones of the service provider.
    Signing,
    /// The encryption one as well.
    Either,
}

/// Checks the header and returns the sender when it is registered.
pub(super) fn check_header<'c>(
    message: Element<'_>,
    by: SignedBy,
    context: &Context<'c>,
    seen: &mut Seen,
    report: &mut Report,
) -> Option<&'c Arc<Registered>> {
    check_id(message, seen, report);
    report.compare(&rules::VERSION, message.attribute("Version"), "2.0");
    check_instant(message, context.now, report);
    if message.has_stray_text() {
        report.add(&rules::STRAY_TEXT, message.name(), "");
    }
    let issuer = check_issuer(message, report)?;
    seen.issuer.clone_from(&issuer);
    let found = context.services.iter().find(|known| known.service.issuer == issuer);
    let Some(registered) = found else {
        report.add(&rules::ISSUER_UNKNOWN, &issuer, "");
        return None;
    };
    let trusted = match by {
        SignedBy::Signing => &registered.signing,
        SignedBy::Either => &registered.either,
    };
    check_signature(message, trusted, report);
    Some(registered)
}

/// Reports children that do not belong, come twice or in the wrong order.
pub(super) fn check_children(
    message: Element<'_>,
    expected: &[(&'static str, &'static str)],
    report: &mut Report,
) {
    let mut last = 0;
    let mut seen = vec![false; expected.len()];
    for child in message.children() {
        let place = expected.iter().position(|(namespace, name)| child.is(namespace, name));
        let Some(place) = place else {
            report.add(&rules::UNKNOWN_CHILD, &format!("{child:?}"), "");
            continue;
        };
        if std::mem::replace(&mut seen[place], true) {
            report.add(&rules::REPEATED_CHILD, child.name(), "");
        }
        if place < last {
            report.add(&rules::ORDER, child.name(), "");
        }
        last = last.max(place);
    }
}

/// Reports attributes that do not belong.
pub(super) fn check_attributes(message: Element<'_>, known: &[&str], report: &mut Report) {
    for (namespace, name, _) in message.attributes() {
        if !namespace.is_empty() || !known.contains(&name) {
            report.add(&rules::UNKNOWN_ATTRIBUTE, name, "");
        }
    }
}

/// Returns the trimmed text of an element that holds only text.
pub(super) fn text(element: Element<'_>) -> Option<String> {
    element.text().ok().map(|text| text.trim().to_owned())
}

fn check_id(message: Element<'_>, seen: &mut Seen, report: &mut Report) {
    let id = message.attribute("ID").unwrap_or_default();
    // XML namespaces 4: a name without a colon that does not begin with a digit, "-" or ".".
    let begins = |c: char| c.is_alphabetic() || c == '_';
    let continues = |c: char| c.is_alphanumeric() || "_-.".contains(c);
    let is_name = id.starts_with(begins) && id.chars().all(continues);
    if !is_name || id.chars().count() < ID_CHARACTERS {
        report.add(&rules::ID, id, "");
    }
    id.clone_into(&mut seen.id);
}

fn check_instant(message: Element<'_>, now: Time, report: &mut Report) {
    let text = message.attribute("IssueInstant").unwrap_or_default();
    match text.trim().parse::<Time>() {
        Err(_) => report.add(&rules::INSTANT, text, ""),
        Ok(time) => {
            let earliest = earlier(earlier(now, MESSAGE_AGE), SKEW);
            if time < earliest || time > later(now, SKEW) {
                report.add(&rules::INSTANT_AGE, text, &now.to_string());
            }
        }
    }
}

fn check_issuer(message: Element<'_>, report: &mut Report) -> Option<String> {
    let Some(issuer) = message.children().next().filter(|first| first.is(SAML2, "Issuer")) else {
        let first = message.children().next().map(|first| format!("{first:?}"));
        report.add(&rules::ISSUER, &first.unwrap_or_default(), "saml2:Issuer");
        return None;
    };
    if let Some((_, name, _)) = issuer.attributes().next() {
        report.add(&rules::ISSUER_FORM, name, "");
    }
    let text = text(issuer);
    if text.is_none() {
        report.add(&rules::ISSUER_FORM, issuer.source(), "");
    }
    text
}

fn check_signature(message: Element<'_>, trusted: &TrustedCertificates, report: &mut Report) {
    let Some(own) = message.children_named(DS, "Signature").next() else {
        report.add(&rules::SIGNATURE_MISSING, "", "");
        return;
    };
    if message.children().nth(1) != Some(own) {
        report.add(&rules::SIGNATURE_PLACE, "", "");
    }
    check_signature_form(own, trusted, report);
    let document: &Document<'_> = message.document();
    let verified = signature::verify(document, &[message], trusted, ReferenceStyle::ByIdOrWhole);
    if let Err(error) = verified {
        report.add(&rules::SIGNATURE, &error.to_string(), "");
    }
}

/// What the node's document asks of a signature beyond its being valid.
fn check_signature_form(own: Element<'_>, trusted: &TrustedCertificates, report: &mut Report) {
    let mut algorithm = |name: &str, expected: &str| {
        let used = descendants(own).find(|e| e.is(DS, name)).and_then(|e| e.attribute("Algorithm"));
        report.compare(&rules::SIGNATURE_METHOD, used, expected);
    };
    algorithm("SignatureMethod", ECDSA_SHA256);
    algorithm("DigestMethod", SHA256);

    let certificates: Vec<Vec<u8>> = descendants(own)
        .filter(|e| e.is(DS, "X509Certificate"))
        .map(|e| e.text().ok().and_then(|text| from_base64(&text)).unwrap_or_default())
        .collect();
    let is_known = |der: &[u8]| trusted.certificates().iter().any(|known| known.der() == der);
    let rule: &'static Rule = &rules::KEY_INFO;
    match certificates.as_slice() {
        [only] if is_known(only) => {}
        [_] => report.add(rule, "another certificate", "a registered certificate"),
        several => report.add(rule, &several.len().to_string(), "1"),
    }
}

/// Every element of the document inside `ancestor`.
fn descendants<'d>(ancestor: Element<'d>) -> impl Iterator<Item = Element<'d>> {
    let mut stack: Vec<Element<'d>> = ancestor.children().collect();
    std::iter::from_fn(move || {
        let next = stack.pop()?;
        stack.extend(next.children());
        Some(next)
    })
}
