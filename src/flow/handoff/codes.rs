//! Codes: what hands a session to another host, once.
//!
//! 1. A code has 256 bits and lives for a minute. What it stands for is found and sealed by it
//!    ([`crate::store::sealed`]).
//! 2. It is bound to a host and to the browser that asked for the hand-off there (its binding
//!    cookie).
//! 3. The first use spends it, whatever browser comes, whatever else is wrong: a code that was seen
//!    elsewhere is worth nothing as soon as the browser that it was made for has arrived, and a
//!    thief who is faster gets nothing either, without that browser's cookie. Of two uses at once,
//!    also at two replicas, one is the first.
//! 4. Room for them is shared out by network ([`super::super::room`]).
//! 5. A spent code stays known as such for a while, without what it stood for, so that a second use
//!    is told apart from an invention.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};

use super::super::binding::{Binding, BindingDigest};
use super::super::ledger::Bounds;
use super::super::pending::Origin;
use super::super::return_to::ReturnTo;
use super::super::room::SharedRoom;
use super::refusal::HandoffRefusal;
use super::requests::HandoffRequest;
use crate::base::clock::{Time, later};
use crate::base::network::Network;
use crate::session::SessionId;
use crate::store::seal::Sealer;
use crate::store::sealed::{Handle, HandleKind, JsonContent, RandomHandle, Strength};
use crate::store::{Kind, RecordStore, Unavailable};

/// The code in the address of the other host: 256 random bits.
pub type HandoffCode = Handle<HandoffCodes>;

impl HandleKind for HandoffCodes {
    const KIND: Kind = Kind::Code;
}

impl RandomHandle for HandoffCodes {
    const STRENGTH: Strength = Strength::Bits256;
}

/// The codes that are kept in the store, unused and used ones.
pub struct HandoffCodes(SharedRoom<StoredCode>);

/// The form in which a code is kept. Fields are only ever added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredCode {
    Unused(StandsFor),
    Used,
}

#[derive(Serialize, Deserialize)]
struct StandsFor {
    host: String,
    return_to: String,
    binding: BindingDigest,
    session: String,
    is_from_elsewhere: bool,
    /// Milliseconds since the epoch.
    expires: i64,
}

impl JsonContent for StoredCode {
    type Handles = HandoffCodes;
}

impl HandoffCodes {
    /// Makes codes that are kept in a store.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, sealer: Sealer, bounds: Bounds) -> Self {
        Self(SharedRoom::new(store, sealer, bounds))
    }

    /// Makes a code for a hand-off that is fulfilled by a session.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub(super) async fn make(
        &self,
        request: &HandoffRequest,
        binding: BindingDigest,
        session: &SessionId,
        network: Network,
        now: Time,
    ) -> Result<HandoffCode, Unavailable> {
        let kept = StoredCode::Unused(StandsFor {
            host: request.host.clone(),
            return_to: request.return_to.as_str().to_owned(),
            binding,
            session: session.expose().to_owned(),
            is_from_elsewhere: request.origin == Origin::Elsewhere,
            expires: later(now, LIFETIME).as_millisecond(),
        });
        Ok(self.0.issue(&kept, later(now, MEMORY), network, now).await?)
    }

    /// Spends a code, and returns what it stands for to the browser that it was made for, at the
    /// host that it was made for.
    ///
    /// # Errors
    /// When it does not stand for anything here.
    pub(super) async fn spend(
        &self,
        code: &HandoffCode,
        host: &str,
        bindings: &[Binding],
        now: Time,
    ) -> Result<(SessionId, ReturnTo, Origin), HandoffRefusal> {
        // 1. There is such a code, and it was not used before.
        let found = self.0.find(code, now).await?.ok_or(HandoffRefusal::UnknownCode)?;
        let StoredCode::Unused(stands_for) = found.value else {
            return Err(HandoffRefusal::CodeUsed);
        };
        // 2. It is spent now, before anything else is looked at: see rule 3.
        let memory = later(now, MEMORY);
        if !self.0.swap(code, found.version, &StoredCode::Used, memory, now).await? {
            return Err(HandoffRefusal::CodeUsed);
        }
        // 3. It is for now, for here, and for this browser.
        if now.as_millisecond() >= stands_for.expires {
            return Err(HandoffRefusal::CodeExpired);
        }
        let is_here = verify_slices_are_equal(stands_for.host.as_bytes(), host.as_bytes()).is_ok();
        if !is_here {
            return Err(HandoffRefusal::CodeForOtherHost);
        }
        let digest = &stands_for.binding;
        if !bindings.iter().any(|binding| binding.is_remembered_as(digest)) {
            return Err(HandoffRefusal::CodeOfOtherBrowser);
        }
        let session = SessionId::parse(&stands_for.session).ok_or(HandoffRefusal::UnknownCode)?;
        let return_to = ReturnTo::parse(&stands_for.return_to);
        Ok((session, return_to, Origin::kept(stands_for.is_from_elsewhere)))
    }
}

/// How long a code lives: the browser is on its way already.
pub const LIFETIME: Duration = Duration::from_secs(60);
/// How long it is known that there was one.
const MEMORY: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::requirement::AuthnRequirement;
    use crate::identity::assurance::Assurance;
    use crate::store::memory::Memory;

    const HOST: &str = "b.example";

    struct World {
        codes: HandoffCodes,
        binding: Binding,
        session: SessionId,
        now: Time,
    }

    fn world() -> World {
        let codes = HandoffCodes::new(
            Arc::new(Memory::new(100)),
            Sealer::default(),
            Bounds { entries: 100, bytes: 1 << 20 },
        );
        let now = "2031-01-01T00:00:00Z".parse().unwrap();
        World { codes, binding: Binding::generate(), session: SessionId::generate(), now }
    }

    impl World {
        async fn code(&self) -> HandoffCode {
            let request = HandoffRequest {
                host: HOST.to_owned(),
                return_to: ReturnTo::parse("/tax?year=2031"),
                requirement: AuthnRequirement::from(Assurance::Low),
                origin: Origin::Own,
            };
            let binding = self.binding.digest();
            let network = Network::of(std::net::Ipv4Addr::LOCALHOST.into(), 32, 56);
            self.codes.make(&request, binding, &self.session, network, self.now).await.unwrap()
        }

        async fn spend(
            &self,
            code: &HandoffCode,
        ) -> Result<(SessionId, ReturnTo, Origin), HandoffRefusal> {
            self.codes.spend(code, HOST, &self.bindings(), self.now).await
        }

        fn bindings(&self) -> [Binding; 2] {
            // It has another one beside.
            [Binding::generate(), self.binding.clone()]
        }
    }

    #[tokio::test]
    async fn a_code_has_256_bits_and_less_is_not_looked_for() {
        let code = world().code().await;
        // base64url of 32 bytes.
        assert_eq!(code.expose().len(), 43);
        assert!(HandoffCode::parse(code.expose()).is_some());
        for other in [&code.expose()[..42], &code.expose()[..22], ""] {
            assert!(HandoffCode::parse(other).is_none(), "{other}");
        }
    }

    #[tokio::test]
    async fn the_browser_that_it_is_for_spends_it_once() {
        let w = world();
        let code = w.code().await;
        let (session, return_to, _) = w.spend(&code).await.unwrap();
        assert_eq!((session.key(), return_to.as_str()), (w.session.key(), "/tax?year=2031"));
        assert_eq!(w.spend(&code).await.unwrap_err(), HandoffRefusal::CodeUsed);
        assert_eq!(
            w.spend(&HandoffCode::generate()).await.unwrap_err(),
            HandoffRefusal::UnknownCode
        );
    }

    #[tokio::test]
    async fn of_two_uses_at_once_one_is_the_first() {
        let w = world();
        let code = w.code().await;
        let (a, b) = tokio::join!(w.spend(&code), w.spend(&code));
        assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1);
        assert_eq!(a.err().or(b.err()), Some(HandoffRefusal::CodeUsed));
    }

    #[tokio::test]
    async fn another_browser_gets_nothing_and_leaves_nothing_to_get() {
        let w = world();
        for other in [vec![], vec![Binding::generate(), Binding::generate()]] {
            let code = w.code().await;
            let stolen = w.codes.spend(&code, HOST, &other, w.now).await;
            assert_eq!(stolen.unwrap_err(), HandoffRefusal::CodeOfOtherBrowser);
            assert_eq!(w.spend(&code).await.unwrap_err(), HandoffRefusal::CodeUsed);
        }
    }

    #[tokio::test]
    async fn at_another_host_it_is_worth_nothing_and_is_spent() {
        let w = world();
        for host in ["c.example", "", "B.example", "b.example.evil.example"] {
            let code = w.code().await;
            let spent = w.codes.spend(&code, host, &w.bindings(), w.now).await;
            assert_eq!(spent.unwrap_err(), HandoffRefusal::CodeForOtherHost, "{host}");
            assert_eq!(w.spend(&code).await.unwrap_err(), HandoffRefusal::CodeUsed);
        }
    }

    #[tokio::test]
    async fn it_is_good_for_a_minute_and_not_a_moment_longer() {
        let w = world();
        let end = later(w.now, LIFETIME);
        let just_before = later(w.now, LIFETIME - Duration::from_millis(1));
        let code = w.code().await;
        assert!(w.codes.spend(&code, HOST, &w.bindings(), just_before).await.is_ok());
        let code = w.code().await;
        let spent = w.codes.spend(&code, HOST, &w.bindings(), end).await;
        assert_eq!(spent.unwrap_err(), HandoffRefusal::CodeExpired);
    }

    #[tokio::test]
    async fn it_says_whether_the_wish_came_from_elsewhere() {
        let w = world();
        for origin in [Origin::Own, Origin::Elsewhere] {
            let request = HandoffRequest {
                host: HOST.to_owned(),
                return_to: ReturnTo::parse("/"),
                requirement: AuthnRequirement::from(Assurance::Low),
                origin,
            };
            let network = Network::of(std::net::Ipv4Addr::LOCALHOST.into(), 32, 56);
            let made = w.codes.make(&request, w.binding.digest(), &w.session, network, w.now).await;
            let (_, _, told) = w.spend(&made.unwrap()).await.unwrap();
            assert!(told == origin, "{origin:?}");
        }
    }
}
