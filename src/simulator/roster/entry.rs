//! One person, as a file describes them.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::identity::assurance::Assurance;
use crate::identity::pesel::{Note, Pesel};
use crate::simulator::bounds::FAULTS;
use crate::simulator::faults::Fault;
use crate::simulator::people::{CANCEL, NodeStatus, Person, Way};
use crate::simulator::sheet::Reader;

/// Reads a person. What is missing or wrong is told; a number that does not fit is only odd, since
/// tests want such numbers too.
pub(in crate::simulator) fn read(reader: &mut Reader<'_>) -> Option<Person> {
    let key = read_key(reader);
    let given_name = reader.text("given_name", "Anna");
    let family_name = reader.text("family_name", "Nowak");
    let birthdate = reader.text("birthdate", "1884-05-14").and_then(|text| {
        let date = text.parse::<Date>().ok().filter(|_| text.len() == "1884-05-14".len());
        if date.is_none() {
            let what = format!("is no date: {text:?}");
            reader.refuse("birthdate", &what, "write year, month and day, as in 1884-05-14");
        }
        date
    });
    let identifier = reader.text("identifier", "84851401359");
    if let Some(identifier) = &identifier {
        look_at(reader, identifier, birthdate);
    }
    let login = reader.optional_text("login", "anna.nowak");
    let note = reader.optional_text("note", "two given names");
    let statuses = NodeStatus::ALL.map(NodeStatus::name).join(", ");
    let status = reader.optional("status", &statuses, NodeStatus::find);
    let ways = Way::ALL.map(Way::key).join(", ");
    let way = reader.optional("way", &ways, Way::find);
    let levels = Assurance::ALL.map(|level| level.to_string()).join(", ");
    let assurance = reader.optional("assurance", &levels, Assurance::parse);
    let faults = read_faults(reader);
    let note = Cow::<'static, str>::Owned(note.unwrap_or_default());
    let key = key?;
    Some(Person {
        login: Cow::Owned(login.unwrap_or_else(|| key.clone())),
        key: Cow::Owned(key),
        given_name: Cow::Owned(given_name?),
        family_name: Cow::Owned(family_name?),
        birthdate: birthdate?,
        identifier: Cow::Owned(identifier?),
        note: [note.clone(), note],
        status,
        way,
        assurance,
        faults,
    })
}

/// Reads the faults of a list; each must be known.
pub(in crate::simulator) fn read_faults(reader: &mut Reader<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, text) in reader.texts("faults") {
        match Fault::find(&text) {
            Some(fault) if faults.len() < FAULTS => faults.push(fault),
            Some(_) => {
                reader.refuse_at(name, "is one fault too many", &format!("write at most {FAULTS}"));
            }
            None => {
                let advice = "write one of those that the simulator's page offers";
                reader.refuse_at(name, &format!("is no fault: {text:?}"), advice);
            }
        }
    }
    faults
}

fn read_key(reader: &mut Reader<'_>) -> Option<String> {
    let key = reader.text("key", "anna")?;
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    if key.len() > LONGEST_KEY || !key.bytes().all(fits) {
        let advice = format!("write at most {LONGEST_KEY} of a to z, 0 to 9, \"-\", \".\", \"_\"");
        reader.refuse("key", &format!("cannot be one: {key:?}"), &advice);
        return None;
    }
    if key == CANCEL {
        reader.refuse("key", "stands for a login that is given up", "take another one");
        return None;
    }
    Some(key)
}

/// Tells what is odd about an identifier.
fn look_at(reader: &mut Reader<'_>, identifier: &str, birthdate: Option<Date>) {
    let as_wanted = "leave it so when that is what you test";
    if let Some(pesel) = Pesel::parse(identifier) {
        for note in pesel.notes(birthdate) {
            let what = match note {
                Note::Checksum => "the checksum of this PESEL does not fit",
                Note::NoDate => "this PESEL begins with no date",
                Note::OtherDate => "this PESEL has another date of birth",
            };
            reader.warn("identifier", what, as_wanted);
        }
        return;
    }
    // eIDAS SAML attribute profile 2.2.3: the country of the person, "/", the one that asks, "/".
    let is_country = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_uppercase());
    let mut parts = identifier.splitn(3, '/');
    let [from, to, rest] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    if !is_country(from) || !is_country(to) || rest.is_empty() {
        let what = "is neither a PESEL of eleven digits nor one of another country (DE/PL/...)";
        reader.warn("identifier", what, as_wanted);
    }
}

/// The longest key of a person, in characters.
const LONGEST_KEY: usize = 40;
