//! What can go wrong with a command, and what is known of it then.

use redis::{RedisError, ServerError};

use super::settings::Address;
use crate::store::Unavailable;

/// Why there is no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CommandError {
    /// The server cannot be reached, or does not answer. Whether it did something is not known.
    Away(String),
    /// Another node has the slot. Nothing was done.
    Moved(Address),
    /// Another node has this key already, while its slot is on the way. Nothing was done.
    Ask(Address),
    /// The server does not know the script. Nothing was done.
    NoScript,
    /// The server does not take this now: nothing was done.
    Refused {
        /// What the log and the caller are told of it.
        text: String,
        /// Whether another server may be the right one by now.
        elsewhere: bool,
    },
}

impl CommandError {
    /// Reads an error of the library, or one that it passes on from a server.
    pub(super) fn of(address: &Address, error: &RedisError) -> Self {
        match error.code() {
            Some(code) => Self::said(address, code, error.detail().unwrap_or_default()),
            None => Self::Away(format!("{address}: {error}")),
        }
    }

    /// Reads an error of a server.
    pub(super) fn of_server(address: &Address, error: &ServerError) -> Self {
        Self::said(address, error.code(), error.details().unwrap_or_default())
    }

    fn said(address: &Address, code: &str, detail: &str) -> Self {
        let refused =
            |elsewhere, text: &str| Self::Refused { text: format!("{address} {text}"), elsewhere };
        // Older servers wrap what went wrong in a script into a general error.
        let has = |word: &str| code == word || (code == "ERR" && detail.contains(word));
        match code {
            "MOVED" | "ASK" => match redirect(address, detail) {
                Some(to) if code == "MOVED" => Self::Moved(to),
                Some(to) => Self::Ask(to),
                None => refused(true, &format!("says {code} without an address")),
            },
            "NOSCRIPT" => Self::NoScript,
            "LOADING" => refused(true, "is loading its data after a start"),
            "CLUSTERDOWN" => refused(true, "says that the cluster is down"),
            "MASTERDOWN" => refused(true, "is a replica that has lost its master"),
            "NOREPLICAS" => refused(true, "has too few replicas to take anything in"),
            "TRYAGAIN" => refused(true, "is handing the key to another node"),
            _ if has("READONLY") => refused(true, "is a replica and takes nothing in"),
            _ if has("OOM") => refused(false, "is full (maxmemory)"),
            _ if has("MISCONF") => refused(false, "cannot write to its disk"),
            "BUSY" => refused(false, "is busy with a script"),
            _ => refused(false, &format!("refuses: {code} {}", shortened(detail))),
        }
    }

    /// Tells whether it is worth asking which server is the right one now.
    pub(super) fn concerns_topology(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Moved(_) | Self::Refused { elsewhere: true, .. })
    }
}

impl From<CommandError> for Unavailable {
    fn from(failure: CommandError) -> Self {
        Self(match failure {
            CommandError::Away(text) | CommandError::Refused { text, .. } => text,
            CommandError::Moved(to) | CommandError::Ask(to) => {
                format!("keys are with {to}, and sent on from there; is it a cluster?")
            }
            CommandError::NoScript => "server forgets scripts at once".to_owned(),
        })
    }
}

/// Reads `SLOT HOST:PORT`. No host means the one that was asked.
fn redirect(asked: &Address, detail: &str) -> Option<Address> {
    let store = detail.split_ascii_whitespace().nth(1)?;
    let (host, port) = store.rsplit_once(':')?;
    let host = if host.is_empty() || host == "?" { &asked.host } else { host };
    Some(Address { host: host.to_owned(), port: port.parse().ok()? })
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str, detail: &str) -> CommandError {
        CommandError::said(&"a:1".parse().unwrap(), code, detail)
    }

    #[test]
    fn follows_only_what_leads_somewhere() {
        let to = |text: &str| text.parse().unwrap();
        assert_eq!(said("MOVED", "7 b:2"), CommandError::Moved(to("b:2")));
        assert_eq!(said("MOVED", "7 :2"), CommandError::Moved(to("a:2")));
        assert_eq!(said("ASK", "7 ::1:2"), CommandError::Ask(to("[::1]:2")));
        for wrong in ["", "7", "7 b", "7 b:x"] {
            assert!(matches!(said("MOVED", wrong), CommandError::Refused { .. }), "{wrong}");
        }
    }

    #[test]
    fn says_what_is_wrong_in_words() {
        let text = |code, detail| Unavailable::from(said(code, detail)).0;
        assert_eq!(text("OOM", "command not allowed"), "a:1 is full (maxmemory)");
        let wrapped = text("ERR", "Error running script: @user_script:1: -OOM command not allowed");
        assert_eq!(wrapped, "a:1 is full (maxmemory)");
        assert_eq!(text("NOPERM", "no HSET"), "a:1 refuses: NOPERM no HSET");
    }
}
