//! Where records are kept: the store that the configuration names, and the sessions in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use super::acme;
use super::error::Error;
use super::keys;
use super::settings::Store;
use super::state::State;
use crate::base::causes::in_one_line;
use crate::base::clock::Time;
use crate::identity::claims::PairwiseSecret;
use crate::observe::events::Events;
use crate::session::sessions::{Sessions, Sharing};
use crate::store::agreement::{self, Agreement, Disagreement};
use crate::store::file::{File, OpenError, Options};
use crate::store::memory::Memory;
use crate::store::metered::{MeteredStore, Traffic};
use crate::store::opening::{Opened, opening};
use crate::store::redis::Redis;
use crate::store::seal::Sealer;
use crate::store::shared::SharedRecord;
use crate::store::{Kind, RecordStore};
use crate::{flow, session};

/// The store with all that is built on it.
pub(super) struct OpenedStore {
    pub(super) store: Arc<dyn RecordStore>,
    /// Its name in metrics, and what was seen of it.
    pub(super) name: &'static str,
    pub(super) traffic: Arc<Traffic>,
    pub(super) sealer: Sealer,
    pub(super) sessions: Arc<Sessions>,
    /// What is still to be opened.
    pub(super) opening: Option<Opening>,
    /// What there is to agree on with other replicas.
    pub(super) agreement: Option<Agreement>,
    /// The store itself, when it is reached with passwords that may change.
    pub(super) redis: Option<Arc<Redis>>,
}

/// A file that another process may still hold.
pub(super) struct Opening {
    path: PathBuf,
    options: Options,
    opened: Opened,
}

/// Opens the store that the configuration names. A file that a predecessor holds is opened later.
pub(super) fn open(
    store: Store,
    state: &State,
    (settings, flows): (&session::Settings, &flow::Settings),
    (owners, events): (&PairwiseSecret, &Arc<Events>),
) -> Result<OpenedStore, Error> {
    let maximum = usize::try_from(settings.maximum).unwrap_or(usize::MAX);
    let Store { kind, sealer } = store;
    let traffic = Arc::new(Traffic::default());
    // Given, or kept where no other user can read it.
    let sealer = |file: Option<&Path>| match &sealer {
        Some(sealer) => Ok((sealer.clone(), None)),
        None => state.store_sealer(file),
    };
    let name = kind.name();
    let kept_in = |sharing, store: Arc<dyn RecordStore>, sealer: Sealer, opening| {
        let store: Arc<dyn RecordStore> =
            Arc::new(MeteredStore::new(store, name, Arc::clone(&traffic)));
        let (settings, owners) = (settings.clone(), owners.clone());
        let sessions = Sessions::kept_in(
            Arc::clone(&store),
            sharing,
            sealer.clone(),
            settings,
            owners,
            Arc::clone(events),
        );
        let traffic = Arc::clone(&traffic);
        let (agreement, redis) = (None, None);
        OpenedStore { store, name, traffic, sealer, sessions, opening, agreement, redis }
    };
    Ok(match kind {
        super::settings::StoreKind::Memory => {
            let pending = usize::try_from(flows.maximum_pending).unwrap_or(usize::MAX);
            // Of wishes, codes and forms there are fewer: their room is shared out by network.
            let store = Memory::new(MOST.max(pending.saturating_mul(2)))
                .with_maximum_of(Kind::Login, pending)
                .with_maximum_of(Kind::LinkedSession, maximum);
            let sessions =
                Sessions::in_memory(settings.clone(), owners.clone(), Arc::clone(events));
            let store = Arc::new(MeteredStore::new(Arc::new(store), name, Arc::clone(&traffic)));
            // Also what browsers keep for us is sealed.
            let (sealer, _) = sealer(None)?;
            let (opening, agreement, redis) = (None, None, None);
            OpenedStore { store, name, traffic, sealer, sessions, opening, agreement, redis }
        }
        super::settings::StoreKind::File { path, maximum_bytes } => {
            let options = Options { maximum, maximum_bytes, lock_wait: Duration::ZERO };
            match File::open(&path, options) {
                Ok(file) => kept_in(Sharing::Alone, Arc::new(file), sealer(Some(&path))?.0, None),
                // A predecessor has it until this process says that it serves.
                Err(OpenError::Locked { .. }) if super::successor::has_predecessor() => {
                    let (opened, store) = opening();
                    let options = Options { lock_wait: PREDECESSOR, ..options };
                    let (sealer, _) = sealer(Some(&path))?;
                    let opening = Opening { path, options, opened };
                    kept_in(Sharing::Alone, Arc::new(store), sealer, Some(opening))
                }
                Err(error) => return Err(Error::Store(error)),
            }
        }
        super::settings::StoreKind::Redis(settings) => {
            let (sealer, file) = sealer(None)?;
            let file = file.map_or_else(
                || "store.secret_files".to_owned(),
                |file| std::path::absolute(&file).unwrap_or(file).display().to_string(),
            );
            let redis = Arc::new(Redis::connect(*settings).map_err(Error::Redis)?);
            let mut kept = kept_in(Sharing::Replicas, Arc::clone(&redis) as _, sealer, None);
            kept.redis = Some(redis);
            let store = Arc::clone(&kept.store);
            kept.agreement = Some(Agreement::new(store, &kept.sealer, &host(), &file));
            kept
        }
    })
}

impl OpenedStore {
    /// Returns its name in metrics, and what was seen of it.
    pub(super) fn seen(&self) -> (&'static str, Arc<Traffic>) {
        (self.name, Arc::clone(&self.traffic))
    }

    /// Returns the record in which replicas share the keys of identities, when they share a store.
    pub(super) fn keys_record(&self) -> Option<SharedRecord> {
        self.redis.as_ref()?;
        Some(SharedRecord::new(Arc::clone(&self.store), self.sealer.clone(), keys::RECORD))
    }

    /// Returns the record in which replicas share what an authority issued, when they share a store.
    pub(super) fn authority_record(&self) -> Option<SharedRecord> {
        self.redis.as_ref()?;
        Some(SharedRecord::new(Arc::clone(&self.store), self.sealer.clone(), acme::RECORD))
    }

    /// Makes sure that other replicas have a secret in common with this one. When the store is
    /// away, that is found out later, and told in the log. Says whether it was found out now.
    pub(super) async fn agree(&self, now: Time) -> Result<bool, Error> {
        let Some(agreement) = &self.agreement else { return Ok(true) };
        match agreement.look(now).await {
            Ok(Some(disagreement @ Disagreement::NothingInCommon { .. })) => {
                Err(Error::Secrets(disagreement))
            }
            Ok(found) => {
                agreement::tell(&found);
                Ok(true)
            }
            Err(error) => {
                warn!(%error, "whether replicas have a secret in common cannot be seen yet");
                Ok(false)
            }
        }
    }
}

/// Returns the name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "a host without a name".to_owned() } else { name.trim().to_owned() }
}

impl Opening {
    /// Opens the file as soon as the predecessor lets go of it; never ends.
    pub(super) async fn run(self) {
        let Self { path, options, opened } = self;
        let file = tokio::task::spawn_blocking(move || File::open(&path, options)).await;
        match file {
            Ok(Ok(file)) => {
                info!("session store taken over from the predecessor");
                opened.open(Arc::new(file)).await;
            }
            Ok(Err(error)) => {
                error!(error = in_one_line(&error), "session store cannot be taken over");
            }
            Err(error) => error!(%error, "session store cannot be taken over"),
        }
    }
}

/// How many records of a kind are kept in memory, but for logins: some 100 bytes each.
const MOST: usize = 1_000_000;
/// How long a predecessor may hold the file.
const PREDECESSOR: Duration = Duration::from_secs(120);
