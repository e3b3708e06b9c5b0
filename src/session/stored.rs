//! A session as bytes: what is sealed and kept in a store, and read again.
//!
//! This is the second way to a [`Session`], and as narrow as the first: bytes are taken only when
//! they open with the secret of the cookie that leads to them.

use serde::{Deserialize, Serialize};

use super::{PublicName, Session, SessionKey};
use crate::base::clock::Time;
use crate::base::secret::Secret;
use crate::identity::assurance::Assurance;
use crate::identity::person::{Identifier, Person};
use crate::store::Kind;
use crate::store::sealed::{Unwritable, write_json};

/// The form in which a session is kept. Fields are only ever added.
#[derive(Serialize, Deserialize)]
struct StoredSession<'k> {
    #[serde(rename = "v")]
    version: u8,
    given_name: Option<&'k str>,
    family_name: Option<&'k str>,
    birthdate: Option<&'k str>,
    /// The kind of the identifier.
    kind: &'k str,
    identifier: &'k str,
    acr: &'k str,
    authority: Option<&'k str>,
    /// Seconds since the epoch.
    authenticated: i64,
    end: i64,
    name_id: &'k str,
    session_index: &'k str,
}

const VERSION: u8 = 1;

/// Bytes that are no session, or one of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("kept session cannot be read")]
pub(super) struct Unreadable;

/// Writes a session.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(session: &Session) -> Result<Secret<Vec<u8>>, Unwritable> {
    let person = &session.person;
    let birthdate = person.birthdate().map(|date| date.to_string());
    let kept = StoredSession {
        version: VERSION,
        given_name: person.given_name(),
        family_name: person.family_name(),
        birthdate: birthdate.as_deref(),
        kind: person.identifier().kind(),
        identifier: person.identifier().as_str(),
        acr: session.assurance.uri(),
        authority: session.authority(),
        authenticated: session.authenticated.as_second(),
        end: session.end.as_second(),
        name_id: &session.name_id,
        session_index: &session.session_index,
    };
    write_json(Kind::Session, &kept)
}

/// Reads a session from the JSON that `write` makes, for the key that it was found under.
pub(super) fn read(bytes: &[u8], key: SessionKey) -> Result<Session, Unreadable> {
    // Borrowed text needs JSON without escapes, so it is read into owned values.
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| Unreadable)?;
    let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
    let needed = |name: &str| text(name).ok_or(Unreadable);
    let second = |name: &str| {
        let second = value.get(name).and_then(serde_json::Value::as_i64).ok_or(Unreadable)?;
        Time::from_second(second).map_err(|_| Unreadable)
    };
    if value.get("v").and_then(serde_json::Value::as_u64) != Some(u64::from(VERSION)) {
        return Err(Unreadable);
    }
    let identifier = needed("identifier")?;
    let identifier = match needed("kind")? {
        "login_name" => Identifier::login_name(identifier),
        _ => Identifier::parse(identifier),
    };
    let birthdate = text("birthdate").map(str::parse).transpose().map_err(|_| Unreadable)?;
    let owned = |name: &str| text(name).map(str::to_owned);
    Ok(Session {
        person: Person::new(owned("given_name"), owned("family_name"), birthdate, identifier),
        assurance: Assurance::from_uri(needed("acr")?).ok_or(Unreadable)?,
        authority: text("authority").map(Into::into),
        authenticated: second("authenticated")?,
        end: second("end")?,
        public_name: PublicName::of(key),
        name_id: needed("name_id")?.into(),
        session_index: needed("session_index")?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::SessionId;
    use crate::session::testing::session;

    #[test]
    fn what_is_written_is_read_back() {
        let (key, now) = (SessionId::generate().key(), "2031-01-01T00:00:00Z".parse().unwrap());
        for identifier in ["44051401359", "DE/PL/1 \"quoted\" ż"].map(Identifier::parse) {
            let birthdate = "1944-05-14".parse().ok();
            let name = || Some("Żaneta \"Ż\"".to_owned());
            let person = Person::new(name(), None, birthdate, identifier);
            let session = Session { person, ..session(key, now) };
            let read = read(write(&session).unwrap().expose(), key).unwrap();
            assert_eq!(format!("{read:?}"), format!("{session:?}"));
        }
        let person = Person::new(None, None, None, Identifier::login_name("44051401359"));
        let session = Session { person, ..session(key, now) };
        let read = read(write(&session).unwrap().expose(), key).unwrap();
        assert_eq!(read.person().identifier().kind(), "login_name");
    }

    #[test]
    fn anything_else_is_refused() {
        let (key, now) = (SessionId::generate().key(), "2031-01-01T00:00:00Z".parse().unwrap());
        let whole = String::from_utf8(write(&session(key, now)).unwrap().expose().clone()).unwrap();
        for wrong in [
            String::new(),
            "{}".to_owned(),
            "null".to_owned(),
            whole.replace("\"v\":1", "\"v\":2"),
            whole.replace("\"acr\"", "\"xcr\""),
            whole.replace("loa/high", "loa/higher").replace("LoA/high", "LoA/higher"),
            whole.replace("\"name_id\"", "\"n\""),
        ] {
            assert!(read(wrong.as_bytes(), key).is_err(), "{wrong}");
        }
    }
}
