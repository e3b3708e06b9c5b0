//! The `AuthnRequest` (SAML core 3.4.1), every attribute and child of it.

use std::sync::Arc;

use super::extensions::check_extensions;
use super::header::{SignedBy, check_attributes, check_children, check_header, text};
use super::rules;
use super::{Checked, Context, LIMITS, Registered, Report, Seen};
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::namespaces::{HTTP_ARTIFACT, SAML2, SAML2P, UNSPECIFIED};
use crate::xml::algorithms::DS;
use crate::xml::tree::{Document, Element};

/// A request that the node would accept.
#[derive(Debug, Clone)]
pub(in crate::simulator) struct AuthnRequest {
    pub(in crate::simulator) id: String,
    pub(in crate::simulator) service: Arc<Registered>,
    pub(in crate::simulator) acs: String,
    pub(in crate::simulator) minimum: Assurance,
    pub(in crate::simulator) attributes: Vec<Attribute>,
    /// As sent; nothing is promised about it.
    pub(in crate::simulator) provider_name: Option<String>,
}

const ATTRIBUTES: [&str; 9] = [
    "ID",
    "Version",
    "IssueInstant",
    "Destination",
    "AssertionConsumerServiceURL",
    "ProtocolBinding",
    "ForceAuthn",
    "IsPassive",
    "ProviderName",
];

const CHILDREN: [(&str, &str); 5] = [
    (SAML2, "Issuer"),
    (DS, "Signature"),
    (SAML2P, "Extensions"),
    (SAML2P, "NameIDPolicy"),
    (SAML2P, "RequestedAuthnContext"),
];

/// Checks an `AuthnRequest`, and reports every rule that it breaks.
pub(in crate::simulator) fn check_authn_request(
    xml: &[u8],
    context: &Context<'_>,
) -> Checked<AuthnRequest> {
    let mut report = Report::default();
    let mut seen = Seen::default();
    let message = match Document::parse(xml, &LIMITS) {
        Ok(document) => check(document.root(), context, &mut seen, &mut report),
        Err(error) => {
            report.add(&rules::XML, &error.to_string(), "");
            None
        }
    };
    let message = message.filter(|_| report.is_empty());
    Checked { seen, findings: report.into_findings(), message }
}

fn check(
    request: Element<'_>,
    context: &Context<'_>,
    seen: &mut Seen,
    report: &mut Report,
) -> Option<AuthnRequest> {
    if !request.is(SAML2P, "AuthnRequest") {
        report.add(&rules::ELEMENT, &format!("{request:?}"), "saml2p:AuthnRequest");
        return None;
    }
    let service = check_header(request, SignedBy::Signing, context, seen, report);
    check_attributes(request, &ATTRIBUTES, report);
    check_children(request, &CHILDREN, report);

    report.compare(&rules::DESTINATION, request.attribute("Destination"), context.sso_url);
    report.compare(&rules::BINDING, request.attribute("ProtocolBinding"), HTTP_ARTIFACT);
    let force_authn = request.attribute("ForceAuthn").unwrap_or_default();
    if !["true", "false", "1", "0"].contains(&force_authn) {
        report.add(&rules::FORCE_AUTHN, force_authn, "true");
    }
    match request.attribute("IsPassive") {
        None | Some("false" | "0") => {}
        Some(other) => report.add(&rules::IS_PASSIVE, other, "false"),
    }
    let acs = request.attribute("AssertionConsumerServiceURL").unwrap_or_default();
    let provider_name = request.attribute("ProviderName");
    if let Some(Registered { service, .. }) = service.map(Arc::as_ref) {
        if !service.acs.iter().any(|registered| registered == acs) {
            report.add(&rules::ACS, acs, &service.acs.join(" "));
        }
        if let Some(expected) = &service.provider_name {
            report.compare(&rules::PROVIDER_NAME, provider_name, expected);
        }
    }

    let child = |name| request.children_named(SAML2P, name).next();
    let attributes = check_extensions(child("Extensions"), report);
    check_name_id_policy(child("NameIDPolicy"), report);
    let minimum = check_authn_context(child("RequestedAuthnContext"), report);
    Some(AuthnRequest {
        id: seen.id.clone(),
        service: Arc::clone(service?),
        acs: acs.to_owned(),
        minimum: minimum?,
        attributes,
        provider_name: provider_name.map(str::to_owned),
    })
}

fn check_name_id_policy(policy: Option<Element<'_>>, report: &mut Report) {
    let Some(policy) = policy else {
        report.add(&rules::NAME_ID_POLICY, "", "saml2p:NameIDPolicy");
        return;
    };
    check_attributes(policy, &["AllowCreate", "Format"], report);
    check_children(policy, &[], report);
    let allow_create = policy.attribute("AllowCreate");
    if !matches!(allow_create, Some("true" | "1")) {
        report.add(&rules::NAME_ID_POLICY, allow_create.unwrap_or_default(), "true");
    }
    report.compare(&rules::NAME_ID_POLICY, policy.attribute("Format"), UNSPECIFIED);
}

fn check_authn_context(context: Option<Element<'_>>, report: &mut Report) -> Option<Assurance> {
    let Some(context) = context else {
        report.add(&rules::AUTHN_CONTEXT, "", "saml2p:RequestedAuthnContext");
        return None;
    };
    check_attributes(context, &["Comparison"], report);
    report.compare(&rules::AUTHN_CONTEXT, context.attribute("Comparison"), "minimum");
    let classes: Vec<Element<'_>> = context.children().collect();
    let [class] = classes.as_slice() else {
        report.add(&rules::ASSURANCE, &classes.len().to_string(), "1");
        return None;
    };
    let uri = text(*class).filter(|_| class.is(SAML2, "AuthnContextClassRef"));
    let level = uri.as_deref().and_then(Assurance::from_uri);
    if level.is_none() {
        report.add(&rules::ASSURANCE, &uri.unwrap_or_default(), "");
    }
    level
}
