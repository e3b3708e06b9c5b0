//! What the folder of an environment shows: nothing is said here that does not stand in a file.

use std::path::{Path, PathBuf};

use super::import::gather::{self, Found, Ours};
use super::stage::Stage;
use super::words::{Words, both};
use crate::base::secret::Secret;
use crate::cli::configuration;
use crate::cli::tools::certs::facts::{self, Facts, public_key};
use crate::cli::tools::certs::{compare, current};
use crate::config::{self, Loaded, Severity};

/// What is seen of an environment.
#[derive(Debug)]
pub(super) struct Seen {
    /// The configuration, as far as it can be read.
    pub(super) loaded: Option<Loaded>,
    /// Requests for certificates that lie there.
    pub(super) requests: Vec<PathBuf>,
    /// The certificate of our signatures, when it and its key are in place.
    pub(super) signing: Option<Found>,
    /// The certificate that the node encrypts to, when its key is named.
    pub(super) encryption: Option<Found>,
    /// The certificate that we show in TLS.
    pub(super) client: Option<Found>,
    /// The certificates that the node is known by.
    pub(super) node: Vec<Facts>,
    /// Errors of the configuration, as `brama check` says them.
    pub(super) errors: Vec<String>,
}

/// Looks at an environment.
pub(super) fn look(stage: Stage, folder: &Path, password: Option<&Secret<String>>) -> Seen {
    let path = stage.configuration(folder);
    let Ours { certificates, requests, .. } = gather::ours(&stage.keys(folder), password);
    let mut seen = Seen {
        loaded: config::load(&path, std::iter::empty()).ok(),
        requests,
        signing: None,
        encryption: None,
        client: None,
        node: Vec::new(),
        errors: errors(&path),
    };
    let Some(loaded) = &seen.loaded else { return seen };
    seen.signing = paired(current::signing(loaded));
    seen.client = paired(current::client(loaded));
    let keys = current::decryption(loaded);
    let is_named = |one: &&Found| keys.iter().any(|key| key.publics.contains(&one.public));
    let ends_last = certificates.iter().filter(is_named).max_by_key(|one| one.facts.not_after);
    seen.encryption = ends_last.cloned();
    let node = current::node(loaded);
    seen.node = node.iter().filter_map(|der| facts::read(der).ok()).collect();
    seen
}

fn errors(path: &Path) -> Vec<String> {
    let (_, problems) = configuration::check(path);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

/// Returns the certificate of a pair that is one.
fn paired(current: current::Current) -> Option<Found> {
    let current::Current { certificates, keys } = current;
    let der = certificates.into_iter().next()?;
    let public = public_key(&der).filter(|public| keys.contains(public))?;
    let facts = facts::read(&der).ok()?;
    Some(Found::here(der, facts, public))
}

impl Seen {
    /// Says which certificates are not in place.
    pub(super) fn missing_certificates(&self) -> Vec<Words> {
        let mut missing = Vec::new();
        if self.signing.is_none() {
            missing.push(both(
                "the certificate of our signatures (_sig_ec) with its key",
                "certyfikat naszego podpisu (_sig_ec) z kluczem",
            ));
        }
        if self.encryption.is_none() {
            missing.push(both(
                "the certificate that the node encrypts to (_enc_ec) with its key",
                "certyfikat szyfrowania (_enc_ec) z kluczem",
            ));
        }
        if self.node.is_empty() {
            missing.push(both(
                "the certificate that the node signs with",
                "certyfikat, którym podpisuje węzeł",
            ));
        }
        if (self.signing.is_none() || self.encryption.is_none()) && self.requests.is_empty() {
            missing.push(both(
                "a request for it: there is no *.csr in the folder of the keys (brama certs csr)",
                "wniosek o certyfikat: w katalogu kluczy nie ma pliku *.csr (brama certs csr)",
            ));
        }
        missing
    }

    /// Says in what our certificates differ technically from those of another environment.
    pub(super) fn differences(&self, other: &Self, now: crate::base::clock::Time) -> Vec<String> {
        let pairs = [(&other.signing, &self.signing), (&other.encryption, &self.encryption)];
        let both = pairs.into_iter().filter_map(|(old, new)| Some((old.as_ref()?, new.as_ref()?)));
        both.flat_map(|(old, new)| compare::differences(&old.facts, &new.facts, now)).collect()
    }
}
