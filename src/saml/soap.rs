//! SOAP 1.1 envelopes (W3C note of 8 May 2000), without any header block.

use super::masked::masked;
use super::namespaces::SOAP;
use super::refusal::Refusal;
use crate::base::foreign::Foreign;
use crate::xml::tree::Element;
use crate::xml::writer::Writer;

/// Puts a message into an envelope with an empty header.
#[must_use]
pub fn wrap(message: &str) -> String {
    let mut writer = Writer::new();
    writer.element("soap:Envelope", &[("xmlns:soap", SOAP)], |w| {
        w.text_element("soap:Header", &[], "");
        w.element("soap:Body", &[], |w| {
            w.raw(message);
        });
    });
    writer.finish()
}

/// Returns the one message in the body of an envelope.
///
/// # Errors
/// When the element is no envelope, holds more than one message, or holds a fault.
pub fn unwrap(envelope: Element<'_>) -> Result<Element<'_>, Refusal> {
    let shape = |error: &dyn std::fmt::Display| Refusal::Shape(error.to_string());
    if !envelope.is(SOAP, "Envelope") {
        return Err(Refusal::Shape(format!("{envelope:?} is no SOAP 1.1 envelope")));
    }
    for child in envelope.children() {
        if !child.is(SOAP, "Header") && !child.is(SOAP, "Body") {
            return Err(Refusal::Shape(format!("envelope holds {child:?}")));
        }
    }
    envelope.optional_child(SOAP, "Header").map_err(|error| shape(&error))?;
    let body = envelope.child(SOAP, "Body").map_err(|error| shape(&error))?;
    let mut messages = body.children();
    match (messages.next(), messages.next()) {
        (Some(fault), None) if fault.is(SOAP, "Fault") => Err(Refusal::SoapFault(describe(fault))),
        (Some(message), None) => Ok(message),
        (None, _) => Err(Refusal::Shape("SOAP body is empty".to_owned())),
        (Some(_), Some(_)) => Err(Refusal::Shape("SOAP body holds several messages".to_owned())),
    }
}

fn describe(fault: Element<'_>) -> Foreign {
    let text = |name| fault.optional_child("", name).ok().flatten().and_then(|e| e.text().ok());
    let code = text("faultcode").unwrap_or_default();
    let string = text("faultstring").unwrap_or_default();
    masked(&format!("{} {}", code.trim(), string.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::scan::Limits;
    use crate::xml::tree::Document;

    fn unwrapped(xml: &str) -> Result<String, Refusal> {
        let document = Document::parse(xml.as_bytes(), &Limits::message(10_000)).unwrap();
        unwrap(document.root()).map(|message| message.source().to_owned())
    }

    #[test]
    fn what_is_wrapped_is_unwrapped() {
        assert_eq!(unwrapped(&wrap("<a x=\"1\"/>")).unwrap(), "<a x=\"1\"/>");
        // The header is there, and empty.
        assert!(wrap("<a/>").contains("<soap:Header></soap:Header><soap:Body><a/></soap:Body>"));
    }

    #[test]
    fn refuses_faults_and_bodies_without_exactly_one_message() {
        let fault = "<soap:Fault><faultcode>soap:Server</faultcode>\
                     <faultstring>no</faultstring></soap:Fault>";
        assert_eq!(unwrapped(&wrap(fault)), Err(Refusal::SoapFault("soap:Server no".into())));
        for xml in [wrap(""), wrap("<a/><b/>"), "<a/>".to_owned()] {
            assert!(matches!(unwrapped(&xml), Err(Refusal::Shape(_))), "{xml}");
        }
        let twice = wrap("<a/>").replace("<soap:Body>", "<soap:Body/><soap:Body>");
        assert!(unwrapped(&twice).is_err());
        let two_headers = wrap("<a/>").replace("<soap:Body>", "<soap:Header/><soap:Body>");
        assert!(matches!(unwrapped(&two_headers), Err(Refusal::Shape(_))));
        let no_envelope = wrap("<a/>").replace("soap:Envelope", "soap:Letter");
        assert!(matches!(unwrapped(&no_envelope), Err(Refusal::Shape(_))));
    }
}
