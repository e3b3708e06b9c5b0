//! What every protocol message of ours begins with: namespaces, `ID`, `Issuer`, signature.

use super::namespaces::{SAML2, SAML2P};
use crate::base::clock::Time;
use crate::xml::signer::{self, Signer};
use crate::xml::writer::Writer;

/// The start of a protocol message (SAML core 3.2.1, `RequestAbstractType`).
pub(super) struct Message<'m> {
    pub(super) name: &'m str,
    pub(super) id: &'m str,
    pub(super) issued: Time,
    pub(super) issuer: &'m str,
    /// Further namespaces and attributes, in order.
    pub(super) attributes: &'m [(&'m str, &'m str)],
}

impl Message<'_> {
    /// Writes the message with `inside` after its signature, and signs it.
    pub(super) fn sign(
        &self,
        signer: &Signer,
        inside: impl FnOnce(&mut Writer),
    ) -> Result<String, signer::Error> {
        let issued = instant(self.issued);
        let mut attributes = vec![
            ("xmlns:saml2p", SAML2P),
            ("xmlns:saml2", SAML2),
            ("ID", self.id),
            ("Version", "2.0"),
            ("IssueInstant", issued.as_str()),
        ];
        attributes.extend_from_slice(self.attributes);
        let mut writer = Writer::new();
        writer.element(self.name, &attributes, |w| {
            w.text_element("saml2:Issuer", &[], self.issuer);
            signer.write_template(w, self.id);
            inside(w);
        });
        signer.sign(&writer.finish(), &[self.id])
    }
}

/// SAML core 1.3.3: UTC, in the form of `xs:dateTime`; milliseconds, as the node's own are.
#[must_use]
pub fn instant(time: Time) -> String {
    format!("{time:.3}")
}

/// Reads a time of a message. An offset is understood, a time without a zone is not.
pub(super) fn parse_instant(text: &str) -> Option<Time> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_milliseconds_and_reads_every_form_that_clients_send() {
        let time: Time = "2031-03-04T10:20:30Z".parse().unwrap();
        assert_eq!(instant(time), "2031-03-04T10:20:30.000Z");
        for text in [
            "2031-03-04T10:20:30Z",
            "2031-03-04T10:20:30.000Z",
            "2031-03-04T10:20:30.0000000Z",
            "2031-03-04T12:20:30+02:00",
        ] {
            assert_eq!(parse_instant(text), Some(time), "{text}");
        }
        for text in ["", "2031-03-04", "2031-03-04T10:20:30", "2031-02-30T10:20:30Z", "soon"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
