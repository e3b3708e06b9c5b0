//! What a certificate or key is for, by what stands in it: so that a pair which was swapped is
//! found before the first citizen finds it.
//!
//! The operator hands over two pairs, one to sign with and one to decrypt with, whose names end in
//! `_sig_ec` and `_enc_ec`, with the key usages digitalSignature and keyAgreement, on P-256.

use x509_parser::extensions::KeyUsage;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::context::Context;
use crate::config::file::Environment;
use crate::xml::keys::{Certificate, KeyKind};

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purpose {
    /// Whether it issues other certificates, and nothing else.
    pub(super) is_authority: bool,
    /// Whether it may issue others. Tools write that into what signs for itself, too.
    pub(super) may_issue: bool,
    /// Why none of the allowed signature algorithms can use its key, if none can.
    pub(super) unusable: Option<String>,
    /// Whether it is for signatures, or for key agreement; nothing is said when it says nothing.
    signs: Option<bool>,
    agrees: Option<bool>,
}

/// What a pair of ours is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Signing,
    Decryption,
}

impl Purpose {
    /// Reads a certificate. RFC 5280 4.2.1.3: without the extension, a key is for anything.
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate.der()).ok()?;
        let usage = parsed.key_usage().ok().flatten().map(|usage| usage.value);
        let name = parsed.subject().iter_common_name().next();
        let name = name.and_then(|name| name.as_str().ok()).unwrap_or_default();
        let (is_sig, is_enc) = (name.ends_with(SIGNING), name.ends_with(ENCRYPTION));
        let signs = usage.map(|usage| usage.digital_signature() || usage.non_repudiation());
        let agrees = usage.map(|usage| usage.key_agreement());
        let only_issues = |usage: &KeyUsage| usage.key_cert_sign() && !usage.digital_signature();
        Some(Self {
            is_authority: parsed.is_ca() && usage.is_some_and(only_issues),
            may_issue: parsed.is_ca(),
            unusable: unusable(&parsed),
            signs: if is_enc { Some(false) } else { signs },
            agrees: if is_sig { Some(false) } else { agrees },
        })
    }

    /// Tells whether it says that it is not for this.
    fn forbids(&self, usage: Use) -> bool {
        match usage {
            Use::Signing => self.signs == Some(false),
            Use::Decryption => self.agrees == Some(false),
        }
    }
}

/// Says why no algorithm that we accept verifies with the key of a certificate.
fn unusable(certificate: &X509Certificate<'_>) -> Option<String> {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if rsa.key_size() >= LEAST_RSA => None,
        Ok(PublicKey::RSA(rsa)) => {
            Some(format!("an RSA key of {} bits, which is too short", rsa.key_size()))
        }
        Ok(PublicKey::EC(_)) => {
            let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
            let curve = curve.map(|curve| curve.to_id_string()).unwrap_or_default();
            let is_known = CURVES.contains(&curve.as_str());
            (!is_known).then(|| "a key on a curve that is not P-256, P-384 or P-521".to_owned())
        }
        _ => {
            let algorithm = key.algorithm.algorithm.to_id_string();
            let name = if algorithm == ED25519 { "Ed25519".to_owned() } else { algorithm };
            Some(format!("a key of {name}, with which the node's profile has no signatures"))
        }
    }
}

/// Reports a certificate of ours that says that it is for something else.
pub(super) fn check(context: &mut Context<'_>, key: &str, certificate: &Certificate, usage: Use) {
    let Some(purpose) = Purpose::of(certificate) else { return };
    if !purpose.forbids(usage) {
        return;
    }
    let (what, ending, other) = match usage {
        Use::Signing => ("signatures", SIGNING, ENCRYPTION),
        Use::Decryption => ("decryption", ENCRYPTION, SIGNING),
    };
    context.error(
        key,
        format!(
            "certificate {} is not for {what}, by its name or key usage",
            certificate.subject()
        ),
        format!("give the pair whose name ends in {ending}; that of {other} has its own key"),
    );
}

/// Reports a key of a kind that the node does not take.
pub(super) fn check_kind(context: &mut Context<'_>, key: &str, kind: KeyKind) {
    let name = match kind {
        KeyKind::P256 => return,
        KeyKind::P384 => "on P-384",
        KeyKind::Rsa => "of RSA",
    };
    let what = format!("is a key {name}, and the node takes EC keys on P-256 alone");
    let advice = "give the key that the operator handed over";
    match context.file().node.environment {
        Environment::Custom => context.warn(key, what, advice),
        _ => context.error(key, what, advice),
    }
}

const SIGNING: &str = "_sig_ec";
const ENCRYPTION: &str = "_enc_ec";
/// P-256, P-384 and P-521 (RFC 5480 2.1.1.1).
const CURVES: [&str; 3] = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];
/// The object identifier of Ed25519 (RFC 8410 3).
const ED25519: &str = "1.3.101.112";
/// In bits: shorter keys are refused with every signature.
const LEAST_RSA: usize = 2048;

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose, PKCS_ED25519,
        SignatureAlgorithm,
    };

    use super::*;

    fn certificate(
        name: &str,
        usages: &[KeyUsagePurpose],
        algorithm: &'static SignatureAlgorithm,
        is_ca: IsCa,
    ) -> Purpose {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = usages.to_vec();
        params.is_ca = is_ca;
        let key = KeyPair::generate_for(algorithm).unwrap();
        let made = params.self_signed(&key).unwrap();
        Purpose::of(&Certificate::from_der(made.der()).unwrap()).unwrap()
    }

    #[test]
    fn a_pair_is_for_what_its_usage_or_its_name_says_and_for_anything_when_they_say_nothing() {
        use KeyUsagePurpose::{ContentCommitment, DigitalSignature, KeyAgreement};
        for (name, usages, signs, decrypts) in [
            ("portal_sig_ec", &[DigitalSignature][..], true, false),
            ("portal_enc_ec", &[KeyAgreement], false, true),
            ("portal_sig_ec", &[], true, false),
            ("portal_enc_ec", &[], false, true),
            ("portal", &[], true, true),
            ("portal", &[ContentCommitment], true, false),
            ("portal", &[DigitalSignature, KeyAgreement], true, true),
        ] {
            let purpose = certificate(name, usages, &rcgen::PKCS_ECDSA_P256_SHA256, IsCa::NoCa);
            assert_eq!(purpose.forbids(Use::Signing), !signs, "{name} {usages:?}");
            assert_eq!(purpose.forbids(Use::Decryption), !decrypts, "{name} {usages:?}");
            assert!(!purpose.may_issue && purpose.unusable.is_none(), "{purpose:?}");
        }
    }

    #[test]
    fn authorities_and_keys_that_no_algorithm_can_use_are_known() {
        use KeyUsagePurpose::{CrlSign, KeyCertSign};
        for (usages, is_authority) in [(&[KeyCertSign, CrlSign][..], true), (&[], false)] {
            let authority = IsCa::Ca(BasicConstraints::Unconstrained);
            let found = certificate("CA", usages, &rcgen::PKCS_ECDSA_P384_SHA384, authority);
            assert_eq!((found.is_authority, found.may_issue), (is_authority, true));
            assert_eq!(found.unusable, None);
        }
        let found = certificate("node", &[], &PKCS_ED25519, IsCa::NoCa);
        assert!(found.unusable.is_some_and(|why| why.contains("Ed25519")));
    }
}
