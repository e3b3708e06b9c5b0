//! Makes the enveloped signatures of the node's profile (`Reference URI="#ID"`, one line).
//!
//! A message that is written canonically ([`Signer::insert`]) is digested as it stands. Any other one
//! ([`Signer::sign`]) is parsed for it, which takes longer than to sign it.

use aws_lc_rs::digest::{self, digest};
use bergshamra_dsig::DsigContext;
use bergshamra_keys::KeysManager;
use uppsala::{Document, NodeId};

use super::algorithms::{
    DS, ECDSA_SHA256, ECDSA_SHA384, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, RSA_SHA256, SHA256, SHA384,
};
use super::keys::{self, Certificate, KeyKind, PrivateKey};
use super::signing_key::SigningKey;
use super::tree;
use super::writer::Writer;
use crate::base::encoding::base64;

/// The prefixes that the node lists in its own signatures, and so do we.
pub const PREFIX_LIST: &str = "ds saml2 saml2p xenc";

/// A signing key with its certificate.
pub struct Signer {
    context: DsigContext,
    key: SigningKey,
    method: &'static str,
    digest: &'static str,
    certificate: Certificate,
    certificate_text: String,
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
    /// The key could not sign.
    #[error("private key did not sign")]
    Key,
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
        let certificate_text = base64(certificate.der());
        let key = SigningKey::try_from(key)?;
        let context = DsigContext::new(KeysManager::new()).with_hsm_signer(Box::new(key.clone()));
        Ok(Self { context, key, method, digest, certificate, certificate_text })
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
                    // Base64 has nothing that is escaped.
                    w.element("ds:X509Certificate", &[], |w| {
                        w.raw(&self.certificate_text);
                    });
                });
            });
        });
    }

    /// Signs an element that is the whole of `text`, by its `ID`, and puts the signature at the byte
    /// `place` of it.
    ///
    /// The text must be the exclusive canonical form of the element, with the prefixes of
    /// [`PREFIX_LIST`]: so the first transform, which takes the signature away, leaves the text, and
    /// the second changes nothing (Exclusive XML Canonicalization 1.0, 3).
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn insert(&self, text: &str, place: usize, id: &str) -> Result<String, Error> {
        let (before, after) = text.split_at(place);
        let algorithm = if self.digest == SHA384 { &digest::SHA384 } else { &digest::SHA256 };
        let info = self.info(id, &base64(digest(algorithm, text.as_bytes()).as_ref()));
        // In the message the prefix is declared around it; by itself it declares its own.
        let canonical = format!("<ds:SignedInfo xmlns:ds=\"{DS}\">{info}");
        let value = self.key.value(canonical.as_bytes()).map_err(|_| Error::Key)?;
        let (value, certificate) = (base64(&value), &self.certificate_text);
        Ok(format!(
            "{before}<ds:Signature xmlns:ds=\"{DS}\"><ds:SignedInfo>{info}\
             <ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
             <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
             </ds:Signature>{after}"
        ))
    }

    /// Writes `SignedInfo` behind its first tag, canonically.
    fn info(&self, id: &str, digest: &str) -> String {
        let mut writer = Writer::new();
        let algorithm = |w: &mut Writer, name, uri| {
            w.element(name, &[("Algorithm", uri)], |_| {});
        };
        algorithm(&mut writer, "ds:CanonicalizationMethod", EXCLUSIVE_C14N);
        algorithm(&mut writer, "ds:SignatureMethod", self.method);
        writer.element("ds:Reference", &[("URI", &format!("#{id}"))], |w| {
            w.element("ds:Transforms", &[], |w| {
                algorithm(w, "ds:Transform", ENVELOPED_SIGNATURE);
                w.element("ds:Transform", &[("Algorithm", EXCLUSIVE_C14N)], |w| {
                    let prefixes = [("xmlns", EXCLUSIVE_C14N), ("PrefixList", PREFIX_LIST)];
                    w.element("InclusiveNamespaces", &prefixes, |_| {});
                });
            });
            algorithm(w, "ds:DigestMethod", self.digest);
            w.text_element("ds:DigestValue", &[], digest);
        });
        writer.raw("</ds:SignedInfo>");
        writer.finish()
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
            let signature =
                find_template(&document, id).ok_or_else(|| Error::NoTemplate((*id).to_owned()))?;
            bergshamra_dsig::sign::sign_document_node(&self.context, &mut document, signature)
                .map_err(Error::Sign)?;
        }
        Ok(document.to_xml())
    }
}

/// Finds the signature directly below the element with that `ID`.
fn find_template(document: &Document<'_>, id: &str) -> Option<NodeId> {
    let has_id = |&node: &NodeId| document.get_attribute(node, "ID") == Some(id);
    let element = document.descendants(document.root()).into_iter().find(has_id)?;
    let is_signature = |&node: &NodeId| {
        document.element(node).is_some_and(|element| element.matches_name_ns(DS, "Signature"))
    };
    document.children_iter(element).find(is_signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::scan::Limits;

    fn signer() -> Signer {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
        let key = PrivateKey::from_der(key.serialized_der()).unwrap();
        Signer::new(&key, Certificate::from_der(certificate.der()).unwrap()).unwrap()
    }

    #[test]
    fn the_template_directly_below_the_element_is_filled_in_and_no_other() {
        let signer = signer();
        let mut writer = Writer::new();
        writer.element("a", &[("ID", "a1")], |w| {
            w.element("b", &[("ID", "b1")], |w| signer.write_template(w, "b1"));
            w.element("c", &[("ID", "c1")], |w| signer.write_template(w, "c1"));
        });
        let template = writer.finish();
        let signed = signer.sign(&template, &["c1"]).unwrap();
        let document = tree::Document::parse(signed.as_bytes(), &Limits::message(10_000)).unwrap();
        let values = document.elements().filter(|element| element.is(DS, "SignatureValue"));
        let empty: Vec<bool> = values.map(|value| value.text().unwrap().is_empty()).collect();
        assert_eq!(empty, [true, false], "{signed}");
        for id in ["a1", "d1"] {
            let refused = signer.sign(&template, &[id]);
            assert!(matches!(refused, Err(Error::NoTemplate(ref of)) if of == id), "{refused:?}");
        }
        assert!(matches!(signer.sign("<a", &["a1"]), Err(Error::Template(_))));
    }

    #[test]
    fn a_key_signs_under_its_own_certificate_only() {
        let other = PrivateKey::generate_p256();
        let refused = Signer::new(&other, signer().certificate().clone());
        assert!(matches!(refused, Err(keys::Error::Mismatch(_))));
    }
}
