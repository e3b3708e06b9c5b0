//! What faults and quirks add to a message or an assertion before it is signed or sealed: so that
//! every signature holds, and only what stands where tells.

use super::claims::{Claims, OTHER_SERVICE};
use super::cut::{in_tag, without, without_attribute};
use crate::saml::namespaces::{BEARER, SAML2, STATUS_PREFIX};
use crate::simulator::Error;
use crate::simulator::faults::Fault;
use crate::simulator::kit::Kit;
use crate::simulator::people::NodeStatus;
use crate::xml::signer::Signer;
use crate::xml::writer::Writer;

/// An element that no schema of ours has.
const FOREIGN: &str = "<x:nowy xmlns:x=\"urn:brama:symulator\" x:kod=\"1\">nowość</x:nowy>";

/// A confirmation that is made by another than the one who presents it (SAML profiles 3.2).
const SENDER_VOUCHES: &str = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches";

/// A text that says who it is about.
pub(super) const NAMES_PERSON: &str =
    "Uzytkownik Ewa Wydumana, login ewydumana, PESEL 44051401359, odrzucony";

/// Adds to the two messages, which are not signed yet. `forged` is a sealed assertion that names
/// another person.
pub(super) fn to_message(mut text: String, faults: &[Fault], forged: &str) -> String {
    let before =
        |text: &str, end: &str, added: &str| text.replacen(end, &format!("{added}{end}"), 1);
    for fault in faults {
        text = match fault {
            Fault::StatusNamesPerson => {
                text.replacen(NodeStatus::AuthnFailed.message(), NAMES_PERSON, 1)
            }
            Fault::StatusSuccessWithError => with_error_below(&text),
            Fault::Destination => in_response_tag(&text, |tag| {
                tag.replacen(
                    " Version=",
                    &format!(" Destination=\"{OTHER_SERVICE}/acs\" Version="),
                    1,
                )
            }),
            Fault::ResponseInResponseToMissing => {
                in_response_tag(&text, |tag| without_attribute(tag, "InResponseTo"))
            }
            Fault::ElementWithoutPlace => before(&text, "</saml2p:Response>", FOREIGN),
            Fault::TextBetweenElements => before(&text, "</saml2p:Response>", "Ewa Fałsz"),
            Fault::AssertionInExtensions => in_extensions(&text, forged),
            Fault::Extensions => {
                let detail = format!("<saml2p:StatusDetail>{FOREIGN}</saml2p:StatusDetail>");
                before(&in_extensions(&text, FOREIGN), "</saml2p:Status>", &detail)
            }
            _ => text,
        };
    }
    text
}

/// Changes the start tag of the inner message.
fn in_response_tag(text: &str, change: impl Fn(&str) -> String) -> String {
    in_tag(text, "<saml2p:Response ", change)
}

/// The code of the last status gets another one inside.
fn with_error_below(text: &str) -> String {
    let success = format!("<saml2p:StatusCode Value=\"{STATUS_PREFIX}Success\"/>");
    let Some(at) = text.rfind(&success) else { return text.to_owned() };
    let below = format!(
        "<saml2p:StatusCode Value=\"{STATUS_PREFIX}Success\"><saml2p:StatusCode \
         Value=\"{STATUS_PREFIX}AuthnFailed\"/></saml2p:StatusCode>"
    );
    format!("{}{below}{}", &text[..at], &text[at + success.len()..])
}

/// Before the first status: where the schema has its place.
fn in_extensions(text: &str, inside: &str) -> String {
    let status = "<saml2p:Status>";
    let extensions = format!("<saml2p:Extensions>{inside}</saml2p:Extensions>{status}");
    text.replacen(status, &extensions, 1)
}

/// Writes the assertion that is sealed, with what is added.
pub(super) fn to_assertion(claims: &Claims, faults: &[Fault], kit: &Kit) -> Result<String, Error> {
    let mut text = claims.write();
    for fault in faults {
        text = match fault {
            Fault::AssertionInAdvice => in_advice(&text, &claims.forged().write()),
            Fault::InResponseToMissing => without_confirmation(&text, "InResponseTo"),
            Fault::RecipientMissing => without_confirmation(&text, "Recipient"),
            Fault::ConfirmationEndMissing => without_confirmation(&text, "NotOnOrAfter"),
            Fault::ConfirmationMethod => text.replacen(BEARER, SENDER_VOUCHES, 1),
            Fault::AudienceMissing => {
                without(&text, "<saml2:AudienceRestriction>", "</saml2:AudienceRestriction>")
            }
            Fault::ConditionsMissing => without(&text, "<saml2:Conditions ", "</saml2:Conditions>"),
            Fault::SecondSubject => {
                let end = "</saml2:NameID>";
                text.replacen(end, &format!("{end}<saml2:EncryptedID></saml2:EncryptedID>"), 1)
            }
            Fault::OtherStatement => {
                let statement = "<saml2:AuthzDecisionStatement Decision=\"Permit\" \
                                 Resource=\"https://portal.example\"></saml2:AuthzDecisionStatement>";
                let end = "</saml2:Assertion>";
                text.replacen(end, &format!("{statement}{end}"), 1)
            }
            Fault::TimeOfAnotherForm => text.replacen("Z\" SessionIndex=", "z\" SessionIndex=", 1),
            Fault::Extensions => extend(&text),
            Fault::SignedAssertion => sign(&text, claims, kit.node_signer())?,
            Fault::ForeignAssertionSignature => sign(&text, claims, kit.stranger_signer())?,
            _ => text,
        };
    }
    Ok(text)
}

/// Takes an attribute out of what confirms the subject.
fn without_confirmation(text: &str, name: &str) -> String {
    in_tag(text, "<saml2:SubjectConfirmationData ", |tag| without_attribute(tag, name))
}

fn in_advice(text: &str, inside: &str) -> String {
    let end = "</saml2:Conditions>";
    text.replacen(end, &format!("{end}<saml2:Advice>{inside}</saml2:Advice>"), 1)
}

fn extend(text: &str) -> String {
    let statement = "<saml2:AttributeStatement>";
    let unknown = format!(
        "{statement}<saml2:Attribute Name=\"urn:brama:symulator:nowy\"><saml2:AttributeValue \
         xmlns:saml2=\"{SAML2}\">nowość</saml2:AttributeValue></saml2:Attribute>"
    );
    in_advice(text, FOREIGN).replacen(statement, &unknown, 1)
}

/// Signs it: the signature comes behind the issuer.
fn sign(text: &str, claims: &Claims, signer: &Signer) -> Result<String, Error> {
    let mut writer = Writer::new();
    signer.write_template(&mut writer, &claims.id);
    let end = "</saml2:Issuer>";
    let template = text.replacen(end, &format!("{end}{}", writer.finish()), 1);
    Ok(signer.sign(&template, &[&claims.id])?)
}
