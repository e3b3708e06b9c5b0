//! The files to examine, brought into the form in which a login would see them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::encoding::from_base64;

/// One captured answer of the node, from a file.
pub(super) struct Input {
    /// The path, as given or found.
    pub(super) name: String,
    /// The XML, or whatever the file holds instead: the examination says what is wrong with it.
    pub(super) answer: Vec<u8>,
}

/// No capture is longer; more would be some other file, and is cut so that it is refused as such.
const MAXIMUM: u64 = 16 * 1024 * 1024;
/// The most files that are taken from folders.
const MAXIMUM_FILES: usize = 100_000;

/// Reads files, and the files in folders, in order of their names.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<Input>, String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        return Err("there is no file in the folders given".to_owned());
    }
    files.iter().map(|path| read(path)).collect()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let kind = entry.file_type().map_err(unreadable)?;
        // Links are not followed, so that a folder cannot hold itself.
        if !hidden && (kind.is_file() || kind.is_dir()) {
            entries.push(entry.path());
        }
    }
    entries.sort();
    for entry in entries {
        collect(&entry, files)?;
        if files.len() > MAXIMUM_FILES {
            return Err(format!("there are more than {MAXIMUM_FILES} files in the folders"));
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Input, String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAXIMUM).read_to_end(&mut bytes))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Input { name: path.display().to_string(), answer: decode(bytes) })
}

/// Takes base64 off when the file holds base64 of XML, and white space around XML.
fn decode(bytes: Vec<u8>) -> Vec<u8> {
    let trimmed = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii();
    if !trimmed.starts_with(b"<")
        && let Some(decoded) = std::str::from_utf8(trimmed).ok().and_then(from_base64)
        && decoded.trim_ascii_start().starts_with(b"<")
    {
        return decoded.trim_ascii().to_vec();
    }
    trimmed.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::base64;

    #[test]
    fn takes_base64_and_white_space_off() {
        let encoded = base64(b"<a/>");
        for bytes in [
            b"<a/>".to_vec(),
            b"\n<a/>\n".to_vec(),
            encoded.into_bytes(),
            b"PGEv\r\nPg==\n".to_vec(),
        ] {
            assert_eq!(decode(bytes), b"<a/>");
        }
        assert_eq!(decode(b"rubbish!".to_vec()), b"rubbish!");
        assert_eq!(decode(b"AAAA".to_vec()), b"AAAA", "base64 of something else stays");
    }
}
