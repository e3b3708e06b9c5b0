//! The artifact that the browser brings, and the `ArtifactResolve` that spends it
//! (SAML bindings 3.6, SAML core 3.5.1).

use super::message::Message;
use crate::base::clock::Time;
use crate::base::encoding::{from_base64, sha256};
use crate::xml::signer::{Error, Signer};

/// A handle for an answer that waits at the node. Its inside is the node's business; that it is
/// base64 of a plausible length is all that is asked of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Artifact {
    text: String,
    fingerprint: [u8; 32],
}

/// The longest artifact that is taken; the standard's own form (type 0x0004) has 60 characters.
pub const MAXIMUM_LENGTH: usize = 512;

/// What was presented is no artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("artifact is not base64 of 16 to 384 bytes")]
pub struct Malformed;

impl Artifact {
    /// Takes what the browser brought.
    ///
    /// # Errors
    /// When it is empty, too long or not base64.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim();
        if text.len() > MAXIMUM_LENGTH {
            return Err(Malformed);
        }
        match from_base64(text) {
            Some(bytes) if bytes.len() >= 16 => {
                // Of the bytes: white space in the text makes no other artifact.
                Ok(Self { text: text.to_owned(), fingerprint: sha256(&bytes) })
            }
            _ => Err(Malformed),
        }
    }

    /// Returns the artifact as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the digest under which its use is remembered.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Artifact([secret])")
    }
}

/// Writes and signs an `ArtifactResolve`.
///
/// # Errors
/// When the key cannot sign.
pub fn resolve(
    artifact: &Artifact,
    id: &str,
    issued: Time,
    issuer: &str,
    signer: &Signer,
) -> Result<String, Error> {
    let message = Message { name: "saml2p:ArtifactResolve", id, issued, issuer, attributes: &[] };
    message.sign(signer, |w| {
        w.text_element("saml2p:Artifact", &[], artifact.as_str());
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::base64;
    use crate::saml::message::testing::{LETTERS, assert_holds, signer};

    #[test]
    fn takes_the_standard_form_and_refuses_what_is_no_artifact() {
        assert!(Artifact::parse(&base64(&[4; 44])).is_ok());
        let long = base64(&[1; 400]);
        for wrong in ["", "AAQAAA==", "not base64 at all, not at all", "<artifact/>", &long] {
            assert_eq!(Artifact::parse(wrong), Err(Malformed), "{wrong}");
        }
    }

    #[test]
    fn an_artifact_is_as_short_and_as_long_as_it_may_be_and_no_more() {
        for (bytes, is_taken) in [(15, false), (16, true), (384, true), (385, false)] {
            assert_eq!(Artifact::parse(&base64(&vec![4; bytes])).is_ok(), is_taken, "{bytes}");
        }
        // Of base64 alone: spaces around it count for nothing.
        let padded = format!("  {}\n", base64(&[4; 384]));
        assert_eq!(Artifact::parse(&padded).unwrap().as_str(), base64(&[4; 384]));
    }

    #[test]
    fn the_same_bytes_are_the_same_artifact_however_they_are_written() {
        let fingerprint = |text: &str| Artifact::parse(text).unwrap().fingerprint();
        let text = base64(&[4; 44]);
        let (start, end) = text.split_at(20);
        assert_eq!(fingerprint(&format!(" {text}\n")), fingerprint(&text));
        assert_eq!(fingerprint(&text), sha256(&[4; 44]));
        if let Ok(parted) = Artifact::parse(&format!("{start}\n{end}")) {
            assert_eq!(parted.fingerprint(), fingerprint(&text));
        }
        assert_ne!(fingerprint(&base64(&[5; 44])), fingerprint(&text));
    }

    #[test]
    fn a_question_holds_whatever_stands_in_it() {
        let (signer, artifact) = (signer(), Artifact::parse(&base64(&[4; 44])).unwrap());
        for issuer in ["urn:us", LETTERS] {
            let text = resolve(&artifact, "i1", Time::UNIX_EPOCH, issuer, &signer).unwrap();
            assert_holds(&text, &signer);
        }
    }

    #[test]
    fn debug_output_does_not_show_the_artifact() {
        let artifact = Artifact::parse(&base64(&[4; 44])).unwrap();
        assert!(!format!("{artifact:?}").contains("BAQE"));
    }
}
