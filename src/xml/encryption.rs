//! Seals an assertion exactly as the node does: the other half of [`super::decryption`], for the
//! simulator and for tests; and what only the service is to read ([`crate::flow::capture`]).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey};

use super::algorithms::{
    AES128_GCM, AES256_GCM, CONCAT_KDF, ECDH_ES, KW_AES128, KW_AES192, KW_AES256, P256, P384,
    SHA256, TYPE_ELEMENT,
};
use super::key_derivation::{self, Parameters};
use super::key_wrap;
use super::keys::Curve;
use super::writer::Writer;
use crate::base::encoding::{base64, hex_lower};
use crate::base::random;

/// The key wrap algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyWrap {
    /// kw-aes128, with a key of 128 bits.
    Aes128,
    /// kw-aes192, with a key of 192 bits.
    Aes192,
    /// kw-aes256, what the node uses.
    Aes256,
}

/// The content encryption, by declared algorithm and true length of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// aes256-gcm with a key of 256 bits.
    Aes256,
    /// aes128-gcm with a key of 128 bits.
    Aes128,
    /// aes256-gcm is declared but the key has 128 bits, as production was seen to do.
    Aes128DeclaredAs256,
}

/// How to seal, and for whom.
#[derive(Debug, Clone)]
pub struct Envelope<'e> {
    /// The curve of the recipient's key.
    pub curve: Curve,
    /// The recipient's public key, an uncompressed point.
    pub recipient: &'e [u8],
    /// The entity identifier of the node (`PartyUInfo`).
    pub node: &'e str,
    /// The entity identifier of the recipient (`PartyVInfo`).
    pub service: &'e str,
    /// The key wrap algorithm.
    pub key_wrap: KeyWrap,
    /// The content encryption, as declared and as done.
    pub content: Content,
    /// Looks for a shared secret that begins with a zero byte (one in 256 does).
    pub leading_zero: bool,
}

impl<'e> Envelope<'e> {
    /// The node's own choices, for a P-256 key.
    #[must_use]
    pub fn new(recipient: &'e [u8], node: &'e str, service: &'e str) -> Self {
        let curve = if recipient.len() == 97 { Curve::P384 } else { Curve::P256 };
        let key_wrap = KeyWrap::Aes256;
        let content = Content::Aes256;
        Self { curve, recipient, node, service, key_wrap, content, leading_zero: false }
    }
}

/// The recipient's public key is not a point on its curve, or the system has no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("assertion cannot be sealed for this recipient")]
pub struct Error;

/// Writes a whole `saml2:EncryptedAssertion` that holds `plain`.
///
/// The prefixes `saml2`, `ds`, `xenc`, `xenc11` and `dsig11` must be declared around it.
///
/// # Errors
/// When the recipient's key is unusable.
pub fn encrypt(writer: &mut Writer, plain: &[u8], envelope: &Envelope<'_>) -> Result<(), Error> {
    let (wrap_uri, kek_length) = match envelope.key_wrap {
        KeyWrap::Aes128 => (KW_AES128, 16),
        KeyWrap::Aes192 => (KW_AES192, 24),
        KeyWrap::Aes256 => (KW_AES256, 32),
    };
    let (content_uri, content_key) = match envelope.content {
        Content::Aes256 => (AES256_GCM, random::bytes::<32>().to_vec()),
        Content::Aes128 => (AES128_GCM, random::bytes::<16>().to_vec()),
        Content::Aes128DeclaredAs256 => (AES256_GCM, random::bytes::<16>().to_vec()),
    };
    let parameters = Parameters::new(wrap_uri, envelope.node, envelope.service);
    let (ephemeral, kek) = agree(envelope, &parameters, kek_length)?;
    let wrapped = key_wrap::wrap(&kek, &content_key).map_err(|_| Error)?;
    let sealed = seal_content(&content_key, plain)?;

    let curve = match envelope.curve {
        Curve::P256 => P256,
        Curve::P384 => P384,
    };
    let [algorithm_id, party_u, party_v] = parameters.to_hex();
    let id = || format!("_{}", hex_lower(&random::bytes::<16>()));
    let (data_id, key_id) = (id(), id());
    let parameters = [
        ("AlgorithmID", algorithm_id.as_str()),
        ("PartyUInfo", party_u.as_str()),
        ("PartyVInfo", party_v.as_str()),
    ];
    writer.element("saml2:EncryptedAssertion", &[], |w| {
        w.element("xenc:EncryptedData", &[("Id", &data_id), ("Type", TYPE_ELEMENT)], |w| {
            w.element("xenc:EncryptionMethod", &[("Algorithm", content_uri)], |w| {
                w.empty("ds:DigestMethod", &[("Algorithm", SHA256)]);
            });
            w.element("ds:KeyInfo", &[], |w| {
                w.element("xenc:EncryptedKey", &[("Id", &key_id)], |w| {
                    w.empty("xenc:EncryptionMethod", &[("Algorithm", wrap_uri)]);
                    w.element("ds:KeyInfo", &[], |w| {
                        w.element("xenc:AgreementMethod", &[("Algorithm", ECDH_ES)], |w| {
                            write_agreement(w, &parameters, curve, &ephemeral);
                        });
                    });
                    write_cipher_data(w, &wrapped);
                });
            });
            write_cipher_data(w, &sealed);
        });
    });
    Ok(())
}

fn write_agreement(w: &mut Writer, parameters: &[(&str, &str)], curve: &str, ephemeral: &[u8]) {
    w.element("xenc11:KeyDerivationMethod", &[("Algorithm", CONCAT_KDF)], |w| {
        w.element("xenc11:ConcatKDFParams", parameters, |w| {
            w.empty("ds:DigestMethod", &[("Algorithm", SHA256)]);
        });
    });
    w.element("xenc:OriginatorKeyInfo", &[], |w| {
        w.element("ds:KeyValue", &[], |w| {
            w.element("dsig11:ECKeyValue", &[], |w| {
                w.empty("dsig11:NamedCurve", &[("URI", curve)]);
                w.text_element("dsig11:PublicKey", &[], &base64(ephemeral));
            });
        });
    });
}

fn write_cipher_data(w: &mut Writer, bytes: &[u8]) {
    w.element("xenc:CipherData", &[], |w| {
        w.text_element("xenc:CipherValue", &[], &base64(bytes));
    });
}

type Kek = zeroize::Zeroizing<Vec<u8>>;

fn agree(
    envelope: &Envelope<'_>,
    parameters: &Parameters,
    kek_length: usize,
) -> Result<(Vec<u8>, Kek), Error> {
    let algorithm = envelope.curve.agreement();
    loop {
        let private = agreement::PrivateKey::generate(algorithm).map_err(|_| Error)?;
        let public = private.compute_public_key().map_err(|_| Error)?;
        let recipient = UnparsedPublicKey::new(algorithm, envelope.recipient);
        let kek = agreement::agree(&private, recipient, Error, |z| {
            let wanted = !envelope.leading_zero || z.first() == Some(&0);
            let derived = || key_derivation::derive(z, parameters, kek_length).ok_or(Error);
            wanted.then(derived).transpose()
        })?;
        if let Some(kek) = kek {
            return Ok((public.as_ref().to_vec(), kek));
        }
    }
}

fn seal_content(key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(|_| Error)?);
    let nonce = random::bytes::<12>();
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(|_| Error)?;
    Ok([&nonce[..], &sealed].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::from_base64;

    fn key() -> (agreement::PrivateKey, Vec<u8>) {
        let private = agreement::PrivateKey::generate(&agreement::ECDH_P256).unwrap();
        let public = private.compute_public_key().unwrap().as_ref().to_vec();
        (private, public)
    }

    fn sealed(recipient: &[u8], leading_zero: bool) -> String {
        let envelope = Envelope { leading_zero, ..Envelope::new(recipient, "node", "service") };
        let mut writer = Writer::new();
        encrypt(&mut writer, b"<a/>", &envelope).unwrap();
        writer.finish()
    }

    /// What the recipient agrees on, by the ephemeral key that is written.
    fn agreed(private: &agreement::PrivateKey, xml: &str) -> Vec<u8> {
        let (_, rest) = xml.split_once("<dsig11:PublicKey>").unwrap();
        let point = from_base64(rest.split_once('<').unwrap().0).unwrap();
        let ephemeral = UnparsedPublicKey::new(&agreement::ECDH_P256, point);
        agreement::agree(private, ephemeral, (), |z| Ok(z.to_vec())).unwrap()
    }

    #[test]
    fn a_leading_zero_is_looked_for_only_where_it_is_asked_for() {
        let (private, public) = key();
        assert_eq!(agreed(&private, &sealed(&public, true))[0], 0);
        // One in 256 begins so by itself; four in a row do not.
        assert!((0..4).any(|_| agreed(&private, &sealed(&public, false))[0] != 0));
    }

    #[test]
    fn the_method_of_the_content_names_its_digest_as_the_node_does() {
        let method = format!(
            "<xenc:EncryptionMethod Algorithm=\"{AES256_GCM}\"><ds:DigestMethod \
             Algorithm=\"{SHA256}\"/></xenc:EncryptionMethod>"
        );
        assert!(sealed(&key().1, false).contains(&method));
    }
}
