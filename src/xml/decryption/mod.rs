//! Opens an `EncryptedAssertion` of the node: ECDH-ES, ConcatKDF, AES key wrap, AES-GCM.
//!
//! 1. Called only with an element that a verified signature covers: the encryption has no
//!    authenticity of its own.
//! 2. Every algorithm is compared with the allow-list before a key is touched.
//! 3. The parties of the key derivation must be the node and us.
//! 4. Every failure after that is one answer, [`Error::Failed`]: which step failed is not told.
//! 5. The content key may be 16 bytes under a declared aes256-gcm: production did that. The
//!    cipher follows the length of the key; nothing else is bent.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, UnparsedPublicKey};
use zeroize::Zeroizing;

use super::algorithms::{
    AES128_GCM, AES256_GCM, CONCAT_KDF, DS, DSIG11, ECDH_ES, KW_AES128, KW_AES192, KW_AES256, P256,
    P384, SHA256, TYPE_ELEMENT, XENC, XENC11,
};
use super::key_derivation::{self, Parameters};
use super::key_wrap;
use super::keys::{Curve, DecryptionKey};
use super::tree::{self, Element};
use crate::base::encoding::from_base64;
use crate::base::foreign::Foreign;

/// The parties of the key derivation. `None` is not compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parties<'p> {
    /// The node's identifier (`PartyUInfo`).
    pub node: Option<&'p str>,
    /// Our entity identifier (`PartyVInfo`).
    pub service: Option<&'p str>,
}

/// Why the assertion stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The element does not have the shape of the profile.
    #[error("encrypted assertion is not of the node's profile: {0}")]
    Profile(String),
    /// An algorithm is not on the allow-list.
    #[error("encrypted assertion uses {0}, which is not allowed")]
    Algorithm(Foreign),
    /// The key was derived for another recipient, or by another sender.
    #[error("key derivation names another {0} than expected")]
    Party(&'static str),
    /// It could not be opened, for whatever reason.
    #[error("encrypted assertion cannot be opened with any of our keys")]
    Failed,
}

impl From<tree::Error> for Error {
    fn from(error: tree::Error) -> Self {
        Self::Profile(error.to_string())
    }
}

/// What stands in an `EncryptedAssertion`.
#[derive(Debug)]
struct Envelope {
    curve: Curve,
    ephemeral: Vec<u8>,
    wrap: &'static str,
    kek_length: usize,
    parameters: Parameters,
    wrapped_key: Vec<u8>,
    content_key_lengths: &'static [usize],
    ciphertext: Vec<u8>,
}

/// What was opened, and how it had been closed.
#[derive(Debug)]
pub struct Opened {
    /// The plain text.
    pub plain: Zeroizing<Vec<u8>>,
    /// How many bits the key of the content has.
    pub content_key_bits: usize,
    /// The algorithm by which that key was wrapped.
    pub wrap: &'static str,
}

/// Opens the assertion with the first of `keys` that fits.
///
/// # Errors
/// When it is not of the profile, or no key opens it.
pub fn decrypt(
    encrypted: Element<'_>,
    keys: &[DecryptionKey],
    parties: Parties<'_>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    open_encrypted(encrypted, keys, parties).map(|opened| opened.plain)
}

/// Opens the assertion as [`decrypt`] does, and says how it had been closed.
///
/// # Errors
/// When it is not of the profile, or no key opens it.
pub fn open_encrypted(
    encrypted: Element<'_>,
    keys: &[DecryptionKey],
    parties: Parties<'_>,
) -> Result<Opened, Error> {
    let envelope = read(encrypted)?;
    check_parties(&envelope, parties)?;
    keys.iter()
        .filter(|key| key.curve() == envelope.curve)
        .find_map(|key| open(&envelope, key))
        .ok_or(Error::Failed)
}

fn check_parties(envelope: &Envelope, parties: Parties<'_>) -> Result<(), Error> {
    let differs = |found: &[u8], expected: Option<&str>| {
        expected.is_some_and(|expected| found != key_derivation::with_length(expected))
    };
    if envelope.parameters.algorithm_id != key_derivation::with_length(envelope.wrap) {
        return Err(Error::Party("algorithm"));
    }
    if differs(&envelope.parameters.party_u, parties.node) {
        return Err(Error::Party("node"));
    }
    if differs(&envelope.parameters.party_v, parties.service) {
        return Err(Error::Party("service provider"));
    }
    Ok(())
}

fn open(envelope: &Envelope, key: &DecryptionKey) -> Option<Opened> {
    let point = UnparsedPublicKey::new(envelope.curve.agreement(), &envelope.ephemeral);
    let kek = agreement::agree(key.private(), point, (), |z| {
        key_derivation::derive(z, &envelope.parameters, envelope.kek_length).ok_or(())
    })
    .ok()?;
    let content_key = key_wrap::unwrap(&kek, &envelope.wrapped_key).ok()?;
    if !envelope.content_key_lengths.contains(&content_key.len()) {
        return None;
    }
    let plain = open_content(&content_key, &envelope.ciphertext)?;
    Some(Opened { plain, content_key_bits: 8 * content_key.len(), wrap: envelope.wrap })
}

/// XML encryption 1.1 section 5.2.4: a 12-byte nonce, the ciphertext, a 16-byte tag.
fn open_content(key: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        32 => &AES_256_GCM,
        _ => return None,
    };
    let (nonce, sealed) = bytes.split_at_checked(12)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length = key.open_in_place(nonce, Aad::empty(), &mut plain).ok()?.len();
    plain.truncate(length);
    Some(plain)
}

/// Reads the envelope, refusing whatever the profile does not have.
fn read(encrypted: Element<'_>) -> Result<Envelope, Error> {
    let data = only_child(encrypted, XENC, "EncryptedData")?;
    if data.attribute("Type") != Some(TYPE_ELEMENT) {
        return Err(Error::Profile("EncryptedData is not of type Element".to_owned()));
    }
    let content_key_lengths: &[usize] = match algorithm(data.child(XENC, "EncryptionMethod")?)? {
        // Production was seen to deliver a 128-bit key under this name.
        AES256_GCM => &[32, 16],
        AES128_GCM => &[16],
        other => return Err(Error::Algorithm(other.into())),
    };
    let key = only_child(data.child(DS, "KeyInfo")?, XENC, "EncryptedKey")?;
    let (wrap, kek_length) = match algorithm(key.child(XENC, "EncryptionMethod")?)? {
        KW_AES256 => (KW_AES256, 32),
        KW_AES192 => (KW_AES192, 24),
        KW_AES128 => (KW_AES128, 16),
        other => return Err(Error::Algorithm(other.into())),
    };
    let agreement = only_child(key.child(DS, "KeyInfo")?, XENC, "AgreementMethod")?;
    expect_algorithm(agreement, ECDH_ES)?;
    let derivation = agreement.child(XENC11, "KeyDerivationMethod")?;
    expect_algorithm(derivation, CONCAT_KDF)?;
    let concat = only_child(derivation, XENC11, "ConcatKDFParams")?;
    expect_algorithm(concat.child(DS, "DigestMethod")?, SHA256)?;
    for public_or_private in ["SuppPubInfo", "SuppPrivInfo"] {
        if concat.attribute(public_or_private).is_some() {
            return Err(Error::Profile(format!("{public_or_private} is not used by the node")));
        }
    }
    let parameters = Parameters::parse(
        concat.required_attribute("AlgorithmID")?,
        concat.required_attribute("PartyUInfo")?,
        concat.required_attribute("PartyVInfo")?,
    )
    .ok_or_else(|| Error::Profile("ConcatKDF parameters are not hexadecimal".to_owned()))?;

    let originator = agreement.child(XENC, "OriginatorKeyInfo")?;
    let value = only_child(originator, DS, "KeyValue")?;
    let point = only_child(value, DSIG11, "ECKeyValue")?;
    let curve = match point.child(DSIG11, "NamedCurve")?.required_attribute("URI")? {
        P256 => Curve::P256,
        P384 => Curve::P384,
        other => return Err(Error::Algorithm(other.into())),
    };
    let ephemeral = octets(point.child(DSIG11, "PublicKey")?)?;
    // Uncompressed points only (SEC 1 section 2.3.3); the agreement checks that it is on the curve.
    if ephemeral.len() != 1 + 2 * curve.coordinate_length() || ephemeral.first() != Some(&4) {
        return Err(Error::Profile("PublicKey is not an uncompressed point".to_owned()));
    }
    Ok(Envelope {
        curve,
        ephemeral,
        wrap,
        kek_length,
        parameters,
        wrapped_key: cipher_value(key)?,
        content_key_lengths,
        ciphertext: cipher_value(data)?,
    })
}

fn only_child<'d>(
    parent: Element<'d>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Element<'d>, Error> {
    let child = parent.child(namespace, name)?;
    match parent.children().count() {
        1 => Ok(child),
        _ => Err(Error::Profile(format!("{} holds more than its {name}", parent.name()))),
    }
}

fn algorithm(element: Element<'_>) -> Result<&str, Error> {
    Ok(element.required_attribute("Algorithm")?)
}

fn expect_algorithm(element: Element<'_>, expected: &str) -> Result<(), Error> {
    match algorithm(element)? {
        found if found == expected => Ok(()),
        other => Err(Error::Algorithm(other.into())),
    }
}

/// `CipherReference` would fetch the bytes from elsewhere; only `CipherValue` is read.
fn cipher_value(parent: Element<'_>) -> Result<Vec<u8>, Error> {
    let data = parent.child(XENC, "CipherData")?;
    octets(only_child(data, XENC, "CipherValue")?)
}

fn octets(element: Element<'_>) -> Result<Vec<u8>, Error> {
    from_base64(&element.text()?)
        .ok_or_else(|| Error::Profile(format!("{} is not base64", element.name())))
}

#[cfg(test)]
mod tests;
