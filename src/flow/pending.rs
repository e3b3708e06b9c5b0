//! Logins under way: what was remembered when one began, in the hands of the browser that began it.
//!
//! 1. Nothing of a login that has only begun is kept on our side. What its end needs is sealed in a
//!    cookie of the browser ([`Sealer`], for this one login): it cannot be read, changed or made
//!    elsewhere. A browser is served whose cookie opens for the login; so the cookie binds the
//!    login to its browser.
//! 2. Each login has a cookie of its own ([`super::binding`]).
//! 3. The length of what is remembered is the citizen's own cost, and bounded by [`ReturnTo`].
//!
//! What could break it in deployment: replicas that do not share the servers' secret. None could
//! finish what another one began.

use super::relay_state::{ExpiredRelayState, RelayState, Thing};
use super::return_to::ReturnTo;
use crate::base::clock::Time;
use crate::base::encoding::{base64url, from_base64url};
use crate::base::random;
use crate::base::secret::Secret;
use crate::identity::assurance::Assurance;
use crate::store::Kind;
use crate::store::seal::Sealer;
use crate::store::sealed::Unwritable;

/// What is remembered when a login begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLogin {
    /// The `ID` of our `AuthnRequest`.
    pub request_id: String,
    /// Where the citizen wanted to go.
    pub return_to: ReturnTo,
    /// The level that was asked for.
    pub assurance: Assurance,
    /// When it began, when the citizen must identify anew after that.
    pub fresh_since: Option<Time>,
    /// Whether a page of the portal's own led to it, or another site's.
    pub origin: Origin,
}

/// Which site's page led the browser to where a login began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// None, or one of the very portal: an address that was typed, a link of the portal's own.
    Own,
    /// Another site's, or the browser did not say.
    Elsewhere,
}

impl Origin {
    /// Reads what a record says.
    pub(super) fn kept(is_from_elsewhere: bool) -> Self {
        if is_from_elsewhere { Self::Elsewhere } else { Self::Own }
    }
}

impl PendingLogin {
    /// Seals what is to be remembered of a login, as the value of a cookie.
    ///
    /// # Errors
    /// When it cannot be written: nothing could be finished by half of it.
    pub fn seal(&self, sealer: &Sealer, login: &RelayState) -> Result<Secret<String>, Unwritable> {
        let (key, secret) = login.key(Thing::Beginning);
        let sealed = sealer.seal(key, secret.as_bytes(), self.write()?.expose());
        Ok(Secret::new(base64url(&sealed)))
    }

    /// Opens what a browser remembers of a login; none when it remembers nothing of this one.
    #[must_use]
    pub fn open(text: &str, sealer: &Sealer, login: &RelayState) -> Option<Self> {
        let (key, secret) = login.key(Thing::Beginning);
        let plain = sealer.open(key, secret.as_bytes(), &from_base64url(text)?).ok()?;
        Self::read(plain.expose())
    }

    /// Opens what a browser remembers of a login that took too long: where it was to lead.
    #[must_use]
    pub fn open_late(text: &str, sealer: &Sealer, login: &ExpiredRelayState) -> Option<Self> {
        Self::open(text, sealer, login.handle())
    }

    fn write(&self) -> Result<Secret<Vec<u8>>, Unwritable> {
        let cannot = |what| Unwritable::new(Kind::Login, what);
        let level = Assurance::ALL.iter().position(|level| *level == self.assurance);
        let level = level.and_then(|level| u8::try_from(level).ok());
        let level = level.ok_or_else(|| cannot("level of assurance has no number"))?;
        let origin = u8::from(self.origin == Origin::Elsewhere);
        let since = self.fresh_since.map_or(i64::MIN, Time::as_millisecond).to_be_bytes();
        let id = random::message_id_bytes(&self.request_id)
            .ok_or_else(|| cannot("ID of the request is none of ours"))?;
        let return_to = self.return_to.as_str().as_bytes();
        Ok(Secret::new([&[FORM, level, origin], &since[..], &id, return_to].concat()))
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (&[form, level, origin], rest) = plain.split_first_chunk()?;
        let (since, rest) = rest.split_first_chunk()?;
        let (id, return_to) = rest.split_first_chunk()?;
        if form != FORM {
            return None;
        }
        let fresh_since = match i64::from_be_bytes(*since) {
            i64::MIN => None,
            since => Some(Time::from_millisecond(since).ok()?),
        };
        Some(Self {
            request_id: random::message_id_of(*id),
            return_to: ReturnTo::parse(std::str::from_utf8(return_to).ok()?),
            assurance: *Assurance::ALL.get(usize::from(level))?,
            fresh_since,
            // What is not surely our own came from elsewhere.
            origin: if origin == 0 { Origin::Own } else { Origin::Elsewhere },
        })
    }
}

/// The form in which it is written; another program's is not read.
const FORM: u8 = 1;

#[cfg(test)]
mod tests {
    use super::super::relay_state::NotRecognised;
    use super::*;

    fn login(return_to: &str) -> PendingLogin {
        PendingLogin {
            request_id: random::message_id(),
            return_to: ReturnTo::parse(return_to),
            assurance: Assurance::Substantial,
            fresh_since: Some(Time::from_millisecond(1_234_567).unwrap()),
            origin: Origin::Own,
        }
    }

    fn relay_state(sealer: &Sealer) -> RelayState {
        RelayState::issue(sealer, Time::from_second(1000).unwrap())
    }

    #[test]
    fn what_was_remembered_comes_back_whole() {
        let sealer = Sealer::default();
        let state = relay_state(&sealer);
        for fresh_since in [None, Some(Time::from_millisecond(-5).unwrap())] {
            for assurance in Assurance::ALL {
                for origin in [Origin::Own, Origin::Elsewhere] {
                    let pending =
                        PendingLogin { fresh_since, assurance, origin, ..login("/tax?x=%C5%BB") };
                    let sealed = pending.seal(&sealer, &state).unwrap();
                    let opened = PendingLogin::open(sealed.expose(), &sealer, &state);
                    assert_eq!(opened, Some(pending));
                }
            }
        }
    }

    #[test]
    fn it_opens_for_its_login_alone_and_nobody_changes_it() {
        let sealer = Sealer::default();
        let state = relay_state(&sealer);
        let sealed = login("/tax").seal(&sealer, &state).unwrap();
        assert_eq!(PendingLogin::open(sealed.expose(), &sealer, &relay_state(&sealer)), None);
        assert_eq!(PendingLogin::open(sealed.expose(), &Sealer::default(), &state), None);
        let bytes = from_base64url(sealed.expose()).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(PendingLogin::open(&base64url(&changed), &sealer, &state), None, "{at}");
            assert_eq!(PendingLogin::open(&base64url(&bytes[..at]), &sealer, &state), None);
        }
    }

    #[test]
    fn of_a_login_that_took_too_long_the_browser_still_knows_where_it_led() {
        let sealer = Sealer::default();
        let state = relay_state(&sealer);
        let sealed = login("/tax/2031").seal(&sealer, &state).unwrap();
        let late = RelayState::recognise(state.as_str(), &sealer, state.end());
        let Err(NotRecognised::Expired(expired)) = late else { panic!("{late:?}") };
        let opened = PendingLogin::open_late(sealed.expose(), &sealer, &expired).unwrap();
        assert_eq!(opened.return_to.as_str(), "/tax/2031");
        let other = RelayState::issue(&sealer, state.end());
        let other = login("/tax/2032").seal(&sealer, &other).unwrap();
        assert_eq!(PendingLogin::open_late(other.expose(), &sealer, &expired), None);
    }

    #[test]
    fn what_cannot_be_written_whole_is_not_remembered_at_all() {
        let sealer = Sealer::default();
        let state = relay_state(&sealer);
        for request_id in ["", "ID-", "_1234", &random::message_id()[3..]] {
            let login = PendingLogin { request_id: request_id.to_owned(), ..login("/tax") };
            assert!(login.seal(&sealer, &state).is_err(), "{request_id}");
        }
    }

    #[test]
    fn a_browser_takes_the_longest_of_them_for_a_cookie() {
        let sealer = Sealer::default();
        let state = relay_state(&sealer);
        let longest = format!("/{}", "a".repeat(ReturnTo::MAXIMUM_LENGTH - 1));
        let sealed = login(&longest).seal(&sealer, &state).unwrap();
        assert_eq!(
            PendingLogin::open(sealed.expose(), &sealer, &state).unwrap().return_to.as_str(),
            longest
        );
        // RFC 6265bis 5.6: name and value together have at most 4096 bytes.
        assert!(sealed.expose().len() < 4000, "{}", sealed.expose().len());
        let usual = login("/tax/2031?form=PIT-37").seal(&sealer, &state).unwrap();
        assert!(usual.expose().len() < 120, "{}", usual.expose().len());
    }

    #[test]
    fn another_form_and_what_is_cut_short_are_not_read() {
        let plain = login("/tax").write().unwrap();
        let plain = plain.expose();
        assert_eq!(PendingLogin::read(plain).unwrap().return_to.as_str(), "/tax");
        for (at, byte) in [(0, FORM + 1), (0, 0), (1, 99)] {
            let mut other = plain.clone();
            other[at] = byte;
            assert!(PendingLogin::read(&other).is_none(), "{at}: {byte}");
        }
        for length in 0..plain.len() - "/tax".len() {
            assert!(PendingLogin::read(&plain[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn a_record_says_whether_another_site_led_to_it() {
        for origin in [Origin::Own, Origin::Elsewhere] {
            assert_eq!(Origin::kept(origin == Origin::Elsewhere), origin);
        }
    }
}
