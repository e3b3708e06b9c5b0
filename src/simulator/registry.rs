//! Service providers from a file, each with what the operator would have registered of it.

use std::path::Path;

use url::Url;

use super::bounds::SERVICES;
use super::kit::Kit;
use super::settings::Service;
use super::sheet::{Reader, Sheet};
use crate::base::handed;
use crate::config::Problems;
use crate::xml::keys::Certificate;

/// Reads the service providers of a file. The names of certificate files count from its folder;
/// one that names none has the certificates of the kit.
///
/// # Errors
/// Everything that is wrong, each with line, key and what to do.
pub(super) fn read(path: &Path, kit: &Kit) -> Result<Vec<Service>, Problems> {
    let mut sheet = Sheet::open(path)?;
    let mut root = sheet.root();
    root.pass_over("service");
    root.end();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut found: Vec<Service> = Vec::new();
    sheet.each("service", |reader| {
        let service = read_service(reader, folder, kit)?;
        if found.iter().any(|other| other.issuer == service.issuer) {
            let advice = "a service provider is registered once, with all its addresses in acs";
            reader.refuse("issuer", &format!("is there twice: {:?}", service.issuer), advice);
        }
        found.push(service);
        Some(())
    });
    if found.is_empty() || found.len() > SERVICES {
        let what = format!("{} service providers", found.len());
        sheet.root().refuse("service", &what, &format!("write 1 to {SERVICES} of [[service]]"));
    }
    Ok(sheet.finish(found)?.0)
}

fn read_service(reader: &mut Reader<'_>, folder: &Path, kit: &Kit) -> Option<Service> {
    let issuer = reader.text("issuer", "https://portal.example.gov.pl");
    let acs = read_addresses(reader);
    let provider_name = reader.optional_text("provider_name", "Portal Testowy");
    let files = reader.texts("signing_certificates");
    let mut signing: Vec<_> =
        files.iter().filter_map(|(key, file)| certificate(reader, folder, key, file)).collect();
    let encryption = reader.optional_text("encryption_certificate", "enc.crt.pem");
    let own = kit.service("", Vec::new(), None);
    let encryption = match encryption {
        None => own.encryption,
        Some(file) => certificate(reader, folder, "encryption_certificate", &file)?,
    };
    if files.is_empty() {
        signing = own.signing;
    }
    Some(Service { issuer: issuer?, acs: acs?, provider_name, signing, encryption })
}

fn read_addresses(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let like = "https://portal.example.gov.pl/.brama/acs";
    let found = reader.texts("acs");
    if found.is_empty() {
        reader.refuse("acs", "has no address", &format!("write acs = [\"{like}\"]"));
        return None;
    }
    let mut addresses = Vec::new();
    for (key, address) in found {
        let is_web = |url: Url| matches!(url.scheme(), "http" | "https");
        if Url::parse(&address).is_ok_and(is_web) {
            addresses.push(address);
        } else {
            let advice = format!("write the whole address, such as {like}");
            reader.refuse_at(key, &format!("is no address: {address:?}"), &advice);
        }
    }
    Some(addresses)
}

fn certificate(
    reader: &mut Reader<'_>,
    folder: &Path,
    key: &str,
    file: &str,
) -> Option<Certificate> {
    let read = || {
        let bytes = handed::read_all(&folder.join(file)).map_err(|error| error.to_string())?;
        Certificate::parse(&bytes).map_err(|error| error.to_string())
    };
    match read() {
        Ok(certificate) => Some(certificate),
        Err(error) => {
            let what = format!("cannot be used: {file:?}: {error}");
            let advice = "name a certificate in PEM or DER, by its path from this file";
            // Entries of a list have their full name already.
            if key.contains('[') {
                reader.refuse_at(key.to_owned(), &what, advice);
            } else {
                reader.refuse(key, &what, advice);
            }
            None
        }
    }
}
