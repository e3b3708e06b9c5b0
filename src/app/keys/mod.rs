//! Who keeps the keys of signed identities and the secret of the pseudonyms, and changes them: by
//! the clock, and as operators want it.
//!
//! 1. With Redis they are one record that replicas share ([`SharedRecord`]), changed by compare and
//!    set: one rotates, and a replica that is killed leaves the old ring or the new one. With
//!    another store they are in the state folder, which a predecessor and its successor share for a
//!    while.
//! 2. Each reads the record again every [`PERIOD`]. While the store is away it goes on with what it
//!    knows and changes nothing, but that a key is retired here at once; one that knows no keys yet
//!    signs nothing.
//! 3. A record that was lost, or is older than what a replica knows, is put back by that replica; a
//!    new one waits for that. One that was changed apart from what a replica knows is joined with
//!    it. What was retired stays retired, whoever knows it.
//! 4. The first replica brings along what its state folder has, so that no key and no `sub` changes.
//!    From then on the folder has a copy, for a start without the store, or after it was lost.

mod error;
mod folder;
mod joining;
mod retiring;
mod saved;
mod shared;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tracing::{error, info, warn};

pub use self::error::Error;
use self::retiring::Retiring;
use self::saved::SavedKeys;
use super::state::{Changes, State};
use crate::base::causes::in_one_line;
use crate::base::clock::{SharedClock, Time};
use crate::gate::policy::Route;
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::{KeyRing, Listed, Refusal, SPREAD};
use crate::identity::keys::SigningKeys;
use crate::identity::signing_key::{Algorithm, SigningKey};
use crate::observe::trouble::{News, Trouble};
use crate::store::Unavailable;
use crate::store::shared::{SharedRecord, Version};

/// The name of the record. Never changed: it is sealed for this name.
pub const RECORD: &str = "brama keys of identities 1";
/// How often the record is read again, and the clock looked at.
pub const PERIOD: Duration = Duration::from_secs(1);
/// How often the log is told that keys cannot be kept, while that goes on.
const REMINDER: Duration = Duration::from_secs(300);
/// How often, while no keys are known.
const PENDING: Duration = Duration::from_millis(250);

/// Keeps the keys.
pub struct Keeper {
    keys: Arc<SigningKeys>,
    secret: PairwiseSecret,
    /// Whether the secret of the pseudonyms stands in a file of the configuration.
    is_given: bool,
    period: Duration,
    algorithms: RwLock<Vec<Algorithm>>,
    own: Vec<Arc<SigningKey>>,
    shared: Option<SharedRecord>,
    state: State,
    clock: SharedClock,
    known: Mutex<Known>,
    retiring: Retiring,
    /// Whether the keys here are those that are kept.
    is_kept: AtomicBool,
}

/// What is known of where the keys are kept.
#[derive(Default)]
struct Known {
    /// The record as it was read last.
    version: Option<Version>,
    /// How often it had been changed.
    changes: Changes,
    /// Whether no keys are known yet.
    lacks_keys: bool,
    is_read: bool,
    /// Whether a record that does not open may be replaced: no other replica has other secrets.
    may_replace: bool,
    /// Whether another secret of the pseudonyms is shared than the one that is given here.
    differs: bool,
}

/// What keys are kept of and for.
pub(super) struct Settings {
    pub(super) period: Duration,
    pub(super) algorithms: Vec<Algorithm>,
    /// Keys of the operator's own, in the order in which they sign.
    pub(super) own: Vec<SigningKey>,
    /// The secret of the pseudonyms, when a file of the configuration has it.
    pub(super) given: Option<PairwiseSecret>,
}

impl Settings {
    /// Takes from the settings of the program what is about keys.
    pub(super) fn of(settings: &super::Settings) -> Self {
        Self {
            period: settings.key_rotation,
            algorithms: algorithms(&settings.routes),
            own: settings.signing_keys.clone(),
            given: settings.pairwise_secret.clone(),
        }
    }
}

/// Where a key is retired.
#[derive(Debug)]
pub enum Retired {
    /// At every replica, as soon as each has read the record again.
    Everywhere,
    /// Here alone, because of that. It is kept, and the others are told, when that is over.
    HereAlone(Error),
}

/// What is to be changed.
type Change<'c> = Option<&'c (dyn Fn(&mut SavedKeys, Time) -> Result<(), Refusal> + Sync)>;

impl Keeper {
    /// Finds or makes the keys. `secret` is shared with all who make pseudonyms; it is replaced by
    /// the one that is kept. `agrees` says that no other replica has other secrets of the store.
    pub(super) async fn begin(
        settings: Settings,
        secret: PairwiseSecret,
        (shared, state, agrees): (Option<SharedRecord>, State, bool),
        clock: SharedClock,
    ) -> Result<Arc<Self>, Error> {
        let Settings { period, algorithms, own, given } = settings;
        let ring = state.key_ring(period, &algorithms)?;
        let kept = if given.is_some() { None } else { state.pairwise_secret()? };
        let is_given = given.is_some();
        if let Some(known) = given.or(kept.clone()) {
            secret.replace(&known);
        }
        let lacks_keys = ring.is_none();
        // They are those of the copy, when it is whole.
        let is_whole = !lacks_keys && (is_given || kept.is_some());
        let changes = if is_whole { state.changes()? } else { None }.unwrap_or_default();
        let known = Known { lacks_keys, changes, may_replace: agrees, ..Known::default() };
        let ring = ring.unwrap_or_else(|| KeyRing::empty(period, &algorithms));
        let keeper = Self {
            keys: Arc::new(SigningKeys::new(ring)),
            secret,
            is_given,
            period,
            algorithms: RwLock::new(algorithms),
            own: own.into_iter().map(Arc::new).collect(),
            shared,
            state,
            clock,
            known: Mutex::new(known),
            retiring: Retiring::default(),
            is_kept: AtomicBool::new(true),
        };
        match keeper.update(None).await {
            Err(Error::Store(error)) => {
                warn!(%error, "keys that replicas share cannot be read yet");
            }
            done => done?,
        }
        keeper.known.lock().await.may_replace = false;
        Ok(Arc::new(keeper))
    }

    /// Returns the keys that sign now.
    #[must_use]
    pub fn keys(&self) -> Arc<SigningKeys> {
        Arc::clone(&self.keys)
    }

    /// Reads the record again and looks at the clock; never ends.
    pub(super) async fn keep(self: Arc<Self>) {
        let mut trouble = Trouble::every(REMINDER);
        loop {
            let lacks = self.known.lock().await.lacks_keys || !self.secret.is_known();
            let pause = if lacks { PENDING } else { PERIOD };
            tokio::time::sleep(pause).await;
            let done = self.update(None).await;
            let differs = self.known.lock().await.differs;
            let wrong = match done {
                Err(error) => Some(in_one_line(&error)),
                Ok(()) => differs.then(|| in_one_line(&Error::OtherSecret)),
            };
            match trouble.news(wrong, self.clock.now()) {
                Some(News::Wrong(error)) => error!(
                    error,
                    "keys of identities cannot be kept: no change outlives this process, or reaches \
                     another"
                ),
                Some(News::Over) => info!("keys of identities are kept again"),
                None => {}
            }
        }
    }

    /// Tells whether the keys here are those that are kept, and so those of all replicas. They are
    /// not while the record cannot be read or written, or is not that of this replica.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    /// Has keys of these algorithms sign. Comes back when every replica publishes them.
    pub(super) async fn require(&self, algorithms: &[Algorithm]) -> Result<(), Error> {
        *self.algorithms.write().unwrap_or_else(PoisonError::into_inner) = algorithms.to_vec();
        let is_new = self.lacks_a_key(self.clock.now());
        self.update(Some(&|_, _| Ok(()))).await?;
        if is_new {
            self.spread().await;
        }
        Ok(())
    }

    /// Comes back when every replica that can has read what was kept here, or the process that
    /// shares a folder with this one.
    pub async fn spread(&self) {
        if self.shared.is_some() || self.state.turn_path().is_some() {
            tokio::time::sleep(SPREAD / 2).await;
        }
    }

    /// Returns the algorithms that routes want.
    fn in_use(&self) -> Vec<Algorithm> {
        self.algorithms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells whether an algorithm that routes want has no key yet.
    fn lacks_a_key(&self, now: Time) -> bool {
        let (in_use, ring) = (self.in_use(), self.keys.ring());
        in_use.iter().any(|algorithm| ring.current(*algorithm, now).is_none())
    }

    /// Tells whether keys are to be made: the clock wants it, or what could not be kept when routes
    /// began to want it.
    fn is_due(&self, now: Time) -> bool {
        self.keys.ring().is_due(now) || self.lacks_a_key(now)
    }

    /// Returns what there is to say of each key.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        self.keys.ring().list(self.clock.now())
    }

    /// Returns what is published.
    #[must_use]
    pub fn published(&self) -> String {
        self.keys.ring().jwks(self.clock.now())
    }

    /// Has the next key sign, of one algorithm or of each.
    ///
    /// # Errors
    /// When that makes no sense, or cannot be kept: then nothing has changed.
    pub async fn rotate(&self, algorithm: Option<Algorithm>) -> Result<(), Error> {
        let algorithms = algorithm.map_or_else(|| self.in_use(), |algorithm| vec![algorithm]);
        self.update(Some(&|kept, now| {
            algorithms.iter().try_for_each(|algorithm| kept.ring.rotate(*algorithm, now))
        }))
        .await
    }

    /// Retires a key: here at once, whatever becomes of the store, and then at every replica. When
    /// that cannot be yet, it is done later.
    ///
    /// # Errors
    /// When there is no such key.
    pub async fn retire(&self, id: &str) -> Result<Retired, Error> {
        let here = self.retiring.withdraw(&self.keys, id, self.clock.now());
        if here.is_ok() && self.shared.is_some() {
            self.remember_ring();
        }
        match self.update(Some(&|kept, now| kept.ring.retire(id, now))).await {
            Ok(()) => Ok(Retired::Everywhere),
            Err(error @ Error::Refused(_)) => Err(error),
            Err(error) if here.is_ok() => {
                self.remember_ring();
                Ok(Retired::HereAlone(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the keys as they are here, for a start before anything else can be kept.
    fn remember_ring(&self) {
        let ring = self.keys.ring().clone();
        if let Err(error) = self.state.keep_key_ring(&ring) {
            warn!(%error, "the state folder does not know yet that a key was retired");
        }
    }

    /// Returns the secret of the pseudonyms.
    ///
    /// # Errors
    /// When it is not kept here, or not known yet.
    pub fn backup(&self) -> Result<PairwiseSecret, Error> {
        if self.is_given {
            return Err(Error::Given);
        }
        if !self.secret.is_known() {
            return Err(Error::Store(Unavailable("it was not reached yet".to_owned())));
        }
        Ok(self.secret.clone())
    }

    /// Replaces the secret of the pseudonyms, at every replica.
    ///
    /// # Errors
    /// When it is not kept here, or cannot be kept: then nothing has changed.
    pub async fn restore(&self, secret: &PairwiseSecret) -> Result<(), Error> {
        if self.is_given {
            return Err(Error::Given);
        }
        self.update(Some(&|kept, _| {
            kept.secret = secret.copied();
            kept.changes.replaced = kept.changes.replaced.saturating_add(1);
            Ok(())
        }))
        .await
    }

    /// Reads what is kept, changes it as the clock and the caller want it, and keeps that.
    async fn update(&self, change: Change<'_>) -> Result<(), Error> {
        let mut known = self.known.lock().await;
        let done = match &self.shared {
            Some(record) => self.update_shared(record, &mut known, change).await,
            None => self.update_folder(&mut known, change).await,
        };
        match &done {
            Ok(()) => {
                let is_kept = !known.differs && !self.retiring.is_owed();
                self.is_kept.store(is_kept, Ordering::Relaxed);
            }
            // That says nothing of where they are kept.
            Err(Error::Refused(_) | Error::Given | Error::Busy | Error::NotMade) => {}
            Err(Error::Store(_) | Error::State(_) | Error::Shut(_) | Error::OtherSecret) => {
                self.is_kept.store(false, Ordering::Relaxed);
            }
        }
        done
    }
}

/// Returns how identities are signed for any route.
pub(super) fn algorithms(routes: &[Route]) -> Vec<Algorithm> {
    let all: BTreeSet<_> = routes.iter().flat_map(Route::algorithms).collect();
    // There is always a key, also while no route asks for an identity.
    if all.is_empty() { vec![Algorithm::default()] } else { all.into_iter().collect() }
}

#[cfg(test)]
impl Keeper {
    /// Keeps keys nowhere.
    pub(super) fn nowhere(secret: PairwiseSecret, clock: SharedClock) -> Arc<Self> {
        let ring = KeyRing::generate(SPREAD, &[Algorithm::Es256], clock.now());
        Arc::new(Self {
            keys: Arc::new(SigningKeys::new(ring)),
            secret,
            is_given: true,
            period: SPREAD,
            algorithms: RwLock::new(vec![Algorithm::Es256]),
            own: Vec::new(),
            shared: None,
            state: State::new(None),
            clock,
            known: Mutex::default(),
            retiring: Retiring::default(),
            is_kept: AtomicBool::new(true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;
    use crate::store::seal::Sealer;

    #[test]
    fn operators_find_the_record_by_the_name_that_the_manual_has() {
        let store = Arc::new(Memory::new(1));
        let shown = SharedRecord::new(store, Sealer::default(), RECORD).shown();
        assert!(include_str!("../../../docs/replicas.md").contains(&shown), "{shown}");
    }
}
