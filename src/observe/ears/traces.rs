//! Events of a login say in the spans of their requests which login it is: its requests are traces of
//! their own, since the node is between them.

use super::super::event::{Event, Told};
use super::super::traces;

/// Says it in the span of the request that this task serves, if it has one.
pub(in crate::observe) fn hear(told: &Told<'_>) {
    let authn_request = match told.event {
        Event::LoginStarted { login, .. }
        | Event::ArtifactResolved { login, .. }
        | Event::SignedIn { login, .. }
        | Event::LoginRefused { login, .. } => login.authn_request,
        Event::SignedInAgain { authn_request, .. } => Some(authn_request),
        Event::RequestRefused(_)
        | Event::ResponseCut { .. }
        | Event::StepUpDemanded
        | Event::SignedOut { .. }
        | Event::SessionEnded { .. }
        | Event::FormKept
        | Event::IdentityToldByClient { .. }
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
        | Event::AdminActed { .. } => None,
    };
    if let Some(authn_request) = authn_request {
        traces::say("brama.authn_request", authn_request);
    }
}
