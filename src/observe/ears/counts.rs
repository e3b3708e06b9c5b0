//! Events become counts, which each scrape looks up.

use super::super::event::{Ear, Event, Told};
use super::super::metrics::GatewayCounts;
use super::super::metrics::logins::End;
use crate::base::reason::Reason;

impl Ear for GatewayCounts {
    fn hear(&self, told: &Told<'_>) {
        match told.event {
            Event::LoginStarted { .. } => self.logins_begun.add(),
            Event::SignedIn { assurance, login, .. } => {
                self.logins_finished.add(assurance);
                self.logins.ended(End::SignedIn(assurance), login.authority);
            }
            Event::LoginRefused { refusal, login } => {
                self.refusals.add(refusal.reason.as_str());
                self.logins.ended(End::Refused(refusal.reason), login.authority);
                if refusal.reason == Reason::LoginOtherBrowser {
                    self.logins_of_other_browsers.add();
                }
            }
            Event::RequestRefused(refusal) => {
                self.refusals.add(refusal.reason.as_str());
                // The login may not be known any more, or not yet.
                if refusal.reason.is_of_login() {
                    self.logins.ended(End::Refused(refusal.reason), None);
                }
            }
            Event::ResponseCut { reason } => self.refusals.add(reason.as_str()),
            Event::StepUpDemanded => self.step_ups.add(),
            Event::SignedOut { outcome, .. } => self.logouts.add(outcome),
            Event::SessionEnded { by, .. } => self.sessions_ended.add(by.name()),
            Event::FormKept => self.forms_kept.add(),
            Event::IdentityToldByClient { is_ours: true, .. } => self.identities_forged.add(),
            Event::IdentityToldByClient { is_ours: false, .. } => self.identities_told.add(),
            // What is counted by who holds it (reloads, certificates, alarms), or is in the log alone.
            Event::ArtifactResolved { .. }
            | Event::SignedInAgain { .. }
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
            | Event::CertificateAlarm { .. }
            | Event::ClockOffset { .. }
            | Event::NodeTrouble { .. }
            | Event::AdminActed { .. } => {}
        }
    }
}
