//! What the node would refuse in a message that it receives: all of it, not only the first.
//!
//! Each rule has a stable code, the clause that it comes from, what is wrong and what to do about
//! it in Polish and English ([`rules`]). A message is accepted when there is no finding.
//!
//! White space between elements is never a finding: indented, signed XML is fine.

mod authn_request;
mod extensions;
mod form;
mod header;
pub mod rules;
mod soap;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::Error;
use super::bounds::BODY_BYTES;
use super::settings::Service;
use crate::base::clock::Time;
use crate::base::foreign::Foreign;
use crate::pages::Language;
use crate::xml::keys::Certificate;
use crate::xml::scan::Limits;
use crate::xml::signature::TrustedCertificates;

use rules::Rule;

pub(super) use authn_request::{AuthnRequest, check_authn_request};
pub(super) use form::read_form;
pub(super) use soap::{Resolve, check_logout, check_resolve};

/// One thing that is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// What was found, short enough for a line; empty when it is not there.
    pub found: String,
    /// What was expected; empty when the rule says it.
    pub expected: String,
}

impl Finding {
    /// Returns the stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.rule.code
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn what(&self, language: Language) -> &'static str {
        self.rule.what(language)
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn advice(&self, language: Language) -> &'static str {
        self.rule.advice(language)
    }
}

/// The findings of one message.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

impl Report {
    pub(super) fn add(&mut self, rule: &'static Rule, found: &str, expected: &str) {
        let shown = |text: &str| Foreign::new(text).to_string();
        let finding = Finding { rule, found: shown(found), expected: shown(expected) };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Adds a finding unless the two are the same.
    pub(super) fn compare(&mut self, rule: &'static Rule, found: Option<&str>, expected: &str) {
        if found != Some(expected) {
            self.add(rule, found.unwrap_or_default(), expected);
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A registered service provider, with its certificates pinned.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) service: Service,
    signing: TrustedCertificates,
    /// Clients were seen that sign an `ArtifactResolve` with the key that is for decryption.
    either: TrustedCertificates,
}

impl Registered {
    pub(super) fn new(service: Service) -> Result<Self, Error> {
        let mut signing = service.signing.clone();
        signing.dedup_by(|a, b| a.der() == b.der());
        let mut either = signing.clone();
        if signing.iter().all(|certificate| certificate.der() != service.encryption.der()) {
            either.push(service.encryption.clone());
        }
        let pin = |certificates: Vec<Certificate>| {
            TrustedCertificates::pin(certificates)
                .map_err(|source| Error::Service { issuer: service.issuer.clone(), source })
        };
        let (signing, either) = (pin(signing)?, pin(either)?);
        Ok(Self { service, signing, either })
    }
}

/// What messages are checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) services: &'c [Arc<Registered>],
    pub(super) sso_url: &'c str,
    pub(super) logout_url: &'c str,
    pub(super) now: Time,
}

/// What could be told of a message, whether it is accepted or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) issuer: String,
}

/// The result of checking one message.
#[derive(Debug)]
pub(super) struct Checked<T> {
    pub(super) seen: Seen,
    pub(super) findings: Vec<Finding>,
    /// There when there is no finding.
    pub(super) message: Option<T>,
}

const LIMITS: Limits = Limits::message(BODY_BYTES);
