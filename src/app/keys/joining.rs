//! What is kept and what is known here become one, whether replicas share it or a folder has it.

use tracing::{info, warn};

use super::saved::SavedKeys;
use super::{Error, Keeper, Known};
use crate::base::clock::Time;
use crate::identity::claims::PairwiseSecret;

impl Keeper {
    /// Returns what the record says, with what is known here besides: a record that was put back, or
    /// changed apart from ours, costs no key that may have signed, and brings none back.
    pub(super) fn joined(
        &self,
        theirs: &SavedKeys,
        ours: SavedKeys,
        known: &Known,
        now: Time,
    ) -> SavedKeys {
        let mut next = theirs.copied();
        // What a folder has that was never shared, or was shared elsewhere, is not for all replicas.
        let is_copy = known.changes.revision > 0 && ours.secret.is(&theirs.secret);
        if known.is_read || is_copy || ours.ring.is_kin(&theirs.ring) {
            self.join(&mut next, theirs, ours, now);
        }
        // Also when it never had the key that is retired here.
        self.retiring.tell(&mut next.ring, now);
        next
    }

    fn join(&self, next: &mut SavedKeys, theirs: &SavedKeys, ours: SavedKeys, now: Time) {
        if ours.changes.revision > theirs.changes.revision {
            warn!(
                "keys of identities that are kept are older than those known here: they are put back"
            );
        }
        next.ring.join(&ours.ring, now);
        next.changes.revision = theirs.changes.revision.max(ours.changes.revision);
        let is_other = self.secret.is_known() && !self.is_given && !ours.secret.is(&theirs.secret);
        if is_other && ours.is_later(theirs) {
            next.secret = ours.secret;
            next.changes.replaced = ours.changes.replaced;
        }
    }

    /// Returns what is known here, and something new in the place of what is not.
    pub(super) fn in_memory(&self, known: &Known) -> SavedKeys {
        let mut ring = self.keys.ring().clone();
        ring.require(&self.in_use());
        let is_known = self.secret.is_known();
        let secret = if is_known { self.secret.copied() } else { PairwiseSecret::generate() };
        SavedKeys { ring, secret, changes: known.changes }
    }

    /// Makes keys where there should be some. That may take a while.
    pub(super) async fn advanced(
        &self,
        mut kept: SavedKeys,
        now: Time,
    ) -> Result<SavedKeys, Error> {
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

    /// Goes on with these keys, which are kept.
    pub(super) fn adopt(&self, kept: SavedKeys, known: &mut Known) {
        let SavedKeys { ring, secret, changes } = kept;
        known.changes = changes;
        known.lacks_keys = false;
        let now = self.clock.now();
        if self.keys.ring().to_text().expose() != ring.to_text().expose() {
            info!(keys = ring.list(now).len(), "signing keys of identities changed");
        }
        self.retiring.go_on_with(&self.keys, ring, now);
        if !self.is_given && !secret.is(&self.secret) {
            self.secret.replace(&secret);
            self.keys.forget_tokens();
        }
    }
}
