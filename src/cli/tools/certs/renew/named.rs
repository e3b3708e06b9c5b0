//! The lines of a configuration that name a new certificate, and those that name no old one any more.

use std::path::Path;

use super::kind::{InUse, Kind, names_certificate};
use crate::cli::tools::certs::facts;
use crate::cli::tools::certs::material::{self, shown_path};
use crate::cli::tools::lines::Lines;
use crate::config::Loaded;

/// Returns a path as the configuration names it: from its own folder, when it lies there.
pub(super) fn written(loaded: &Loaded, path: &Path) -> String {
    let folder = loaded.resolve(Path::new(""));
    let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, folder) =
        (full(path), full(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder }));
    path.strip_prefix(&folder).unwrap_or(&path).display().to_string()
}

/// Names a pair in PEM.
pub(super) fn put_pem(
    kind: Kind,
    loaded: &Loaded,
    certificate: &str,
    key: &str,
    lines: &mut Lines,
) {
    match kind {
        Kind::Signing => {
            lines.set("service", "signing_certificate", certificate);
            lines.set("service", "signing_key", key);
        }
        Kind::ClientTls => {
            lines.set("node", "client_certificate", certificate);
            lines.set("node", "client_key", key);
        }
        Kind::Listener => {
            lines.set("listen", "certificate", certificate);
            lines.set("listen", "key", key);
        }
        Kind::Decryption => {
            let named = loaded.file.service.decryption_keys.iter();
            let others = named.map(|path| path.display().to_string()).filter(|other| other != key);
            let all: Vec<String> = [key.to_owned()].into_iter().chain(others).collect();
            lines.set_list("service", "decryption_keys", &all);
        }
        Kind::Node => {}
    }
}

/// Names a pair in PKCS #12.
pub(super) fn put_p12(kind: Kind, loaded: &Loaded, file: &str, password: &str, lines: &mut Lines) {
    match kind {
        Kind::Signing => {
            lines.set("service", "signing_p12", file);
            lines.set("service", "signing_p12_password_file", password);
        }
        Kind::ClientTls => {
            lines.set("node", "client_p12", file);
            lines.set("node", "client_p12_password_file", password);
        }
        Kind::Decryption => {
            let named = loaded.file.service.decryption_p12.iter().filter_map(|p12| {
                let (file, password) = (p12.file.as_ref()?, p12.password_file.as_ref()?);
                Some((file.display().to_string(), password.display().to_string()))
            });
            let new = (file.to_owned(), password.to_owned());
            let all: Vec<_> = [new].into_iter().chain(named).collect();
            lines.set_decryption_p12(&all);
        }
        Kind::Listener | Kind::Node => {}
    }
}

/// Finds the certificate of the node that stays: the one that somebody names, or the one that was
/// issued last.
///
/// # Errors
/// When the one that is named is not in use, or when it is not known which was issued last.
pub(super) fn node_that_stays(in_use: &InUse, said: Option<&Path>) -> Result<Vec<u8>, String> {
    if let Some(file) = said {
        let shown = shown_path(file);
        let material = material::read(file, &[]).map_err(|error| error.to_string())?;
        let mut named = in_use.all.iter().filter(|der| material.certificates.contains(der));
        return match (named.next(), named.next()) {
            (Some(der), None) => Ok(der.clone()),
            (None, _) => Err(format!("{shown}: the configuration names no certificate of it")),
            (Some(_), Some(_)) => Err(format!("{shown}: there are several in it that are in use")),
        };
    }
    let (der, newest) = in_use.certificate.as_ref().ok_or("no certificate of the node is here")?;
    let others = in_use.all.iter().filter(|other| *other != der);
    let others = others.filter_map(|other| facts::read(other).ok());
    let since = newest.not_before;
    match others.filter(|other| other.not_before >= since).count() {
        0 => Ok(der.clone()),
        _ => Err(format!(
            "several certificates of the node are valid from {since}, so it is not known which is \
             the new one: name the one that stays with --finish --certificate FILE"
        )),
    }
}

/// Takes what the new one has followed out of the configuration. Says whether there was anything.
/// Of the certificates of the node, `node` stays.
pub(super) fn take_out_old(
    kind: Kind,
    loaded: &Loaded,
    node: Option<&Vec<u8>>,
    lines: &mut Lines,
) -> bool {
    let service = &loaded.file.service;
    match kind {
        // The first key is that of the new certificate.
        Kind::Decryption if service.decryption_keys.len() > 1 => {
            let first = service.decryption_keys.iter().take(1);
            let first: Vec<String> = first.map(|path| path.display().to_string()).collect();
            lines.set_list("service", "decryption_keys", &first);
            true
        }
        Kind::Decryption if service.decryption_p12.len() > 1 => {
            let first = service.decryption_p12.iter().take(1).filter_map(|p12| {
                let (file, password) = (p12.file.as_ref()?, p12.password_file.as_ref()?);
                Some((file.display().to_string(), password.display().to_string()))
            });
            let first: Vec<_> = first.collect();
            lines.set_decryption_p12(&first);
            true
        }
        Kind::Node => {
            let Some(der) = node else { return false };
            let named = loaded.file.node.certificates.iter();
            let new = named.filter(|path| names_certificate(loaded, path, der));
            let new: Vec<String> = new.map(|path| path.display().to_string()).collect();
            let is_less = new.len() < loaded.file.node.certificates.len() && !new.is_empty();
            if is_less {
                lines.set_list("node", "certificates", &new);
            }
            is_less
        }
        _ => false,
    }
}
