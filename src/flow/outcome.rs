//! What became of a login: claimed once, told to the browser that began and delivered it.
//!
//! 1. The first that finishes a login claims it. Of two at once, also at two replicas, one is the
//!    first.
//! 2. What became of it is kept for [`TOLD_FOR`] and told to the same browser when it asks again: a
//!    connection that broke, a page that was loaded anew and a double click lose nothing. A request
//!    meanwhile waits for it. After that the login is known as used.
//! 3. A login whose answer came to another browser than the one that began it is ended for good.
//! 4. Only handles of logins that come to their end are kept, never of those that have only begun.
//!    Any client can have a login come to an end, so the room for them is shared out by network
//!    ([`super::room`]). A handle that is pushed out, or that there is no room for, is no danger:
//!    it leads to nothing more than its ticket and its cookie do, for a minute, and neither
//!    artifact nor assertion is good twice ([`super::replay`]). So no citizen is kept from signing
//!    in for want of room.
//! 5. A claim for which nothing was spent, because the store went away before the node was asked or
//!    there was no connection to the node, is given back ([`Outcomes::release`]), also one of which
//!    it is not known whether it was made. The store is asked for that until it answers, for as long
//!    as a ticket is good.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::ledger::Bounds;
use super::login_error::{Class, LoginError, LoginRefusal};
use super::relay_state::{RelayState, Thing};
use super::room::{Begun, NotKept, SharedRoom};
use crate::base::clock::{SharedClock, Time, earlier, later};
use crate::base::network::Network;
use crate::base::reason::Reason;
use crate::identity::assurance::Assurance;
use crate::session::SessionId;
use crate::store::seal::Sealer;
use crate::store::sealed::{Handle, HandleKind, JsonContent, Version};
use crate::store::{Kind, RecordStore, Unavailable};

/// How long it is told to the same browser what became of its login.
pub const TOLD_FOR: Duration = Duration::from_secs(60);

/// What became of a login.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A citizen was signed in.
    SignedIn {
        /// The session that began.
        session: SessionId,
        /// How sure it is who they are.
        assurance: Assurance,
    },
    /// The citizen was not signed in.
    Refused {
        /// The stable reason code.
        code: Reason,
        /// What it means for the citizen.
        class: Class,
    },
}

/// What a claim led to.
#[derive(Debug)]
pub enum Claim {
    /// The login is the caller's to finish.
    First(Claimed),
    /// The login was claimed before, here or at another replica.
    Before,
    /// The store did not answer, so that is not known. The claim may be there, and has to be
    /// [released](Outcomes::release): nobody is going to finish for it.
    Doubtful(Unavailable, Claimed),
}

/// A claim, as it is kept; nothing is, when there was no room.
#[derive(Debug, Clone)]
pub struct Claimed(Option<Version>);

/// What became of logins, in the store, with the room that handles have there.
pub struct Outcomes {
    store: Arc<dyn RecordStore>,
    room: SharedRoom<StoredOutcome>,
    clock: SharedClock,
}

impl HandleKind for Outcomes {
    const KIND: Kind = Kind::Login;
}

/// The form in which it is kept. Fields are only ever added.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredOutcome {
    UnderWay,
    SignedIn { session: String, acr: String, until: i64 },
    Refused { code: String, class: String, until: i64 },
    Ended,
}

impl JsonContent for StoredOutcome {
    type Handles = Outcomes;
}

impl Outcomes {
    /// Makes outcomes that are kept in a store, which has room for so many of them.
    #[must_use]
    pub fn new(
        store: Arc<dyn RecordStore>,
        sealer: Sealer,
        clock: SharedClock,
        bounds: Bounds,
    ) -> Self {
        let room = SharedRoom::new(Arc::clone(&store), sealer, bounds);
        Self { store, room, clock }
    }

    /// Claims a login for a browser of a network.
    ///
    /// # Errors
    /// When the store is away, and was asked for nothing.
    pub async fn claim(&self, login: &RelayState, network: Network) -> Result<Claim, Unavailable> {
        match self.begin(login, &StoredOutcome::UnderWay, network).await {
            Ok(Begun::Made(version)) => Ok(Claim::First(Claimed(Some(version)))),
            Ok(Begun::Before) => Ok(Claim::Before),
            Ok(Begun::Doubtful(away, version)) => Ok(Claim::Doubtful(away, Claimed(Some(version)))),
            // See rule 4.
            Err(NotKept::Full) => Ok(Claim::First(Claimed(None))),
            Err(NotKept::Store(away)) => Err(away),
        }
    }

    /// Gives a claim back for which nothing was spent: the next one to come claims the login anew.
    /// What is no claim of the caller's stays as it is.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn release(&self, login: &RelayState, claimed: Claimed) -> Result<(), Unavailable> {
        let Claimed(Some(version)) = claimed else { return Ok(()) };
        let now = self.clock.now();
        // It has expired then, also for a replica whose clock is behind.
        let over = earlier(now, TOLD_FOR);
        let kept = StoredOutcome::UnderWay;
        self.room.swap(&handle(login), version, &kept, over, now).await.map(drop)
    }

    /// Ends a login for good, unless it came to another end before.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn end(&self, login: &RelayState, network: Network) -> Result<(), Unavailable> {
        match self.begin(login, &StoredOutcome::Ended, network).await {
            Ok(Begun::Made(_) | Begun::Before) | Err(NotKept::Full) => Ok(()),
            Ok(Begun::Doubtful(away, _)) | Err(NotKept::Store(away)) => Err(away),
        }
    }

    /// Notes what became of a login that was claimed, when its claim was kept and is still there.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn settle(
        &self,
        login: &RelayState,
        claimed: Claimed,
        outcome: &Outcome,
    ) -> Result<(), Unavailable> {
        let Claimed(Some(version)) = claimed else { return Ok(()) };
        let until = later(self.clock.now(), TOLD_FOR).as_millisecond();
        let kept = match outcome {
            Outcome::SignedIn { session, assurance } => StoredOutcome::SignedIn {
                session: session.expose().to_owned(),
                acr: assurance.uri().to_owned(),
                until,
            },
            Outcome::Refused { code, class } => StoredOutcome::Refused {
                code: code.to_string(),
                class: class.name().to_owned(),
                until,
            },
        };
        let (now, expires) = self.times(login);
        self.room.swap(&handle(login), version, &kept, expires, now).await.map(drop)
    }

    /// Returns what became of a login that was claimed before, as soon as it is known; nothing when
    /// there is no claim any more.
    ///
    /// # Errors
    /// [`LoginRefusal::Used`] when that was too long ago, or takes longer than `patience`;
    /// [`LoginRefusal::OtherBrowser`] when the login was ended.
    pub async fn wait(
        &self,
        login: &RelayState,
        patience: Duration,
    ) -> Result<Option<Outcome>, LoginRefusal> {
        let end = Instant::now() + patience;
        let mut pause = LOOK_AGAIN;
        loop {
            let found = self.room.find(&handle(login), self.clock.now()).await?;
            let Some(found) = found else { return Ok(None) };
            match found.value {
                StoredOutcome::Ended => return Err(LoginRefusal::OtherBrowser),
                StoredOutcome::UnderWay if Instant::now() < end => {
                    sleep(pause).await;
                    pause = (pause * 2).min(SELDOM);
                }
                StoredOutcome::UnderWay => return Err(LoginRefusal::Used),
                told => return self.told(told).map(Some).ok_or(LoginRefusal::Used),
            }
        }
    }

    /// Tells whether a login that begins now could come to an end: no citizen is sent to the node
    /// for nothing.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn can_be_kept(&self) -> Result<(), Unavailable> {
        self.store.check().await
    }

    /// Returns how many handles are remembered. For tests: every one of them is looked at.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn count(&self) -> Result<usize, Unavailable> {
        let (mut count, mut next, now) = (0, None, self.clock.now());
        loop {
            let page = self.store.list(Kind::Login, next, 1000, now).await?;
            count += page.records.len();
            next = page.next;
            if next.is_none() {
                return Ok(count);
            }
        }
    }

    fn told(&self, kept: StoredOutcome) -> Option<Outcome> {
        let is_told = |until: i64| self.clock.now().as_millisecond() < until;
        match kept {
            StoredOutcome::SignedIn { session, acr, until } if is_told(until) => {
                Some(Outcome::SignedIn {
                    session: SessionId::parse(&session)?,
                    assurance: Assurance::from_uri(&acr)?,
                })
            }
            StoredOutcome::Refused { code, class, until } if is_told(until) => {
                Some(Outcome::Refused {
                    code: Reason::parse(&code)?,
                    class: Class::from_name(&class)?,
                })
            }
            _ => None,
        }
    }

    async fn begin(
        &self,
        login: &RelayState,
        kept: &StoredOutcome,
        network: Network,
    ) -> Result<Begun, NotKept> {
        let (now, expires) = self.times(login);
        self.room.try_begin(&handle(login), kept, expires, network, now).await
    }

    /// Returns what time it is, and when that which is noted now is forgotten: after the end of the
    /// login its handle is good for nothing anyway.
    fn times(&self, login: &RelayState) -> (Time, Time) {
        let now = self.clock.now();
        (now, login.end().max(later(now, TOLD_FOR)))
    }
}

/// What became of a login is found by its handle, and by nothing else that belongs to it.
fn handle(login: &RelayState) -> Handle<Outcomes> {
    Handle::of(login.secret(Thing::Outcome))
}

impl Outcome {
    /// Makes an outcome of what a login led to.
    #[must_use]
    pub fn refused(error: &LoginError) -> Self {
        Self::Refused { code: error.code(), class: error.class() }
    }
}

/// How soon a request that waits for an outcome looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How seldom, when it lasts.
const SELDOM: Duration = Duration::from_millis(800);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock as _, ManualClock};
    use crate::flow::insist::BEHIND;
    use crate::flow::losing::{Line, Losing};
    use crate::store::memory::Memory;

    struct World {
        outcomes: Outcomes,
        clock: Arc<ManualClock>,
        sealer: Sealer,
        login: RelayState,
    }

    const PATIENCE: Duration = Duration::from_secs(5);

    fn world() -> World {
        world_with(10)
    }

    fn world_with(entries: usize) -> World {
        world_at(Arc::new(Memory::new(10)), entries)
    }

    fn world_at(store: Arc<dyn RecordStore>, entries: usize) -> World {
        let clock = Arc::new(ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap()));
        let sealer = Sealer::default();
        let login = RelayState::issue(&sealer, later(clock.now(), Duration::from_secs(600)));
        let bounds = Bounds { entries, bytes: 1 << 20 };
        let outcomes = Outcomes::new(store, sealer.clone(), clock.clone(), bounds);
        World { outcomes, clock, sealer, login }
    }

    fn network() -> Network {
        Network::of(std::net::Ipv4Addr::LOCALHOST.into(), 32, 56)
    }

    fn signed_in() -> Outcome {
        Outcome::SignedIn { session: SessionId::generate(), assurance: Assurance::High }
    }

    impl World {
        async fn claimed(&self, login: &RelayState, network: Network) -> Claimed {
            match self.outcomes.claim(login, network).await {
                Ok(Claim::First(claimed)) => claimed,
                other => panic!("{other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn of_two_that_claim_at_once_one_is_the_first() {
        let w = world();
        let (a, b) = tokio::join!(
            w.outcomes.claim(&w.login, network()),
            w.outcomes.claim(&w.login, network())
        );
        let firsts = [a, b].iter().filter(|claim| matches!(claim, Ok(Claim::First(_)))).count();
        assert_eq!(firsts, 1);
    }

    #[tokio::test]
    async fn what_became_of_it_is_told_for_a_minute_and_not_longer() {
        let w = world();
        let claimed = w.claimed(&w.login, network()).await;
        let outcome = signed_in();
        w.outcomes.settle(&w.login, claimed, &outcome).await.unwrap();
        w.clock.advance(TOLD_FOR - Duration::from_millis(1));
        let Some(Outcome::SignedIn { session, .. }) =
            w.outcomes.wait(&w.login, PATIENCE).await.unwrap()
        else {
            panic!("signed in")
        };
        let Outcome::SignedIn { session: expected, .. } = &outcome else { panic!("signed in") };
        assert_eq!(session.key(), expected.key());
        w.clock.advance(Duration::from_millis(1));
        assert_eq!(w.outcomes.wait(&w.login, PATIENCE).await.unwrap_err(), LoginRefusal::Used);
        assert!(
            matches!(w.outcomes.claim(&w.login, network()).await, Ok(Claim::Before)),
            "still used"
        );
    }

    #[tokio::test]
    async fn every_refusal_is_told_as_it_was() {
        for class in Class::ALL {
            let w = world();
            let claimed = w.claimed(&w.login, network()).await;
            let outcome = Outcome::Refused { code: Reason::LoginNodeTimeout, class };
            w.outcomes.settle(&w.login, claimed, &outcome).await.unwrap();
            let told = w.outcomes.wait(&w.login, PATIENCE).await.unwrap();
            let Some(Outcome::Refused { code, class: told }) = told else { panic!("{told:?}") };
            assert_eq!((code, told), (Reason::LoginNodeTimeout, class));
            w.clock.advance(TOLD_FOR);
            let late = w.outcomes.wait(&w.login, PATIENCE).await;
            assert_eq!(late.unwrap_err(), LoginRefusal::Used, "not for ever");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_meanwhile_waits_but_not_for_ever() {
        let w = world();
        let claimed = w.claimed(&w.login, network()).await;
        let (told, ()) = tokio::join!(w.outcomes.wait(&w.login, PATIENCE), async {
            sleep(Duration::from_secs(2)).await;
            w.outcomes.settle(&w.login, claimed, &signed_in()).await.unwrap();
        });
        assert!(matches!(told, Ok(Some(Outcome::SignedIn { .. }))));
        let w = world();
        w.outcomes.claim(&w.login, network()).await.unwrap();
        let began = Instant::now();
        assert_eq!(w.outcomes.wait(&w.login, PATIENCE).await.unwrap_err(), LoginRefusal::Used);
        assert!(began.elapsed() < PATIENCE + Duration::from_secs(1));
    }

    #[tokio::test]
    async fn who_comes_again_and_again_is_in_the_books_once() {
        let w = world();
        for _ in 0..3 {
            w.outcomes.claim(&w.login, network()).await.unwrap();
            w.outcomes.end(&w.login, network()).await.unwrap();
        }
        assert_eq!(w.outcomes.room.usage().entries, 1);
        let other = RelayState::issue(&w.sealer, w.login.end());
        w.outcomes.end(&other, network()).await.unwrap();
        assert_eq!(w.outcomes.room.usage().entries, 2);
    }

    #[tokio::test]
    async fn all_that_are_remembered_are_counted() {
        let w = world_at(Arc::new(Memory::new(2000)), 2000);
        assert_eq!(w.outcomes.count().await, Ok(0));
        for _ in 0..1001 {
            let login = RelayState::issue(&w.sealer, w.login.end());
            w.outcomes.end(&login, network()).await.unwrap();
        }
        assert_eq!(w.outcomes.count().await, Ok(1001));
    }

    #[tokio::test]
    async fn want_of_room_keeps_nobody_from_signing_in() {
        let w = world_with(1);
        let first = w.claimed(&w.login, network()).await;
        let other = RelayState::issue(&w.sealer, w.login.end());
        let elsewhere = Network::of(std::net::Ipv4Addr::new(192, 0, 2, 1).into(), 32, 56);
        let claimed = w.claimed(&other, elsewhere).await;
        // What it led to goes into no books, and so nowhere.
        w.outcomes.settle(&other, claimed, &signed_in()).await.unwrap();
        let found = w.outcomes.room.find(&handle(&other), w.clock.now()).await.unwrap();
        assert!(found.is_none());
        // What was there before stays.
        w.outcomes.settle(&w.login, first, &signed_in()).await.unwrap();
        assert!(matches!(w.outcomes.wait(&w.login, PATIENCE).await, Ok(Some(_))));
    }

    #[tokio::test]
    async fn a_claim_that_is_given_back_is_the_next_ones_and_nobody_elses() {
        let w = world();
        let first = w.claimed(&w.login, network()).await;
        w.outcomes.release(&w.login, first.clone()).await.unwrap();
        assert!(matches!(w.outcomes.wait(&w.login, PATIENCE).await, Ok(None)));
        let second = w.claimed(&w.login, network()).await;
        // The twin: what belongs to somebody else by now is not given back, nor settled.
        w.outcomes.release(&w.login, first.clone()).await.unwrap();
        w.outcomes.settle(&w.login, first, &signed_in()).await.unwrap();
        assert!(matches!(w.outcomes.claim(&w.login, network()).await, Ok(Claim::Before)));
        w.outcomes.settle(&w.login, second.clone(), &signed_in()).await.unwrap();
        w.outcomes.release(&w.login, second).await.unwrap();
        assert!(matches!(w.outcomes.wait(&w.login, PATIENCE).await, Ok(Some(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_whose_answer_was_lost_is_given_back_after_a_long_outage_too() {
        for line in [Line::Deaf, Line::Cut] {
            let store = Losing::new();
            let w = world_at(store.clone(), 10);
            store.becomes(line);
            let claim = w.outcomes.claim(&w.login, network()).await;
            let Ok(Claim::Doubtful(_, claimed)) = claim else { panic!("{claim:?}") };
            store.becomes(Line::Cut);
            let release = || w.outcomes.release(&w.login, claimed.clone());
            let (released, ()) = tokio::join!(BEHIND.insist(TOLD_FOR, release), async {
                sleep(TOLD_FOR / 2).await;
                store.becomes(Line::Good);
            });
            released.unwrap();
            assert!(matches!(w.outcomes.wait(&w.login, PATIENCE).await, Ok(None)), "{line:?}");
            w.claimed(&w.login, network()).await;
            // The twin: the one that came again is given back by nobody.
            w.outcomes.release(&w.login, claimed).await.unwrap();
            assert!(matches!(w.outcomes.claim(&w.login, network()).await, Ok(Claim::Before)));
        }
    }

    #[tokio::test]
    async fn a_login_that_was_ended_is_nobodys_to_claim() {
        let w = world();
        w.outcomes.end(&w.login, network()).await.unwrap();
        w.outcomes.end(&w.login, network()).await.unwrap();
        assert!(matches!(w.outcomes.claim(&w.login, network()).await, Ok(Claim::Before)));
        let told = w.outcomes.wait(&w.login, PATIENCE).await;
        assert_eq!(told.unwrap_err(), LoginRefusal::OtherBrowser);
        // The twin: one that was finished came to its end, and is told of.
        let w = world();
        let claimed = w.claimed(&w.login, network()).await;
        w.outcomes.settle(&w.login, claimed, &signed_in()).await.unwrap();
        w.outcomes.end(&w.login, network()).await.unwrap();
        assert!(w.outcomes.wait(&w.login, PATIENCE).await.is_ok());
    }
}
