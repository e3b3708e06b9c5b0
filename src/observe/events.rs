//! Tells facts ([`super::event`]) to the log, to the counts, and to whoever else wants to hear them.

use std::fmt;
use std::sync::Arc;

use super::ears::{log, traces};
use super::event::{Asked, Ear, Event, Told};
use super::metrics::GatewayCounts;
use crate::base::clock::Time;

/// To whom facts are told.
#[derive(Default)]
pub struct Events {
    counts: GatewayCounts,
    ears: Vec<Arc<dyn Ear>>,
}

impl Events {
    /// Tells the log, the counts, the traces, and these.
    #[must_use]
    pub fn new(ears: Vec<Arc<dyn Ear>>) -> Arc<Self> {
        Arc::new(Self { counts: GatewayCounts::default(), ears })
    }

    /// Tells a fact to all.
    pub fn tell<'e>(&self, at: Time, request: Option<Asked<'e>>, event: Event<'e>) {
        let told = Told { request, at, event };
        log::hear(&told);
        self.counts.hear(&told);
        traces::hear(&told);
        for ear in &self.ears {
            ear.hear(&told);
        }
    }

    /// Returns what was counted.
    #[must_use]
    pub fn counts(&self) -> &GatewayCounts {
        &self.counts
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("ears", &self.ears.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Ear for Heard {
        fn hear(&self, told: &Told<'_>) {
            self.0.lock().unwrap().push(format!("{told:?}"));
        }
    }

    #[test]
    fn a_fact_is_told_to_all_ears_and_counted_once() {
        let ears = [Arc::<Heard>::default(), Arc::default()];
        let events = Events::new(ears.iter().map(|ear| Arc::clone(ear) as _).collect());
        events.tell(Time::UNIX_EPOCH, None, Event::FormKept);
        events.tell(Time::UNIX_EPOCH, None, Event::FormSent);
        for ear in ears {
            let heard = ear.0.lock().unwrap();
            assert_eq!(heard.len(), 2);
            assert!(heard[0].contains("FormKept") && heard[1].contains("FormSent"), "{heard:?}");
        }
        assert_eq!(events.counts().forms_kept.value(), 1);
    }
}
