//! Reads the file and the environment, and collects every problem at once.
//!
//! 1. A file is bounded in size, and its tables in depth, before anything else is made of it.
//! 2. Faults of syntax end it there. Everything else is told together, in one run.
//! 3. The environment is an argument, and wins over the file.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::base::rights;

use super::{
    bounds::MAX_FILE,
    document::Document,
    file::{File, HumanSize},
    overlay,
    problem::Problems,
    source_location::{Places, SourceLocation, is_within},
    typed::Typed,
};

/// A configuration that could be read, with what was wrong in it.
///
/// When [`problems`](Self::problems) has errors, `file` holds defaults in place of what was
/// refused. It is good for finding more problems and for nothing else.
#[derive(Debug)]
pub struct Loaded {
    /// The values of the file, with the variables that override them.
    pub file: File,
    /// The line or variable of each key.
    pub places: Places,
    /// What was wrong with single keys.
    pub problems: Problems,
    folder: PathBuf,
    refused: BTreeSet<String>,
}

impl Loaded {
    /// Returns a path of the configuration as the program can open it: relative ones count from
    /// the folder of the configuration file, those of environment variables too.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// Tells whether a file, as the program opens it, is in a mount that only the gateway has.
    pub fn is_private_mount(&self, path: &Path) -> bool {
        let full = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let path = full(path);
        let mounts = &self.file.portal.private_mounts;
        mounts.iter().any(|mount| path.starts_with(full(&self.resolve(mount))))
    }

    /// Tells whether a value was given for a key and refused, or the key was probably meant by an
    /// unknown one. That is among the problems already, and that the key is absent is no news.
    pub fn was_refused(&self, key: &str) -> bool {
        self.refused.iter().any(|refused| is_within(key, refused))
    }
}

/// Reads a configuration file, with the environment variables that stand in for keys.
///
/// The environment is an argument. Names that do not begin with `BRAMA__` are passed over.
pub fn load(
    path: &Path,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, Problems> {
    let name = path.display().to_string();
    let bytes = read_bounded(path).map_err(|error| {
        let advice = "check the path, and that the program may read the file";
        whole_file(&name, &format!("cannot be read: {error}"), advice)
    })?;
    if bytes.len() > MAX_FILE {
        return Err(too_large(&name));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let place =
            SourceLocation::File { name: name.as_str().into(), line: Some(line), column: None };
        let mut problems = Problems::default();
        problems.push_error(place, "", "this is not UTF-8 text", "save the file as UTF-8");
        problems
    })?;
    let mut loaded = load_text(&name, &text, environment)?;
    loaded.folder = folder_of(path);
    // A user who can write to the file decides everything.
    if !loaded.is_private_mount(path)
        && let Ok(Some(found)) = rights::of_believed(path)
    {
        let advice = format!("run: {}", found.remedy());
        loaded.problems.push_error(SourceLocation::file(&name), "", found.to_string(), advice);
    }
    Ok(loaded)
}

/// Reads a configuration from a text that goes by the name of a file.
pub fn load_text(
    name: &str,
    text: &str,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Loaded, Problems> {
    // 1. Nothing is made of a text without bounds.
    if text.len() > MAX_FILE {
        return Err(too_large(name));
    }
    // 2. A text that is not TOML has no keys to look at.
    let mut document = Document::parse(name, text)?;
    // 3. The environment wins over the file.
    let mut problems = Problems::default();
    overlay::apply(&mut document, environment, &mut problems);
    // 4. Every key is known and of its type, or it is told and dropped.
    let Document { tree, places } = document;
    let mut typed = Typed::new(tree);
    let file = typed.read(&places, &mut problems)?;
    Ok(Loaded {
        file,
        places,
        problems,
        folder: folder_of(Path::new(name)),
        refused: typed.into_refused(),
    })
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn too_large(name: &str) -> Problems {
    let what = format!("is larger than {}", HumanSize::from_bytes(MAX_FILE as u64));
    whole_file(name, &what, "a configuration is far smaller: check that this is the right file")
}

fn whole_file(name: &str, what: &str, advice: &str) -> Problems {
    let mut problems = Problems::default();
    problems.push_error(SourceLocation::file(name), "", what, advice);
    problems
}
