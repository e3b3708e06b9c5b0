//! The messages that come in SOAP: `ArtifactResolve` and `LogoutRequest`.
//!
//! Only the element in the body is signed. Identifiers are not compared with earlier ones: the
//! node does not do it, and a published client always sends the same.

use std::sync::Arc;

use super::header::{SignedBy, check_attributes, check_children, check_header, text};
use super::rules;
use super::{Checked, Context, LIMITS, Registered, Report, Seen};
use crate::saml::namespaces::{SAML2, SAML2P, UNSPECIFIED};
use crate::saml::soap;
use crate::xml::algorithms::DS;
use crate::xml::tree::{Document, Element};

/// An `ArtifactResolve` that the node would answer.
#[derive(Debug)]
pub(in crate::simulator) struct Resolve {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) service: Arc<Registered>,
    pub(in crate::simulator) artifact: String,
}

/// A `LogoutRequest` that the node would answer.
#[derive(Debug)]
pub(in crate::simulator) struct LogoutRequest {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) service: Arc<Registered>,
    pub(in crate::simulator) name_id: String,
    pub(in crate::simulator) session_index: String,
}

/// Checks an `ArtifactResolve` in its envelope, and reports every rule that it breaks.
pub(in crate::simulator) fn check_resolve(body: &[u8], context: &Context<'_>) -> Checked<Resolve> {
    check(body, "ArtifactResolve", |message, seen, report| {
        let service = check_header(message, SignedBy::Either, context, seen, report);
        check_attributes(message, &["ID", "Version", "IssueInstant", "Destination"], report);
        let children = [(SAML2, "Issuer"), (DS, "Signature"), (SAML2P, "Artifact")];
        check_children(message, &children, report);
        let artifact = child_text(message, SAML2P, "Artifact");
        if artifact.is_none() {
            report.add(&rules::ARTIFACT, "", "saml2p:Artifact");
        }
        Some(Resolve { id: seen.id.clone(), service: Arc::clone(service?), artifact: artifact? })
    })
}

/// Checks a `LogoutRequest` in its envelope, and reports every rule that it breaks.
pub(in crate::simulator) fn check_logout(
    body: &[u8],
    context: &Context<'_>,
) -> Checked<LogoutRequest> {
    check(body, "LogoutRequest", |message, seen, report| {
        let service = check_header(message, SignedBy::Either, context, seen, report);
        let attributes = ["ID", "Version", "IssueInstant", "Destination", "NotOnOrAfter", "Reason"];
        check_attributes(message, &attributes, report);
        let children =
            [(SAML2, "Issuer"), (DS, "Signature"), (SAML2, "NameID"), (SAML2P, "SessionIndex")];
        check_children(message, &children, report);
        if let Some(destination) = message.attribute("Destination") {
            let expected = context.logout_url;
            report.compare(&rules::LOGOUT_DESTINATION, Some(destination), expected);
        }
        let name_id = child_text(message, SAML2, "NameID");
        let format = message
            .children_named(SAML2, "NameID")
            .next()
            .and_then(|name_id| name_id.attribute("Format"));
        if name_id.is_none() || format.is_some_and(|format| format != UNSPECIFIED) {
            report.add(&rules::LOGOUT_NAME_ID, format.unwrap_or_default(), UNSPECIFIED);
        }
        let session_index = child_text(message, SAML2P, "SessionIndex");
        if session_index.is_none() {
            report.add(&rules::LOGOUT_SESSION, "", "saml2p:SessionIndex");
        }
        Some(LogoutRequest {
            id: seen.id.clone(),
            service: Arc::clone(service?),
            name_id: name_id?,
            session_index: session_index?,
        })
    })
}

fn check<T>(
    body: &[u8],
    name: &str,
    inside: impl FnOnce(Element<'_>, &mut Seen, &mut Report) -> Option<T>,
) -> Checked<T> {
    let mut report = Report::default();
    let mut seen = Seen::default();
    let message = match Document::parse(body, &LIMITS) {
        Err(error) => {
            report.add(&rules::XML, &error.to_string(), "");
            None
        }
        Ok(document) => match soap::unwrap(document.root()) {
            Err(refusal) => {
                report.add(&rules::SOAP, &refusal.to_string(), "");
                None
            }
            Ok(message) if message.is(SAML2P, name) => inside(message, &mut seen, &mut report),
            Ok(message) => {
                report.add(&rules::ELEMENT, &format!("{message:?}"), name);
                None
            }
        },
    };
    let message = message.filter(|_| report.is_empty());
    Checked { seen, findings: report.into_findings(), message }
}

fn child_text(message: Element<'_>, namespace: &'static str, name: &'static str) -> Option<String> {
    let child = message.children_named(namespace, name).next()?;
    text(child).filter(|text| !text.is_empty())
}
