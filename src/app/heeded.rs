//! What holds anew for those who ask the operations listener, and for whoever watches, when the
//! configuration changes.

use std::sync::Arc;

use tracing::warn;

use super::acme::Orders;
use super::watch::{self, Watched};
use crate::gateway::Shared;
use crate::observe::{Level, OF_OPERATORS};
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
        let operators = Operators::new(operators, Arc::clone(&shared.clock));
        Self { watched, operators, log, orders }
    }

    /// Another configuration is refused. A token that was taken away opens nothing all the same.
    pub(super) fn forget_operators(&self) {
        for admin in self.operators.forget_those_without_token() {
            let admin = &*admin;
            warn!(
                target: OF_OPERATORS,
                admin, "operator is admitted no more: the file has another token, or none"
            );
        }
    }

    /// Takes in what another configuration says.
    pub(super) fn replace(&self, watch: watch::Settings, operators: &[Operator], level: Level) {
        self.watched.replace(watch);
        self.operators.replace(operators);
        self.log.configure(level);
    }
}
