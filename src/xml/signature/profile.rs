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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::algorithms::{ECDSA_SHA256, SHA256};
    use crate::xml::scan::Limits;
    use crate::xml::tree::Document;

    fn shape() -> String {
        format!(
            "<p:Outer xmlns:p='urn:p' xmlns:d='{DS}' xmlns:e='urn:e' xmlns:c='{EXCLUSIVE_C14N}' \
             ID='o'><d:Signature><d:SignedInfo>\
             <d:CanonicalizationMethod Algorithm='{EXCLUSIVE_C14N}'></d:CanonicalizationMethod>\
             <d:SignatureMethod Algorithm='{ECDSA_SHA256}'></d:SignatureMethod>\
             <d:Reference URI='#o'><d:Transforms>\
             <d:Transform Algorithm='{ENVELOPED_SIGNATURE}'></d:Transform>\
             <d:Transform Algorithm='{EXCLUSIVE_C14N}'></d:Transform></d:Transforms>\
             <d:DigestMethod Algorithm='{SHA256}'></d:DigestMethod>\
             <d:DigestValue>AA==</d:DigestValue></d:Reference></d:SignedInfo>\
             <d:SignatureValue>AA==</d:SignatureValue><d:KeyInfo></d:KeyInfo></d:Signature>\
             </p:Outer>"
        )
    }

    /// What is said of the shape with one thing changed.
    fn said(from: &str, to: &str) -> &'static str {
        let xml = shape();
        let changed = xml.replacen(from, to, 1);
        assert!(from == to || changed != xml, "{from}");
        said_of(&changed)
    }

    fn said_of(changed: &str) -> &'static str {
        let document = Document::parse(changed.as_bytes(), &Limits::message(10_000)).unwrap();
        match check_profile(document.root(), ReferenceStyle::ById) {
            Ok(_) => "holds",
            Err(Error::Profile { .. }) => "shape",
            Err(Error::Algorithm { .. }) => "algorithm",
            Err(Error::Transform { .. }) => "transform",
            Err(Error::Reference { .. }) => "reference",
            Err(other) => panic!("{other}"),
        }
    }

    const LIST: &str = "<c:InclusiveNamespaces PrefixList='p e'/>";

    #[test]
    fn the_shape_of_the_profile_holds_with_all_that_it_may_have() {
        assert_eq!(said("", ""), "holds");
        for (from, to) in [
            ("<d:Signature>", "<d:Signature Id='s'>"),
            ("<d:SignedInfo>", "<d:SignedInfo Id='s'>"),
            ("URI='#o'", "URI='#o' Id='r'"),
            ("</d:CanonicalizationMethod>", &format!("{LIST}</d:CanonicalizationMethod>")),
            ("</d:Transform></d:Transforms>", &format!("{LIST}</d:Transform></d:Transforms>")),
            ("<d:KeyInfo>", "<d:KeyInfo Id='k'><d:KeyName>k</d:KeyName><d:X509Data/>"),
            ("<d:KeyInfo></d:KeyInfo>", ""),
        ] {
            assert_eq!(said(from, to), "holds", "{to}");
        }
    }

    #[test]
    fn whatever_is_there_besides_is_refused() {
        let extra = "<d:Extra/>";
        for place in [
            "<d:Signature>",
            "<d:SignedInfo>",
            "</d:CanonicalizationMethod>",
            "</d:SignatureMethod>",
            "</d:Reference>",
            "</d:Transform><d:Transform",
            "</d:Transform></d:Transforms>",
            "</d:DigestMethod>",
            "</d:DigestValue>",
            "</d:SignatureValue>",
            "</d:KeyInfo>",
        ] {
            let to = match place.strip_prefix("</") {
                Some(_) => format!("{extra}{place}"),
                None => format!("{place}{extra}"),
            };
            assert_eq!(said(place, &to), "shape", "{place}");
        }
        // What another namespace calls so, and what the other transform may have.
        let foreign = "<e:KeyName>k</e:KeyName></d:KeyInfo>";
        assert_eq!(said("</d:KeyInfo>", foreign), "shape");
        let listed = format!("{LIST}</d:Transform><d:Transform");
        assert_eq!(said("</d:Transform><d:Transform", &listed), "shape");
        for element in [
            "<d:Signature",
            "<d:SignedInfo",
            "<d:CanonicalizationMethod",
            "<d:SignatureMethod",
            "<d:Reference",
            "<d:Transforms",
            "<d:Transform ",
            "<d:DigestMethod",
            "<d:KeyInfo",
        ] {
            for attribute in [" Other='1' ", " e:Id='1' ", " e:Algorithm='1' "] {
                let to = format!("{}{attribute}", element.trim_end());
                assert_eq!(said(element, &to), "shape", "{to}");
            }
        }
    }

    #[test]
    fn whatever_is_missing_or_another_is_refused() {
        let hmac = "http://www.w3.org/2000/09/xmldsig#hmac-sha1";
        let method = |name: &str, algorithm: &str| format!("<d:{name} Algorithm='{algorithm}'");
        let canonicalization = method("CanonicalizationMethod", EXCLUSIVE_C14N);
        let last = format!("<d:Transform Algorithm='{EXCLUSIVE_C14N}'></d:Transform>");
        let first = format!("<d:Transform Algorithm='{ENVELOPED_SIGNATURE}'></d:Transform>");
        for (from, to, expected) in [
            (canonicalization, method("CanonicalizationMethod", hmac), "algorithm"),
            (method("SignatureMethod", ECDSA_SHA256), method("SignatureMethod", hmac), "algorithm"),
            (method("DigestMethod", SHA256), method("DigestMethod", hmac), "algorithm"),
            (first.clone(), String::new(), "transform"),
            (last.clone(), String::new(), "shape"),
            (last.clone(), last.repeat(2), "transform"),
            (first.clone() + &last, last.clone() + &first, "transform"),
            (last.clone(), last.replace("d:Transform", "e:Transform"), "transform"),
            (" Algorithm".to_owned(), " Rule".to_owned(), "shape"),
            ("URI='#o'".to_owned(), "URI='#i'".to_owned(), "reference"),
            ("URI='#o'".to_owned(), "URI='#'".to_owned(), "reference"),
            ("URI='#o'".to_owned(), "URI=''".to_owned(), "reference"),
            ("URI='#o'".to_owned(), String::new(), "shape"),
        ] {
            assert_eq!(said(&from, &to), expected, "{to}");
        }
        let unnamed = shape().replace("ID='o'", "ID=''").replace("URI='#o'", "URI='#'");
        assert_eq!(said_of(&unnamed), "reference");
    }

    #[test]
    fn the_one_parameter_of_a_canonicalization_is_a_short_list() {
        let long = "p".repeat(MAXIMUM_PREFIX_LIST);
        for (inside, expected) in [
            (LIST.to_owned(), "holds"),
            (LIST.repeat(2), "shape"),
            (LIST.replace("c:", "e:"), "shape"),
            (LIST.replace("PrefixList", "Other"), "shape"),
            (LIST.replace("/>", ">x<d:Y/></c:InclusiveNamespaces>"), "shape"),
            (LIST.replace("p e", &long), "holds"),
            (LIST.replace("p e", &format!("{long}p")), "shape"),
            (LIST.replace("p e", &"p ".repeat(MAXIMUM_PREFIXES)), "holds"),
            (LIST.replace("p e", &"p ".repeat(MAXIMUM_PREFIXES + 1)), "shape"),
        ] {
            for end in ["</d:CanonicalizationMethod>", "</d:Transform></d:Transforms>"] {
                assert_eq!(said(end, &format!("{inside}{end}")), expected, "{inside}");
            }
        }
    }
}
