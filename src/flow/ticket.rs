//! The ticket: what the browser that delivered the node's answer gets, and no other.
//!
//! The node's page comes across sites, so the consumer service cannot tell whose browser it is in.
//! It answers that browser with a ticket, and no login is finished without one. So a person who
//! began a login, and knows its handle, has nothing by it that another browser delivered.
//!
//! 1. The ticket is the artifact itself, sealed for this login: nothing is kept on our side for it,
//!    so deliveries that a stranger invents cost nothing, and a second one replaces none.
//! 2. It is good for [`LIFETIME`], and for one use: the first that finishes with it claims the
//!    login ([`super::outcome`]).

use std::time::Duration;

use super::login_error::LoginRefusal;
use super::relay_state::{RelayState, Thing};
use crate::base::clock::{Time, later};
use crate::base::encoding::{base64url, from_base64url};
use crate::base::secret::Secret;
use crate::saml::artifact::{Artifact, MAXIMUM_LENGTH};
use crate::store::seal::Sealer;

/// How long a ticket is good: the browser is on its way already.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// A ticket, as text for an address.
#[derive(Debug, Clone)]
pub struct Ticket(Secret<String>);

/// What a ticket is worth: that this browser delivered this artifact for this login. Only [`open`]
/// makes one.
#[derive(Debug)]
pub struct Delivered {
    artifact: Artifact,
    at: Time,
    is_late: bool,
}

impl Ticket {
    /// Seals what was delivered for a login.
    #[must_use]
    pub fn issue(sealer: &Sealer, login: &RelayState, artifact: &Artifact, now: Time) -> Self {
        let (key, secret) = login.key(Thing::Delivery);
        let time = now.as_millisecond().to_be_bytes();
        let plain = Secret::new([&time, artifact.as_str().as_bytes()].concat());
        let sealed = sealer.seal(key, secret.as_bytes(), plain.expose());
        Self(Secret::new(base64url(&sealed)))
    }

    /// Shows the ticket for the address that the browser is sent to.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl Delivered {
    /// Returns the artifact that the browser delivered.
    #[must_use]
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Returns when that was.
    #[must_use]
    pub fn at(&self) -> Time {
        self.at
    }

    /// Tells whether that was longer ago than [`LIFETIME`]: nothing begins by it any more.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.is_late
    }
}

/// Opens the ticket that a browser brings for a login.
///
/// # Errors
/// [`LoginRefusal::NoTicket`] when it is none of this login's.
pub fn open(
    text: Option<&str>,
    sealer: &Sealer,
    login: &RelayState,
    now: Time,
) -> Result<Delivered, LoginRefusal> {
    let (key, secret) = login.key(Thing::Delivery);
    let sealed = text.filter(|text| text.len() <= LONGEST).and_then(from_base64url);
    let plain = sealed.and_then(|sealed| sealer.open(key, secret.as_bytes(), &sealed).ok());
    let plain = plain.ok_or(LoginRefusal::NoTicket)?;
    let (time, artifact) = plain.expose().split_first_chunk().ok_or(LoginRefusal::NoTicket)?;
    let artifact = std::str::from_utf8(artifact).ok().and_then(|text| Artifact::parse(text).ok());
    let artifact = artifact.ok_or(LoginRefusal::NoTicket)?;
    let delivered = Time::from_millisecond(i64::from_be_bytes(*time));
    let delivered = delivered.map_err(|_| LoginRefusal::NoTicket)?;
    Ok(Delivered { artifact, at: delivered, is_late: now >= later(delivered, LIFETIME) })
}

/// The longest text that could be a ticket: an artifact with what the seal adds, in base64url.
const LONGEST: usize = (MAXIMUM_LENGTH + 64) * 4 / 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::base64;

    const END: i64 = 1000;

    fn at(milliseconds: i64) -> Time {
        Time::from_millisecond(milliseconds).unwrap()
    }

    fn artifact(byte: u8, length: usize) -> Artifact {
        Artifact::parse(&base64(&vec![byte; length])).unwrap()
    }

    #[test]
    fn a_ticket_is_good_for_its_login_and_for_a_minute() {
        let sealer = Sealer::default();
        let login = RelayState::issue(&sealer, Time::from_second(END).unwrap());
        for length in [16, 44, 384] {
            let artifact = artifact(4, length);
            let ticket = Ticket::issue(&sealer, &login, &artifact, at(0));
            let opened = |now| open(Some(ticket.expose()), &sealer, &login, at(now));
            assert_eq!(opened(59_999).unwrap().artifact(), &artifact);
            assert!(!opened(59_999).unwrap().is_late());
            assert!(opened(60_000).unwrap().is_late());
            let shown = format!("{ticket:?}");
            assert!(!shown.contains(ticket.expose()) && !ticket.expose().contains("BAQE"));
        }
    }

    #[test]
    fn nothing_else_is_a_ticket() {
        let sealer = Sealer::default();
        let login = RelayState::issue(&sealer, Time::from_second(END).unwrap());
        let other = RelayState::issue(&sealer, Time::from_second(END).unwrap());
        let ticket = Ticket::issue(&sealer, &login, &artifact(4, 44), at(0));
        let refused = |text: Option<&str>, login| open(text, &sealer, login, at(0)).unwrap_err();
        assert_eq!(refused(Some(ticket.expose()), &other), LoginRefusal::NoTicket);
        let foreign = Ticket::issue(&Sealer::default(), &login, &artifact(4, 44), at(0));
        let long = "A".repeat(5000);
        for text in [None, Some(""), Some("x"), Some(foreign.expose()), Some(&long)] {
            assert_eq!(refused(text, &login), LoginRefusal::NoTicket, "{text:?}");
        }
        let bytes = from_base64url(ticket.expose()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(refused(Some(&base64url(&changed)), &login), LoginRefusal::NoTicket, "{at}");
        }
    }

    #[test]
    fn a_second_delivery_replaces_none() {
        let sealer = Sealer::default();
        let login = RelayState::issue(&sealer, Time::from_second(END).unwrap());
        let first = Ticket::issue(&sealer, &login, &artifact(4, 44), at(0));
        let second = Ticket::issue(&sealer, &login, &artifact(5, 44), at(0));
        let opened = open(Some(first.expose()), &sealer, &login, at(1)).unwrap();
        assert_eq!(opened.artifact(), &artifact(4, 44));
        assert_ne!(first.expose(), second.expose());
    }
}
