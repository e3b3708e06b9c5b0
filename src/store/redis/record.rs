//! Records as fields of a hash, and the names of keys.

use std::time::Duration;

use bytes::Bytes;
use redis::Value;

use crate::base::clock::{Time, later};
use crate::base::encoding::{from_hex, hex_lower};
use crate::store::{Digest, Event, Key, Kind, Record};

/// The fields of a record, as [`read`] expects them.
pub(super) const FIELDS: [&[u8]; 5] = [b"s", b"l", b"o", b"a", b"e"];

/// How much longer than a record lives the server keeps it: its clock is not ours.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// How much longer than a record the entry by which its owner finds it stays, in milliseconds.
/// Long, because an entry that goes first would hide a session from those who end it.
pub(super) const ENTRY_MARGIN: i64 = 60 * 60 * 1000;

/// Names of keys and channels, which begin with a prefix.
#[derive(Debug, Clone)]
pub(super) struct Names(pub(super) String);

impl Names {
    /// Returns the key of a record.
    pub(super) fn record(&self, key: Key) -> String {
        format!("{}{{{}:{}}}", self.0, key.kind.name(), hex_lower(&key.digest))
    }

    /// Returns the pattern of the keys of all records of a kind.
    pub(super) fn pattern(&self, kind: Kind) -> String {
        format!("{}{{{}:*}}", self.0, kind.name())
    }

    /// Returns the digest in the key of a record of a kind.
    pub(super) fn digest(&self, kind: Kind, key: &[u8]) -> Option<Digest> {
        let key = std::str::from_utf8(key).ok()?.strip_prefix(&self.0)?;
        let inner = key.strip_prefix('{')?.strip_suffix('}')?;
        digest(inner.strip_prefix(kind.name())?.strip_prefix(':')?)
    }

    /// Returns the key of the list of what belongs to an owner.
    pub(super) fn owner(&self, kind: Kind, owner: Digest) -> String {
        format!("{}owner:{{{}:{}}}", self.0, kind.name(), hex_lower(&owner))
    }

    /// Returns the channel of events.
    pub(super) fn channel(&self) -> String {
        format!("{}events", self.0)
    }

    /// Returns a key that shows whether something can be kept.
    pub(super) fn probe(&self) -> String {
        format!("{}{{probe}}", self.0)
    }
}

/// Returns a digest that was written as hexadecimal.
pub(super) fn digest(text: &str) -> Option<Digest> {
    from_hex(text)?.try_into().ok()
}

/// Writes that a record is gone, for the channel.
pub(super) fn gone(key: Key) -> String {
    format!("{}:{}", key.kind.name(), hex_lower(&key.digest))
}

/// Reads what the channel says.
pub(super) fn event(message: &[u8]) -> Option<Event> {
    let (kind, hex) = std::str::from_utf8(message).ok()?.split_once(':')?;
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
    Some(Event::Gone(Key { kind, digest: digest(hex)? }))
}

/// Writes a point in time as text that has the order of time: 21 digits, for all times there are.
pub(super) fn when(time: Time) -> String {
    format!("{:021}", time.as_nanosecond().saturating_add(ORIGIN))
}

fn read_when(text: &[u8]) -> Option<Time> {
    let number: i128 = std::str::from_utf8(text).ok()?.parse().ok()?;
    Time::from_nanosecond(number.checked_sub(ORIGIN)?).ok()
}

/// Before all times there are, in nanoseconds from the epoch.
const ORIGIN: i128 = 400_000_000_000_000_000_000;

/// Writes milliseconds as text that has their order: 20 digits.
pub(super) fn alive(milliseconds: i64) -> String {
    format!("{:020}", i128::from(milliseconds) - i128::from(i64::MIN))
}

fn read_alive(text: &[u8]) -> Option<i64> {
    let number: i128 = std::str::from_utf8(text).ok()?.parse().ok()?;
    i64::try_from(number.checked_add(i128::from(i64::MIN))?).ok()
}

/// Returns when the server may tidy up something that expires, in milliseconds.
pub(super) fn tidy(expires: Time) -> String {
    later(expires, MARGIN).as_millisecond().max(1).to_string()
}

/// Returns the arguments by which scripts keep a record.
pub(super) fn arguments(record: &Record) -> Vec<Bytes> {
    let owner = record.owner.map_or_else(Bytes::new, |owner| Bytes::copy_from_slice(&owner));
    vec![
        record.sealed.clone(),
        record.label.clone(),
        owner,
        alive(record.alive).into(),
        when(record.expires).into(),
        tidy(record.expires).into(),
    ]
}

/// Why the fields of a record cannot be read: another program wrote them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// Reads the fields of a record. None of them means that there is no record.
pub(super) fn read(value: Value) -> Result<Option<Record>, Damaged> {
    let Value::Array(values) = value else {
        return if value == Value::Nil { Ok(None) } else { Err(Damaged) };
    };
    if values.iter().all(|value| *value == Value::Nil) {
        return Ok(None);
    }
    let fields: Vec<Vec<u8>> = values
        .into_iter()
        .map(|value| match value {
            Value::BulkString(bytes) => Ok(bytes),
            _ => Err(Damaged),
        })
        .collect::<Result<_, _>>()?;
    let [sealed, label, owner, alive, expires] =
        <[Vec<u8>; 5]>::try_from(fields).map_err(|_| Damaged)?;
    Ok(Some(Record {
        sealed: sealed.into(),
        label: label.into(),
        owner: match owner.len() {
            0 => None,
            _ => Some(owner.try_into().map_err(|_| Damaged)?),
        },
        alive: read_alive(&alive).ok_or(Damaged)?,
        expires: read_when(&expires).ok_or(Damaged)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_times_in_their_order() {
        let times = [Time::MIN, Time::UNIX_EPOCH, Time::from_nanosecond(1).unwrap(), Time::MAX];
        let texts = times.map(when);
        assert!(texts.is_sorted());
        for (time, text) in times.iter().zip(&texts) {
            assert_eq!(text.len(), 21, "{text}");
            assert_eq!(read_when(text.as_bytes()), Some(*time));
        }
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
        let texts = numbers.map(alive);
        assert!(texts.is_sorted());
        for (number, text) in numbers.iter().zip(&texts) {
            assert_eq!(text.len(), 20, "{text}");
            assert_eq!(read_alive(text.as_bytes()), Some(*number));
        }
    }

    #[test]
    fn reads_keys_and_events_of_its_own_only() {
        let names = Names("p:".to_owned());
        let key = Key { kind: Kind::Form, digest: [0xab; 32] };
        let text = names.record(key);
        assert_eq!(names.digest(Kind::Form, text.as_bytes()), Some(key.digest));
        assert_eq!(names.digest(Kind::Code, text.as_bytes()), None);
        assert_eq!(Names("q:".to_owned()).digest(Kind::Form, text.as_bytes()), None);
        assert_eq!(event(gone(key).as_bytes()), Some(Event::Gone(key)));
        for wrong in [&b""[..], b"form", b"form:", b"form:ab", b"other:ab", b"\xff:"] {
            assert_eq!(event(wrong), None);
        }
    }

    #[test]
    fn does_not_take_damage_for_nothing() {
        let nothing = || Value::Array(vec![Value::Nil; 5]);
        assert_eq!(read(nothing()), Ok(None));
        assert_eq!(read(Value::Nil), Ok(None));
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let (life, end) = (text(&alive(7)), text(&when(Time::UNIX_EPOCH)));
        let whole = vec![text("s"), text("l"), text(""), life, end];
        assert!(read(Value::Array(whole.clone())).unwrap().is_some());
        for field in 0..5 {
            let mut damaged = whole.clone();
            damaged[field] = Value::Nil;
            assert_eq!(read(Value::Array(damaged)), Err(Damaged), "{field}");
        }
        for field in 2..5 {
            let mut damaged = whole.clone();
            damaged[field] = text("x");
            assert_eq!(read(Value::Array(damaged)), Err(Damaged), "{field}");
        }
    }
}
