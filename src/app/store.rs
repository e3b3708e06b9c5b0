//! Where records are kept: the place that the configuration names, and the sessions in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info};

use super::Error;
use super::settings::Store;
use crate::identity::claims::PairwiseSecret;
use crate::session::sessions::Sessions;
use crate::store::file::{File, OpenError, Options};
use crate::store::memory::Memory;
use crate::store::opening::{Opened, opening};
use crate::store::redis::Redis;
use crate::store::seal::Sealer;
use crate::store::watched::{Traffic, Watched};
use crate::store::{Kind, Place};
use crate::{flow, session};

/// What was opened.
pub(super) struct Kept {
    pub(super) place: Arc<dyn Place>,
    /// Its name in metrics, and what was seen of it.
    pub(super) kind: &'static str,
    pub(super) traffic: Arc<Traffic>,
    pub(super) sealer: Sealer,
    pub(super) sessions: Arc<Sessions>,
    /// What is still to be opened.
    pub(super) opening: Option<Opening>,
}

/// A file that another process may still hold.
pub(super) struct Opening {
    path: PathBuf,
    options: Options,
    opened: Opened,
}

/// Opens the place.
pub(super) fn open(
    store: Store,
    settings: &session::Settings,
    flows: &flow::Settings,
    owners: &PairwiseSecret,
) -> Result<Kept, Error> {
    let maximum = usize::try_from(settings.maximum).unwrap_or(usize::MAX);
    let Store { kind, sealer } = store;
    let traffic = Arc::new(Traffic::default());
    let watched = |place: Arc<dyn Place>| -> Arc<dyn Place> {
        Arc::new(Watched::new(place, Arc::clone(&traffic)))
    };
    let kept_in = |kind, place: Arc<dyn Place>, opening| {
        let place = watched(place);
        let (sealer, owners) = (sealer.clone(), owners.clone());
        let sessions =
            Sessions::kept_in(Arc::clone(&place), sealer.clone(), settings.clone(), owners);
        let traffic = Arc::clone(&traffic);
        Kept { place, kind, traffic, sealer, sessions, opening }
    };
    Ok(match kind {
        super::settings::Place::Memory => {
            let pending = usize::try_from(flows.maximum_pending).unwrap_or(usize::MAX);
            // Of wishes, codes and forms there are fewer: their room is shared out by network.
            let place = Memory::new(MOST.max(pending.saturating_mul(2)))
                .with_maximum_of(Kind::Login, pending)
                .with_maximum_of(Kind::Branch, maximum);
            let sessions = Sessions::in_memory(settings.clone(), owners.clone());
            let place = watched(Arc::new(place));
            let traffic = Arc::clone(&traffic);
            Kept { place, kind: "memory", traffic, sealer, sessions, opening: None }
        }
        super::settings::Place::File { path, maximum_bytes } => {
            let options = Options { maximum, maximum_bytes, lock_wait: Duration::ZERO };
            match File::open(&path, options) {
                Ok(file) => kept_in("file", Arc::new(file), None),
                // A predecessor has it until this process says that it serves.
                Err(OpenError::Locked { .. }) if super::successor::has_predecessor() => {
                    let (opened, place) = opening();
                    let options = Options { lock_wait: PREDECESSOR, ..options };
                    kept_in("file", Arc::new(place), Some(Opening { path, options, opened }))
                }
                Err(error) => return Err(Error::Store(error)),
            }
        }
        super::settings::Place::Redis(settings) => {
            let redis = Redis::connect(*settings).map_err(Error::Redis)?;
            kept_in("redis", Arc::new(redis), None)
        }
    })
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
            Ok(Err(error)) => error!(%error, "session store cannot be taken over"),
            Err(error) => error!(%error, "session store cannot be taken over"),
        }
    }
}

/// How many records of a kind are kept in memory, but for logins: some 100 bytes each.
const MOST: usize = 1_000_000;
/// How long a predecessor may hold the file.
const PREDECESSOR: Duration = Duration::from_secs(120);
