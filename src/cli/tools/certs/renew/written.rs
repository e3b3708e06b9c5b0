//! Files and lines are written all together or not at all, and it is said what was written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::clock::Time;
use crate::base::private;
use crate::cli::output::environment;
use crate::cli::tools::certs::material::shown_path;
use crate::config::{self, Problems, Severity};

/// Why files could not be written, and which are left although they should not be.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) why: String,
    pub(super) left: Vec<PathBuf>,
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self { why, left: Vec::new() }
    }
}

/// Writes new files; what is there is not touched. When one of them cannot be written, those before
/// it are taken away again.
///
/// # Errors
/// What the system says.
pub(super) fn files<'f>(
    all: impl IntoIterator<Item = (&'f Path, &'f [u8])>,
) -> Result<Vec<&'f Path>, Failed> {
    let mut written = Vec::new();
    for (path, bytes) in all {
        let why = match private::write_new(path, bytes) {
            Ok(true) => {
                written.push(path);
                continue;
            }
            Ok(false) => "it is there already".to_owned(),
            Err(error) => error.to_string(),
        };
        return Err(take_away(&written, format!("{}: {why}", shown_path(path))));
    }
    Ok(written)
}

/// Takes files away again that were written before something failed.
pub(super) fn take_away(written: &[&Path], why: String) -> Failed {
    let left = written.iter().filter(|path| fs::remove_file(path).is_err());
    Failed { why, left: left.map(|path| path.to_path_buf()).collect() }
}

/// Says why a configuration must not be written: the errors that it would have and that the one in its
/// place has not.
pub(super) fn new_errors(path: &Path, text: &str, now: Time) -> Vec<String> {
    let name = path.display().to_string();
    let errors = |text: &str| match config::load_text(&name, text, environment()) {
        Ok(loaded) => errors(&config::resolve(loaded, now).1),
        Err(problems) => errors(&problems),
    };
    let old = fs::read_to_string(path).map(|text| errors(&text)).unwrap_or_default();
    let new = errors(text).into_iter().filter(|(what, _)| !old.iter().any(|(o, _)| o == what));
    new.map(|(_, shown)| shown).collect()
}

/// Errors without their lines, which may be others, and as they are shown.
fn errors(problems: &Problems) -> Vec<(String, String)> {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors
        .map(|problem| (format!("{}: {}", problem.key, problem.what), problem.to_string()))
        .collect()
}
