//! The shape of a signature: the node's profile, and nothing else. Looked at before any digest is
//! computed, so it bounds what that costs.

use super::error::Error;
use crate::base::foreign::Foreign;
use crate::xml::algorithms::{
    DIGEST_METHODS, DS, ENVELOPED_SIGNATURE, EXCLUSIVE_C14N, SIGNATURE_METHODS,
};
use crate::xml::tree::Element;

/// Whether a signature may refer to the whole document instead of an ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceStyle {
    /// `URI="#ID"` only. What the node sends.
    ById,
    /// `URI=""` as well, when the element is the document element. Some clients send it.
    ByIdOrWhole,
}

/// Rules 1 to 3: returns the element's own signature when its shape is the profile's.
pub(super) fn check_profile<'d>(
    element: Element<'d>,
    style: ReferenceStyle,
) -> Result<Element<'d>, Error> {
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

/// What is wrong with the signature of an element.
pub(super) fn wrong(element: Element<'_>, what: &dyn std::fmt::Display) -> Error {
    Error::Profile { element: element.name().into(), what: what.to_string() }
}

/// The checks of one signature's shape, each error naming the signed element.
struct Profile<'d> {
    element: Element<'d>,
}

impl<'d> Profile<'d> {
    fn wrong(&self, what: &dyn std::fmt::Display) -> Error {
        wrong(self.element, what)
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
