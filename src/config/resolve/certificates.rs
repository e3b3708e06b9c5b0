//! The certificates of `[listen]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::acme;
use super::context::Context;
use super::portal::hosts;
use crate::app::acme::Settings;
use crate::base::clock::later;
use crate::base::rights;
use crate::config::file::{Listen, TlsVersion};
use crate::config::resolve::context::SOON;
use crate::gateway;
use crate::server::certificates::{Certificates, Error, Files, Part};
use crate::server::tls;

/// Reads all pairs, and looks at what they are good for.
pub(super) fn resolve(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
) -> Option<(Arc<Certificates>, tls::Options, Option<Settings>)> {
    let file = &context.file().listen;
    let options = tls::Options {
        minimum: match file.tls_minimum {
            TlsVersion::Tls12 => tls::Version::Tls12,
            TlsVersion::Tls13 => tls::Version::Tls13,
        },
        http2: file.http2,
    };
    if file.hsts.is_none() {
        context.warn(
            key!(listen.hsts),
            "is not given, so browsers try http:// first and can be kept there",
            "give \"1h\", and \"365d\" when all is well; \"0s\" if the portal says it itself",
        );
    }
    // 1. What is ordered, and the files of every pair with its key. The first is the default.
    let advice = "name a PEM file; TLS needs listen.certificate and listen.key";
    let (acme, given) = (acme::resolve(context, portal), given(file));
    if acme.is_none() && file.acme.directory.is_some() {
        return None;
    }
    let mut files = Vec::new();
    for (place, (certificate, key, staple)) in &given {
        let certificate = context.required(&format!("{place}.certificate"), *certificate, advice);
        let key = context.required(&format!("{place}.key"), *key, advice);
        if let Some(key) = key {
            context.forbid(&format!("{place}.key"), key, rights::of_secret);
        }
        files.push(certificate.zip(key).map(|(certificate, key)| Files {
            certificate: context.resolve(certificate),
            key: context.resolve(key),
            ocsp_staple: staple.map(|path: &Path| context.resolve(path)),
            may_be_missing: false,
            source: format!("{place}.certificate"),
        }));
    }
    let (acme, issued) = acme.unzip();
    files.extend(issued.map(|path| Some(ordered(path))));
    // 2. All of them are read at once, so that each says what is wrong with it.
    let files = files.into_iter().collect::<Option<Vec<_>>>()?;
    let certificates = match Certificates::open(files) {
        Ok(certificates) => certificates,
        Err(errors) => {
            for (number, error) in errors {
                if let Some((place, _)) = given.get(number) {
                    refuse(context, place, &error);
                }
            }
            return None;
        }
    };
    // 3. What can be used may still be of no use.
    for (number, status) in certificates.status().iter().enumerate() {
        // One that is ordered is renewed by itself.
        if let Some((place, _)) = given.get(number) {
            check_dates(context, &format!("{place}.certificate"), status);
        }
    }
    for (host, name) in hosts(portal) {
        if let url::Host::Domain(host) = host
            && !certificates.covers(&host)
            && !acme.as_ref().is_some_and(|acme| acme.names.contains(&host))
        {
            let what = format!("no certificate is for {host}, a host of portal.{name}");
            let key = given.first().map(|(place, _)| format!("{place}.certificate"));
            let key = key.unwrap_or_else(|| key!(listen.acme.names).to_owned());
            context.warn(&key, what, "browsers will refuse it; get one with that DNS name");
        }
    }
    Some((Arc::new(certificates), options, acme))
}

/// Certificate, key and staple of a pair, as far as they are given.
type Given<'f> = (Option<&'f Path>, Option<&'f Path>, Option<&'f Path>);

/// Returns the pairs that are given, each with the key that it stands under. One is needed unless
/// another is ordered.
fn given(file: &Listen) -> Vec<(String, Given<'_>)> {
    let mut given = Vec::new();
    let is_needed = file.certificates.is_empty() && file.acme.directory.is_none();
    if is_needed || file.certificate.is_some() || file.key.is_some() {
        let staple = file.ocsp_staple.as_deref();
        let pair = (file.certificate.as_deref(), file.key.as_deref(), staple);
        given.push(("listen".to_owned(), pair));
    }
    for (number, more) in file.certificates.iter().enumerate() {
        let pair = (more.certificate.as_deref(), more.key.as_deref(), more.ocsp_staple.as_deref());
        given.push((format!("listen.certificates[{number}]"), pair));
    }
    given
}

/// The pair that an authority issues, chain and key in one file.
fn ordered(path: PathBuf) -> Files {
    Files {
        certificate: path.clone(),
        key: path,
        ocsp_staple: None,
        may_be_missing: true,
        source: key!(listen.acme.directory).to_owned(),
    }
}

fn refuse(context: &mut Context<'_>, place: &str, error: &Error) {
    let (name, advice) = match (error, error.part()) {
        (Error::Unreadable { .. }, Part::Certificate) => ("certificate", READABLE),
        (Error::Unreadable { .. }, Part::Key) => ("key", READABLE),
        (Error::Unreadable { .. }, Part::OcspStaple) => ("ocsp_staple", READABLE),
        (_, Part::Certificate) => ("certificate", "give a certificate in PEM form"),
        (Error::Mismatch { .. }, _) => ("key", "check that key and certificate are a pair"),
        (_, Part::Key) => ("key", "give an unencrypted private key in PEM form"),
        (_, Part::OcspStaple) => {
            ("ocsp_staple", "give the authority's answer as it came, or leave it out")
        }
    };
    context.error(&format!("{place}.{name}"), error.to_string(), advice);
}

const READABLE: &str = "check the path and who may read the file";

fn check_dates(context: &mut Context<'_>, key: &str, status: &crate::server::certificates::Status) {
    let (path, end) = (status.certificate.display(), status.not_after);
    let advice = "renew it; the new files are read without a restart";
    if end <= context.now {
        context.warn(key, format!("{path} ended on {end}"), advice);
    } else if end <= later(context.now, SOON) {
        context.warn(key, format!("{path} ends on {end}, within 30 days"), advice);
    } else if status.not_before > context.now {
        let what = format!("{path} begins only on {}", status.not_before);
        context.warn(key, what, "check the clock of this machine");
    }
}
