//! Certificates that a client of the SOAP listener must not take.

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use super::error::Error;
use super::make::{self, Names, pair};
use super::pair::Pair;
use super::role::Role;
use super::world::Kit;
use crate::base::clock::{Time, earlier};
use crate::xml::keys::Certificate;

/// Pairs for the SOAP listener, each with one thing wrong.
#[derive(Debug)]
pub struct WrongTls {
    /// Right, until two days ago.
    pub expired: Pair,
    /// Right, for another host.
    pub wrong_name: Pair,
    /// Right, but issued by an authority that nobody knows.
    pub wrong_authority: Pair,
    /// Right, but issued by nobody.
    pub self_signed: Pair,
    /// That authority.
    pub authority: Certificate,
}

impl Kit {
    /// Makes certificates that a client must not take. They are kept nowhere.
    ///
    /// # Errors
    /// When a certificate cannot be made from the names.
    pub fn wrong_tls(&self, names: Names<'_>, now: Time) -> Result<WrongTls, Error> {
        let ours = make::again(self.pair(Role::Authority), now)?;
        let (stranger, strange) = make::authority("CA_OBCY", now)?;
        let other = Names { node: WRONG_NAME, hosts: &[], ..names };
        let mut wrong_name: CertificateParams = make::server(other, now)?;
        // Without the names of this machine.
        wrong_name.subject_alt_names =
            CertificateParams::new([WRONG_NAME.to_owned()])?.subject_alt_names;
        // It lasts for two years.
        let before = earlier(now, Duration::from_secs((2 * 365 + 2) * 24 * 3_600));
        let key = KeyPair::generate()?;
        let self_signed = make::server(names, now)?.self_signed(&key)?;
        Ok(WrongTls {
            expired: make::issue(make::server(names, before)?, &ours)?,
            wrong_name: make::issue(wrong_name, &ours)?,
            wrong_authority: make::issue(make::server(names, now)?, &strange)?,
            self_signed: pair(&key, self_signed.der())?,
            authority: stranger.certificate,
        })
    }
}

/// A host that is not the node.
const WRONG_NAME: &str = "inny-wezel.example";
