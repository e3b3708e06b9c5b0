//! Sessions for tests.

use std::time::Duration;

use super::{PublicName, Session, SessionKey, Settings};
use crate::base::clock::{Time, later};
use crate::identity::assurance::Assurance;
use crate::identity::person::{Identifier, Person};

pub(crate) fn settings() -> Settings {
    Settings {
        idle: Duration::from_secs(900),
        absolute: Duration::from_secs(28_800),
        maximum: 100,
        maximum_per_person: 0,
        grace: Duration::from_secs(300),
    }
}

pub(crate) fn session_of(assurance: Assurance, key: SessionKey, now: Time) -> Session {
    Session { assurance, ..session(key, now) }
}

pub(crate) fn session(key: SessionKey, now: Time) -> Session {
    Session {
        person: Person::new(None, None, None, Identifier::parse("44051401359")),
        assurance: Assurance::High,
        authority: Some("pz.gov.pl".into()),
        authenticated: now,
        end: later(now, settings().absolute),
        public_name: PublicName::of(key),
        name_id: "n".into(),
        session_index: "i".into(),
    }
}

pub(crate) fn session_as(person: Person, key: SessionKey, now: Time) -> Session {
    Session { person, ..session(key, now) }
}
