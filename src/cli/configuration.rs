//! The configuration, as every command takes it: the file, and the environment of the process.

use std::path::Path;

use super::output::environment;
use super::watched::Watched;
use crate::app::Settings;
use crate::base::clock::{Clock, SystemClock};
use crate::config::{self, Problems};

/// Where the configuration is when nothing else is said.
pub(super) const PLACE: &str = "/etc/brama/brama.toml";

/// Reads and resolves a configuration.
pub(super) fn load(path: &Path) -> (Option<Settings>, Problems) {
    match config::load(path, environment()) {
        Ok(loaded) => config::resolve(loaded, SystemClock.now()),
        Err(problems) => (None, problems),
    }
}

/// Reads and resolves a configuration, and notes how the files look that it names.
pub(super) fn load_watched(watched: &mut Watched) -> (Option<Settings>, Problems) {
    match config::load(watched.configuration(), environment()) {
        Ok(loaded) => {
            watched.name(config::watched(&loaded));
            config::resolve(loaded, SystemClock.now())
        }
        Err(problems) => (None, problems),
    }
}

/// Reads and resolves a configuration, and looks at what a start would need besides.
pub(super) fn check(path: &Path) -> (Option<Settings>, Problems) {
    match config::load(path, environment()) {
        Ok(loaded) => config::check(loaded, SystemClock.now()),
        Err(problems) => (None, problems),
    }
}
