//! What is watched of a running gateway, by alarms and by whoever asks for its health. All of it may
//! change when the configuration does.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::alarms::settings as alarms;
use super::inventory::{Dated, Inventory};
use crate::operations::health::Needs;

/// What the configuration says of it.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The certificates that it names.
    pub certificates: Vec<Dated>,
    /// What readiness needs.
    pub needs: Needs,
    /// When an alarm begins.
    pub alarms: alarms::Settings,
}

/// What is watched at the moment. Shared by alarms, metrics, health and the answers to operators.
pub struct Watched {
    /// Every certificate in use.
    pub inventory: Inventory,
    /// What readiness needs.
    pub needs: ArcSwap<Needs>,
    /// When an alarm begins.
    pub alarms: ArcSwap<alarms::Settings>,
    /// Which alarms go on.
    pub going_on: alarms::GoingOn,
}

impl Watched {
    /// Begins with a configuration.
    #[must_use]
    pub fn new(inventory: Inventory, needs: Needs, alarms: alarms::Settings) -> Arc<Self> {
        let (needs, alarms) = (ArcSwap::from_pointee(needs), ArcSwap::from_pointee(alarms));
        Arc::new(Self { inventory, needs, alarms, going_on: alarms::GoingOn::default() })
    }

    /// Takes in what another configuration says.
    pub fn replace(&self, settings: Settings) {
        self.inventory.replace(settings.certificates);
        self.needs.store(Arc::new(settings.needs));
        self.alarms.store(Arc::new(settings.alarms));
    }
}
