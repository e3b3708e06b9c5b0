//! The audit log of this process: its keys, and where its chain goes on.

use std::sync::Arc;

use tracing::info;

use super::settings::Audit;
use super::state::State;
use super::{Error, successor};
use crate::audit::AuditLog;
use crate::audit::keys::Keys;
use crate::base::clock::SharedClock;
use crate::observe::event::Ear;

/// Starts it, or nothing where there is none. That it goes on is on record before anything is served,
/// unless nothing takes it.
///
/// # Errors
/// When its keys cannot be kept or read, or its target cannot be opened.
pub(super) async fn start(
    audit: Option<Audit>,
    state: &State,
    clock: &SharedClock,
) -> Result<Arc<AuditLog>, Error> {
    let Some(Audit { mut settings, persons }) = audit else {
        return Ok(Arc::new(AuditLog::off()));
    };
    let mut keys = keys(state)?;
    // Those that are given come first; by the others, old records are found.
    keys.persons.splice(0..0, persons);
    settings.head = state.audit_head_path();
    let is_successor = successor::has_predecessor();
    let (person, signer) =
        (keys.persons.first().map(|key| key.id().to_owned()), keys.signer.public());
    let log = AuditLog::start(settings, keys, Arc::clone(clock), is_successor);
    let log = log.map_err(Error::AuditLog)?;
    info!(person_key = person, public_key = %signer, "audit log opened");
    let log = Arc::new(log);
    let opened = Arc::clone(&log);
    let _ = tokio::task::spawn_blocking(move || opened.flush()).await;
    Ok(log)
}

/// Returns who hears of events for it.
pub(super) fn ears(audit: &Arc<AuditLog>) -> Vec<Arc<dyn Ear>> {
    if audit.is_on() { vec![Arc::clone(audit) as Arc<dyn Ear>] } else { Vec::new() }
}

/// Returns the keys that are kept, which are made once.
fn keys(state: &State) -> Result<Keys, Error> {
    if let Some(keys) = state.audit_keys()? {
        return Ok(keys);
    }
    state.make_audit_keys(&Keys::generate())?;
    // Another process may have made them in the same moment.
    Ok(state.audit_keys()?.unwrap_or_else(Keys::generate))
}
