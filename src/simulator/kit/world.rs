//! All pairs of a simulated world, and what is made of them.

use super::error::Error;
use super::make::{self, Names};
use super::pair::Pair;
use super::role::Role;
use crate::base::clock::Time;
use crate::simulator::settings::Service;
use crate::xml::keys::Certificate;
use crate::xml::signer::Signer;

/// The keys and certificates of a simulated world.
#[derive(Debug)]
pub struct Kit {
    pairs: [Pair; 6],
    node: Signer,
    /// For faults: a party that calls itself the node.
    stranger: Signer,
    stranger_pair: Pair,
}

impl Kit {
    /// Makes a new kit, valid from an hour ago for two years.
    ///
    /// # Errors
    /// When a certificate cannot be made from the names.
    pub fn make(names: Names<'_>, now: Time) -> Result<Self, Error> {
        Self::from_pairs(make::pairs(names, now)?, now)
    }

    pub(super) fn from_pairs(pairs: [Pair; 6], now: Time) -> Result<Self, Error> {
        let node = pairs[Role::NodeSigning as usize].signer()?;
        let stranger_pair = make::stranger(now)?;
        Ok(Self { node, stranger: stranger_pair.signer()?, stranger_pair, pairs })
    }

    /// Makes the same kit with another key for the node's messages, valid from an hour ago for two
    /// years.
    ///
    /// # Errors
    /// When a certificate cannot be made.
    pub fn with_other_node_key(&self, now: Time) -> Result<Self, Error> {
        let mut pairs = self.pairs.clone();
        pairs[Role::NodeSigning as usize] = make::successor(now)?;
        Self::from_pairs(pairs, now)
    }

    /// Returns the pair of a role; every kit has all of them.
    #[must_use]
    pub fn pair(&self, role: Role) -> &Pair {
        &self.pairs[role as usize]
    }

    /// Describes the kit's service provider, for registration.
    #[must_use]
    pub fn service(
        &self,
        issuer: &str,
        acs: Vec<String>,
        provider_name: Option<String>,
    ) -> Service {
        Service {
            issuer: issuer.to_owned(),
            acs,
            provider_name,
            signing: vec![self.pair(Role::ServiceSignature).certificate().clone()],
            encryption: self.pair(Role::ServiceEncryption).certificate().clone(),
        }
    }

    pub(in crate::simulator) fn node_signer(&self) -> &Signer {
        &self.node
    }

    pub(in crate::simulator) fn stranger_signer(&self) -> &Signer {
        &self.stranger
    }

    pub(in crate::simulator) fn stranger_certificate(&self) -> &Certificate {
        self.stranger_pair.certificate()
    }
}
