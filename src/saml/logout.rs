//! Single logout that we begin (SAML core 3.7), and the node's answer to it.

use super::message::Message;
use super::namespaces::{SAML2, SAML2P, UNSPECIFIED};
use super::refusal::Refusal;
use super::soap;
use super::status::Status;
use crate::base::clock::Time;
use crate::xml::algorithms::DS;
use crate::xml::scan::Limits;
use crate::xml::signature::{self, ReferenceStyle, TrustedCertificates};
use crate::xml::signer::{Error, Signer};
use crate::xml::tree::Document;

/// What the node knows the session by.
#[derive(Debug, Clone)]
pub struct NodeSession<'s> {
    /// The `NameID` of the assertion: a login name, not a person's name.
    pub name_id: &'s str,
    /// The `SessionIndex` of the assertion.
    pub session_index: &'s str,
}

/// Writes and signs a `LogoutRequest`.
///
/// # Errors
/// When the key cannot sign.
pub fn request(
    session: &NodeSession<'_>,
    id: &str,
    issued: Time,
    issuer: &str,
    destination: &str,
    signer: &Signer,
) -> Result<String, Error> {
    let message = Message {
        name: "saml2p:LogoutRequest",
        id,
        issued,
        issuer,
        attributes: &[("Destination", destination)],
    };
    message.sign(signer, |w| {
        w.text_element("saml2:NameID", &[("Format", UNSPECIFIED)], session.name_id);
        w.text_element("saml2p:SessionIndex", &[], session.session_index);
    })
}

/// Reads the node's answer: `Ok` when it confirms that the session there has ended.
///
/// The answer decides nothing but a sentence on a page, so it may be unsigned (whether the node
/// signs it is not known); a signature that is there must hold.
///
/// # Errors
/// When the answer is no `LogoutResponse` to this request, or reports anything but success.
pub fn confirm(
    answer: &[u8],
    request_id: &str,
    trusted: &TrustedCertificates,
    maximum_bytes: usize,
) -> Result<(), Refusal> {
    let document =
        Document::parse(answer, &Limits::message(maximum_bytes)).map_err(Refusal::Unreadable)?;
    let response = soap::unwrap(document.root())?;
    if !response.is(SAML2P, "LogoutResponse") {
        return Err(Refusal::Shape(format!("{response:?} is no LogoutResponse")));
    }
    let shape = |error: crate::xml::tree::Error| Refusal::Shape(error.to_string());
    if response.optional_child(DS, "Signature").map_err(shape)?.is_some() {
        signature::verify(&document, &[response], trusted, ReferenceStyle::ById)?;
    }
    response.child(SAML2, "Issuer").map_err(shape)?;
    let status = Status::read(response).map_err(shape)?;
    if response.attribute("InResponseTo") != Some(request_id) || !status.is_success() {
        return Err(Refusal::Shape(format!("logout was not confirmed: {status}")));
    }
    Ok(())
}
