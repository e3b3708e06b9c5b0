//! How the state folder is read and changed where no store has the keys for replicas.
//!
//! A predecessor and its successor have it together for a while, and an operator reaches either of
//! them. So each takes in what the other one wrote, as with the record that replicas share.

use tracing::warn;

use super::kept::Kept;
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
        if known.is_read && !is_due {
            let found = self.in_folder(known)?;
            if found.is_some_and(|found| found.is(&self.in_memory(known))) {
                return Ok(());
            }
        }
        let _turn = turn(&self.state).await?;
        let (found, ours, now) = (self.in_folder(known)?, self.in_memory(known), self.clock.now());
        let mut next = match &found {
            Some(found) => self.joined(found, ours, known, now),
            None => ours,
        };
        if let Some(change) = change {
            change(&mut next, now)?;
        }
        let next = self.advanced(next, now).await?;
        if !found.is_some_and(|found| found.is(&next)) {
            self.keep_in_folder(&next)?;
        }
        known.is_read = true;
        self.adopt(next, known);
        Ok(())
    }

    /// Returns what the folder has, when that is whole. Damaged keys stop a start; later they are put
    /// back.
    fn in_folder(&self, known: &Known) -> Result<Option<Kept>, StateError> {
        let ring = self.state.key_ring(self.period, &self.in_use());
        let secret = if self.is_given {
            Ok(Some(self.secret.copied()))
        } else {
            self.state.pairwise_secret()
        };
        let found = ring.and_then(|ring| Ok((ring, secret?, self.state.numbers()?)));
        match found {
            Ok((Some(ring), Some(secret), numbers)) => {
                let (revision, replaced) = numbers.unwrap_or((known.revision, known.replaced));
                Ok(Some(Kept { ring, secret, revision, replaced }))
            }
            Ok(_) => Ok(None),
            Err(error) if known.is_read && error.is_damage() => {
                warn!(%error, "the state folder was damaged: what is known here is put back");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps the numbers last: a secret without them is no later one than those that are known.
    pub(super) fn keep_in_folder(&self, kept: &Kept) -> Result<(), StateError> {
        self.state.keep_key_ring(&kept.ring)?;
        if !self.is_given {
            self.state.keep_pairwise_secret(&kept.secret)?;
        }
        self.state.keep_numbers((kept.revision, kept.replaced))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::{Retired, Settings, State};
    use super::*;
    use crate::base::clock::{ManualClock, SharedClock, Time};
    use crate::identity::claims::PairwiseSecret;
    use crate::identity::keyring::Standing;
    use crate::identity::signing_key::Algorithm;

    const PERIOD: Duration = Duration::from_secs(1000);

    async fn begin(folder: &Path, clock: &Arc<ManualClock>) -> Arc<Keeper> {
        let settings = Settings {
            period: PERIOD,
            algorithms: vec![Algorithm::Es256],
            own: Vec::new(),
            given: None,
        };
        let state = State::new(Some(folder.to_owned()));
        let clock = Arc::clone(clock) as SharedClock;
        Keeper::begin(settings, PairwiseSecret::pending(), (None, state, false), clock)
            .await
            .unwrap()
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
    async fn a_file_that_is_damaged_or_gone_is_put_back_while_a_gateway_runs_and_stops_a_start() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Time::UNIX_EPOCH));
        let keeper = begin(folder.path(), &clock).await;
        let ring = folder.path().join("identity-keys.json");
        let kept = std::fs::read(&ring).unwrap();
        for broken in ["", "{", "[]"] {
            std::fs::write(&ring, broken).unwrap();
            keeper.update(None).await.unwrap();
            assert_eq!(std::fs::read(&ring).unwrap(), kept, "{broken:?}");
        }
        for name in ["identity-keys.json", "pairwise-secret"] {
            let before = std::fs::read(folder.path().join(name)).unwrap();
            std::fs::remove_file(folder.path().join(name)).unwrap();
            keeper.update(Some(&|_, _| Ok(()))).await.unwrap();
            assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), before, "{name}");
        }
        // What is no secret is not replaced: nobody could make those pseudonyms again.
        std::fs::write(folder.path().join("pairwise-secret"), "short").unwrap();
        assert!(keeper.update(None).await.unwrap_err().to_string().contains("fewer than 32 bytes"));
        assert!(!keeper.is_kept());
        assert_eq!(std::fs::read(folder.path().join("pairwise-secret")).unwrap(), b"short");
    }
}
