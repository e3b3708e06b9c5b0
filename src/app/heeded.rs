//! What holds anew for those who ask the operations listener, and for whoever watches, when the
//! configuration changes.

use std::sync::Arc;

use super::acme::Orders;
use super::watch::{self, Watched};
use crate::gateway::Shared;
use crate::observe::Level;
use crate::operations::log_level::LogDesk;
use crate::operations::operators::{Operator, Operators};

/// What heeds a new configuration beside the workers.
pub(super) struct Heeded {
    /// What is watched.
    pub(super) watched: Arc<Watched>,
    /// Who may ask.
    pub(super) operators: Arc<Operators>,
    /// How much is logged.
    pub(super) log: Arc<LogDesk>,
    /// Which certificates are ordered, where that is wanted.
    pub(super) orders: Option<Arc<Orders>>,
}

impl Heeded {
    /// Begins with a configuration.
    pub(super) fn new(
        (watched, orders): (Arc<Watched>, Option<Arc<Orders>>),
        operators: &[Operator],
        level: Level,
        shared: &Shared,
    ) -> Self {
        let log = LogDesk::new(level, Arc::clone(&shared.clock), Arc::clone(&shared.events));
        Self { watched, operators: Operators::new(operators), log, orders }
    }

    /// Takes in what another configuration says.
    pub(super) fn replace(&self, watch: watch::Settings, operators: &[Operator], level: Level) {
        self.watched.replace(watch);
        self.operators.replace(operators);
        self.log.configure(level);
    }
}
