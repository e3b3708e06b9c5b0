//! Certificates and private keys, from the forms in which the operator hands them over: PEM
//! (PKCS #8, SEC 1, PKCS #1), DER and PKCS #12.

use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::oid_registry::OID_KEY_TYPE_EC_PUBLIC_KEY;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};

use crate::base::clock::{Time, at_second};
use crate::base::encoding::sha256;
use crate::base::secret::Secret;

/// Why a certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no certificate in the file.
    #[error("holds no certificate in PEM or DER form")]
    NoCertificate,
    /// The certificate cannot be read.
    #[error("certificate cannot be read: {0}")]
    BadCertificate(String),
    /// There is no private key in the file.
    #[error("holds no unencrypted private key (PEM: PKCS #8, SEC 1 or PKCS #1)")]
    NoPrivateKey,
    /// The private key is of a kind that we do not use.
    #[error("private key is neither EC P-256, EC P-384 nor RSA of at least 2048 bits")]
    UnknownPrivateKey,
    /// The key cannot take part in a key agreement.
    #[error("decryption needs an EC key on P-256 or P-384")]
    NotForAgreement,
    /// The certificate is not of this private key.
    #[error("private key does not belong to the certificate ({0})")]
    Mismatch(String),
    /// The PKCS #12 file cannot be opened.
    #[error("PKCS #12 file cannot be opened: {0}")]
    Pkcs12(String),
    /// The PKCS #12 file has not exactly one key.
    #[error("PKCS #12 file holds {0} private keys, expected one")]
    Pkcs12Keys(usize),
    /// The signature library refused the key.
    #[error("key cannot be used for signatures: {0}")]
    Signature(#[source] bergshamra_core::Error),
}

/// An X.509 certificate. It is pinned or shown, never used to build a chain.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    not_before: Time,
    not_after: Time,
    public_key: Vec<u8>,
    ecdsa_value_length: Option<usize>,
}

impl Certificate {
    /// Reads the first certificate of a PEM file, or a DER file.
    ///
    /// # Errors
    /// When there is none or it is broken.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let der = match CertificateDer::pem_slice_iter(bytes).next() {
            Some(Ok(der)) => der.as_ref().to_vec(),
            Some(Err(error)) => return Err(Error::BadCertificate(error.to_string())),
            None if bytes.first() == Some(&0x30) => bytes.to_vec(),
            None => return Err(Error::NoCertificate),
        };
        Self::from_der(&der)
    }

    /// Reads every certificate of a PEM file, or the one of a DER file.
    ///
    /// # Errors
    /// When there is none or one is broken.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, Error> {
        let all: Vec<Self> = CertificateDer::pem_slice_iter(bytes)
            .map(|der| {
                let der = der.map_err(|error| Error::BadCertificate(error.to_string()))?;
                Self::from_der(&der)
            })
            .collect::<Result<_, _>>()?;
        if all.is_empty() { Ok(vec![Self::parse(bytes)?]) } else { Ok(all) }
    }

    /// Reads a DER certificate.
    ///
    /// # Errors
    /// When it is broken.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let bad = |error: &dyn std::fmt::Display| Error::BadCertificate(error.to_string());
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| bad(&error))?;
        if !rest.is_empty() {
            return Err(bad(&"bytes after the end"));
        }
        Ok(Self {
            subject: parsed.subject().to_string(),
            not_before: at_second(parsed.validity().not_before.timestamp()),
            not_after: at_second(parsed.validity().not_after.timestamp()),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
            ecdsa_value_length: ecdsa_value_length(parsed.public_key()),
            der: der.to_vec(),
        })
    }

    /// Returns the DER form.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns the subject, for people to read.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let bytes = sha256(&self.der).map(|byte| format!("{byte:02X}"));
        bytes.join(":")
    }

    /// Returns the first moment of validity.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.not_before
    }

    /// Returns the last moment of validity.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.not_after
    }

    /// Returns the bits of the public key: an EC point or an RSA public key (PKCS #1).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Returns how long the value of a signature is (RFC 6931, 2.3.6), when the key is one of a
    /// curve.
    pub(super) fn ecdsa_value_length(&self) -> Option<usize> {
        self.ecdsa_value_length
    }

    pub(super) fn trusted_key(&self) -> Result<bergshamra_keys::Key, Error> {
        bergshamra_keys::loader::load_x509_cert_der(&self.der).map_err(Error::Signature)
    }
}

/// SEC 1, 2.3.3: a point is a byte and two coordinates, or a byte and one when it is compressed.
/// On the curves that there are, the order is as long as a coordinate.
fn ecdsa_value_length(key: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    if key.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
        return None;
    }
    let point = &key.subject_public_key.data;
    match point.first()? {
        4 => Some(point.len() - 1),
        _ => Some(2 * (point.len() - 1)),
    }
}

/// The kinds of key pair that we sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// ECDSA on the curve P-256.
    P256,
    /// ECDSA on the curve P-384.
    P384,
    /// RSA of at least 2048 bits.
    Rsa,
}

/// A private key whose kind is known.
#[derive(Clone)]
pub struct PrivateKey {
    kind: KeyKind,
    pkcs8: Secret<Vec<u8>>,
    public_key: Vec<u8>,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({:?}, [secret])", self.kind)
    }
}

impl PrivateKey {
    /// Reads the first private key of a PEM file, or a DER file.
    ///
    /// # Errors
    /// When there is none, or it is of a kind that we do not use.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        match PrivateKeyDer::from_pem_slice(bytes) {
            Ok(der) => Self::from_der(der.secret_der()),
            Err(_) if bytes.first() == Some(&0x30) => Self::from_der(bytes),
            Err(_) => Err(Error::NoPrivateKey),
        }
    }

    /// Reads a DER key: PKCS #8, SEC 1 or PKCS #1.
    ///
    /// # Errors
    /// When it is of a kind that we do not use.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        for (kind, algorithm) in [
            (KeyKind::P256, &ECDSA_P256_SHA256_FIXED_SIGNING),
            (KeyKind::P384, &ECDSA_P384_SHA384_FIXED_SIGNING),
        ] {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, der) {
                let pkcs8 = pair.to_pkcs8v1().map_err(|_| Error::UnknownPrivateKey)?;
                let public_key = pair.public_key().as_ref().to_vec();
                return Ok(Self { kind, pkcs8: Secret::new(pkcs8.as_ref().to_vec()), public_key });
            }
        }
        let pair = rsa::KeyPair::from_pkcs8(der)
            .or_else(|_| rsa::KeyPair::from_der(der))
            .map_err(|_| Error::UnknownPrivateKey)?;
        if pair.public_modulus_len() < 256 {
            return Err(Error::UnknownPrivateKey);
        }
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::UnknownPrivateKey)?;
        Ok(Self {
            kind: KeyKind::Rsa,
            public_key: pair.public_key().as_ref().to_vec(),
            pkcs8: Secret::new(pkcs8.as_ref().to_vec()),
        })
    }

    /// Makes a new EC key.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    #[must_use]
    pub fn generate_p256() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .expect("the operating system gives random bytes");
        let pkcs8 = pair.to_pkcs8v1().expect("a fresh key can be written");
        Self::from_der(pkcs8.as_ref()).expect("a fresh key can be read")
    }

    /// Opens a PKCS #12 file and returns its one key with its certificate.
    ///
    /// # Errors
    /// When the password is wrong or there is not exactly one key.
    pub fn from_pkcs12(bytes: &[u8], password: &str) -> Result<(Self, Certificate), Error> {
        let (der, certificates) = open_pkcs12(bytes, password)?;
        let key = Self::from_der(der.expose())?;
        let certificate = certificates
            .into_iter()
            .filter_map(|certificate| Certificate::from_der(&certificate).ok())
            .find(|certificate| certificate.public_key() == key.public_key())
            .ok_or(Error::NoCertificate)?;
        Ok((key, certificate))
    }

    /// Returns the kind of key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the public key: an uncompressed EC point or an RSA public key (PKCS #1).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Returns the private key in PKCS #8 form.
    #[must_use]
    pub fn pkcs8(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// Returns the private key as PEM (PKCS #8).
    #[must_use]
    pub fn pem(&self) -> Secret<String> {
        Secret::new(pem("PRIVATE KEY", self.pkcs8.expose()))
    }
}

/// Opens a PKCS #12 file and returns its one private key in PKCS #8 form, whatever its kind.
///
/// # Errors
/// When the password is wrong or there is not exactly one key.
pub fn pkcs12_key(bytes: &[u8], password: &str) -> Result<Secret<Vec<u8>>, Error> {
    open_pkcs12(bytes, password).map(|(key, _)| key)
}

/// The private key of a PKCS #12 file, and the certificates beside it, in DER.
type InPkcs12 = (Secret<Vec<u8>>, Vec<Vec<u8>>);

/// Returns the one private key of a PKCS #12 file, and its certificates.
fn open_pkcs12(bytes: &[u8], password: &str) -> Result<InPkcs12, Error> {
    use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy};
    // Relaxed: tools differ in whether they link the key to its certificate by an attribute.
    let store = KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Relaxed)
        .map_err(|error| Error::Pkcs12(error.to_string()))?;
    let (mut chains, mut certificates) = (Vec::new(), Vec::new());
    for (_, entry) in store.entries() {
        match entry {
            KeyStoreEntry::PrivateKeyChain(chain) => {
                certificates.extend(chain.certs().iter().map(|one| one.as_der().to_vec()));
                chains.push(chain);
            }
            KeyStoreEntry::Certificate(certificate) => {
                certificates.push(certificate.as_der().to_vec());
            }
            _ => {}
        }
    }
    let [chain] = chains.as_slice() else {
        return Err(Error::Pkcs12Keys(chains.len()));
    };
    Ok((Secret::new(chain.key().as_der().to_vec()), certificates))
}

/// A private key that opens what was encrypted to its certificate.
pub struct DecryptionKey {
    curve: Curve,
    private: agreement::PrivateKey,
}

/// The curves of key agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// P-256, what the node uses.
    P256,
    /// P-384, which is taken as well.
    P384,
}

impl Curve {
    /// Returns the algorithm of key agreement.
    #[must_use]
    pub fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &agreement::ECDH_P256,
            Self::P384 => &agreement::ECDH_P384,
        }
    }

    /// Returns the length of a coordinate in bytes.
    #[must_use]
    pub fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DecryptionKey({:?}, [secret])", self.curve)
    }
}

impl TryFrom<&PrivateKey> for DecryptionKey {
    type Error = Error;

    fn try_from(key: &PrivateKey) -> Result<Self, Error> {
        let curve = match key.kind {
            KeyKind::P256 => Curve::P256,
            KeyKind::P384 => Curve::P384,
            KeyKind::Rsa => return Err(Error::NotForAgreement),
        };
        let private =
            agreement::PrivateKey::from_private_key_der(curve.agreement(), key.pkcs8.expose())
                .map_err(|_| Error::NotForAgreement)?;
        Ok(Self { curve, private })
    }
}

impl DecryptionKey {
    /// Returns the curve of the key, which an ephemeral key must be on.
    #[must_use]
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// Returns the public key, an uncompressed point, to which others encrypt; `None` when it cannot
    /// be computed.
    #[must_use]
    pub fn public_point(&self) -> Option<Vec<u8>> {
        self.private.compute_public_key().ok().map(|point| point.as_ref().to_vec())
    }

    pub(super) fn private(&self) -> &agreement::PrivateKey {
        &self.private
    }
}

/// Writes PEM (RFC 7468).
#[must_use]
pub fn pem(label: &str, der: &[u8]) -> String {
    let encoded = crate::base::encoding::base64(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Tells whether the certificate is of this private key.
#[must_use]
pub fn is_pair(key: &PrivateKey, certificate: &Certificate) -> bool {
    key.public_key() == certificate.public_key()
}

#[cfg(test)]
mod tests {
    use x509_parser::asn1_rs::BitString;
    use x509_parser::x509::AlgorithmIdentifier;

    use super::*;

    fn pair() -> (PrivateKey, Certificate) {
        let pair = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&pair).unwrap();
        let key = PrivateKey::from_der(pair.serialized_der()).unwrap();
        (key, Certificate::from_der(made.der()).unwrap())
    }

    #[test]
    fn a_certificate_is_read_as_pem_and_as_der_and_nothing_else_is_one() {
        let [(key, one), (_, other)] = [pair(), pair()];
        let text = |certificate: &Certificate| pem("CERTIFICATE", certificate.der());
        assert_eq!(Certificate::parse(one.der()).unwrap().der(), one.der());
        let both = text(&one) + &text(&other);
        assert_eq!(Certificate::parse(both.as_bytes()).unwrap().der(), one.der());
        let all = |bytes: &[u8]| {
            Certificate::parse_all(bytes)
                .map(|all| all.iter().map(|c| c.der().to_vec()).collect::<Vec<_>>())
        };
        let ders: Vec<Vec<u8>> = all(both.as_bytes()).unwrap();
        assert_eq!(ders, [one.der(), other.der()]);
        assert_eq!(all(one.der()).unwrap(), [one.der()]);
        for bytes in [&b""[..], b"x", pem("PRIVATE KEY", key.pkcs8().expose()).as_bytes()] {
            assert!(matches!(Certificate::parse(bytes), Err(Error::NoCertificate)));
            assert!(matches!(Certificate::parse_all(bytes), Err(Error::NoCertificate)));
        }
        let longer = [one.der(), b"x"].concat();
        for bytes in [&b"0"[..], &one.der()[..40], &longer[..]] {
            assert!(matches!(Certificate::parse(bytes), Err(Error::BadCertificate(_))));
        }
    }

    #[test]
    fn a_private_key_is_read_as_pem_and_as_der_and_nothing_else_is_one() {
        let (key, certificate) = pair();
        let der = key.pkcs8().expose().clone();
        for bytes in [der.clone(), pem("PRIVATE KEY", &der).into_bytes()] {
            let read = PrivateKey::parse(&bytes).unwrap();
            assert!(is_pair(&read, &certificate));
            assert_eq!(read.kind(), KeyKind::P256);
        }
        assert!(!is_pair(&PrivateKey::generate_p256(), &certificate));
        for bytes in [&b""[..], b"x", pem("CERTIFICATE", certificate.der()).as_bytes()] {
            assert!(matches!(PrivateKey::parse(bytes), Err(Error::NoPrivateKey)));
        }
        for bytes in [&b"0"[..], &der[..40], certificate.der()] {
            assert!(matches!(PrivateKey::parse(bytes), Err(Error::UnknownPrivateKey)));
        }
    }

    #[test]
    fn a_fingerprint_is_written_as_openssl_does() {
        let (_, certificate) = pair();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.der());
        let pairs: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(certificate.fingerprint(), pairs.join(":"));
        assert_eq!(certificate.fingerprint().len(), 95);
    }

    #[test]
    fn a_certificate_of_pkcs12_belongs_to_the_key_whether_it_says_so_or_not() {
        use p12_keystore::{Certificate as InStore, KeyStore, KeyStoreEntry, PrivateKeyChain};
        let (key, certificate) = pair();
        let (_, stranger) = pair();
        let in_store = |certificate: &Certificate| InStore::from_der(certificate.der()).unwrap();
        let written = |in_chain: &[&Certificate], beside: &[&Certificate]| {
            let der = p12_keystore::PrivateKey::from_der(key.pkcs8().expose()).unwrap();
            let chain = in_chain.iter().map(|one| in_store(one));
            let chain = PrivateKeyChain::new(vec![1], der, chain);
            let mut store = KeyStore::new();
            store.add_entry("key", KeyStoreEntry::PrivateKeyChain(chain));
            for (number, one) in beside.iter().enumerate() {
                store.add_entry(&number.to_string(), KeyStoreEntry::Certificate(in_store(one)));
            }
            store.writer("secret").write().unwrap()
        };
        for (in_chain, beside) in
            [(&[&certificate][..], &[][..]), (&[], &[&stranger, &certificate])]
        {
            let bytes = written(in_chain, beside);
            let (read, found) = PrivateKey::from_pkcs12(&bytes, "secret").unwrap();
            assert_eq!(read.pkcs8().expose(), key.pkcs8().expose());
            assert_eq!(found.der(), certificate.der());
            assert!(matches!(PrivateKey::from_pkcs12(&bytes, "other"), Err(Error::Pkcs12(_))));
        }
        let bytes = written(&[], &[&stranger]);
        assert!(matches!(PrivateKey::from_pkcs12(&bytes, "secret"), Err(Error::NoCertificate)));
    }

    /// A key of RSA of 1024 bits.
    const SHORT_RSA: &str = "\
        MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBALJzFffd59hGlo7espP0furRKr+nOVDi\
        PRSBxwJeC9JJgosXtwwmdApCYzC2a6u+ufy+heHrd9jJZpOVPX1wgvQ0sH1JUq8BIVEF/AOzm/drzQEJ\
        eezBAKSxkZRVI38ltYJyhX1Gkkc4y7yipZNGm6bPseq/I3plEahRbY8CpNJPAgMBAAECgYAVsBECb/DG\
        g0W3FW/EtZlbNpKoek1n/CcKP/+M1RtAsnhwKTCxBFdkC898Ux9g3yxBgHJLE9AcA9Y4p5GyliMEEQ/a\
        rBxHVHc2/xazOwPLp5kT9WeB6SLVY6EbToKNnklhsGkYcu7UsxcqnmpVSf4kUyXlQlFCie7JxWh33sXq\
        MQJBANqYmCWlBQsHkVLPt1HRYPKcJv0NpoVjfF10e3FL4zfZnBc+7jvu4qs1DCUEMqX3JnjTKvSJyqOB\
        S5gyFUnI8GkCQQDQ++i9gUN5Hs/r0IbSot9jR46pzPF1Fuvjq3tyCWxFDnUyNPNBTOoJG/xjX3+qNOYe\
        jXwQdRU//p0w+wZMIlX3AkAktO0PnTdMk9e+XSz+azdpZflSEwG8cmlG1DGKY+Di1wLUEHg2zjV35G+G\
        o77RicAHGAali6HgdOy5wOc8PabJAkAgwVsZWMlakpnEPErleOHKjcyukJDH6W/Pn3EZzqBJsppr5CC8\
        e3GzO8+zQ6Se6OuonkRzz+YkwaOhqbay+C7BAkEAjUEtGPxJgssoPNdby5enEklMDrasHQhJiA6t9TpI\
        +sRJaSP/wtvSyEraDG+YEr3GEF855FchD0ab8/cY0Hmd/g==";

    #[test]
    fn a_short_key_of_rsa_is_none() {
        let der = crate::base::encoding::from_base64(SHORT_RSA).unwrap();
        assert!(matches!(PrivateKey::from_der(&der), Err(Error::UnknownPrivateKey)));
    }

    const POINT: [u8; 65] = [4; 65];
    const COMPRESSED: [u8; 33] = [2; 33];

    #[test]
    fn r_and_s_are_as_long_as_the_coordinates_of_a_point_however_it_is_written() {
        let length = |point: &'static [u8]| {
            let algorithm = AlgorithmIdentifier::new(OID_KEY_TYPE_EC_PUBLIC_KEY, None);
            let subject_public_key = BitString::new(0, point);
            ecdsa_value_length(&SubjectPublicKeyInfo { algorithm, subject_public_key, raw: &[] })
        };
        assert_eq!(length(&POINT), Some(64));
        assert_eq!(length(&COMPRESSED), Some(64));
        assert_eq!(length(&[]), None);
        assert_eq!(pair().1.ecdsa_value_length(), Some(64));
    }

    #[test]
    fn pem_has_lines_of_64_letters() {
        let text = pem("X", &[7; 100]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [17, 64, 64, 8, 15]);
        assert_eq!((lines[0], lines[4]), ("-----BEGIN X-----", "-----END X-----"));
        assert_eq!(pem("X", &[]), "-----BEGIN X-----\n-----END X-----\n");
    }
}
