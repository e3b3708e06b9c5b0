//! The certificates of a signature that is not trusted, for people to compare.
//!
//! What a message names is told and never believed: a message can have any certificate in it.

use super::super::keys::Certificate;
use super::super::tree::Element;
use super::DS;
use crate::base::encoding::from_base64;
use crate::base::foreign::Foreign;

/// The longest certificate that is looked at, in characters of base64.
const MAXIMUM_CERTIFICATE: usize = 16 * 1024;
/// How many pinned certificates are told of.
const MAXIMUM_PINNED: usize = 4;

/// The certificate that the message names first.
pub(super) fn by_message(signature: Element<'_>) -> String {
    let found = signature
        .children_named(DS, "KeyInfo")
        .next()
        .and_then(|info| info.children_named(DS, "X509Data").next())
        .and_then(|data| data.children_named(DS, "X509Certificate").next());
    let Some(found) = found else { return "no certificate".to_owned() };
    let text = found.text().unwrap_or_default();
    if text.len() > MAXIMUM_CERTIFICATE {
        return "a certificate that is too long to be one".to_owned();
    }
    let certificate = from_base64(&text).and_then(|der| Certificate::from_der(&der).ok());
    match certificate {
        Some(certificate) => told(&certificate),
        None => "a certificate that cannot be read".to_owned(),
    }
}

/// Names the pinned certificates, for the message; a few of them, and how many more there are.
pub(super) fn pinned(certificates: &[Certificate]) -> String {
    let mut all: Vec<String> = certificates.iter().take(MAXIMUM_PINNED).map(told).collect();
    if let Some(more @ 1..) = certificates.len().checked_sub(MAXIMUM_PINNED) {
        all.push(format!("{more} more"));
    }
    if all.is_empty() { "is none".to_owned() } else { format!("is {}", all.join(", ")) }
}

fn told(certificate: &Certificate) -> String {
    let subject = Foreign::new(certificate.subject());
    format!("SHA-256 {} ({subject})", certificate.fingerprint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::scan::Limits;
    use crate::xml::tree::Document;

    fn named(certificate: &str) -> String {
        let xml =
            format!("<s xmlns='{DS}'><KeyInfo><X509Data>{certificate}</X509Data></KeyInfo></s>");
        let document = Document::parse(xml.as_bytes(), &Limits::message(1 << 20)).unwrap();
        by_message(document.root())
    }

    #[test]
    fn what_is_no_certificate_is_told_as_such() {
        let longest = "A".repeat(MAXIMUM_CERTIFICATE);
        for (given, told) in [
            ("", "no certificate"),
            ("<X509Certificate>AAAA</X509Certificate>", "a certificate that cannot be read"),
            ("<X509Certificate><a/></X509Certificate>", "a certificate that cannot be read"),
            (
                &format!("<X509Certificate>{longest}</X509Certificate>"),
                "a certificate that cannot be read",
            ),
            (
                &format!("<X509Certificate>{longest}A</X509Certificate>"),
                "a certificate that is too long to be one",
            ),
        ] {
            assert_eq!(named(given), told);
        }
        assert_eq!(pinned(&[]), "is none");
    }

    #[test]
    fn a_few_pinned_certificates_are_told_and_how_many_more_there_are() {
        let made = rcgen::generate_simple_self_signed(["node.example".to_owned()]).unwrap();
        let certificate = Certificate::from_der(made.cert.der()).unwrap();
        let one = told(&certificate);
        let all = |count| pinned(&vec![certificate.clone(); count]);
        assert_eq!(all(1), format!("is {one}"));
        assert_eq!(
            all(MAXIMUM_PINNED),
            format!("is {}", [one.as_str(); MAXIMUM_PINNED].join(", "))
        );
        assert_eq!(all(MAXIMUM_PINNED + 2), format!("{}, 2 more", all(MAXIMUM_PINNED)));
        let text = crate::base::encoding::base64(made.cert.der());
        assert_eq!(named(&format!("<X509Certificate>{text}</X509Certificate>")), one);
    }
}
