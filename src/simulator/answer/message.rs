//! Writes the protocol messages of the node.

use super::super::Error;
use super::super::kit::Kit;
use super::super::people::NodeStatus;
use crate::base::clock::Time;
use crate::base::random::message_id;
use crate::saml::message::instant;
use crate::saml::namespaces::{EIDAS, NATURAL_PERSON, SAML2, SAML2P, STATUS_PREFIX};
use crate::saml::soap;
use crate::xml::algorithms::{DS, DSIG11, XENC, XENC11};
use crate::xml::signer::Signer;
use crate::xml::writer::Writer;

/// The prefixes that the node declares on a message, whether it uses them or not.
pub(super) const PREFIXES: [(&str, &str); 14] = [
    ("xmlns:alg", "urn:oasis:names:tc:SAML:metadata:algsupport"),
    ("xmlns:coi-extension", "http://coi.gov.pl/saml-extensions"),
    ("xmlns:coi-naturalperson", "http://coi.gov.pl/attributes/naturalperson"),
    ("xmlns:ds", DS),
    ("xmlns:dsig11", DSIG11),
    ("xmlns:eidas", EIDAS),
    ("xmlns:kirwb", "http://wb.kir.pl/saml-extensions"),
    ("xmlns:md", "urn:oasis:names:tc:SAML:2.0:metadata"),
    ("xmlns:mdattr", "urn:oasis:names:tc:SAML:metadata:attribute"),
    ("xmlns:naturalperson", NATURAL_PERSON),
    ("xmlns:saml2", SAML2),
    ("xmlns:saml2p", SAML2P),
    ("xmlns:xenc", XENC),
    ("xmlns:xenc11", XENC11),
];

/// What a message says of itself.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) in_response_to: String,
    pub(super) issued: Time,
    /// The status that is no success; `None` is success.
    pub(super) status: Option<NodeStatus>,
}

/// What stands where the signature belongs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seal<'s> {
    /// No signature at all.
    None,
    /// A signature that is still to be filled in.
    Template(&'s Signer),
    /// A signature from elsewhere.
    Copied(&'s str),
}

/// Writes an `ArtifactResponse` with `inside` after its status.
pub(super) fn artifact_response(part: &Part, seal: Seal<'_>, inside: &str) -> String {
    write("saml2p:ArtifactResponse", &PREFIXES, part, seal, None, inside)
}

/// Writes a `Response` with `inside` after its status.
pub(super) fn response(part: &Part, seal: Seal<'_>, inside: &str) -> String {
    write("saml2p:Response", &[], part, seal, None, inside)
}

fn write(
    name: &str,
    prefixes: &[(&str, &str)],
    part: &Part,
    seal: Seal<'_>,
    message: Option<&str>,
    inside: &str,
) -> String {
    let issued = instant(part.issued);
    let mut attributes = prefixes.to_vec();
    attributes.extend([
        ("ID", &*part.id),
        ("InResponseTo", &part.in_response_to),
        ("IssueInstant", &issued),
        ("Version", "2.0"),
    ]);
    let mut writer = Writer::new();
    writer.element(name, &attributes, |w| {
        w.text_element("saml2:Issuer", &[], &part.issuer);
        match seal {
            Seal::None => {}
            Seal::Template(signer) => signer.write_template(w, &part.id),
            Seal::Copied(signature) => {
                w.raw(signature);
            }
        }
        write_status(w, part.status, message);
        w.raw(inside);
    });
    writer.finish()
}

fn write_status(w: &mut Writer, status: Option<NodeStatus>, message: Option<&str>) {
    let (top, second) = status.map_or(("Success", None), NodeStatus::codes);
    let top = format!("{STATUS_PREFIX}{top}");
    w.element("saml2p:Status", &[], |w| {
        match second {
            None => {
                w.empty("saml2p:StatusCode", &[("Value", &top)]);
            }
            Some(second) => {
                let second = format!("{STATUS_PREFIX}{second}");
                w.element("saml2p:StatusCode", &[("Value", &top)], |w| {
                    w.empty("saml2p:StatusCode", &[("Value", &second)]);
                });
            }
        }
        if let Some(message) = message.or_else(|| status.map(NodeStatus::message)) {
            w.text_element("saml2p:StatusMessage", &[], message);
        }
    });
}

/// Builds a signed `ArtifactResponse` without a `Response`, in its envelope: success, which says
/// that the artifact stands for nothing, or a status with a message of our own.
///
/// # Errors
/// When the key cannot sign.
pub fn only_status(
    kit: &Kit,
    node: &str,
    resolve_id: &str,
    status: Option<(NodeStatus, &str)>,
    now: Time,
) -> Result<Vec<u8>, Error> {
    let part = part(node, resolve_id, status.map(|(status, _)| status), now);
    let seal = Seal::Template(kit.node_signer());
    let message = status.map(|(_, message)| message);
    let text = write("saml2p:ArtifactResponse", &PREFIXES, &part, seal, message, "");
    let signed = kit.node_signer().sign(&text, &[&part.id])?;
    Ok(soap::wrap(&signed).into_bytes())
}

/// What a logout is answered with.
#[derive(Debug, Clone, Copy)]
pub enum LogoutAnswer<'m> {
    /// The session has ended.
    Success,
    /// It has not, for this reason.
    Failed(NodeStatus, &'m str),
    /// It has, says a message without a signature.
    Unsigned,
}

/// Builds a `LogoutResponse` in its envelope, signed unless it is to be without.
///
/// # Errors
/// When the key cannot sign.
pub fn logout(
    kit: &Kit,
    node: &str,
    request_id: &str,
    answer: LogoutAnswer<'_>,
    now: Time,
) -> Result<Vec<u8>, Error> {
    let (status, message) = match answer {
        LogoutAnswer::Success | LogoutAnswer::Unsigned => (None, None),
        LogoutAnswer::Failed(status, message) => (Some(status), Some(message)),
    };
    let part = part(node, request_id, status, now);
    let name = "saml2p:LogoutResponse";
    if matches!(answer, LogoutAnswer::Unsigned) {
        let text = write(name, &PREFIXES, &part, Seal::None, message, "");
        return Ok(soap::wrap(&text).into_bytes());
    }
    let seal = Seal::Template(kit.node_signer());
    let text = write(name, &PREFIXES, &part, seal, message, "");
    let signed = kit.node_signer().sign(&text, &[&part.id])?;
    Ok(soap::wrap(&signed).into_bytes())
}

fn part(node: &str, in_response_to: &str, status: Option<NodeStatus>, now: Time) -> Part {
    Part {
        id: message_id(),
        issuer: node.to_owned(),
        in_response_to: in_response_to.to_owned(),
        issued: now,
        status,
    }
}
