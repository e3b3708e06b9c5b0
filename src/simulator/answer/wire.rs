//! The envelope, and what may stand in its place.

use super::additions::NAMES_PERSON;
use super::alter::{Alteration, EXTERNAL};
use super::message::Seal;
use crate::saml::soap;
use crate::simulator::bounds::TOO_LARGE;
use crate::simulator::faults::Fault;
use crate::xml::writer::Writer;

/// Returns the HTTP status that goes with an answer.
#[must_use]
pub fn http_status(faults: &[Fault]) -> u16 {
    // SOAP 1.1 section 6.2: a fault travels with 500.
    let failures = [Fault::Http500, Fault::SoapFault, Fault::SoapFaultNamesPerson];
    if failures.iter().any(|failure| faults.contains(failure)) { 500 } else { 200 }
}

/// Builds a SOAP fault in its envelope.
#[must_use]
pub fn soap_fault(code: &str, text: &str) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.element("soap:Fault", &[], |w| {
        w.text_element("faultcode", &[], code);
        w.text_element("faultstring", &[], text);
    });
    soap::wrap(&writer.finish()).into_bytes()
}

/// Returns what comes instead of a message.
pub(super) fn instead(faults: &[Fault]) -> Option<Vec<u8>> {
    faults.iter().find_map(|fault| match fault {
        Fault::Http500 => Some(b"Internal Server Error".to_vec()),
        Fault::SoapFault => Some(soap_fault("soap:Server", "symulowany błąd węzła")),
        Fault::SoapFaultNamesPerson => Some(soap_fault("soap:Server", NAMES_PERSON)),
        Fault::Rubbish => Some("To nie jest XML: \u{0}\u{1} & < >".as_bytes().to_vec()),
        Fault::EmptyBody => Some(Vec::new()),
        _ => None,
    })
}

/// Puts the message into its envelope.
pub(super) fn envelope(text: &str, alteration: &Alteration<'_>, faults: &[Fault]) -> Vec<u8> {
    let has = |fault| faults.contains(&fault);
    let forged = || alteration.forged_answer(Seal::None);
    let mut envelope = if alteration.has(Fault::Wrapped12) {
        soap::wrap(&format!("{}{text}", forged()))
    } else if has(Fault::Wrapped13) {
        let header = format!("<soap:Header>{text}</soap:Header>");
        soap::wrap(&forged()).replacen("<soap:Header></soap:Header>", &header, 1)
    } else {
        soap::wrap(text)
    };
    if has(Fault::DuplicateId) {
        in_header(&mut envelope, &NAMED.repeat(2));
    }
    if has(Fault::ProcessingInstruction) {
        envelope.insert_str(0, "<?brama symulator?>");
    }
    if has(Fault::Doctype) {
        envelope.insert_str(0, "<!DOCTYPE soap:Envelope [<!ENTITY kto \"Ewa\">]>");
    }
    if has(Fault::EntityExpansion) {
        declare(&mut envelope, &expansion(), "lot9");
    }
    if has(Fault::ExternalEntity) {
        declare(&mut envelope, &format!("<!ENTITY obca SYSTEM \"{EXTERNAL}\">"), "obca");
    }
    if has(Fault::TooLarge) {
        let padding = TOO_LARGE.saturating_sub(envelope.len());
        envelope.push_str(&" ".repeat(padding));
    }
    envelope.into_bytes()
}

/// Declares entities, and uses one of them in the header, which no signature covers.
fn declare(envelope: &mut String, entities: &str, used: &str) {
    in_header(envelope, &format!("<x:x xmlns:x=\"urn:brama:symulator\">&{used};</x:x>"));
    envelope.insert_str(0, &format!("<!DOCTYPE soap:Envelope [{entities}]>"));
}

fn in_header(envelope: &mut String, inside: &str) {
    let header = format!("<soap:Header>{inside}</soap:Header>");
    *envelope = envelope.replacen("<soap:Header></soap:Header>", &header, 1);
}

/// An element with an identifier.
const NAMED: &str = "<x:x xmlns:x=\"urn:brama:symulator\" ID=\"_ten-sam\"></x:x>";

/// Ten entities, of which each is ten times the one before: gigabytes in the end.
fn expansion() -> String {
    let next = |level: usize| {
        format!("<!ENTITY lot{level} \"{}\">", format!("&lot{};", level - 1).repeat(10))
    };
    (1..10).fold("<!ENTITY lot0 \"lotlotlotlot\">".to_owned(), |text, level| text + &next(level))
}
