//! How the record that replicas share is read, changed and taken over.

use std::sync::PoisonError;

use tracing::{error, info, warn};

use super::kept::Kept;
use super::{Change, Error, Keeper, Known, PERIOD};
use crate::base::clock::Time;
use crate::identity::claims::PairwiseSecret;
use crate::store::shared::{Found, SharedRecord};

/// How often a change is tried while others are at it.
const ATTEMPTS: usize = 16;

impl Keeper {
    pub(super) async fn update_shared(
        &self,
        record: &SharedRecord,
        known: &mut Known,
        change: Change<'_>,
    ) -> Result<(), Error> {
        let mut has_waited = false;
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let is_due = change.is_some() || self.is_due(now);
            let as_before = known.version.as_ref().filter(|_| !is_due);
            let found = record.read(as_before, now).await?;
            let version = found.as_ref().map(|found| found.version.clone());
            if as_before.is_some() && as_before == version.as_ref() {
                return Ok(());
            }
            // The store may have lost it a moment ago: whoever knows it puts it back.
            if found.is_none() && !known.is_read && !has_waited {
                has_waited = true;
                tokio::time::sleep(PERIOD * 2).await;
                continue;
            }
            let (kept, mut next) = self.merged(found, known)?;
            if let Some(change) = change {
                change(&mut next, now)?;
            }
            let next = self.advanced(next, now).await?;
            if let (Some(version), true) = (&version, kept.is_some_and(|kept| kept.is(&next))) {
                known.version = Some(version.clone());
                self.take_over(next, known);
                return Ok(());
            }
            let next = Kept { revision: next.revision.max(known.revision) + 1, ..next };
            if let Some(written) = record.write(version, next.to_bytes().expose(), now).await? {
                known.version = Some(written);
                self.take_over(next, known);
                return Ok(());
            }
        }
        Err(Error::Busy)
    }

    /// Returns what the record says, when it need not be written anew for its own sake, and what it
    /// should say by all that is known.
    fn merged(&self, found: Option<Found>, known: &Known) -> Result<(Option<Kept>, Kept), Error> {
        let ours = self.in_memory(known);
        let Some(found) = found else {
            if known.is_read {
                warn!("the store lost the keys of identities: they are put back");
            } else if known.lacks.0 {
                info!("the first keys of identities are made for all replicas");
            } else {
                info!("keys of identities are taken from the state folder for all replicas");
            }
            return Ok((None, ours));
        };
        let algorithms = self.algorithms.read().unwrap_or_else(PoisonError::into_inner).clone();
        let read = |plain: &Vec<u8>| Kept::read(plain, self.period, &algorithms);
        let plain = match found.plain {
            Some(plain) => plain,
            // The secrets were changed at once, and no `sub` with them: it is known otherwise.
            None if !known.is_read && !known.lacks.1 => {
                warn!("keys of identities that replicas shared do not open, so they are replaced");
                return Ok((None, ours));
            }
            None => return Err(Error::Shut),
        };
        let theirs = read(plain.expose()).ok_or(Error::Shut)?;
        if self.is_given && !theirs.secret.is(&self.secret) {
            if !known.is_read {
                return Err(Error::OtherSecret);
            }
            error!(error = %Error::OtherSecret, "pseudonyms differ from those of other replicas");
        }
        let mut next = theirs.copied();
        if known.revision > theirs.revision {
            warn!("the store has older keys of identities than are known here: they are put back");
            next = ours;
            next.ring.retire_as(&theirs.ring);
        } else {
            next.ring.retire_as(&ours.ring);
        }
        Ok((found.is_for_all.then_some(theirs), next))
    }

    /// Returns what is known here, and something new in the place of what is not.
    pub(super) fn in_memory(&self, known: &Known) -> Kept {
        let mut ring = self.keys.ring().clone();
        ring.require(&self.algorithms.read().unwrap_or_else(PoisonError::into_inner));
        let lacks = known.lacks.1;
        let secret = if lacks { PairwiseSecret::generate() } else { self.secret.copied() };
        Kept { ring, secret, revision: known.revision }
    }

    /// Makes keys where there should be some. That may take a while.
    pub(super) async fn advanced(&self, mut kept: Kept, now: Time) -> Result<Kept, Error> {
        kept.ring.take_in(&self.own, now);
        if !kept.ring.is_due(now) {
            return Ok(kept);
        }
        let advanced = tokio::task::spawn_blocking(move || {
            kept.ring.advance(now);
            kept
        });
        advanced.await.map_err(|_| Error::NotMade)
    }

    /// Goes on with what the record says, and keeps a copy of it.
    fn take_over(&self, kept: Kept, known: &mut Known) {
        if !known.is_read || !kept.is(&self.in_memory(known)) {
            let copied = self.state.keep_key_ring(&kept.ring).and_then(|()| {
                if self.is_given { Ok(()) } else { self.state.keep_pairwise_secret(&kept.secret) }
            });
            if let Err(error) = copied {
                warn!(%error, "the state folder has no copy of the keys of identities");
            }
        }
        known.is_read = true;
        self.adopt(kept, known);
    }

    /// Goes on with these keys.
    pub(super) fn adopt(&self, kept: Kept, known: &mut Known) {
        let Kept { ring, secret, revision } = kept;
        known.revision = revision;
        known.lacks = (false, false);
        if self.keys.ring().to_text().expose() != ring.to_text().expose() {
            info!(keys = ring.list(self.clock.now()).len(), "signing keys of identities changed");
        }
        self.keys.replace(ring);
        if !self.is_given && !secret.is(&self.secret) {
            self.secret.replace(&secret);
            self.keys.forget_tokens();
        }
    }
}
