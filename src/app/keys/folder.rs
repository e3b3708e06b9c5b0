//! How the state folder is read and changed where no store has the keys for replicas.
//!
//! A predecessor and its successor have it together for a while, and each may just be doing what an
//! operator told it. So each takes in what the other one wrote, as with the record that replicas
//! share.

use tracing::warn;

use super::saved::SavedKeys;
use super::{Change, Error, Keeper, Known};
use crate::app::lock::turn;
use crate::app::state::StateError;

impl Keeper {
    pub(super) async fn update_folder(
        &self,
        known: &mut Known,
        change: Change<'_>,
    ) -> Result<(), Error> {
        let is_due = change.is_some() || self.retiring.is_owed() || self.is_due(self.clock.now());
        if known.is_read && !is_due && self.is_in_folder(&self.in_memory(known)) {
            return Ok(());
        }
        let _turn = turn(&self.state).await?;
        let (ours, now) = (self.in_memory(known), self.clock.now());
        let found = self.in_folder(&ours, known)?;
        let mut next = self.joined(&found, ours, known, now);
        // Only what an operator replaced takes the place of the secret that pseudonyms are made with.
        if known.is_read && next.changes.replaced == known.changes.replaced {
            next.secret = self.secret.copied();
        }
        if let Some(change) = change {
            change(&mut next, now)?;
        }
        let next = self.advanced(next, now).await?;
        let kept = if self.is_in_folder(&next) { Ok(()) } else { self.keep_in_folder(&next) };
        if let Err(error) = kept {
            // Then nothing has changed, as far as that can be.
            if change.is_some() || !known.is_read {
                let _ = self.keep_in_folder(&found);
                return Err(error.into());
            }
            // By the clock keys go on, although something else than they cannot be kept.
            self.state.keep_key_ring(&next.ring)?;
            self.adopt(next, known);
            return Err(error.into());
        }
        known.is_read = true;
        self.adopt(next, known);
        Ok(())
    }

    /// Returns what the folder has, and what is known here in the place of what it lacks. What cannot
    /// be read stops a start; later it is put back, but for the secret, which is nobody's to replace.
    fn in_folder(&self, ours: &SavedKeys, known: &Known) -> Result<SavedKeys, StateError> {
        let mut found = ours.copied();
        if let Some(ring) = or_put_back(self.state.key_ring(self.period, &self.in_use()), known)? {
            found.ring = ring;
        }
        if !self.is_given {
            match self.state.pairwise_secret() {
                Ok(Some(secret)) => found.secret = secret,
                Ok(None) => {}
                // It is told when the secret is to be kept.
                Err(_) if known.is_read => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(changes) = or_put_back(self.state.changes(), known)? {
            found.changes = changes;
        }
        Ok(found)
    }

    fn is_in_folder(&self, kept: &SavedKeys) -> bool {
        let secret = (!self.is_given).then_some(&kept.secret);
        self.state.has(&kept.ring, secret, kept.changes).unwrap_or(false)
    }

    /// Keeps the numbers last: a secret without them is no later one than that which is known.
    pub(super) fn keep_in_folder(&self, kept: &SavedKeys) -> Result<(), StateError> {
        self.state.keep_key_ring(&kept.ring)?;
        if !self.is_given {
            self.state.keep_pairwise_secret(&kept.secret)?;
        }
        self.state.keep_changes(kept.changes)
    }
}

/// Takes what cannot be read for missing, while the gateway runs: it is known here.
fn or_put_back<T>(
    read: Result<Option<T>, StateError>,
    known: &Known,
) -> Result<Option<T>, StateError> {
    match read {
        Err(error) if known.is_read => {
            warn!(%error, "the state folder is damaged: what is known here is put back");
            Ok(None)
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::{Retired, Settings, State};
    use super::*;
    use crate::base::clock::{Clock, ManualClock, SharedClock, Time};
    use crate::identity::claims::PairwiseSecret;
    use crate::identity::keyring::{KeyRing, Standing};
    use crate::identity::signing_key::Algorithm;

    const PERIOD: Duration = Duration::from_secs(1000);

    const RING: &str = "identity-keys.json";
    const SECRET: &str = "pairwise-secret";
    const CHANGES: &str = "identity-keys.revision";

    fn settings() -> Settings {
        let algorithms = vec![Algorithm::Es256];
        Settings { period: PERIOD, algorithms, own: Vec::new(), given: None }
    }

    async fn try_begin(folder: &Path, clock: &Arc<ManualClock>) -> Result<Arc<Keeper>, Error> {
        let state = State::new(Some(folder.to_owned()));
        let clock = Arc::clone(clock) as SharedClock;
        Keeper::begin(settings(), PairwiseSecret::pending(), (None, state, false), clock).await
    }

    async fn begin(folder: &Path, clock: &Arc<ManualClock>) -> Arc<Keeper> {
        try_begin(folder, clock).await.unwrap()
    }

    fn standing(keeper: &Keeper, standing: Standing) -> Vec<String> {
        let of_it = keeper.list().into_iter().filter(|key| key.standing == standing);
        of_it.map(|key| key.id).collect()
    }

    /// What the clock brings to both, one after the other.
    async fn tick(keepers: [&Arc<Keeper>; 2], clock: &ManualClock) {
        clock.advance(Duration::from_secs(1));
        for keeper in keepers {
            keeper.update(None).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_an_operator_does_at_a_predecessor_or_a_successor_holds_at_both_and_after_them() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let one = begin(folder.path(), &clock).await;
        let two = begin(folder.path(), &clock).await;
        let secret = |keeper: &Keeper| keeper.secret.bytes().expose().clone();
        assert_eq!(one.published(), two.published());
        assert_eq!(secret(&one), secret(&two));
        for (at, other) in [(&one, &two), (&two, &one)] {
            // 1. A key is retired.
            let leaked = standing(at, Standing::Current).remove(0);
            assert!(matches!(at.retire(&leaked).await, Ok(Retired::Everywhere)));
            tick([other, at], &clock).await;
            for keeper in [at, other] {
                assert_eq!(standing(keeper, Standing::Retired), [&*leaked]);
                assert!(!standing(keeper, Standing::Current).contains(&leaked));
            }
            // 2. The secret of the pseudonyms is another one.
            let restored = PairwiseSecret::generate();
            at.restore(&restored).await.unwrap();
            tick([other, at], &clock).await;
            assert!(at.secret.is(&restored) && other.secret.is(&restored));
            // 3. One rotates by the clock, and the other one takes that in.
            for _ in 0..1001 {
                tick([other, at], &clock).await;
            }
            assert_eq!(at.published(), other.published());
            assert!(!at.published().contains(&leaked));
        }
        // 4. Whoever comes then has all of it.
        let (published, known) = (one.published(), secret(&two));
        drop((one, two));
        let third = begin(folder.path(), &clock).await;
        assert_eq!((third.published(), secret(&third)), (published, known));
    }

    #[tokio::test]
    async fn what_is_damaged_or_gone_is_put_back_by_itself_while_a_gateway_runs() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let (one, two) = (begin(folder.path(), &clock).await, begin(folder.path(), &clock).await);
        let path = |name: &str| folder.path().join(name);
        let kept = std::fs::read(path(RING)).unwrap();
        for broken in ["", "{", "[]"] {
            std::fs::write(path(RING), broken).unwrap();
            one.update(None).await.unwrap();
            assert_eq!(std::fs::read(path(RING)).unwrap(), kept, "{broken:?}");
        }
        for name in [RING, SECRET, CHANGES] {
            let before = std::fs::read(path(name)).unwrap();
            std::fs::remove_file(path(name)).unwrap();
            one.update(None).await.unwrap();
            assert_eq!(std::fs::read(path(name)).unwrap(), before, "{name}");
        }
        // What the other one did meanwhile is not written over because another file is gone.
        let leaked = standing(&two, Standing::Current).remove(0);
        two.retire(&leaked).await.unwrap();
        std::fs::remove_file(path(CHANGES)).unwrap();
        one.update(None).await.unwrap();
        assert_eq!(standing(&one, Standing::Retired), [leaked]);
        // A start stops at what is damaged.
        let kept = std::fs::read(path(CHANGES)).unwrap();
        std::fs::write(path(CHANGES), "[1]").unwrap();
        assert!(try_begin(folder.path(), &clock).await.is_err());
        one.update(None).await.unwrap();
        assert_eq!(std::fs::read(path(CHANGES)).unwrap(), kept);
        assert!(try_begin(folder.path(), &clock).await.is_ok());
    }

    #[tokio::test]
    async fn no_secret_of_the_pseudonyms_is_taken_or_lost_that_no_operator_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let keeper = begin(folder.path(), &clock).await;
        let path = folder.path().join(SECRET);
        let kept = std::fs::read(&path).unwrap();
        // Somebody copied another one there: it is set aside.
        std::fs::write(&path, [7; 32]).unwrap();
        keeper.update(None).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), kept);
        assert_eq!(keeper.secret.bytes().expose(), &kept);
        assert_eq!(std::fs::read(folder.path().join("pairwise-secret.before")).unwrap(), [7; 32]);
        // What is no secret is left there: nobody could make those pseudonyms again.
        std::fs::write(&path, "short").unwrap();
        assert!(keeper.update(None).await.unwrap_err().to_string().contains("fewer than 32 bytes"));
        assert!(!keeper.is_kept());
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
        assert!(try_begin(folder.path(), &clock).await.is_err());
        // Meanwhile keys change by the clock, a key that leaked is retired for good, and nothing else
        // is changed by hand.
        let before = keeper.published();
        assert!(keeper.rotate(None).await.is_err());
        assert!(keeper.restore(&PairwiseSecret::generate()).await.is_err());
        assert_eq!(keeper.published(), before);
        let leaked = standing(&keeper, Standing::Current).remove(0);
        assert!(matches!(keeper.retire(&leaked).await, Ok(Retired::HereAlone(_))));
        let next = standing(&keeper, Standing::Current).remove(0);
        for _ in 0..2 {
            clock.advance(PERIOD);
            keeper.update(None).await.unwrap_err();
        }
        assert_ne!(standing(&keeper, Standing::Current), [&*next]);
        let published = keeper.published();
        drop(keeper);
        std::fs::write(&path, &kept).unwrap();
        let after = begin(folder.path(), &clock).await;
        assert_eq!((after.published(), after.secret.bytes().expose()), (published, &kept));
        assert!(after.keys.ring().is_retired(&leaked));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_written_in_the_turn_of_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let keeper = begin(folder.path(), &clock).await;
        let kept = || std::fs::read(folder.path().join(RING)).unwrap();
        let before = kept();
        let held = turn(&State::new(Some(folder.path().to_owned()))).await.unwrap();
        let refused = keeper.rotate(None).await.unwrap_err().to_string();
        assert!(refused.contains("another process has been writing"), "{refused}");
        assert!(kept() == before && !keeper.is_kept());
        // But for a key that leaked: it is retired here at once, whatever becomes of this process.
        let leaked = standing(&keeper, Standing::Current).remove(0);
        assert!(matches!(keeper.retire(&leaked).await, Ok(Retired::HereAlone(_))));
        assert_eq!(standing(&keeper, Standing::Retired), [&*leaked]);
        assert!(kept() != before && !keeper.is_kept());
        drop(held);
        keeper.update(None).await.unwrap();
        assert!(keeper.is_kept());
        assert!(begin(folder.path(), &clock).await.keys.ring().is_retired(&leaked));
    }

    #[tokio::test]
    async fn a_key_that_is_retired_is_remembered_where_it_never_was() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let (keeper, now) = (begin(folder.path(), &clock).await, clock.now());
        let leaked = standing(&keeper, Standing::Current).remove(0);
        keeper.retiring.withdraw(&keeper.keys, &leaked, now).unwrap();
        let ours = keeper.in_memory(&Known::default());
        let ring = KeyRing::generate(PERIOD, &[Algorithm::Es256], now);
        let theirs = SavedKeys { ring, secret: PairwiseSecret::generate(), changes: ours.changes };
        let next = keeper.joined(&theirs, ours, &Known::default(), now);
        assert!(next.ring.is_retired(&leaked));
    }

    #[tokio::test]
    async fn without_a_folder_nothing_is_looked_for() {
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let state = State::new(None);
        let keeper = Keeper::begin(
            settings(),
            PairwiseSecret::pending(),
            (None, state, false),
            Arc::clone(&clock) as SharedClock,
        );
        let keeper = keeper.await.unwrap();
        let before = keeper.published();
        keeper.update(None).await.unwrap();
        assert_eq!(keeper.published(), before);
        assert!(keeper.is_kept() && keeper.secret.is_known());
    }
}
