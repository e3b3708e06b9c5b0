//! What the doctor is asked for.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::check::Group;

/// What is to be looked at, and how.
#[derive(Debug)]
pub struct Options {
    /// The configuration file of the gateway.
    pub config: PathBuf,
    /// The variables of the environment, which override its keys.
    pub environment: Vec<(String, String)>,
    /// The groups of checks to make.
    pub groups: Vec<Group>,
    /// Where to ask for the public address, in place of what its name leads to.
    pub through: Option<SocketAddr>,
    /// A PEM file of authorities that browsers trust here beside those of the system.
    pub public_ca: Option<PathBuf>,
    /// The path that backends are asked for, which needs a citizen.
    pub backend_path: Option<String>,
    /// How long one question may take.
    pub timeout: Duration,
}

impl Options {
    /// Tells whether a check of one of these groups is wanted.
    pub(super) fn wants(&self, groups: &[Group]) -> bool {
        groups.iter().any(|group| self.groups.contains(group))
    }
}
