//! `onboarding.toml`: who we are, whom the operator can reach, and which step was done on which day.
//!
//! It is edited by hand and by `brama onboarding status --done`. A key that is not known is an error,
//! as in the configuration.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::Deserialize;
use toml_edit::DocumentMut;

use super::steps::STEPS;
use super::words::{Words, both};
use crate::base::clock::{Time, WARSAW};
use crate::base::secret::Secret;
use crate::cli::tools::certs::material::{self, shown_path};
use crate::cli::tools::lines::write_configuration;

/// The name of the record.
pub(super) const RECORD: &str = "onboarding.toml";

/// What is recorded.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Record {
    pub(super) organisation: Organisation,
    pub(super) contacts: Contacts,
    pub(super) windows: Windows,
    pub(super) keys: Keys,
    pub(super) network: Network,
    done: BTreeMap<String, toml::Value>,
    #[serde(skip)]
    days: BTreeMap<u8, Date>,
}

/// Who asks for the certificates.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Organisation {
    pub(super) name: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) locality: Option<String>,
    pub(super) country: Option<String>,
}

/// Whom both sides can reach.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Contacts {
    pub(super) technical: Contact,
    pub(super) deputy: Contact,
    /// Whom the operator tells of what touches security.
    pub(super) security: Contact,
    pub(super) operator: Contact,
}

/// A person, or a post.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Contact {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) telephone: String,
}

impl Contact {
    /// Tells whether somebody can be reached by it.
    pub(super) fn is_given(&self) -> bool {
        self.missing().is_empty()
    }

    /// Returns what is missing before somebody can be reached by it.
    pub(super) fn missing(&self) -> Vec<Words> {
        let Self { name, email, telephone } = self;
        let is_empty = |text: &str| text.trim().is_empty();
        let ways = is_empty(email) && is_empty(telephone);
        let parts = [
            (is_empty(name), both("name", "name")),
            (ways, both("email or telephone", "email albo telephone")),
        ];
        parts.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, words)| words).collect()
    }

    /// Tells whether nobody wrote anything into it.
    pub(super) fn is_empty(&self) -> bool {
        [&self.name, &self.email, &self.telephone].iter().all(|part| part.trim().is_empty())
    }
}

/// How many days the operator's documents give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Windows {
    pub(super) verification_days: u16,
    pub(super) tests_days: u16,
    pub(super) decision_days: u16,
}

impl Default for Windows {
    fn default() -> Self {
        Self { verification_days: 21, tests_days: 30, decision_days: 30 }
    }
}

/// How keys are kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Keys {
    /// The file with the password by which they are encrypted, if they are.
    pub(super) password_file: Option<PathBuf>,
}

/// Where we are seen from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Network {
    /// The addresses from which the node is asked, as the operator sees them.
    pub(super) outgoing_addresses: Vec<String>,
}

impl Record {
    /// Reads the record of a folder.
    ///
    /// # Errors
    /// When there is none, or what is wrong with it.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let (path, text) = text(folder)?;
        let shown = shown_path(&path);
        let record: Self = toml::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
        record.with_days().map_err(|why| format!("{shown}: {why}"))
    }

    fn with_days(mut self) -> Result<Self, String> {
        for (step, day) in &self.done {
            let number =
                step.parse().ok().filter(|number| STEPS.iter().any(|s| s.number == *number));
            let number = number.ok_or(format!("done.{step}: steps have the numbers 1 to 16"))?;
            let text = match day {
                toml::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let day = text.parse().map_err(|_| format!("done.{step}: give a day as 2026-11-30"))?;
            self.days.insert(number, day);
        }
        Ok(self)
    }

    /// Returns the day on which a step was done, if it is recorded.
    pub(super) fn done_on(&self, step: u8) -> Option<Date> {
        self.days.get(&step).copied()
    }

    /// Reads the password by which keys are encrypted, if they are.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(super) fn password(&self, folder: &Path) -> Result<Option<Secret<String>>, String> {
        let file = self.keys.password_file.as_ref().map(|file| folder.join(file));
        let password = file.as_deref().map(material::password).transpose()?;
        match password {
            Some(password) if password.expose().is_empty() => {
                Err(format!("{RECORD}: keys.password_file: there is no password in it"))
            }
            password => Ok(password),
        }
    }
}

/// Records steps as done on a day, or (without a day) as not done.
///
/// # Errors
/// When the record cannot be read or written, or would not be one any more.
pub(super) fn note(folder: &Path, changes: &[(u8, Option<Date>)]) -> Result<(), String> {
    let (path, text) = text(folder)?;
    let shown = shown_path(&path);
    let mut document: DocumentMut = text.parse().map_err(|error| format!("{shown}: {error}"))?;
    let done = document.entry("done").or_insert_with(toml_edit::table);
    let done = done.as_table_mut().ok_or(format!("{shown}: done is no table"))?;
    for (step, day) in changes {
        let key = step.to_string();
        match day {
            None => drop(done.remove(&key)),
            Some(day) => {
                let date: toml_edit::Datetime = day
                    .to_string()
                    .parse()
                    .map_err(|error: toml_edit::DatetimeParseError| format!("{day}: {error}"))?;
                done.insert(&key, toml_edit::value(date));
            }
        }
    }
    done.sort_values_by(|one, _, other, _| number(one).cmp(&number(other)));
    write_configuration(&path, &document.to_string())
}

fn number(key: &toml_edit::Key) -> u8 {
    key.get().parse().unwrap_or(u8::MAX)
}

fn text(folder: &Path) -> Result<(PathBuf, String), String> {
    let path = folder.join(RECORD);
    match fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!(
            "{}: there is none; run this in the folder that `brama onboarding init` made, or name it \
             with --dir",
            shown_path(&path)
        )),
        Err(error) => Err(format!("{}: {error}", shown_path(&path))),
    }
}

/// Returns the day that it is in Poland.
pub(super) fn today(now: Time) -> Date {
    now.to_zoned_datetime(WARSAW.clone()).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_recorded_and_what_stands_around_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(RECORD);
        fs::write(
            &path,
            "# ours\n[contacts.technical]\nname = \"Jan\" # him\n\n[done]\n3 = 2026-11-05\n",
        )
        .unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        note(folder.path(), &[(10, Some(day("2026-12-24"))), (1, Some(day("2026-11-02")))])
            .unwrap();
        let record = Record::read(folder.path()).unwrap();
        assert_eq!(record.done_on(1), Some(day("2026-11-02")));
        assert_eq!(record.done_on(10), Some(day("2026-12-24")));
        assert_eq!(record.done_on(2), None);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# ours\n") && text.contains("\"Jan\" # him"), "{text}");
        assert!(text.ends_with("1 = 2026-11-02\n3 = 2026-11-05\n10 = 2026-12-24\n"), "{text}");
        note(folder.path(), &[(3, None)]).unwrap();
        assert_eq!(Record::read(folder.path()).unwrap().done_on(3), None);
    }

    #[test]
    fn what_is_no_step_and_no_day_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (text, said) in [
            ("[done]\n17 = 2026-11-05", "1 to 16"),
            ("[done]\n4 = \"soon\"", "give a day"),
            ("[done]\n4 = 5", "give a day"),
            ("[contact]\n", "unknown field"),
        ] {
            fs::write(folder.path().join(RECORD), text).unwrap();
            let why = Record::read(folder.path()).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
        fs::remove_file(folder.path().join(RECORD)).unwrap();
        assert!(Record::read(folder.path()).unwrap_err().contains("--dir"));
    }
}
