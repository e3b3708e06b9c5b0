//! What is set for the SOAP endpoint, and which of its connections are open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::schedule::{Condition, Schedule};
use super::tls_fault::TlsFault;
use crate::base::clock::{SharedClock, Time};

/// What is set for the SOAP endpoint.
pub(in crate::simulator) struct Front {
    clock: SharedClock,
    present: Mutex<Present>,
}

#[derive(Default)]
pub(super) struct Present {
    tls: Option<TlsFault>,
    schedule: Option<(Schedule, Time)>,
    /// The connections that are open, by the port from which the relay reaches the endpoint.
    pub(super) open: HashMap<u16, Arc<Notify>>,
}

impl Front {
    pub(in crate::simulator) fn new(
        clock: SharedClock,
        tls: Option<TlsFault>,
        schedule: Option<Schedule>,
    ) -> Self {
        let schedule = schedule.map(|schedule| (schedule, clock.now()));
        Self { clock, present: Mutex::new(Present { tls, schedule, ..Present::default() }) }
    }

    /// Returns what is wrong with TLS now.
    pub(in crate::simulator) fn tls(&self) -> Option<TlsFault> {
        self.present().tls
    }

    /// Sets what is wrong with TLS from now on. Connections that are open end, so that the next
    /// message meets it.
    pub(in crate::simulator) fn set_tls(&self, fault: Option<TlsFault>) {
        let mut present = self.present();
        present.tls = fault;
        for connection in present.open.values() {
            connection.notify_one();
        }
    }

    /// Returns the schedule that is set.
    pub(in crate::simulator) fn schedule(&self) -> Option<Schedule> {
        self.present().schedule.as_ref().map(|(schedule, _)| schedule.clone())
    }

    /// Begins a schedule, or ends the one that is.
    pub(in crate::simulator) fn set_schedule(&self, schedule: Option<Schedule>) {
        let now = self.clock.now();
        self.present().schedule = schedule.map(|schedule| (schedule, now));
    }

    /// Returns how the endpoint for artifacts is now.
    pub(in crate::simulator) fn condition(&self) -> Condition {
        let now = self.clock.now();
        let present = self.present();
        let Some((schedule, since)) = &present.schedule else { return Condition::Ok };
        schedule.at(Duration::try_from(now.duration_since(*since)).unwrap_or_default())
    }

    /// Resets the connection that reaches the endpoint from this port.
    pub(in crate::simulator) fn reset(&self, port: u16) {
        if let Some(connection) = self.present().open.get(&port) {
            connection.notify_one();
        }
    }

    pub(super) fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
