//! Makes records of what happens ([`Event`]).
//!
//! 1. Every event is matched: a new one does not compile until it is said here what becomes of it.
//! 2. No text of a peer is taken over that could say anything: the details of the log stay there. A
//!    person becomes a pseudonym.
//! 3. What any client can cause at will, such as a path that is not there, is no record: the access
//!    log has it.

use std::borrow::Cow;
use std::net::IpAddr;

use super::AuditLog;
use super::record::{Kind, Record, text};
use crate::base::reason::{Area, Reason};
use crate::observe::alarm::{CertificateNews, ClockStanding, WatchedCertificate};
use crate::observe::event::{AdminAction, Asked, Ear, Event, LoginFacts, Personal, Refused, Told};

impl Ear for AuditLog {
    fn hear(&self, told: &Told<'_>) {
        if self.is_on()
            && let Some(record) = self.record_of(told)
        {
            self.record_of_client(record, told.request.map(|asked| asked.client));
        }
    }
}

impl AuditLog {
    /// Returns what is written of an event; none of those that are none of the audit's.
    fn record_of<'r>(&'r self, told: &Told<'r>) -> Option<Record<'r>> {
        let new = |kind| self.begun(kind, told);
        let of = |kind, login: LoginFacts<'r>| with_login(new(kind), login);
        Some(match told.event {
            Event::LoginStarted { login, assurance, is_anew } => Record {
                assurance: text(assurance),
                outcome: is_anew.then_some(Cow::Borrowed("anew")),
                ..of(Kind::LoginStarted, login)
            },
            Event::ArtifactResolved { login, took: _ } => of(Kind::ArtifactResolved, login),
            Event::SignedIn { login, session, assurance, person } => {
                let record = with_session(of(Kind::SignedIn, login), session, assurance);
                self.with_person(record, person)
            }
            Event::SignedInAgain { authn_request, session, assurance } => {
                let record = with_session(new(Kind::SignedIn), session, assurance);
                Record { authn_request: text(authn_request), outcome: text("again"), ..record }
            }
            Event::LoginRefused { login, refusal } => {
                with_refusal(of(Kind::LoginRefused, login), refusal)
            }
            Event::RequestRefused(refusal) if is_worth_a_record(refusal.reason) => {
                with_refusal(new(Kind::RequestRefused), refusal)
            }
            Event::RequestRefused(_) => return None,
            Event::ResponseCut { reason } => {
                Record { reason: text(reason.as_str()), ..new(Kind::ResponseCut) }
            }
            Event::StepUpDemanded => new(Kind::StepUpDemanded),
            Event::HandOverBegun { host } => {
                Record { host: text(host), ..new(Kind::HandOverBegun) }
            }
            Event::HandedOver { session, host } => {
                Record { sid: text(session), host: text(host), ..new(Kind::HandedOver) }
            }
            Event::SignedOut { session: Some(session), outcome } => {
                Record { sid: text(session), outcome: text(outcome), ..new(Kind::SignedOut) }
            }
            // Anybody can ask, as often as they like, and nothing ends.
            Event::SignedOut { session: None, .. } => return None,
            Event::LogoutNotConfirmed { why: _ } => new(Kind::LogoutNotConfirmed),
            Event::SessionEnded { session, by } => {
                Record { sid: text(session), outcome: text(by.name()), ..new(Kind::SessionEnded) }
            }
            Event::FormKept => new(Kind::FormKept),
            Event::FormNotKept { why: _ } => new(Kind::FormNotKept),
            Event::FormSent => new(Kind::FormSent),
            Event::FormLost { why: _ } => new(Kind::FormLost),
            Event::IdentityToldByClient { header, is_logged: true, .. } => {
                Record { name: text(header), ..new(Kind::IdentityToldByClient) }
            }
            Event::IdentityToldByClient { is_logged: false, .. } => return None,
            Event::ConfigurationApplied => new(Kind::ConfigurationApplied),
            Event::ConfigurationRefused => new(Kind::ConfigurationRefused),
            Event::CertificateLoaded { used_for, file: _, subject, sha256, not_after } => Record {
                name: text(subject),
                action: text(used_for),
                sha256: text(sha256),
                not_after: Some(Cow::Owned(not_after.to_string())),
                ..new(Kind::CertificateLoaded)
            },
            Event::CertificateRefused { file, why: _ } => {
                Record { name: text(file), ..new(Kind::CertificateRefused) }
            }
            Event::CertificateAlarm { certificate, news } => {
                with_certificate(new(Kind::CertificateAlarm), certificate, news)
            }
            Event::ClockOffset { standing, .. } => {
                passing(new(Kind::ClockOffset), standing != ClockStanding::Differs)
            }
            Event::NodeTrouble { is_over, failed, .. } => {
                Record { number: Some(failed), ..passing(new(Kind::NodeTrouble), is_over) }
            }
            Event::AdminActed { admin, action } => {
                with_action(Record { admin: text(admin), ..new(Kind::AdminActed) }, action)
            }
        })
    }

    fn begun<'r>(&self, kind: Kind, told: &Told<'r>) -> Record<'r> {
        let record = Record::new(kind, told.at);
        let Some(Asked { id, client, host, route, trace }) = told.request else { return record };
        Record {
            request: text(id),
            client: self.client_text(client),
            host: text(host),
            route: route.and_then(text),
            trace: trace.map(|trace| Cow::Owned(trace.to_string())),
            ..record
        }
    }

    fn client_text<'r>(&self, client: IpAddr) -> Option<Cow<'r, str>> {
        self.client(client).map(Cow::Owned)
    }

    fn with_person<'r>(&'r self, record: Record<'r>, person: Personal<'r>) -> Record<'r> {
        let made = self.pseudonym(person.kind(), person.expose());
        let Some((person, key)) = made else { return record };
        Record { person: Some(Cow::Owned(person)), person_key: Some(Cow::Borrowed(key)), ..record }
    }
}

fn with_session<'r>(record: Record<'r>, session: &'r str, assurance: &'r str) -> Record<'r> {
    Record { sid: text(session), assurance: text(assurance), ..record }
}

/// Says whether what is wrong for a while is over.
fn passing(record: Record<'_>, is_over: bool) -> Record<'_> {
    Record { outcome: text(if is_over { "over" } else { "began" }), ..record }
}

fn with_certificate<'r>(
    record: Record<'r>,
    certificate: WatchedCertificate<'r>,
    news: &'r CertificateNews,
) -> Record<'r> {
    Record {
        name: text(certificate.subject),
        action: text(certificate.used_for),
        sha256: text(certificate.sha256),
        not_after: Some(Cow::Owned(certificate.not_after.to_string())),
        outcome: text(news.name()),
        ..record
    }
}

fn with_login<'r>(record: Record<'r>, login: LoginFacts<'r>) -> Record<'r> {
    let LoginFacts { authn_request, artifact, assertion, authority } = login;
    Record {
        authn_request: authn_request.and_then(text),
        artifact: artifact.and_then(text),
        assertion: assertion.and_then(text),
        way_in: authority.and_then(text),
        ..record
    }
}

/// Its detail may repeat what a peer says, so it stays in the log.
fn with_refusal<'r>(record: Record<'r>, refusal: Refused<'r>) -> Record<'r> {
    let Refused { reason, status, incident, detail: _ } = refusal;
    let (reason, name) = (text(reason.as_str()), text(incident));
    Record { reason, status: Some(status), name, ..record }
}

fn with_action<'r>(record: Record<'r>, action: AdminAction<'r>) -> Record<'r> {
    let named = |action, record| Record { action: text(action), ..record };
    match action {
        AdminAction::EndedSession { session } => {
            named("ended_session", Record { sid: text(session), ..record })
        }
        AdminAction::EndedSessions { ended, is_of_one_person, error } => {
            let outcome = match (is_of_one_person, error.is_some()) {
                (false, false) => None,
                (true, false) => text("of_one_person"),
                (false, true) => text("in_part"),
                (true, true) => text("of_one_person_in_part"),
            };
            named("ended_sessions", Record { number: Some(ended), outcome, ..record })
        }
        AdminAction::FoundOwner { owner } => {
            named("found_owner", Record { name: text(owner), ..record })
        }
        AdminAction::RotatedKeys { algorithm } => {
            named("rotated_keys", Record { name: algorithm.and_then(text), ..record })
        }
        AdminAction::RetiredKey { kid, pending } => {
            let outcome = pending.is_some().then_some(Cow::Borrowed("pending"));
            named("retired_key", Record { name: text(kid), outcome, ..record })
        }
        AdminAction::SavedPairwiseSecret => named("saved_pairwise_secret", record),
        AdminAction::ReplacedPairwiseSecret => named("replaced_pairwise_secret", record),
        // What is known of nothing may be anything, a person's number among it.
        AdminAction::AskedAboutLogin { asked, is_found } => {
            let outcome = text(if is_found { "found" } else { "not_found" });
            let name = is_found.then(|| text(asked)).flatten();
            named("asked_about_login", Record { name, outcome, ..record })
        }
        AdminAction::SearchedAudit { by, found } => {
            let outcome = text(if found.is_some() { "told" } else { "unreadable" });
            named("searched_audit", Record { name: text(by), number: found, outcome, ..record })
        }
        AdminAction::BeganCapture { answers, seconds: _ } => {
            let number = u64::try_from(answers).ok();
            named("began_capture", Record { number, ..record })
        }
        AdminAction::FetchedCapture { login } => {
            named("fetched_capture", Record { authn_request: text(login), ..record })
        }
        AdminAction::EndedCapture => named("ended_capture", record),
        AdminAction::ChangedLogLevel { level, until: _ } => {
            named("changed_log_level", Record { name: text(level), ..record })
        }
        AdminAction::EndedAllSessions { ended, error } => {
            let outcome = error.and_then(|_| text("in_part"));
            named("ended_all_sessions", Record { number: Some(ended), outcome, ..record })
        }
    }
}

/// Tells whether a refusal is one of a citizen's rights or an attempt at them, and no mistake in a
/// request or trouble of a portal.
fn is_worth_a_record(reason: Reason) -> bool {
    match reason.area() {
        Area::Request | Area::Upstream => ATTEMPTS.contains(&reason),
        Area::Companion
        | Area::Crossing
        | Area::Form
        | Area::Identity
        | Area::Login
        | Area::Policy
        | Area::Session => true,
    }
}

/// Requests that no browser makes by itself: somebody tries something.
const ATTEMPTS: [Reason; 8] = [
    Reason::RequestAssurance,
    Reason::RequestMaxAge,
    Reason::RequestIdentityHeaderAlias,
    Reason::RequestConnectionNamesIdentity,
    Reason::RequestConnectionCredentials,
    Reason::RequestMethodOverride,
    Reason::RequestForwardedConflict,
    Reason::RequestUpgradeFromElsewhere,
];
