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
    /// Further namespaces and attributes, in order.
    pub(super) attributes: &'m [(&'m str, &'m str)],
}

impl Message<'_> {
    /// Writes the message with `inside` after its signature, and signs it.
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
        let mut writer = Writer::new();
        writer.element(self.name, &attributes, |w| {
            w.text_element("saml2:Issuer", &[], self.issuer);
            signer.write_template(w, self.id);
            inside(w);
        });
        signer.sign(&writer.finish(), &[self.id])
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
