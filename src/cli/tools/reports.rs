//! Writes a report: its summary to standard output, and the files that were asked for.

use std::fs;
use std::io;
use std::path::Path;

use crate::base::private;
use crate::cli::output::print;
use crate::pages::Language;
use crate::report::{Report, html, json, junit, text};

/// The files that are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'f> {
    pub(super) html: Option<&'f Path>,
    pub(super) json: Option<&'f Path>,
    pub(super) junit: Option<&'f Path>,
}

/// Prints the summary and writes the files. One that cannot be written keeps nothing else from being.
///
/// # Errors
/// Which files cannot be written, and why.
pub(super) fn write(report: &Report, language: Language, files: Files<'_>) -> Result<(), String> {
    print(text::write(report, language));
    let mut failed = Vec::new();
    for (path, write) in [
        (files.html, html::write as Writer),
        (files.json, json::write),
        (files.junit, junit::write),
    ] {
        let Some(path) = path else { continue };
        if let Err(error) = put(path, &write(report, language)) {
            failed.push(format!("{}: {error}", path.display()));
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// A file is there as a whole or not at all; what is no file, such as `/dev/stdout`, stays what it is.
fn put(path: &Path, text: &str) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::write(path, text);
    }
    private::write_with_mode(path, text.as_bytes(), 0o644)
}

type Writer = fn(&Report, Language) -> String;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        put(&path("report"), "one, and longer").unwrap();
        put(&path("report"), "two").unwrap();
        assert_eq!(fs::read_to_string(path("report")).unwrap(), "two");
        symlink("/dev/null", path("device")).unwrap();
        put(&path("device"), "text").unwrap();
        assert!(path("device").is_symlink());
        assert!(put(&path("nowhere/report"), "text").is_err() && put(folder.path(), "").is_err());
    }
}
