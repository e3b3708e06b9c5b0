//! Writes the assertion that is sealed: it parses on its own, so it declares its prefixes again.

use super::claims::Claims;
use super::message::PREFIXES;
use crate::saml::message::instant;
use crate::saml::namespaces::{ATTRIBUTE_NAME_URI, BEARER, UNSPECIFIED, XSI};
use crate::xml::writer::Writer;

/// The prefixes that a message declares and an assertion does not.
const NOT_IN_ASSERTIONS: [&str; 2] = ["xmlns:alg", "xmlns:mdattr"];

impl Claims {
    /// Writes the assertion, on one line and without an XML declaration.
    pub(super) fn write(&self) -> String {
        let issued = instant(self.issued);
        let mut attributes: Vec<(&str, &str)> = PREFIXES
            .into_iter()
            .filter(|(prefix, _)| !NOT_IN_ASSERTIONS.contains(prefix))
            .collect();
        attributes.extend([("ID", &*self.id), ("IssueInstant", &issued), ("Version", "2.0")]);
        let mut writer = Writer::new();
        writer.element("saml2:Assertion", &attributes, |w| {
            w.text_element("saml2:Issuer", &[], &self.issuer);
            self.write_subject(w);
            self.write_conditions(w);
            self.write_authn_statement(w);
            self.write_attributes(w);
        });
        writer.finish()
    }

    fn write_subject(&self, w: &mut Writer) {
        let (not_before, not_on_or_after) = self.confirmation;
        let not_before = not_before.map(instant);
        let not_on_or_after = instant(not_on_or_after);
        let mut data = vec![("InResponseTo", &*self.in_response_to)];
        data.extend(not_before.as_deref().map(|time| ("NotBefore", time)));
        data.extend([("NotOnOrAfter", &*not_on_or_after), ("Recipient", &self.recipient)]);
        w.element("saml2:Subject", &[], |w| {
            w.text_element("saml2:NameID", &[("Format", UNSPECIFIED)], &self.name_id);
            w.element("saml2:SubjectConfirmation", &[("Method", BEARER)], |w| {
                w.text_element("saml2:SubjectConfirmationData", &data, "");
            });
        });
    }

    fn write_conditions(&self, w: &mut Writer) {
        let (not_before, not_on_or_after) = self.conditions;
        let times = [instant(not_before), instant(not_on_or_after)];
        let times = [("NotBefore", &*times[0]), ("NotOnOrAfter", &*times[1])];
        w.element("saml2:Conditions", &times, |w| {
            w.element("saml2:AudienceRestriction", &[], |w| {
                w.text_element("saml2:Audience", &[], &self.audience);
            });
            if self.unknown_condition {
                w.empty(
                    "saml2:Condition",
                    &[
                        ("xmlns:xsi", XSI),
                        ("xmlns:u", "urn:brama:symulator"),
                        ("xsi:type", "u:TylkoWPelnie"),
                    ],
                );
            }
        });
    }

    fn write_authn_statement(&self, w: &mut Writer) {
        let authn_instant = instant(self.authn_instant);
        let session_end = self.session_end.map(instant);
        let mut attributes =
            vec![("AuthnInstant", &*authn_instant), ("SessionIndex", &self.session_index)];
        attributes.extend(session_end.as_deref().map(|end| ("SessionNotOnOrAfter", end)));
        w.element("saml2:AuthnStatement", &attributes, |w| {
            w.element("saml2:AuthnContext", &[], |w| {
                w.text_element("saml2:AuthnContextClassRef", &[], &self.assurance);
                w.text_element("saml2:AuthenticatingAuthority", &[], &self.authority);
            });
        });
    }

    fn write_attributes(&self, w: &mut Writer) {
        w.element("saml2:AttributeStatement", &[], |w| {
            for (attribute, value, comment) in &self.attributes {
                let names = [
                    ("FriendlyName", attribute.friendly_name()),
                    ("Name", attribute.uri()),
                    ("NameFormat", ATTRIBUTE_NAME_URI),
                ];
                let kind = [("xmlns:xsi", XSI), ("xsi:type", attribute.type_name())];
                w.element("saml2:Attribute", &names, |w| {
                    if *comment {
                        // Digits only, so nothing needs escaping.
                        let (start, end) = value.split_at(value.len() / 2);
                        w.element("saml2:AttributeValue", &kind, |w| {
                            w.raw(&format!("{start}<!-- -->{end}"));
                        });
                    } else {
                        w.text_element("saml2:AttributeValue", &kind, value);
                    }
                });
            }
        });
    }
}
