//! The new key and its request, beside the old ones.

use std::path::{Path, PathBuf};

use rcgen::{DistinguishedName, DnType, KeyUsagePurpose};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::kind::{InUse, Kind, decryption_name};
use super::written::{self, Failed};
use crate::base::clock::{Time, WARSAW};
use crate::base::private;
use crate::cli::tools::certs::csr::note_open_folder;
use crate::cli::tools::certs::facts::{self, Facts};
use crate::cli::tools::certs::material::shown_path;
use crate::cli::tools::certs::{encrypted, material, profile};
use crate::config::Loaded;
use crate::xml::keys::PrivateKey;

/// A request whose key the configuration does not name yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) request: PathBuf,
    /// The bits of the public key.
    pub(super) public: Vec<u8>,
}

/// Returns the common name that a new certificate gets.
pub(super) fn name(kind: Kind, loaded: &Loaded, in_use: &InUse) -> Option<String> {
    let own = in_use.certificate.as_ref().and_then(|(_, facts)| facts.common_names.first());
    match kind {
        Kind::Decryption => own.cloned().or_else(|| decryption_name(loaded)),
        // Authorities of the public web leave the common name out.
        Kind::Listener => own.cloned().or_else(|| {
            let (_, facts) = in_use.certificate.as_ref()?;
            hosts(facts).into_iter().next()
        }),
        _ => own.cloned(),
    }
}

/// Finds a request in a folder that is under way: the one that was made last, after what is in use was
/// put in place.
pub(super) fn pending(folder: &Path, name: &str, in_use: &InUse) -> Option<Pending> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let requests = files.filter(|path| path.extension().is_some_and(|ending| ending == "csr"));
    let read = requests.filter_map(|request| {
        let (found, public) = read(&request)?;
        (found == name && !in_use.keys.contains(&public)).then_some(Pending { request, public })
    });
    let changed = |file: &Path| std::fs::metadata(file).and_then(|found| found.modified()).ok();
    let begun = in_use.files.first().and_then(|file| changed(file));
    let pending = read.max_by_key(|pending| changed(&pending.request))?;
    (changed(&pending.request) >= begun).then_some(pending)
}

/// Reads the common name and the public key of a request.
fn read(file: &Path) -> Option<(String, Vec<u8>)> {
    let bytes = private::read(file).ok()??;
    let pem = x509_parser::pem::parse_x509_pem(&bytes).ok()?.1;
    let (_, request) = X509CertificationRequest::from_der(&pem.contents).ok()?;
    let info = &request.certification_request_info;
    let name = info.subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    Some((name, info.subject_pki.subject_public_key.data.to_vec()))
}

/// Makes a key and a request with the names of the old certificate. Returns both files.
///
/// # Errors
/// When no name is known, a file is there already, or what the system says.
pub(super) fn make(
    kind: Kind,
    loaded: &Loaded,
    in_use: &InUse,
    folder: &Path,
    now: Time,
) -> Result<(PathBuf, PathBuf), Failed> {
    let name = name(kind, loaded, in_use)
        .ok_or("the old certificate has no common name; make the request with brama certs csr")
        .map_err(str::to_owned)?;
    let subject = subject(kind, loaded, in_use, &name)?;
    let usage = match kind {
        Kind::Decryption => KeyUsagePurpose::KeyAgreement,
        _ => KeyUsagePurpose::DigitalSignature,
    };
    let hosts = match (kind, &in_use.certificate) {
        (Kind::Listener, Some((_, facts))) => hosts(facts),
        _ => Vec::new(),
    };
    let key = PrivateKey::generate_p256();
    let request = profile::request_for(subject, hosts, usage, &key)?;
    let pem = match in_use.password()? {
        None => key.pem(),
        Some(password) => encrypted::pem(&key, &password)?,
    };
    let stem =
        format!("{}-{}", profile::file_name(&name), now.to_zoned_datetime(WARSAW.clone()).date());
    let files = ["key", "csr"].map(|ending| folder.join(format!("{stem}.{ending}")));
    if let Some(taken) = files.iter().find(|file| file.symlink_metadata().is_ok()) {
        return Err(format!("{}: it is there already, and stays", shown_path(taken)).into());
    }
    let texts = [pem.expose().as_bytes(), request.as_bytes()];
    written::files(files.iter().map(PathBuf::as_path).zip(texts))?;
    note_open_folder(folder);
    let [key_file, request_file] = files;
    Ok((key_file, request_file))
}

/// The hosts of a certificate.
fn hosts(facts: &Facts) -> Vec<String> {
    let names = facts.names.iter();
    names
        .filter_map(|name| name.strip_prefix("DNS:").or_else(|| name.strip_prefix("IP:")))
        .map(str::to_owned)
        .collect()
}

/// Returns the subject of the old certificate. Where that is not here, it is that of our signatures
/// with another common name: both are of the same service.
fn subject(
    kind: Kind,
    loaded: &Loaded,
    in_use: &InUse,
    name: &str,
) -> Result<DistinguishedName, String> {
    let own = in_use.certificate.as_ref().map(|(der, _)| der.clone());
    let signing = || material_of_signing(loaded);
    let der = match kind {
        Kind::Decryption => own.or_else(signing),
        _ => own,
    };
    let mut subject = DistinguishedName::new();
    let Some(der) = der else {
        subject.push(DnType::CountryName, "PL");
        subject.push(DnType::CommonName, name);
        return Ok(subject);
    };
    let (_, certificate) =
        X509Certificate::from_der(&der).map_err(|error| format!("the old certificate: {error}"))?;
    for attribute in certificate.subject().iter_attributes() {
        let oid: Option<Vec<u64>> = attribute.attr_type().iter().map(Iterator::collect);
        let Some((oid, text)) = oid.zip(attribute.as_str().ok()) else { continue };
        let text = if oid == COMMON_NAME { name } else { text };
        subject.push(DnType::from_oid(&oid), text);
    }
    if subject.get(&DnType::CommonName).is_none() {
        subject.push(DnType::CommonName, name);
    }
    Ok(subject)
}

fn material_of_signing(loaded: &Loaded) -> Option<Vec<u8>> {
    super::kind::in_use(Kind::Signing, loaded).ok()?.certificate.map(|(der, _)| der)
}

/// Finds the files of certificates that the one in use has followed, and of their keys.
pub(super) fn left_over(folder: &Path, name: &str, in_use: &InUse) -> Vec<PathBuf> {
    let Some((_, current)) = &in_use.certificate else { return Vec::new() };
    let password = in_use.password().ok().flatten();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let read =
        |file: &PathBuf| Some((file.clone(), material::read(file, password.as_slice()).ok()?));
    let all: Vec<_> = files.iter().filter(|file| file.is_file()).filter_map(read).collect();
    let certificates = all.iter().flat_map(|(_, material)| &material.certificates);
    let old = certificates.filter_map(|der| {
        let (facts, public) = (facts::read(der).ok()?, super::kind::public(der)?);
        let host = format!("DNS:{name}");
        let is_named =
            facts.common_names.iter().any(|one| one == name) || facts.names.contains(&host);
        let is_older = facts.not_before <= current.not_before && !in_use.all.contains(der);
        (is_named && is_older && facts.fingerprint != current.fingerprint).then_some(public)
    });
    let old: Vec<Vec<u8>> = old.filter(|public| in_use.keys.first() != Some(public)).collect();
    let is_old = |material: &material::Material| {
        let certificates = material.certificates.iter().filter_map(|der| super::kind::public(der));
        let keys = material.keys.iter().map(|key| key.public_key().to_vec());
        certificates.chain(keys).any(|public| old.contains(&public))
    };
    all.iter().filter(|(_, material)| is_old(material)).map(|(file, _)| file.clone()).collect()
}

/// Finds the certificate of a public key in a folder.
pub(super) fn certificate_of(folder: &Path, public: &[u8], in_use: &InUse) -> Option<PathBuf> {
    let password = in_use.password().ok().flatten();
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file());
    files.find(|file| {
        let found = material::read(file, password.as_slice());
        let certificates = found.map(|material| material.certificates).unwrap_or_default();
        let fits = |der: &Vec<u8>| super::kind::public(der).as_deref() == Some(public);
        certificates.iter().any(fits)
    })
}

/// RFC 5280, appendix A.1: id-at-commonName.
const COMMON_NAME: [u64; 4] = [2, 5, 4, 3];
