//! Events become counts, which each scrape looks up.

use super::super::event::{Ear, Event, Told};
use super::super::metrics::GatewayCounts;
use crate::base::reason::Reason;

impl Ear for GatewayCounts {
    fn hear(&self, told: &Told<'_>) {
        match told.event {
            Event::LoginStarted { .. } => self.logins_begun.add(),
            Event::SignedIn { is_again: false, assurance, .. } => {
                self.logins_finished.add(assurance);
            }
            Event::LoginRefused { refusal, .. } => {
                self.refusals.add(refusal.reason.as_str());
                if refusal.reason == Reason::LoginOtherBrowser {
                    self.logins_of_other_browsers.add();
                }
            }
            Event::RequestRefused(refusal) => self.refusals.add(refusal.reason.as_str()),
            Event::ResponseCut { reason } => self.refusals.add(reason.as_str()),
            Event::StepUpDemanded => self.step_ups.add(),
            Event::SignedOut { outcome, .. } => self.logouts.add(outcome),
            Event::SessionEnded { by, .. } => self.sessions_ended.add(by.name()),
            Event::FormKept => self.forms_kept.add(),
            Event::IdentityToldByClient { .. } => self.identities_told.add(),
            // What is counted by who holds it (reloads, certificates), or is in the log alone.
            Event::ArtifactResolved { .. }
            | Event::SignedIn { is_again: true, .. }
            | Event::HandOverBegun { .. }
            | Event::HandedOver { .. }
            | Event::LogoutNotConfirmed { .. }
            | Event::FormNotKept { .. }
            | Event::FormSent
            | Event::FormLost { .. }
            | Event::ConfigurationApplied
            | Event::ConfigurationRefused
            | Event::CertificateLoaded { .. }
            | Event::CertificateRefused { .. }
            | Event::AdminActed { .. } => {}
        }
    }
}
