//! The audit log of a gateway, by its configuration.

use std::path::{Path, PathBuf};

use crate::app::Settings;
use crate::app::state::AUDIT_KEYS;
use crate::audit::Target;
use crate::audit::keys::{Keys, PersonKey};
use crate::base::private;
use crate::base::secret::Secret;
use crate::cli::configuration::load;

/// What the configuration of a gateway says of its audit log.
pub(super) struct Configured {
    pub(super) settings: Settings,
    pub(super) folder: PathBuf,
}

impl Configured {
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        let (settings, problems) = load(path);
        let settings = settings.ok_or_else(|| problems.to_string())?;
        let folder = settings.state_directory.clone();
        let folder = folder.ok_or("portal.state_directory, which keeps the keys, is not given")?;
        Ok(Self { settings, folder })
    }

    /// Returns the files of the log.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, String> {
        let audit = self.settings.audit.as_ref();
        let Some(Target::File(file)) = audit.map(|audit| &audit.settings.target) else {
            return Err("audit.target is not \"file\": name the files".to_owned());
        };
        let path = &file.path;
        crate::audit::files_of(path).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(super) fn keys_path(&self) -> PathBuf {
        self.folder.join(AUDIT_KEYS)
    }

    pub(super) fn keys(&self) -> Result<Keys, String> {
        let path = self.keys_path();
        let failed = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let bytes = private::read(&path).map_err(|error| failed(&error))?;
        let bytes = Secret::new(bytes.ok_or_else(|| failed(&"there is no such file"))?);
        Keys::parse(bytes.expose()).ok_or_else(|| failed(&"no keys of the audit log"))
    }

    /// Returns the keys of pseudonyms: those of the files that are named, and those that are kept.
    pub(super) fn persons(self) -> Result<Vec<PersonKey>, String> {
        let kept = self.keys();
        let mut persons = self.settings.audit.map(|audit| audit.persons).unwrap_or_default();
        match kept {
            Ok(kept) => persons.extend(kept.persons),
            Err(_) if !persons.is_empty() => {}
            Err(error) => return Err(error),
        }
        Ok(persons)
    }
}
