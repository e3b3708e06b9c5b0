//! What TLS to the servers is made of: authorities that are trusted, and our own certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::settings::{ConnectError, Tls};

/// Reads the files, if there are any, and makes nothing of them: for whoever wants to know before.
///
/// # Errors
/// When they cannot be used.
pub fn check(tls: &Tls) -> Result<(), ConnectError> {
    if tls.authorities.is_none() && tls.certificate.is_none() {
        return Ok(());
    }
    client(tls).map(drop)
}

/// Reads the files of TLS.
pub(super) fn client(tls: &Tls) -> Result<ClientConfig, ConnectError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = match &tls.authorities {
        Some(file) => roots_of(file, certificates(file)?)?,
        None => roots_of_system()?,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ConnectError::Tls)?
        .with_root_certificates(roots);
    let Some((chain, key)) = &tls.certificate else { return Ok(builder.with_no_client_auth()) };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key, &error))?;
    builder.with_client_auth_cert(certificates(chain)?, private).map_err(ConnectError::Tls)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| in_file(file, &error))?;
    if found.is_empty() {
        return Err(in_file(file, &"no certificate is in it"));
    }
    Ok(found)
}

fn roots_of(
    file: &Path,
    authorities: Vec<CertificateDer<'static>>,
) -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| in_file(file, &error))?;
    }
    Ok(roots)
}

fn roots_of_system() -> Result<RootCertStore, ConnectError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(ConnectError::NoAuthorities) } else { Ok(roots) }
}

fn in_file(file: &Path, problem: &dyn std::fmt::Display) -> ConnectError {
    ConnectError::File { file: file.to_owned(), problem: problem.to_string() }
}
