//! The folder with texts of the office: a file for each language, a table for each reason, and for
//! each page without one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::base::files::read as read_file;
use crate::base::reason::Reason;
use crate::base::rights;
use crate::config::document::Document;
use crate::config::resolve::context::Context;
use crate::config::source_location::SourceLocation;
use crate::pages::{Language, PlainPage, ReasonText, Template};

/// Returns the files that there may be in the folder.
fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    Language::ALL.map(|language| folder.join(format!("{}.toml", language.code()))).into_iter()
}

/// Reads all of them.
pub(super) fn resolve(context: &mut Context<'_>) -> Vec<ReasonText> {
    let key = key!(pages.texts);
    let Some(folder) = context.file().pages.texts.as_deref() else { return Vec::new() };
    context.forbid(key, folder, rights::of_believed);
    let folder = context.resolve(folder);
    let names = match fs::read_dir(&folder) {
        Ok(names) => names.flatten().map(|entry| entry.path()).take(MOST_NAMES).collect::<Vec<_>>(),
        Err(error) => {
            let what = format!("{} cannot be read: {error}", folder.display());
            context.error(key, what, "give a folder with pl.toml, en.toml or uk.toml");
            return Vec::new();
        }
    };
    for name in names {
        let is_text = name.extension().is_some_and(|ending| ending == "toml");
        if is_text && !files(&folder).any(|known| known == name) {
            let what = format!("has {}, which is of no language of the pages", name.display());
            context.error(key, what, "name it pl.toml, en.toml or uk.toml, or move it elsewhere");
        }
    }
    let mut texts = Vec::new();
    for (language, path) in Language::ALL.into_iter().zip(files(&folder)) {
        if let Some(document) = read(context, key, &path) {
            for (reason, table) in &document.tree {
                texts.extend(text(context, &document, language, (reason, table)));
            }
        }
    }
    texts
}

fn read(context: &mut Context<'_>, key: &str, path: &Path) -> Option<Document> {
    context.forbid(key, path, rights::of_believed);
    let bytes = match read_file(path, MOST_BYTES) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => None,
        // A language may be left as it is.
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => {
            let what = format!("{} cannot be read: {error}", path.display());
            context.error(key, what, "check who may read the file");
            return None;
        }
    };
    let name = path.display().to_string();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(text) = text else {
        let what = format!("{name} is not UTF-8 text of at most {} KiB", MOST_BYTES / 1024);
        context.error(key, what, "save it as UTF-8, with the texts alone");
        return None;
    };
    match Document::parse(&name, &text) {
        Ok(document) => Some(document),
        Err(problems) => {
            context.problems.append(problems);
            None
        }
    }
}

/// Reads the texts of one reason, or of one page without a reason.
fn text(
    context: &mut Context<'_>,
    document: &Document,
    language: Language,
    (code, value): (&str, &Value),
) -> Option<ReasonText> {
    let place = place_of(document, &[code]);
    let known = Reason::ALL.iter().map(|reason| reason.as_str()).find(|known| *known == code);
    let page = PlainPage::named(code);
    let Some(reason) = known.or_else(|| page.map(|page| page.name)) else {
        let advice = "write a code of `brama reason`, or the name of a page that docs/pages.md has, in \
                      brackets and quotes";
        context.problems.push_error(place, shown(code), "is no reason code", advice);
        return None;
    };
    let Some(table) = value.as_table() else {
        let advice = "write the code in brackets and quotes, and title, happened and advice below";
        context.problems.push_error(place, reason, "is no table", advice);
        return None;
    };
    let parts = page.map_or(&PARTS[..], |page| page.parts);
    for (name, _) in table.iter().filter(|(name, _)| !parts.contains(&name.as_str())) {
        let (place, key) = (place_of(document, &[code, name]), format!("{reason}.{}", shown(name)));
        let advice = match parts {
            [all @ .., last] if !all.is_empty() => {
                format!("there are {} and {last}", all.join(", "))
            }
            parts => format!("there is {}", parts.join("")),
        };
        context.problems.push_error(place, key, "is unknown", advice);
    }
    let mut part = |name: &str, most: usize| {
        let template = read_part(table, name, most)?;
        let (place, key) = (place_of(document, &[code, name]), format!("{reason}.{name}"));
        match template {
            Ok(template) if page.is_some() && template.is_of_an_incident() => {
                let what = "has {reason} or {number}, and this page has neither";
                context.problems.push_error(place, key, what, "there is {portal}");
                None
            }
            Ok(template) => Some(template),
            Err(what) => {
                let advice = "write plain text, with {portal}, {reason} and {number} where wanted";
                context.problems.push_error(place, key, what, advice);
                None
            }
        }
    };
    let [title, happened, advice] =
        [part("title", LONGEST_TITLE), part("happened", LONGEST), part("advice", LONGEST)];
    Some(ReasonText { language, reason, title, happened, advice })
}

fn read_part(table: &Table, name: &str, most: usize) -> Option<Result<Template, String>> {
    let value = table.get(name)?;
    let Some(text) = value.as_str() else { return Some(Err("is no text".to_owned())) };
    Some(Template::parse(text, most).map_err(|error| error.to_string()))
}

fn place_of(document: &Document, way: &[&str]) -> SourceLocation {
    document.places.place_of_way(way)
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_graphic()).take(60).collect()
}

const PARTS: [&str; 3] = ["title", "happened", "advice"];
/// The longest heading, in characters.
const LONGEST_TITLE: usize = 150;
/// The longest of the other texts, in characters.
const LONGEST: usize = 1_000;
/// How large one file may be.
const MOST_BYTES: u64 = 256 * 1024;
/// How many names of the folder are looked at.
const MOST_NAMES: usize = 1_000;
