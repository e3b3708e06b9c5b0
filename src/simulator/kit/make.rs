//! Makes keys and certificates.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::error::Error;
use super::pair::Pair;
use crate::base::clock::{Time, earlier, later};
use crate::config::presets::SIMULATOR_ORGANIZATION;
use crate::xml::keys::{Certificate, PrivateKey};

/// The names that the certificates of a kit are issued to.
#[derive(Debug, Clone, Copy)]
pub struct Names<'n> {
    /// The entity identifier of the node.
    pub node: &'n str,
    /// The service provider's issuer.
    pub service: &'n str,
    /// Further host names and addresses of the SOAP listener, beside those of loopback.
    pub hosts: &'n [String],
}

/// How long before now a certificate begins, for clocks that are behind.
const BEFORE: Duration = Duration::from_secs(3_600);
/// How long certificates are valid, as the operator's own are.
const VALIDITY: Duration = Duration::from_secs(2 * 365 * 24 * 3_600);
/// The name of the kit's authority.
const AUTHORITY: &str = "CA_SYMULATOR";
/// The host names and addresses of loopback.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes the pairs, in the order of [`super::Role::ALL`].
pub(super) fn pairs(names: Names<'_>, now: Time) -> Result<[Pair; 6], Error> {
    let (authority, issuer) = authority(AUTHORITY, now)?;
    let sign = [KeyUsagePurpose::DigitalSignature];
    let agree = [KeyUsagePurpose::KeyAgreement];
    let leaf = |name: &str, unit: &str, usages: &[KeyUsagePurpose]| {
        let mut params = params(name, unit, now)?;
        params.key_usages = usages.to_vec();
        Ok::<_, Error>(params)
    };

    let tls = server(names, now)?;

    let mut client = leaf(&format!("{}_tls", names.service), "TLS", &sign)?;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];

    Ok([
        authority,
        issue(leaf("WK_SIG_EC", "SUA", &sign)?, &issuer)?,
        issue(tls, &issuer)?,
        issue(leaf(&format!("{}_sig_ec", names.service), "DU", &sign)?, &issuer)?,
        issue(leaf(&format!("{}_enc_ec", names.service), "DU", &agree)?, &issuer)?,
        issue(client, &issuer)?,
    ])
}

/// A certificate of the SOAP listener, before it is issued.
pub(super) fn server(names: Names<'_>, now: Time) -> Result<CertificateParams, Error> {
    let mut hosts: Vec<String> = LOOPBACK.iter().map(|&host| host.to_owned()).collect();
    hosts.push(names.node.to_owned());
    hosts.extend_from_slice(names.hosts);
    let like = params(names.node, "TLS", now)?;
    let mut tls = CertificateParams::new(hosts)?;
    tls.distinguished_name = like.distinguished_name;
    (tls.not_before, tls.not_after) = (like.not_before, like.not_after);
    tls.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    tls.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(tls)
}

/// Makes a party that calls itself the node but was issued by no authority.
pub(super) fn stranger(now: Time) -> Result<Pair, Error> {
    let params = params("WK_SIG_EC", "SUA", now)?;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    pair(&key, certificate.der())
}

/// Makes another pair for the node's messages. The authority's key is not kept for that: a node's
/// certificate is believed because it was handed over, whoever issued it.
pub(super) fn successor(now: Time) -> Result<Pair, Error> {
    let mut params = params("WK_SIG_EC", "SUA", now)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    pair(&key, certificate.der())
}

pub(super) fn authority(name: &str, now: Time) -> Result<(Pair, Issuer<'static, KeyPair>), Error> {
    let params = authority_params(name, now)?;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((pair(&key, certificate.der())?, Issuer::new(params, key)))
}

/// An authority that was made before, to issue more.
pub(super) fn again(authority: &Pair, now: Time) -> Result<Issuer<'static, KeyPair>, Error> {
    let key = KeyPair::from_pem(authority.key_pem().expose())?;
    Ok(Issuer::new(authority_params(AUTHORITY, now)?, key))
}

fn authority_params(name: &str, now: Time) -> Result<CertificateParams, Error> {
    let mut params = params(name, "CA", now)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

pub(super) fn issue(
    mut params: CertificateParams,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Pair, Error> {
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    pair(&key, certificate.der())
}

pub(super) fn pair(key: &KeyPair, certificate: &[u8]) -> Result<Pair, Error> {
    let key = PrivateKey::from_der(key.serialized_der())?;
    Ok(Pair { key, certificate: Certificate::from_der(certificate)? })
}

fn params(name: &str, unit: &str, now: Time) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "PL");
    subject.push(DnType::OrganizationName, SIMULATOR_ORGANIZATION);
    subject.push(DnType::OrganizationalUnitName, unit);
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    let at = |time: Time| {
        let seconds = u64::try_from(time.as_second()).unwrap_or(0);
        date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    params.not_before = at(earlier(now, BEFORE));
    params.not_after = at(later(now, VALIDITY));
    Ok(params)
}
