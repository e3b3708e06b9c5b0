//! Makes the enveloped signatures of the node's profile (`Reference URI="#ID"`, one line).

use bergshamra_dsig::DsigContext;
use bergshamra_keys::KeysManager;

use super::algorithms::{
    DS, ECDSA_SHA256, ECDSA_SHA384, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, RSA_SHA256, SHA256, SHA384,
};
use super::keys::{self, Certificate, KeyKind, PrivateKey};
use super::scan::Limits;
use super::tree;
use super::writer::Writer;
use crate::base::encoding::base64;

/// The prefixes that the node lists in its own signatures, and so do we.
pub const PREFIX_LIST: &str = "ds saml2 saml2p xenc";

/// A signing key with its certificate.
pub struct Signer {
    context: DsigContext,
    method: &'static str,
    digest: &'static str,
    certificate: Certificate,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({}, [secret])", self.certificate.subject())
    }
}

/// Why a message could not be signed. All of these are our own fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template is not XML.
    #[error("template cannot be read")]
    Template(#[from] tree::Error),
    /// There is no signature to fill in for an ID.
    #[error("template has no signature for \"{0}\"")]
    NoTemplate(String),
    /// The library could not sign.
    #[error("signature cannot be made")]
    Sign(#[source] bergshamra_core::Error),
}

impl Signer {
    /// Takes a key and its certificate.
    ///
    /// # Errors
    /// When they are not a pair, or the key cannot sign.
    pub fn new(key: &PrivateKey, certificate: Certificate) -> Result<Self, keys::Error> {
        if !keys::is_pair(key, &certificate) {
            return Err(keys::Error::Mismatch(certificate.subject().to_owned()));
        }
        let (method, digest) = match key.kind() {
            KeyKind::P256 => (ECDSA_SHA256, SHA256),
            KeyKind::P384 => (ECDSA_SHA384, SHA384),
            KeyKind::Rsa => (RSA_SHA256, SHA256),
        };
        let mut manager = KeysManager::new();
        manager.add_key(key.signing_key()?);
        Ok(Self { context: DsigContext::new(manager), method, digest, certificate })
    }

    /// Returns the certificate that is sent along.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Writes the empty signature of the element with that `ID`, for [`Self::sign`] to fill in.
    pub fn write_template(&self, writer: &mut Writer, id: &str) {
        let reference = format!("#{id}");
        writer.element("ds:Signature", &[("xmlns:ds", DS)], |w| {
            w.element("ds:SignedInfo", &[], |w| {
                w.empty("ds:CanonicalizationMethod", &[("Algorithm", EXCLUSIVE_C14N)]);
                w.empty("ds:SignatureMethod", &[("Algorithm", self.method)]);
                w.element("ds:Reference", &[("URI", &reference)], |w| {
                    w.element("ds:Transforms", &[], |w| {
                        w.empty("ds:Transform", &[("Algorithm", ENVELOPED_SIGNATURE)]);
                        w.element("ds:Transform", &[("Algorithm", EXCLUSIVE_C14N)], |w| {
                            w.empty(
                                "InclusiveNamespaces",
                                &[("xmlns", EXCLUSIVE_C14N), ("PrefixList", PREFIX_LIST)],
                            );
                        });
                    });
                    w.empty("ds:DigestMethod", &[("Algorithm", self.digest)]);
                    w.text_element("ds:DigestValue", &[], "");
                });
            });
            w.text_element("ds:SignatureValue", &[], "");
            w.element("ds:KeyInfo", &[], |w| {
                w.element("ds:X509Data", &[], |w| {
                    w.text_element("ds:X509Certificate", &[], &base64(self.certificate.der()));
                });
            });
        });
    }

    /// Fills in the templates of the elements with these IDs, in this order: inner ones first,
    /// because an outer digest covers the inner signature.
    ///
    /// # Errors
    /// When the template is broken: a mistake of ours.
    pub fn sign(&self, template: &str, ids: &[&str]) -> Result<String, Error> {
        let mut document = uppsala::parse(template)
            .map_err(|error| tree::Error::Malformed(error.to_string().as_str().into()))?;
        for id in ids {
            let signature = find_template(template, id)?;
            bergshamra_dsig::sign::sign_document_node(&self.context, &mut document, signature)
                .map_err(Error::Sign)?;
        }
        Ok(document.to_xml())
    }
}

/// The node numbers of a text are the same each time it is parsed.
fn find_template(template: &str, id: &str) -> Result<uppsala::NodeId, Error> {
    let limits = Limits { elements: 10_000, ..Limits::message(1 << 20) };
    let document = tree::Document::parse(template.as_bytes(), &limits)?;
    let element = document.elements().find(|element| element.attribute("ID") == Some(id));
    element
        .and_then(|element| element.children_named(DS, "Signature").next())
        .map(tree::Element::id)
        .ok_or_else(|| Error::NoTemplate(id.to_owned()))
}
