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
    /// Further attributes.
    pub(super) attributes: &'m [(&'m str, &'m str)],
}

impl Message<'_> {
    /// Writes the message with `inside` after its signature, and signs it.
    ///
    /// It is written canonically ([`Signer::insert`]), and what is inside must be: each namespace but
    /// the two of the message is declared where it is used first, attributes stand in the order of
    /// their names, and no element is closed by its own tag.
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
        // Canonical XML 1.0, 2.2: namespaces first.
        attributes.sort_unstable_by_key(|(name, _)| (!name.starts_with("xmlns:"), *name));
        let (mut writer, mut place) = (Writer::new(), 0);
        writer.element(self.name, &attributes, |w| {
            w.text_element("saml2:Issuer", &[], self.issuer);
            place = w.length();
            inside(w);
        });
        signer.insert(&writer.finish(), place, self.id)
    }
}

/// SAML core 1.3.3: UTC, in the form of `xs:dateTime`; milliseconds, as the node's own are.
#[must_use]
pub fn instant(time: Time) -> String {
    format!("{time:.3}")
}

/// Reads a time of a message, in the one form of `xs:dateTime` (XML Schema part 2, 3.2.7). An
/// offset is understood, a time without a zone is not.
pub(super) fn parse_instant(text: &str) -> Option<Time> {
    let text = text.trim_ascii();
    is_date_time(text.as_bytes()).then(|| text.parse().ok())?
}

/// `2031-03-04T10:20:30`, then a fraction or none, then a zone. The parser behind it takes more:
/// spaces, other letters, names of zones.
fn is_date_time(text: &[u8]) -> bool {
    let Some((seconds, rest)) = text.split_at_checked(19) else { return false };
    let like = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    };
    let is_like =
        |text: &[u8], form: &[u8]| text.len() == form.len() && text.iter().zip(form).all(like);
    let zone = match rest.strip_prefix(b".") {
        None => rest,
        Some(rest) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &rest[digits..]
        }
    };
    is_like(seconds, b"0000-00-00T00:00:00") && (zone == b"Z" || is_offset(zone))
}

/// An offset of a zone: at most fourteen hours.
pub(super) fn is_offset(zone: &[u8]) -> bool {
    match *zone {
        [b'+' | b'-', h1, h2, b':', m1, m2] if [h1, h2, m1, m2].iter().all(u8::is_ascii_digit) => {
            let number = |tens: u8, ones: u8| (tens - b'0') * 10 + (ones - b'0');
            let (hours, minutes) = (number(h1, h2), number(m1, m2));
            minutes < 60 && (hours < 14 || (hours, minutes) == (14, 0))
        }
        _ => false,
    }
}

#[cfg(test)]
pub(super) mod testing {
    use crate::xml::keys::{Certificate, PrivateKey};
    use crate::xml::scan::Limits;
    use crate::xml::signature::{Error, ReferenceStyle, TrustedCertificates, verify};
    use crate::xml::signer::Signer;
    use crate::xml::tree::Document;

    /// Letters that are written in another way in canonical XML than elsewhere.
    pub(in crate::saml) const LETTERS: &str = "Ż'ó\"ł & <ć>\r\n\t]]>";

    pub(in crate::saml) fn signer() -> Signer {
        let pair = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
        let key = PrivateKey::from_der(pair.serialized_der()).unwrap();
        Signer::new(&key, Certificate::from_der(made.der()).unwrap()).unwrap()
    }

    /// Asserts that a message holds as it is signed, and with nothing changed in it.
    pub(in crate::saml) fn assert_holds(text: &str, signer: &Signer) {
        let trusted = TrustedCertificates::pin(vec![signer.certificate().clone()]).unwrap();
        let verified = |text: &str| {
            let document = Document::parse(text.as_bytes(), &Limits::message(100_000)).unwrap();
            verify(&document, &[document.root()], &trusted, ReferenceStyle::ById).map(drop)
        };
        verified(text).unwrap();
        let changed = text.replace("Version=\"2.0\"", "Version=\"2.1\"");
        assert!(matches!(verified(&changed), Err(Error::Digest(_))), "{changed}");
    }
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
            "2031-03-05T00:20:30+14:00",
            "2031-03-03T20:20:30-14:00",
        ] {
            assert_eq!(parse_instant(text), Some(time), "{text}");
        }
        for text in [
            "",
            "2031-03-04",
            "2031-03-04T10:20:30",
            "2031-02-30T10:20:30Z",
            "soon",
            "2031-03-04 10:20:30Z",
            "2031-03-04t10:20:30z",
            "2031-03-04T10:20Z",
            "2031-03-04T10Z",
            "20310304T102030Z",
            "2031-03-04T10:20:30,5Z",
            "2031-03-04T10:20:30.Z",
            "2031-03-04T10:20:30+02",
            "2031-03-04T10:20:30+0200",
            "2031-03-04T10:20:30+15:00",
            "2031-03-04T10:20:30+14:01",
            "2031-03-04T10:20:30+0a:00",
            "2031-03-04T10:20:30+00:0/",
            "2031-03-04T10:20:30+01:60",
            "2031-03-04T11:20:30+01:00[Europe/Warsaw]",
            "2031-03-04T10:20:30Z[UTC]",
            "+002031-03-04T10:20:30Z",
            "-2031-03-04T10:20:30Z",
            "2031-03-04T10:20:3\u{664}Z",
            "2031-W10-2T10:20:30Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
