//! The keys that test tokens are signed with, kept between runs.
//!
//! 1. They stand in a file of their own name and form, which says that they are for development. A
//!    gateway reads neither.
//! 2. Where a gateway keeps its state, nothing is read or made. The keys of a gateway that were
//!    copied under our name are refused by their form.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::state;
use crate::base::clock::Time;
use crate::base::private;
use crate::config::file;
use crate::identity::keyring::KeyRing;
use crate::identity::signing_key::Algorithm;

/// Keys that sign test tokens. They are never those of a gateway.
#[derive(Debug)]
pub(super) struct DevelopmentKeys(KeyRing);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(
        "{folder} is where a gateway keeps its state ({file} is there): test tokens are never \
         signed with its keys; name another folder with --directory"
    )]
    StateDirectory { folder: PathBuf, file: String },
    #[error(
        "{0} has the keys of a gateway: test tokens are never signed with them; name another \
         folder with --directory"
    )]
    KeysOfGateway(PathBuf),
    #[error("{0} has no development keys that can be read; remove it and new ones are made")]
    Unreadable(PathBuf),
    #[error("there is no home folder to keep development keys in; name one with --directory")]
    NoHome,
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
}

const FILE: &str = "development-keys.json";

/// The file as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKeys {
    purpose: Purpose,
    /// The text of the ring.
    ring: String,
}

/// What the keys are for: there is one answer.
#[derive(Serialize, Deserialize)]
enum Purpose {
    #[serde(rename = "development only: tokens of these keys prove nothing")]
    Development,
}

impl DevelopmentKeys {
    /// Reads the keys of a folder, brought up to date, or makes them. Without a folder they are in
    /// that which the user has for state.
    pub(super) fn load_or_make(folder: Option<&Path>, now: Time) -> Result<Self, Error> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => usual_folder(|name| std::env::var_os(name)).ok_or(Error::NoHome)?,
        };
        if let Some(file) = state::files().find(|name| folder.join(name).symlink_metadata().is_ok())
        {
            return Err(Error::StateDirectory { folder, file });
        }
        let path = folder.join(FILE);
        let failed = |source| Error::Io { path: path.clone(), source };
        if private::read(&path).map_err(failed)?.is_none() {
            private::make_folder(&folder).map_err(failed)?;
            let made = KeyRing::generate(period(), &SIGNED_WITH, now);
            // Another process may make them in the same moment: both read what is there then.
            private::write_new(&path, text(&made).as_bytes()).map_err(failed)?;
        }
        let kept = private::read(&path).map_err(failed)?.unwrap_or_default();
        let mut ring = read(&path, &String::from_utf8_lossy(&kept))?;
        if ring.advance(now) {
            private::write(&path, text(&ring).as_bytes()).map_err(failed)?;
        }
        Ok(Self(ring))
    }

    pub(super) fn ring(&self) -> &KeyRing {
        &self.0
    }
}

fn read(path: &Path, kept: &str) -> Result<KeyRing, Error> {
    if KeyRing::restore(kept, period(), &SIGNED_WITH).is_ok() {
        return Err(Error::KeysOfGateway(path.to_owned()));
    }
    let unreadable = || Error::Unreadable(path.to_owned());
    let kept: StoredKeys = serde_json::from_str(kept).map_err(|_| unreadable())?;
    KeyRing::restore(&kept.ring, period(), &SIGNED_WITH).map_err(|_| unreadable())
}

fn text(ring: &KeyRing) -> String {
    let kept =
        StoredKeys { purpose: Purpose::Development, ring: ring.to_text().expose().to_owned() };
    serde_json::to_string(&kept).expect("texts can be written")
}

/// How tokens of development are signed: as those of a gateway, when nothing else is configured.
pub(super) const SIGNED_WITH: [Algorithm; 1] = [Algorithm::Es256];

/// How long a key signs: as long as a gateway's when nothing else is configured.
pub(super) fn period() -> std::time::Duration {
    file::Identity::default().key_rotation.get()
}

/// The XDG base directory specification: `$XDG_STATE_HOME`, or `~/.local/state`.
fn usual_folder(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("brama-development"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    const NOW: Time = Time::UNIX_EPOCH;

    #[test]
    fn keys_outlive_a_run_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("new/folder");
        let first = DevelopmentKeys::load_or_make(Some(&inside), NOW).unwrap();
        let second = DevelopmentKeys::load_or_make(Some(&inside), NOW).unwrap();
        assert_eq!(first.ring().jwks(NOW), second.ring().jwks(NOW));
        let file = fs::metadata(inside.join(FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        // Its form is none that a gateway takes for its own.
        let kept = fs::read_to_string(inside.join(FILE)).unwrap();
        assert!(KeyRing::restore(&kept, period(), &SIGNED_WITH).is_err());
    }

    #[test]
    fn the_state_of_a_gateway_is_refused_by_each_of_its_files() {
        for name in state::files() {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), "").unwrap();
            let refused = DevelopmentKeys::load_or_make(Some(folder.path()), NOW).unwrap_err();
            assert!(matches!(refused, Error::StateDirectory { .. }), "{refused}");
            assert!(!folder.path().join(FILE).exists(), "nothing is made there");
        }
    }

    #[test]
    fn keys_of_a_gateway_under_our_name_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let ring = KeyRing::generate(period(), &SIGNED_WITH, NOW);
        for (kept, is_gateways) in [(ring.to_text().expose().as_str(), true), ("{}", false)] {
            fs::write(folder.path().join(FILE), kept).unwrap();
            let refused = DevelopmentKeys::load_or_make(Some(folder.path()), NOW).unwrap_err();
            assert_eq!(matches!(refused, Error::KeysOfGateway(_)), is_gateways, "{refused}");
        }
    }

    #[test]
    fn the_usual_folder_is_the_users() {
        let of = |name: &'static str, value: &'static str| {
            usual_folder(move |asked| (asked == name).then(|| value.into()))
        };
        assert_eq!(of("XDG_STATE_HOME", "/s"), Some("/s/brama-development".into()));
        assert_eq!(of("HOME", "/h"), Some("/h/.local/state/brama-development".into()));
        assert_eq!(of("HOME", "here"), None);
    }
}
