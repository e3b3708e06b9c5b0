//! How the record that replicas share is read, changed and taken over.

use tracing::{info, warn};

use super::saved::SavedKeys;
use super::{Change, Error, Keeper, Known, PERIOD};
use crate::base::clock::Time;
use crate::base::secret::Secret;
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
            let is_due = change.is_some() || self.retiring.is_owed() || self.is_due(now);
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
            let (kept, mut next) = self.merged(record, found, known, now)?;
            if let Some(change) = change {
                change(&mut next, now)?;
            }
            let next = self.advanced(next, now).await?;
            if let (Some(version), true) = (&version, kept.is_some_and(|kept| kept.is(&next))) {
                known.version = Some(version.clone());
                self.take_over(next, known);
                return Ok(());
            }
            let mut next = next;
            let revision = next.changes.revision.max(known.changes.revision);
            next.changes.revision = revision.saturating_add(1);
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
    fn merged(
        &self,
        record: &SharedRecord,
        found: Option<Found>,
        known: &mut Known,
        now: Time,
    ) -> Result<(Option<SavedKeys>, SavedKeys), Error> {
        let ours = self.in_memory(known);
        let Some(found) = found else {
            if known.is_read {
                warn!("the store lost the keys of identities: they are put back");
            } else if known.lacks_keys {
                info!("the first keys of identities are made for all replicas");
            } else {
                info!("keys of identities are taken from the state folder for all replicas");
            }
            return Ok((None, ours));
        };
        // The secrets were changed at once, and no `sub` with them: it is known otherwise.
        if found.plain.is_none() && known.may_replace && self.secret.is_known() {
            warn!("keys of identities that replicas shared do not open, so they are replaced");
            return Ok((None, ours));
        }
        let in_use = self.in_use();
        let read = |plain: Secret<Vec<u8>>| SavedKeys::read(plain.expose(), self.period, &in_use);
        let theirs = found.plain.and_then(read).ok_or_else(|| Error::Shut(record.shown()))?;
        known.differs = self.is_given && !theirs.secret.is(&self.secret);
        if known.differs && !known.is_read {
            return Err(Error::OtherSecret);
        }
        // A copy that is sealed with a secret that was taken out here goes when a replica starts:
        // later it may be that of one that has more secrets.
        let is_right = found.is_for_all && (known.is_read || !found.has_others);
        let next = self.joined(&theirs, ours, known, now);
        Ok((is_right.then_some(theirs), next))
    }

    /// Goes on with what the record says, and keeps a copy of it.
    fn take_over(&self, kept: SavedKeys, known: &mut Known) {
        let is_as_before = kept.changes == known.changes && kept.is(&self.in_memory(known));
        if (!known.is_read || !is_as_before)
            && let Err(error) = self.keep_in_folder(&kept)
        {
            warn!(%error, "the state folder has no copy of the keys of identities");
        }
        known.is_read = true;
        self.adopt(kept, known);
    }
}
