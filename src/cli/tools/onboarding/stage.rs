//! The three environments of the operator, and the folder of each.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::config::file::ServiceKind;

/// An environment of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Stage {
    /// The operator's simulator.
    Symulator,
    /// Tests before production.
    Integration,
    /// Real citizens.
    Production,
}

impl Stage {
    /// All of them, in their order.
    pub(super) const ALL: [Self; 3] = [Self::Symulator, Self::Integration, Self::Production];

    /// Returns its name, which is that of its folder.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Symulator => "symulator",
            Self::Integration => "integration",
            Self::Production => "production",
        }
    }

    /// Returns what the configuration calls it (`node.environment`).
    pub(super) fn environment(self, kind: ServiceKind) -> &'static str {
        match (self, kind) {
            (Self::Symulator, _) => "symulator",
            (Self::Integration, ServiceKind::Public) => "integration",
            (Self::Integration, ServiceKind::Private) => "integration-private",
            (Self::Production, ServiceKind::Public) => "production",
            (Self::Production, ServiceKind::Private) => "production-private",
        }
    }

    /// Returns its folder.
    pub(super) fn folder(self, all: &Path) -> PathBuf {
        // Without a `./` that people would read before every path.
        match all == Path::new(".") {
            true => PathBuf::from(self.name()),
            false => all.join(self.name()),
        }
    }

    /// Returns its configuration.
    pub(super) fn configuration(self, all: &Path) -> PathBuf {
        self.folder(all).join(CONFIGURATION)
    }

    /// Returns the folder of its keys, and of what belongs to them.
    pub(super) fn keys(self, all: &Path) -> PathBuf {
        self.folder(all).join(KEYS)
    }
}

/// The name of a configuration.
pub(super) const CONFIGURATION: &str = "brama.toml";
/// The name of a folder with keys, beside the configuration.
pub(super) const KEYS: &str = "keys";

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
