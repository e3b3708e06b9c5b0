//! What answers are compared with: from the configuration, and from flags, which win.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::arguments::Arguments;
use crate::app::Settings;
use crate::base::clock::{Clock, SystemClock, Time};
use crate::cli::configuration::load;
use crate::flow::capture::Opened;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::expected::{Expected, Wrapping};
use crate::xml::keys::{Certificate, DecryptionKey, PrivateKey};
use crate::xml::signature::TrustedCertificates;

pub(super) struct Knowledge {
    pub(super) trusted: TrustedCertificates,
    pub(super) decryption_keys: Vec<DecryptionKey>,
    pub(super) expected: Expected,
    pub(super) now: Time,
}

const DEFAULT_SKEW: Duration = Duration::from_secs(60);
const DEFAULT_MAXIMUM: usize = 256 * 1024;

impl Knowledge {
    pub(super) fn gather(arguments: &Arguments) -> Result<Self, String> {
        let settings = match &arguments.config {
            None => None,
            Some(path) => match load(path) {
                (Some(settings), _) => Some(settings),
                (None, problems) => return Err(format!("the configuration is wrong\n{problems}")),
            },
        };
        let expected = expected(arguments, settings.as_ref());
        let flows = settings.map(|settings| settings.flows);
        let (configured_trust, configured_keys) = match flows {
            Some(flows) => (Some(flows.trusted), flows.decryption_keys),
            None => (None, Vec::new()),
        };
        let trusted = trusted(&arguments.trusted_certificate)?.or(configured_trust).ok_or(
            "there is no certificate to check signatures with; give --trusted-certificate or \
             --config",
        )?;
        let mut decryption_keys = decryption_keys(arguments)?;
        if decryption_keys.is_empty() {
            decryption_keys = configured_keys;
        }
        let now = arguments.at.unwrap_or_else(|| SystemClock.now());
        Ok(Self { trusted, decryption_keys, expected, now })
    }

    /// Returns a captured answer, with what its login expected of it and its time; what was given
    /// otherwise wins.
    pub(super) fn of_capture<'o>(
        &self,
        opened: &'o Opened,
        arguments: &Arguments,
    ) -> (&'o [u8], Expected, Time) {
        let about = &opened.about;
        let expected = self.expected.clone();
        let expected = Expected {
            request_id: expected.request_id.or_else(|| Some(about.request_id.clone())),
            resolve_id: expected.resolve_id.or_else(|| Some(about.resolve_id.clone())),
            assurance: arguments.assurance.or_else(|| Assurance::parse(&about.assurance)),
            fresh_since: about.fresh_since,
            ..expected
        };
        (&opened.answer, expected, arguments.at.unwrap_or(about.at))
    }
}

fn expected(arguments: &Arguments, settings: Option<&Settings>) -> Expected {
    let flows = settings.map(|settings| &settings.flows);
    let or = |given: &Option<String>, configured: Option<&str>| {
        given.clone().or_else(|| configured.map(str::to_owned))
    };
    Expected {
        node: or(&arguments.node_issuer, flows.map(|flows| flows.node_issuer.as_str())),
        service: or(&arguments.issuer, flows.map(|flows| flows.template.issuer.as_str())),
        acs: or(&arguments.acs, flows.map(|flows| flows.template.acs.as_str())),
        request_id: arguments.request_id.clone(),
        resolve_id: arguments.resolve_id.clone(),
        assurance: arguments.assurance.or(flows.map(|flows| flows.assurance)),
        fresh_since: None,
        required: flows
            .map_or_else(|| Attribute::ALL.to_vec(), |flows| flows.template.required.clone()),
        skew: arguments
            .skew
            .map(Duration::from_secs)
            .or(flows.map(|flows| flows.skew))
            .unwrap_or(DEFAULT_SKEW),
        maximum_bytes: flows.map_or(DEFAULT_MAXIMUM, |flows| flows.maximum_answer),
        wrapping: Wrapping::SoapOrBare,
    }
}

fn trusted(paths: &[std::path::PathBuf]) -> Result<Option<TrustedCertificates>, String> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut certificates = Vec::new();
    for path in paths {
        let found = Certificate::parse_all(&read(path)?);
        certificates.extend(found.map_err(|error| named(path, &error))?);
    }
    let trusted = TrustedCertificates::pin(certificates).map_err(|error| error.to_string())?;
    Ok(Some(trusted))
}

fn decryption_keys(arguments: &Arguments) -> Result<Vec<DecryptionKey>, String> {
    arguments
        .decryption_key
        .iter()
        .map(|path| {
            let key = private_key(path, arguments.password_file.as_deref())?;
            DecryptionKey::try_from(&key).map_err(|error| named(path, &error))
        })
        .collect()
}

fn private_key(path: &Path, password_file: Option<&Path>) -> Result<PrivateKey, String> {
    let bytes = read(path)?;
    let is_pkcs12 = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("p12") || e.eq_ignore_ascii_case("pfx"));
    if !is_pkcs12 {
        return PrivateKey::parse(&bytes).map_err(|error| named(path, &error));
    }
    let password = match password_file {
        Some(file) => String::from_utf8_lossy(&read(file)?).into_owned(),
        None => String::new(),
    };
    let password = password.trim_end_matches(['\r', '\n']);
    match PrivateKey::from_pkcs12(&bytes, password) {
        Ok((key, _)) => Ok(key),
        Err(error) if password_file.is_none() => {
            Err(format!("{}; is --password-file missing?", named(path, &error)))
        }
        Err(error) => Err(named(path, &error)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}
