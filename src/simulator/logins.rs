//! The last logins with all their messages, for people to look at.
//!
//! Bounded in three ways: so many logins, so many messages of each, so much of each message. What
//! is there is as it was sent, byte by byte, but for what was cut off at the end.

use std::collections::VecDeque;

use super::bounds::{LOGIN_MESSAGE_BYTES, LOGIN_MESSAGES, LOGINS};
use super::check::Finding;
use super::faults::Fault;
use super::people::Way;
use crate::base::clock::Time;
use crate::identity::assurance::Assurance;

/// The last logins, oldest first.
#[derive(Debug, Default)]
pub(super) struct Logins {
    last: u64,
    kept: VecDeque<Login>,
}

/// One login, from its request to its logout.
#[derive(Debug, Clone)]
pub(super) struct Login {
    /// Counted from one, since the start.
    pub(super) number: u64,
    pub(super) since: Time,
    /// The service provider, as the request names it.
    pub(super) service: String,
    /// Absent until a person was chosen, or when the request was refused.
    pub(super) choice: Option<Choice>,
    pub(super) messages: Vec<Message>,
}

/// What was chosen at the node.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// The person's name, or the status that came instead.
    pub(super) who: String,
    pub(super) way: Way,
    pub(super) assurance: Assurance,
    pub(super) faults: Vec<Fault>,
    /// Whether it was played back from a record.
    pub(super) is_replayed: bool,
}

/// A message, or the assertion that was sealed in one.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) time: Time,
    /// What is wrong with it; nothing for what the node says itself.
    pub(super) findings: Vec<Finding>,
    pub(super) bytes: Vec<u8>,
    /// How many bytes it had.
    pub(super) length: usize,
}

impl Message {
    pub(super) fn new(name: &'static str, time: Time, findings: &[Finding], bytes: &[u8]) -> Self {
        let length = bytes.len();
        let bytes = bytes[..length.min(LOGIN_MESSAGE_BYTES)].to_vec();
        Self { name, time, findings: findings.to_vec(), bytes, length }
    }
}

impl Logins {
    /// Begins a login with its first message, and returns its number.
    pub(super) fn begin(&mut self, service: &str, message: Message) -> u64 {
        self.last += 1;
        if self.kept.len() == LOGINS {
            self.kept.pop_front();
        }
        self.kept.push_back(Login {
            number: self.last,
            since: message.time,
            service: service.to_owned(),
            choice: None,
            messages: vec![message],
        });
        self.last
    }

    /// Notes what was chosen. A login that was forgotten stays so.
    pub(super) fn choose(&mut self, number: u64, choice: Choice) {
        if let Some(login) = self.find_mut(number) {
            login.choice = Some(choice);
        }
    }

    /// Adds a message; of too many the first are kept.
    pub(super) fn add(&mut self, number: u64, message: Message) {
        if let Some(login) = self.find_mut(number)
            && login.messages.len() < LOGIN_MESSAGES
        {
            login.messages.push(message);
        }
    }

    pub(super) fn find(&self, number: u64) -> Option<&Login> {
        self.kept.iter().find(|login| login.number == number)
    }

    /// Returns the logins, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Login> {
        self.kept.iter()
    }

    fn find_mut(&mut self, number: u64) -> Option<&mut Login> {
        self.kept.iter_mut().find(|login| login.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_logins_nor_messages_nor_bytes_are_without_bound() {
        let now: Time = "2031-03-04T10:20:30Z".parse().unwrap();
        let message = |bytes: &[u8]| Message::new("AuthnRequest", now, &[], bytes);
        let mut logins = Logins::default();
        for number in 1..=LOGINS as u64 + 3 {
            assert_eq!(logins.begin("portal", message(b"<a/>")), number);
        }
        assert_eq!(logins.iter().count(), LOGINS);
        assert!(logins.find(3).is_none() && logins.find(4).is_some());
        for _ in 0..2 * LOGIN_MESSAGES {
            logins.add(3, message(b"<b/>"));
            logins.add(4, message(&vec![b' '; LOGIN_MESSAGE_BYTES + 1]));
        }
        let messages = &logins.find(4).unwrap().messages;
        assert_eq!(messages.len(), LOGIN_MESSAGES);
        assert_eq!(messages[1].bytes.len(), LOGIN_MESSAGE_BYTES);
        assert_eq!(messages[1].length, LOGIN_MESSAGE_BYTES + 1);
    }
}
