//! Verifies enveloped XML signatures of exactly the node's profile.
//!
//! 1. The signature is a direct child of the element that is to be read.
//! 2. It has exactly one `Reference`; its URI is `#` and the element's own `ID`.
//! 3. Transforms are enveloped-signature, then exclusive canonicalisation (with or without a
//!    `PrefixList`); algorithms are on the allow-list of [`super::algorithms`].
//! 4. There is no other signature in the document, and no ID twice.
//! 5. The key is one of the pinned certificates; `KeyInfo` is not believed.
//! 6. The library must name the very element that we asked about as the one it digested.
//!
//! All of 1 to 4 is checked before any digest is computed, so it bounds the cost as well. What
//! canonicalisation writes is bounded for every tree (`canonical`), and in a long message a second
//! signature is looked at only when the first one holds: a sender that cannot sign has one layer
//! digested, once. [`Verified`] is the proof, and [`verify`] its only maker.

mod error;
mod named;
mod profile;

pub use self::error::Error;
pub use self::profile::ReferenceStyle;

use std::collections::HashSet;

use bergshamra_dsig::{DsigContext, VerifyResult};
use bergshamra_keys::KeysManager;

use self::profile::{check_profile, wrong};
use super::algorithms::DS;
use super::keys::{self, Certificate};
use super::tree::{Document, Element};
use crate::base::encoding::from_base64;
use crate::base::foreign::Foreign;

/// An element whose signature was checked against the pinned certificates.
/// Only [`verify`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Verified<'d> {
    element: Element<'d>,
    certificate: &'d Certificate,
}

impl<'d> Verified<'d> {
    /// Returns the element that the signature covers.
    #[must_use]
    pub fn element(self) -> Element<'d> {
        self.element
    }

    /// Returns the pinned certificate that signed it.
    #[must_use]
    pub fn certificate(self) -> &'d Certificate {
        self.certificate
    }
}

/// The certificates that may have signed: a list, so that one can follow another.
pub struct TrustedCertificates {
    context: DsigContext,
    certificates: Vec<Certificate>,
}

impl std::fmt::Debug for TrustedCertificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subjects = self.certificates.iter().map(Certificate::subject);
        f.debug_list().entries(subjects).finish()
    }
}

impl TrustedCertificates {
    /// Pins certificates. Dates in them are not looked at here: the pin is the trust.
    ///
    /// # Errors
    /// When the public key of one is of no kind that can verify.
    pub fn pin(certificates: Vec<Certificate>) -> Result<Self, keys::Error> {
        let mut manager = KeysManager::new();
        for certificate in &certificates {
            manager.add_key(certificate.trusted_key()?);
        }
        Ok(Self { context: DsigContext::new(manager), certificates })
    }

    /// Finds the pinned certificate that the library says it used.
    fn named(&self, chain: &[Vec<u8>]) -> Option<&Certificate> {
        let used = chain.first()?;
        self.certificates.iter().find(|certificate| certificate.der() == used)
    }

    /// Returns the pinned certificates.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

/// Verifies the signature of each of `elements`, which are all the signed elements there may be.
///
/// # Errors
/// When any rule of the module is broken for any of them.
pub fn verify<'d>(
    document: &'d Document<'d>,
    elements: &[Element<'d>],
    trusted: &'d TrustedCertificates,
    style: ReferenceStyle,
) -> Result<Vec<Verified<'d>>, Error> {
    // Before any digest: the shape, and that nothing else is signed or doubly named.
    check_ids(document)?;
    let signatures: Vec<Element<'d>> =
        elements.iter().map(|&element| check_profile(element, style)).collect::<Result<_, _>>()?;
    let found = document.elements().filter(|element| element.is(DS, "Signature")).count();
    if found != signatures.len() {
        return Err(Error::Count { found, expected: signatures.len() });
    }

    // The results come in document order, as the signatures do: outer elements first.
    let mut verified = Vec::with_capacity(elements.len());
    for (result, (signature, element)) in
        results(document, trusted, signatures.len())?.iter().zip(signatures.iter().zip(elements))
    {
        verified.push(proof(result, *signature, *element, trusted)?);
    }
    if verified.len() != elements.len() {
        return Err(Error::Count { found: verified.len(), expected: elements.len() });
    }
    Ok(verified)
}

/// What the library says of each signature, up to the first that does not hold. It verifies the
/// first one or all of them. So in a long message that has more, the first is verified twice; a
/// short one has all digested at once, which costs less than that and little in any case.
fn results(
    document: &Document<'_>,
    trusted: &TrustedCertificates,
    count: usize,
) -> Result<Vec<VerifyResult>, Error> {
    let (context, source) = (&trusted.context, Some(document.text()));
    let all = || {
        bergshamra_dsig::verify::verify_all_document_with_source(context, document.inner(), source)
            .map_err(|error| Error::Profile {
                element: document.root().name().into(),
                what: Foreign::new(&error.to_string()).to_string(),
            })
    };
    if document.text().len() <= SHORT {
        let mut results = all()?;
        // A later one is not looked at when an earlier one does not hold.
        let valid = results.iter().take_while(|result| result.is_valid()).count();
        results.truncate(valid + 1);
        return Ok(results);
    }
    let first =
        bergshamra_dsig::verify::verify_document_with_source(context, document.inner(), source)
            .unwrap_or_else(|error| VerifyResult::Invalid { reason: error.to_string() });
    if count == 1 || !first.is_valid() {
        return Ok(vec![first]);
    }
    all()
}

/// The bytes of a message all of whose signatures are verified at once; answers of the node have
/// some 12,000.
const SHORT: usize = 32 * 1024;

fn proof<'d>(
    result: &VerifyResult,
    signature: Element<'d>,
    element: Element<'d>,
    trusted: &'d TrustedCertificates,
) -> Result<Verified<'d>, Error> {
    let name = || Foreign::new(element.name());
    let not_trusted = || Error::Value {
        element: name(),
        named: named::by_message(signature),
        pinned: named::pinned(trusted.certificates()),
    };
    match result {
        VerifyResult::Valid { signature_node, references, key_info } => match references.as_slice()
        {
            [only]
                if *signature_node == signature.id()
                    && only.digest_verified
                    && only.resolved_node.map_or_else(
                        // URI="" names the document node; the profile check made sure that
                        // the element is the document element then.
                        || only.uri.is_empty() && element == element.document().root(),
                        |node| node == element.id() || is_document_node(element, node),
                    ) =>
            {
                let certificate = trusted.named(&key_info.x509_chain).ok_or_else(not_trusted)?;
                check_value_length(signature, certificate).map_err(|what| wrong(element, &what))?;
                Ok(Verified { element, certificate })
            }
            _ => Err(Error::Reference {
                element: name(),
                uri: references.first().map_or("", |reference| reference.uri.as_str()).into(),
            }),
        },
        VerifyResult::Invalid { reason } if reason.starts_with("Reference digest failed") => {
            Err(Error::Digest(name()))
        }
        VerifyResult::Invalid { .. } => Err(not_trusted()),
    }
}

/// RFC 6931, 2.3.6: an ECDSA value is `r` and `s`, each as long as the order of the curve, and
/// nothing else. The library takes DER as well.
fn check_value_length(signature: Element<'_>, certificate: &Certificate) -> Result<(), String> {
    let Some(expected) = certificate.ecdsa_value_length() else { return Ok(()) };
    let value = signature.child(DS, "SignatureValue").and_then(Element::text);
    let length = value.ok().and_then(|value| from_base64(&value)).map_or(0, |value| value.len());
    if length == expected {
        Ok(())
    } else {
        Err(format!("SignatureValue has {length} bytes, r and s have {expected}"))
    }
}

fn is_document_node(element: Element<'_>, node: uppsala::NodeId) -> bool {
    let document = element.document();
    element == document.root() && node == document.inner().root()
}

/// No ID twice, in whatever namespace or spelling it is declared.
fn check_ids(document: &Document<'_>) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for element in document.elements() {
        for (_, name, value) in element.attributes() {
            let is_id = name.eq_ignore_ascii_case("id") || name == "AssertionID";
            if is_id && !seen.insert(value) {
                return Err(Error::DuplicateId(value.into()));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
