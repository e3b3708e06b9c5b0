//! The `AuthnRequest` (SAML core 3.4.1) with the eIDAS extensions, as the node wants it.

use super::message::Message;
use super::namespaces::{ATTRIBUTE_NAME_URI, EIDAS, HTTP_ARTIFACT, UNSPECIFIED};
use crate::base::clock::Time;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::xml::signer::{Error, Signer};

/// What sort of organisation asks (`eidas:SPType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKind {
    /// A public body: `public` in `eidas:SPType`.
    Public,
    /// A private entity: `private` in `eidas:SPType`.
    Private,
}

impl ServiceKind {
    /// Returns the value of `eidas:SPType`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

/// What is the same in every request of a service provider.
#[derive(Debug, Clone)]
pub struct Template {
    /// Our identifier, agreed with the operator.
    pub issuer: String,
    /// The text agreed with the operator; since 2025 a wrong one is refused.
    pub provider_name: String,
    /// Public body or private entity.
    pub kind: ServiceKind,
    /// What the attribute `Destination` says; not always where the form is posted.
    pub destination: String,
    /// The address of our assertion consumer service, as registered.
    pub acs: String,
    /// Attributes without which there is no login.
    pub required: Vec<Attribute>,
    /// Attributes that are welcome.
    pub optional: Vec<Attribute>,
    /// Whether the citizen must identify anew even when the node knows them.
    pub force_authn: bool,
}

impl Template {
    /// Writes and signs a request.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn sign(
        &self,
        id: &str,
        issued: Time,
        assurance: Assurance,
        signer: &Signer,
    ) -> Result<String, Error> {
        let message = Message {
            name: "saml2p:AuthnRequest",
            id,
            issued,
            issuer: &self.issuer,
            attributes: &[
                ("Destination", &self.destination),
                ("AssertionConsumerServiceURL", &self.acs),
                ("ProtocolBinding", HTTP_ARTIFACT),
                ("ForceAuthn", if self.force_authn { "true" } else { "false" }),
                ("ProviderName", &self.provider_name),
            ],
        };
        message.sign(signer, |w| {
            w.element("saml2p:Extensions", &[], |w| {
                let eidas = [("xmlns:eidas", EIDAS)];
                w.text_element("eidas:SPType", &eidas, self.kind.name());
                w.element("eidas:RequestedAttributes", &eidas, |w| {
                    let required = self.required.iter().map(|&attribute| (attribute, "true"));
                    let optional = self.optional.iter().map(|&attribute| (attribute, "false"));
                    for (attribute, is_required) in required.chain(optional) {
                        let asked = [
                            ("FriendlyName", attribute.friendly_name()),
                            ("Name", attribute.uri()),
                            ("NameFormat", ATTRIBUTE_NAME_URI),
                            ("isRequired", is_required),
                        ];
                        w.element("eidas:RequestedAttribute", &asked, |_| {});
                    }
                });
            });
            let policy = [("AllowCreate", "true"), ("Format", UNSPECIFIED)];
            w.element("saml2p:NameIDPolicy", &policy, |_| {});
            w.element("saml2p:RequestedAuthnContext", &[("Comparison", "minimum")], |w| {
                w.text_element("saml2:AuthnContextClassRef", &[], assurance.uri());
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::message::testing::{LETTERS, assert_holds, signer};

    #[test]
    fn a_request_says_what_was_asked_for_and_nothing_else() {
        let signer = signer();
        let template = Template {
            issuer: "urn:us".to_owned(),
            provider_name: "Portal".to_owned(),
            kind: ServiceKind::Public,
            destination: "https://node.example/sso".to_owned(),
            acs: "https://portal.example/acs".to_owned(),
            required: vec![Attribute::PersonIdentifier],
            optional: vec![Attribute::GivenName],
            force_authn: false,
        };
        let at: Time = "2031-03-04T10:20:30Z".parse().unwrap();
        let text =
            |template: &Template| template.sign("i1", at, Assurance::Substantial, &signer).unwrap();
        let asked = |attribute: Attribute, is_required: bool| {
            let name = attribute.uri();
            let asked = text(&template);
            let (_, rest) = asked.split_once(&format!("Name=\"{name}\"")).unwrap();
            rest.split_once('>').unwrap().0.contains(&format!("isRequired=\"{is_required}\""))
        };
        assert!(asked(Attribute::PersonIdentifier, true) && asked(Attribute::GivenName, false));
        assert!(!text(&template).contains(Attribute::FamilyName.uri()));
        assert!(text(&template).contains(">public<"));
        assert!(text(&template).contains(Assurance::Substantial.uri()));
        assert!(text(&template).contains("ForceAuthn=\"false\""));
        let other = Template { force_authn: true, kind: ServiceKind::Private, ..template.clone() };
        assert!(text(&other).contains("ForceAuthn=\"true\""));
        assert!(text(&other).contains(">private<"));
        let odd = Template { provider_name: LETTERS.to_owned(), acs: LETTERS.to_owned(), ..other };
        for template in [&template, &odd] {
            assert_holds(&text(template), &signer);
        }
    }
}
