//! Events become lines of the log. Their words and fields are what operators search for: they stay.

use tracing::{debug, info, warn};

use super::super::event::{AdminAction, Asked, Event, LoginFacts, OF_OPERATORS, Refused, Told};
use super::alarms;
use crate::base::reason::Reason;

/// Writes a line, or none.
pub(in crate::observe) fn hear(told: &Told<'_>) {
    let request = told.request.map(|asked| asked.id);
    match told.event {
        Event::LoginStarted { assurance, is_anew, .. } => {
            info!(request, assurance, anew = is_anew, "login begun");
        }
        Event::ArtifactResolved { login, took } => {
            let milliseconds = took.as_secs_f64() * 1000.0;
            debug!(login = login.authn_request, milliseconds, "artifact resolved");
        }
        Event::SignedIn { session, assurance, .. } => {
            info!(request, session, assurance, again = false, "citizen signed in");
        }
        Event::SignedInAgain { session, assurance, .. } => {
            info!(request, session, assurance, again = true, "citizen signed in");
        }
        Event::LoginRefused { login, refusal } => login_refused(told.request, &login, &refusal),
        Event::RequestRefused(refusal) => refused(request, &refusal),
        Event::HandOverBegun { host } => info!(request, host, "citizen crosses to another host"),
        Event::HandedOver { session, host } => {
            info!(request, session, host, "citizen signed in at another host");
        }
        Event::SignedOut { outcome, .. } => info!(request, outcome, "citizen signed out"),
        Event::LogoutNotConfirmed { why } => {
            warn!(request, error = why, "node did not confirm the logout");
        }
        Event::FormKept => info!(request, "form kept across a login"),
        Event::FormNotKept { why } => warn!(request, error = why, "form not kept"),
        Event::FormSent => info!(request, "kept form sent"),
        Event::FormLost { why } => {
            warn!(request, error = why, "form is lost: the portal is away too");
        }
        Event::IdentityToldByClient { header, is_ours: false, is_logged: true } => warn!(
            request,
            header, "a client told an identity in a header of another gateway's; it was removed"
        ),
        Event::IdentityToldByClient { header, is_ours: true, is_logged: true } => warn!(
            request,
            header, "a client told an identity in a header of this gateway's; it was removed"
        ),
        Event::CertificateLoaded {
            used_for,
            file: Some(certificate),
            subject,
            sha256,
            not_after,
        } => {
            info!(certificate, used_for, subject, sha256, %not_after, "new certificate is in use");
        }
        Event::CertificateLoaded { used_for, file: None, subject, sha256, not_after } => {
            info!(used_for, subject, sha256, %not_after, "certificate is in use");
        }
        Event::CertificateRefused { file: certificate, why: error } => {
            warn!(certificate, error, "new certificate cannot be used, the old one stays");
        }
        Event::CertificateAlarm { certificate, news } => alarms::certificate(&certificate, news),
        Event::ClockOffset { standing, seconds, within, witness } => {
            alarms::clock(standing, (seconds, within), witness);
        }
        Event::NodeTrouble { is_over, failed, of } => alarms::node(is_over, failed, of),
        Event::AdminActed { admin, action } => acted(admin, &action),
        // What the citizen who signs out or in says already, or the caller says with more words.
        Event::SessionEnded { .. }
        | Event::StepUpDemanded
        | Event::ResponseCut { .. }
        | Event::IdentityToldByClient { is_logged: false, .. }
        | Event::ConfigurationApplied
        | Event::ConfigurationRefused => {}
    }
}

fn login_refused(asked: Option<Asked<'_>>, login: &LoginFacts<'_>, refusal: &Refused<'_>) {
    let request = asked.map(|asked| asked.id);
    if refusal.reason == Reason::LoginOtherBrowser {
        let address = asked.map(|asked| tracing::field::display(asked.client));
        warn!(
            request,
            address, "login ended: its answer came to another browser than the one that began it"
        );
    }
    let Refused { reason, status, incident, detail } = *refusal;
    let (reason, login) = (reason.as_str(), login.authn_request);
    warn!(reason, request, login, incident, status, detail, "request refused");
}

fn refused(request: Option<&str>, refusal: &Refused<'_>) {
    let Refused { reason, status, incident, detail } = *refusal;
    warn!(reason = reason.as_str(), request, incident, status, detail, "request refused");
}

fn acted(admin: &str, action: &AdminAction<'_>) {
    match *action {
        AdminAction::EndedSession { session } => {
            info!(target: OF_OPERATORS, admin, session, "operator ended a session");
        }
        AdminAction::EndedSessions { ended, is_of_one_person, error } => {
            let of_one_person = is_of_one_person;
            info!(target: OF_OPERATORS, admin, ended, of_one_person, error, "operator ended sessions");
        }
        AdminAction::FoundOwner { owner } => {
            info!(target: OF_OPERATORS, admin, owner, "operator found the digest of a person");
        }
        AdminAction::RotatedKeys { algorithm } => {
            info!(target: OF_OPERATORS, admin, algorithm, "operator rotated keys");
        }
        AdminAction::RetiredKey { kid, pending: None } => {
            warn!(target: OF_OPERATORS, admin, kid, "operator retired a key of identities");
        }
        AdminAction::RetiredKey { kid, pending: Some(error) } => warn!(target: OF_OPERATORS,
            admin,
            kid, error, "operator retired a key of identities: here alone until it can be told"
        ),
        AdminAction::SavedPairwiseSecret => {
            warn!(target: OF_OPERATORS, admin, "operator saved the secret of the pseudonyms");
        }
        AdminAction::ReplacedPairwiseSecret => {
            warn!(target: OF_OPERATORS, admin, "operator replaced the secret of the pseudonyms");
        }
        AdminAction::AskedAboutLogin { asked, is_found } => {
            // What is known of nothing may be anything, a person's number among it.
            let asked = is_found.then_some(asked);
            info!(target: OF_OPERATORS, admin, asked, found = is_found, "operator asked about a login");
        }
        AdminAction::SearchedAudit { by, found } => {
            info!(target: OF_OPERATORS, admin, by, found, "operator searched the audit log");
        }
        AdminAction::BeganCapture { answers, seconds } => {
            warn!(target: OF_OPERATORS, admin, answers, seconds, "operator has answers of the node captured");
        }
        AdminAction::FetchedCapture { login } => {
            warn!(target: OF_OPERATORS, admin, login, "operator fetched a captured answer of the node");
        }
        AdminAction::EndedCapture => {
            warn!(target: OF_OPERATORS, admin, "operator ended the capture of answers");
        }
        AdminAction::ChangedLogLevel { level, until } => {
            let until = until.map(tracing::field::display);
            warn!(target: OF_OPERATORS, admin, level, until, "operator changed the level of the log");
        }
        AdminAction::EndedAllSessions { ended, error } => {
            warn!(target: OF_OPERATORS, admin, ended, error, "all sessions ended, since every sub is another one");
        }
    }
}
