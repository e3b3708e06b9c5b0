//! A recorded login, as a file.

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::base::clock::Time;
use crate::config::Problems;
use crate::identity::assurance::Assurance;
use crate::simulator::faults::Fault;
use crate::simulator::people::{NodeStatus, Person, Way};
use crate::simulator::roster::{read_faults, read_person};
use crate::simulator::sheet::{Sheet, whole};

/// What became of a citizen at the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) enum Ended {
    /// This person signed in, or was refused with a status of their own.
    Person(Box<Person>),
    /// Nobody did, and this is the status.
    Failed(NodeStatus),
}

/// What is played back of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct Record {
    pub(in crate::simulator) ended: Ended,
    pub(in crate::simulator) way: Way,
    pub(in crate::simulator) assurance: Assurance,
    pub(in crate::simulator) faults: Vec<Fault>,
}

/// What is written beside it, for people.
#[derive(Debug, Clone, Copy)]
pub(in crate::simulator) struct Around<'a> {
    pub(in crate::simulator) time: Time,
    pub(in crate::simulator) service: &'a str,
    pub(in crate::simulator) acs: &'a str,
    /// The answer as it went out, and the assertion before it was sealed.
    pub(in crate::simulator) answer: &'a [u8],
    pub(in crate::simulator) assertion: Option<&'a str>,
}

impl Record {
    /// Writes it as JSON.
    pub(super) fn write(&self, around: Around<'_>) -> String {
        let mut map = Map::new();
        map.insert("time".to_owned(), json!(around.time.to_string()));
        map.insert("service".to_owned(), json!(around.service));
        map.insert("acs".to_owned(), json!(around.acs));
        match &self.ended {
            Ended::Person(person) => map.insert("person".to_owned(), write_person(person)),
            Ended::Failed(status) => map.insert("status".to_owned(), json!(status.name())),
        };
        map.insert("way".to_owned(), json!(self.way.key()));
        map.insert("assurance".to_owned(), json!(self.assurance.to_string()));
        map.insert("faults".to_owned(), names(&self.faults));
        map.insert("assertion".to_owned(), json!(around.assertion.unwrap_or_default()));
        map.insert("answer".to_owned(), json!(String::from_utf8_lossy(around.answer)));
        format!("{:#}\n", Value::Object(map))
    }

    /// Reads what [`Record::write`] wrote, or somebody by hand.
    pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Self, Problems> {
        let mut sheet = Sheet::parse(path, bytes)?;
        let mut root = sheet.root();
        for key in ["time", "service", "acs", "assertion", "answer"] {
            root.pass_over(key);
        }
        let person = root.table("person", |reader| {
            let person = read_person(reader)?;
            Some(person)
        });
        let statuses = NodeStatus::ALL.map(NodeStatus::name).join(", ");
        let status = root.optional("status", &statuses, NodeStatus::find);
        let way = root.optional("way", &Way::ALL.map(Way::key).join(", "), Way::find);
        let levels = Assurance::ALL.map(|level| level.to_string()).join(", ");
        let assurance = root.optional("assurance", &levels, Assurance::parse);
        let faults = read_faults(&mut root);
        root.end();
        let ended = match (person, status) {
            (Some(person), None) => Some(Ended::Person(Box::new(person))),
            (None, Some(status)) => Some(Ended::Failed(status)),
            _ => None,
        };
        let (ended, _) = sheet.finish(ended)?;
        let name = path.display().to_string();
        let what = "has neither a person nor a status, or both";
        let advice = "write how the login ended: \"person\": {...} or \"status\": \"...\"";
        let ended = ended.ok_or_else(|| whole(&name, what, advice))?;
        let way = way.unwrap_or_default();
        let assurance = assurance.unwrap_or_else(|| way.assurance());
        Ok(Self { ended, way, assurance, faults })
    }
}

/// Writes a person with the keys of a file of persons.
fn write_person(person: &Person) -> Value {
    let note: &Cow<'_, str> = &person.note[1];
    let mut map = Map::new();
    let mut set = |key: &str, value: &str| {
        map.insert(key.to_owned(), json!(value));
    };
    set("key", &person.key);
    set("given_name", &person.given_name);
    set("family_name", &person.family_name);
    set("birthdate", &person.birthdate.to_string());
    set("identifier", &person.identifier);
    set("login", &person.login);
    if !note.is_empty() {
        set("note", note);
    }
    if let Some(status) = person.status {
        set("status", status.name());
    }
    Value::Object(map)
}

fn names(faults: &[Fault]) -> Value {
    faults.iter().map(|fault| json!(fault.name())).collect()
}
