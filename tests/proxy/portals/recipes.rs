//! The recipes, and in what they differ.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::harness::tools::{self, Tool};

/// A recipe of `deploy/portals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipe {
    Apache,
    Django,
    DjangoByHeaders,
    DokuWiki,
    Express,
    Flask,
    Nginx,
    Spring,
    Tomcat,
}

/// What a portal takes for an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Believes {
    /// The signed token.
    Token,
    /// Plain headers: these, with a user in place of `{}`.
    Headers(&'static str),
}

impl Recipe {
    /// The folder of the recipe below `deploy/portals`.
    fn name(self) -> &'static str {
        match self {
            Self::Apache => "apache",
            Self::Django | Self::DjangoByHeaders => "django",
            Self::DokuWiki => "dokuwiki",
            Self::Express => "express",
            Self::Flask => "flask",
            Self::Nginx => "nginx",
            Self::Spring => "spring",
            Self::Tomcat => "tomcat",
        }
    }

    /// Returns a file of the recipe.
    pub(super) fn source(self, file: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/portals");
        folder.join(self.name()).join(file)
    }

    /// Returns what `setup.sh` fetched for it.
    pub(super) fn fetched(self) -> PathBuf {
        let all = env::var_os("BRAMA_BACKENDS").map(PathBuf::from).unwrap_or_default();
        all.join(format!("portal-{}", self.name()))
    }

    /// Tells whether it can run here. When not, the test is to end: it says that it was skipped, or
    /// fails where judges are required.
    pub(super) fn is_prepared(self) -> bool {
        let installed: &[Tool] = match self {
            Self::Apache => &[Tool::Apache],
            Self::Nginx => &[Tool::Nginx, Tool::PhpFpm],
            Self::Tomcat => &[Tool::Tomcat, Tool::Javac],
            Self::Spring => &[Tool::Javac],
            _ => &[],
        };
        if !tools::has(installed) {
            return false;
        }
        let is_fetched = matches!(self, Self::Apache | Self::Nginx | Self::Tomcat)
            || self.fetched().join("ready").is_file();
        if !is_fetched {
            tools::skip(&format!(
                "the portal {} is not prepared (BRAMA_BACKENDS is the output of \
                 sh tests/proxy/portals/setup.sh)",
                self.name()
            ));
        }
        is_fetched
    }

    /// Returns the recipe's part of the gateway's configuration, for a portal at this address.
    pub(super) fn configuration(self, upstream: &str) -> String {
        let file = match self {
            Self::DjangoByHeaders => "brama-headers.toml",
            _ => "brama.toml",
        };
        let text = fs::read_to_string(self.source(file)).unwrap();
        let lines = text.lines().map(|line| match line.starts_with("url = ") {
            true => format!("url = \"{upstream}\""),
            false => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Tells whether it listens on a socket of the file system.
    pub(super) fn has_socket(self) -> bool {
        matches!(self, Self::DjangoByHeaders | Self::Nginx)
    }

    pub(super) fn believes(self) -> Believes {
        match self {
            Self::Django | Self::Express | Self::Flask | Self::Spring => Believes::Token,
            Self::DjangoByHeaders => Believes::Headers("Remote-User: {}\r\nRemote-Name: M\r\n"),
            Self::Apache => Believes::Headers("Remote-User: {}\r\n"),
            Self::DokuWiki => Believes::Headers("X-Brama-Subject: {}\r\n"),
            Self::Nginx | Self::Tomcat => {
                Believes::Headers("X-Citizen: {}\r\nX-Citizen-Name: M\r\n")
            }
        }
    }

    /// Returns a page that is for citizens alone, by a rule of the portal's own, and the status that
    /// others get.
    pub(super) fn inner(self) -> Option<(&'static str, u16)> {
        match self {
            Self::Apache | Self::Tomcat => Some(("/inner/whoami", 403)),
            Self::Nginx => Some(("/inner/page.html", 401)),
            _ => None,
        }
    }

    /// What the portal's own session has counted; the example of Apache has none.
    pub(super) fn visits(self, count: u64) -> Option<u64> {
        (self != Self::Apache).then_some(count)
    }

    /// At the first page after the same citizen signed in once more. Django's `RemoteUserMiddleware`
    /// is told who is there, not since when.
    pub(super) fn visits_after_a_second_login(self) -> u64 {
        if self == Self::DjangoByHeaders { 2 } else { 1 }
    }
}
