//! Single logout that we begin (SAML core 3.7), and the node's answer to it.

use std::time::Duration;

use super::checks::Checks;
use super::conditions::check_issued;
use super::message::Message;
use super::namespaces::{SAML2, SAML2P, UNSPECIFIED};
use super::refusal::{Level, Refusal};
use super::schema;
use super::soap;
use super::status::Status;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;
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

/// What a `LogoutResponse` is compared with.
#[derive(Debug)]
pub struct ExpectedLogout<'e> {
    /// The `ID` of our request.
    pub request_id: &'e str,
    /// The entity identifier of the node, which must be the `Issuer`.
    pub node: &'e str,
    /// How far the clocks may differ.
    pub skew: Duration,
    /// The most bytes that are read of it.
    pub maximum_bytes: usize,
}

/// How it is known that the session at the node has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// The node signed it.
    Signed,
    /// The server that answered says so: it is not signed, and TLS never stands in for a signature.
    Unsigned,
}

/// Reads the node's answer, when it says that the session there has ended, and tells who says so.
///
/// The answer decides nothing but a sentence on a page, so it may be unsigned (whether the node
/// signs it is not known); a signature that is there must hold.
///
/// # Errors
/// When the answer is no `LogoutResponse` of the node to this request, or reports anything but
/// success.
pub fn confirm(
    answer: &[u8],
    trusted: &TrustedCertificates,
    expected: &ExpectedLogout<'_>,
    now: Time,
) -> Result<Confirmation, Refusal> {
    let document = Document::parse(answer, &Limits::message(expected.maximum_bytes))
        .map_err(Refusal::Unreadable)?;
    let response = soap::unwrap(document.root())?;
    if !response.is(SAML2P, "LogoutResponse") {
        return Err(Refusal::Shape(format!("{response:?} is no LogoutResponse")));
    }
    let shape = |error: crate::xml::tree::Error| Refusal::Shape(error.to_string());
    let is_signed = document.elements().any(|element| element.is(DS, "Signature"));
    if is_signed {
        signature::verify(&document, &[response], trusted, ReferenceStyle::ById)?;
    }
    let level = Level::LogoutResponse;
    if response.required_attribute("Version").map_err(shape)? != "2.0" {
        return Err(Refusal::Shape(format!("{level} is not SAML 2.0")));
    }
    let found = response.child(SAML2, "Issuer").map_err(shape)?.text().map_err(shape)?;
    if found != expected.node {
        let (found, expected) = (Foreign::new(&found), expected.node.to_owned());
        return Err(Refusal::Issuer { level, found, expected });
    }
    let found = response.required_attribute("InResponseTo").map_err(shape)?;
    if found != expected.request_id {
        let (found, expected) = (Foreign::new(found), expected.request_id.to_owned());
        return Err(Refusal::InResponseTo { level, found, expected });
    }
    check_issued(level, response, expected.skew, now)?;
    let status = Status::read(response).map_err(shape)?;
    if !status.is_success() {
        return Err(Refusal::Status { level, status });
    }
    schema::check(document.root(), &mut Checks::new()).map_err(Refusal::Shape)?;
    Ok(if is_signed { Confirmation::Signed } else { Confirmation::Unsigned })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::message::testing::{LETTERS, assert_holds, signer};

    #[test]
    fn a_request_holds_whatever_stands_in_it() {
        let signer = signer();
        for letters in ["urn:us", LETTERS] {
            let session = NodeSession { name_id: letters, session_index: letters };
            let text =
                request(&session, "i1", Time::UNIX_EPOCH, letters, letters, &signer).unwrap();
            assert_holds(&text, &signer);
        }
    }
}
