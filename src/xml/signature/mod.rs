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
//! canonicalisation writes is bounded for every tree ([`super::canonical`]), and a second signature
//! is looked at only when the first one holds: who cannot sign has one layer digested, once.
//! [`Verified`] is the proof, and [`verify`] its only maker.

mod named;

use std::collections::HashSet;

use bergshamra_dsig::{DsigContext, VerifyResult};
use bergshamra_keys::KeysManager;

use super::algorithms::{
    DIGEST_METHODS, DS, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, SIGNATURE_METHODS,
};
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
    /// Returns the element.
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

/// Whether a signature may refer to the whole document instead of an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceStyle {
    /// `URI="#ID"` only. What the node sends.
    ById,
    /// `URI=""` as well, when the element is the document element. Some clients send it.
    ByIdOrWhole,
}

/// Why a signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no signature as a direct child.
    #[error("element {0} has no signature of its own")]
    Missing(Foreign),
    /// The document has signatures that belong to no element that we read.
    #[error("message has {found} signatures, expected {expected}")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Two elements have the same ID.
    #[error("identifier \"{0}\" occurs more than once")]
    DuplicateId(Foreign),
    /// The signature's shape is not of the profile.
    #[error("signature of {element}: {what}")]
    Profile {
        /// The element that is signed.
        element: Foreign,
        /// What is wrong.
        what: String,
    },
    /// The reference does not name the element.
    #[error("signature of {element} refers to \"{uri}\", not to its element")]
    Reference {
        /// The element that is signed.
        element: Foreign,
        /// What it refers to.
        uri: Foreign,
    },
    /// An algorithm is not on the allow-list.
    #[error("signature of {element} uses {algorithm}, which is not allowed")]
    Algorithm {
        /// The element that is signed.
        element: Foreign,
        /// The algorithm.
        algorithm: Foreign,
    },
    /// A transform is not one of the two.
    #[error("signature of {element} has the transform {transform}, which is not allowed")]
    Transform {
        /// The element that is signed.
        element: Foreign,
        /// The transform.
        transform: Foreign,
    },
    /// What is signed was changed after it was signed.
    #[error("digest of {0} does not match: it was changed after it was signed")]
    Digest(Foreign),
    /// None of the pinned certificates made the signature.
    #[error(
        "signature of {element} was not made by a pinned certificate: it names {named}; pinned \
         {pinned}"
    )]
    Value {
        /// The element that is signed.
        element: Foreign,
        /// The certificate in its `KeyInfo`, which is not believed.
        named: String,
        /// The pinned ones.
        pinned: String,
    },
}

impl Error {
    /// Tells whether the error is about the element of that name.
    #[must_use]
    pub fn concerns(&self, name: &str) -> bool {
        match self {
            Self::Missing(element)
            | Self::Digest(element)
            | Self::Value { element, .. }
            | Self::Profile { element, .. }
            | Self::Reference { element, .. }
            | Self::Algorithm { element, .. }
            | Self::Transform { element, .. } => element.as_str() == name,
            Self::Count { .. } | Self::DuplicateId(_) => false,
        }
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
/// first one or all of them; so when there are more, the first is verified twice.
fn results(
    document: &Document<'_>,
    trusted: &TrustedCertificates,
    count: usize,
) -> Result<Vec<VerifyResult>, Error> {
    let (context, source) = (&trusted.context, Some(document.text()));
    let first =
        bergshamra_dsig::verify::verify_document_with_source(context, document.inner(), source)
            .unwrap_or_else(|error| VerifyResult::Invalid { reason: error.to_string() });
    if count == 1 || !first.is_valid() {
        return Ok(vec![first]);
    }
    bergshamra_dsig::verify::verify_all_document_with_source(context, document.inner(), source)
        .map_err(|error| Error::Profile {
            element: document.root().name().into(),
            what: Foreign::new(&error.to_string()).to_string(),
        })
}

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
                check_value_length(signature, certificate)
                    .map_err(|what| Profile { element }.wrong(&what))?;
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

/// Rules 1 to 3: returns the element's own signature when its shape is the profile's.
fn check_profile<'d>(element: Element<'d>, style: ReferenceStyle) -> Result<Element<'d>, Error> {
    let profile = Profile { element };
    let signature = match element.optional_child(DS, "Signature") {
        Ok(Some(signature)) => signature,
        Ok(None) => return Err(Error::Missing(element.name().into())),
        Err(error) => return Err(profile.wrong(&error)),
    };
    profile.only(signature, &["SignedInfo", "SignatureValue", "KeyInfo"])?;
    profile.attributes(signature, &["Id"])?;
    let info = profile.one(signature, "SignedInfo")?;
    profile.only(info, &["CanonicalizationMethod", "SignatureMethod", "Reference"])?;
    profile.attributes(info, &["Id"])?;

    let canonicalization = profile.one(info, "CanonicalizationMethod")?;
    let algorithm = profile.algorithm(canonicalization)?;
    if algorithm != EXCLUSIVE_C14N {
        return Err(profile.refuse_algorithm(algorithm));
    }
    profile.inclusive_namespaces(canonicalization)?;
    let method = profile.one(info, "SignatureMethod")?;
    let algorithm = profile.algorithm(method)?;
    if !SIGNATURE_METHODS.contains(&algorithm) {
        return Err(profile.refuse_algorithm(algorithm));
    }
    profile.only(method, &[])?;

    let reference = profile.one(info, "Reference")?;
    profile.attributes(reference, &["URI", "Id"])?;
    profile.only(reference, &["Transforms", "DigestMethod", "DigestValue"])?;
    profile.refers_to_element(reference, style)?;
    profile.transforms(profile.one(reference, "Transforms")?)?;
    let digest = profile.one(reference, "DigestMethod")?;
    let algorithm = profile.algorithm(digest)?;
    if !DIGEST_METHODS.contains(&algorithm) {
        return Err(profile.refuse_algorithm(algorithm));
    }
    profile.only(digest, &[])?;
    profile.text(profile.one(reference, "DigestValue")?)?;
    profile.text(profile.one(signature, "SignatureValue")?)?;
    profile.key_info(signature)?;
    Ok(signature)
}

/// The checks of one signature's shape, each error naming the signed element.
struct Profile<'d> {
    element: Element<'d>,
}

impl<'d> Profile<'d> {
    fn wrong(&self, what: &dyn std::fmt::Display) -> Error {
        Error::Profile { element: self.element.name().into(), what: what.to_string() }
    }

    fn refuse_algorithm(&self, algorithm: &str) -> Error {
        let element = self.element.name().into();
        Error::Algorithm { element, algorithm: algorithm.into() }
    }

    fn one(&self, parent: Element<'d>, name: &'static str) -> Result<Element<'d>, Error> {
        parent.child(DS, name).map_err(|error| self.wrong(&error))
    }

    fn text(&self, element: Element<'d>) -> Result<(), Error> {
        element.text().map(|_| ()).map_err(|error| self.wrong(&error))
    }

    fn only(&self, parent: Element<'d>, names: &[&str]) -> Result<(), Error> {
        let known = |child: &Element<'_>| child.namespace() == DS && names.contains(&child.name());
        match parent.children().find(|child| !known(child)) {
            Some(child) => Err(self.wrong(&format!("{child:?} is not allowed"))),
            None => Ok(()),
        }
    }

    fn attributes(&self, element: Element<'d>, names: &[&str]) -> Result<(), Error> {
        let unknown = |(namespace, name, _): &(&str, &str, &str)| {
            !namespace.is_empty() || !names.contains(name)
        };
        match element.attributes().find(unknown) {
            Some((_, name, _)) => {
                Err(self.wrong(&format!("attribute {} is not allowed", Foreign::new(name))))
            }
            None => Ok(()),
        }
    }

    fn algorithm(&self, element: Element<'d>) -> Result<&'d str, Error> {
        self.attributes(element, &["Algorithm"])?;
        element.required_attribute("Algorithm").map_err(|error| self.wrong(&error))
    }

    fn refers_to_element(
        &self,
        reference: Element<'d>,
        style: ReferenceStyle,
    ) -> Result<(), Error> {
        let uri = reference.required_attribute("URI").map_err(|error| self.wrong(&error))?;
        let by_id = uri
            .strip_prefix('#')
            .is_some_and(|id| !id.is_empty() && self.element.attribute("ID") == Some(id));
        let whole = style == ReferenceStyle::ByIdOrWhole
            && uri.is_empty()
            && self.element == self.element.document().root();
        if by_id || whole {
            Ok(())
        } else {
            let element = self.element.name().into();
            Err(Error::Reference { element, uri: uri.into() })
        }
    }

    fn transforms(&self, transforms: Element<'d>) -> Result<(), Error> {
        self.attributes(transforms, &[])?;
        let mut expected = [ENVELOPED_SIGNATURE, EXCLUSIVE_C14N].iter();
        for transform in transforms.children() {
            let algorithm = self.algorithm(transform)?;
            if !transform.is(DS, "Transform") || expected.next() != Some(&algorithm) {
                return Err(Error::Transform {
                    element: self.element.name().into(),
                    transform: algorithm.into(),
                });
            }
            if algorithm == EXCLUSIVE_C14N {
                self.inclusive_namespaces(transform)?;
            } else {
                self.only(transform, &[])?;
            }
        }
        if expected.next().is_some() {
            return Err(self.wrong(&"a transform of the profile is missing"));
        }
        Ok(())
    }

    /// Exclusive canonicalisation section 3: the one parameter there is.
    fn inclusive_namespaces(&self, parent: Element<'d>) -> Result<(), Error> {
        for (index, child) in parent.children().enumerate() {
            if index > 0 || !child.is(EXCLUSIVE_C14N, "InclusiveNamespaces") {
                return Err(self.wrong(&format!("{child:?} is not allowed")));
            }
            self.attributes(child, &["PrefixList"])?;
            // Each prefix is looked for at each element, so their number multiplies the cost.
            if child.attribute("PrefixList").is_some_and(is_too_long) {
                return Err(self.wrong(&"PrefixList is too long"));
            }
            if child.children().next().is_some() {
                return Err(self.wrong(&"InclusiveNamespaces must be empty"));
            }
        }
        Ok(())
    }

    /// `KeyInfo` is never a source of keys; only its harmless form is let through to the library.
    fn key_info(&self, signature: Element<'d>) -> Result<(), Error> {
        let info = signature.optional_child(DS, "KeyInfo").map_err(|error| self.wrong(&error))?;
        let Some(info) = info else { return Ok(()) };
        self.attributes(info, &["Id"])?;
        self.only(info, &["X509Data", "KeyName", "KeyValue"])
    }
}

/// The longest `PrefixList`; the node's own has 23 characters.
const MAXIMUM_PREFIX_LIST: usize = 256;
/// The most prefixes in it; the node's own has 4.
const MAXIMUM_PREFIXES: usize = 32;

fn is_too_long(list: &str) -> bool {
    list.len() > MAXIMUM_PREFIX_LIST || list.split_whitespace().count() > MAXIMUM_PREFIXES
}

#[cfg(test)]
mod tests;
