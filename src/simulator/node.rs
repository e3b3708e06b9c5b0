//! The simulated node without its sockets: what comes in, what is remembered, what goes out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Error;
use super::answer::{self, Login, LogoutAnswer};
use super::bounds::{ARTIFACT_LIFE, HANG, SLOW};
use super::check::{
    self, Checked, Context, Finding, Registered, Report, Resolve, check_authn_request, rules,
};
use super::faults::Fault;
use super::front::{Front, TlsFault};
use super::logins::Message;
use super::paths::EXTERNAL_PATH;
use super::people::NodeStatus;
use super::recording::{Around, Ended, Record, Recorder, Replay};
use super::rollover::Rollover;
use super::roster::Roster;
use super::settings::Service;
use super::state::{Chosen, MessageKind, Received, Session, State, Transaction, Waiting};
use crate::base::clock::{SharedClock, Time, later};
use crate::base::random;
use crate::pages::Language;

/// Where the node is reached.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) pages_origin: String,
    pub(super) sso: String,
    pub(super) resolve: String,
    pub(super) logout: String,
}

/// The node, shared by its listeners: who it is, what it signs with, and what it remembers.
pub(super) struct Node {
    pub(super) issuer: String,
    pub(super) addresses: Addresses,
    pub(super) keys: Rollover,
    pub(super) equipment: Equipment,
    pub(super) clock: SharedClock,
    state: Mutex<State>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.issuer)
    }
}

/// What a node has beside its keys.
pub(super) struct Equipment {
    pub(super) roster: Roster,
    pub(super) recorder: Option<Recorder>,
    pub(super) replay: Replay,
    pub(super) front: Arc<Front>,
    /// Whether the SOAP listener speaks TLS.
    pub(super) speaks_tls: bool,
    /// Whether it shows what it has seen, and takes orders over HTTP.
    pub(super) is_watched: bool,
}

/// What is answered over SOAP.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) pace: Pace,
}

/// When it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Now,
    After(Duration),
    /// Not at all: the connection is held until the client leaves, or this long.
    Never(Duration),
    /// A byte each second, for as long as this.
    Drips(Duration),
    /// At once, and then without end.
    Endless,
}

impl Node {
    pub(super) fn new(
        issuer: String,
        addresses: Addresses,
        keys: Rollover,
        equipment: Equipment,
        clock: SharedClock,
    ) -> Self {
        Self { issuer, addresses, keys, equipment, clock, state: Mutex::new(State::new()) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces what the node is going to sign with.
    pub(super) fn announce(&self) -> Result<(), Error> {
        self.keys.announce(self.clock.now())
    }

    /// Sets what is wrong with TLS, where it is spoken.
    pub(super) fn set_tls(&self, fault: Option<TlsFault>) -> Result<(), Error> {
        if fault.is_some() && !self.equipment.speaks_tls {
            return Err(Error::NoTls);
        }
        self.equipment.front.set_tls(fault);
        Ok(())
    }

    pub(super) fn register(&self, service: Service) -> Result<(), Error> {
        self.state().register(service)
    }

    /// Takes a browser's form with an `AuthnRequest`: a handle for the choice of a person, or
    /// everything that is wrong.
    pub(super) fn sign_on(
        &self,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<(String, Transaction), Vec<Finding>> {
        let now = self.clock.now();
        let (form, mut findings) = check::read_form(content_type, body);
        let services = self.state().services.clone();
        let mut checked = if form.message.is_empty() {
            Checked { seen: check::Seen::default(), findings: Vec::new(), message: None }
        } else {
            check_authn_request(&form.message, &self.context(&services, now))
        };
        findings.append(&mut checked.findings);
        let mut state = self.state();
        let name = MessageKind::AuthnRequest.name();
        let message = Message::new(name, now, &findings, &form.message);
        let login = state.logins.begin(&checked.seen.issuer, message);
        state.note(Received {
            kind: MessageKind::AuthnRequest,
            time: now,
            issuer: checked.seen.issuer,
            id: checked.seen.id,
            findings: findings.clone(),
            xml: String::from_utf8_lossy(&form.message).into_owned(),
        });
        match checked.message {
            Some(request) if findings.is_empty() => {
                let transaction = Transaction { request, relay_state: form.relay_state, login };
                let handle = random::handle();
                state.transactions.insert(handle.clone(), transaction.clone());
                Ok((handle, transaction))
            }
            _ => Err(findings),
        }
    }

    /// Answers an `ArtifactResolve`: with the waiting message, with none, or with what is wrong.
    pub(super) fn resolve(&self, body: &[u8]) -> Reply {
        let now = self.clock.now();
        let services = self.state().services.clone();
        let checked = check::check_resolve(body, &self.context(&services, now));
        let (mut findings, mut waiting, mut login) = (checked.findings, None, None);
        if let Some(resolve) = &checked.message {
            match self.take_artifact(resolve, now) {
                Ok(found) => {
                    login = found.as_ref().map(|waiting| waiting.login);
                    waiting = found;
                }
                Err((finding, number)) => {
                    login = Some(number);
                    findings.push(finding);
                }
            }
        }
        self.note(MessageKind::ArtifactResolve, &checked.seen, &findings, body, now);
        if let Some(login) = login {
            let message = Message::new("ArtifactResolve", now, &findings, body);
            self.state().logins.add(login, message);
        }
        if !findings.is_empty() {
            return self.refuse(&findings, |message| {
                let status = Some((NodeStatus::Requester, message));
                answer::only_status(&self.keys.kit(), &self.issuer, &checked.seen.id, status, now)
            });
        }
        let (Some(resolve), Some(waiting)) = (checked.message, waiting) else {
            // SAML core 3.5.3: an artifact that stands for nothing is answered with success.
            let id = &checked.seen.id;
            return reply(answer::only_status(&self.keys.kit(), &self.issuer, id, None, now));
        };
        self.deliver(&resolve, &waiting, now)
    }

    /// Answers a `LogoutRequest`. A session that is not known (any more) is answered with
    /// `Requester` and the message "unknown session".
    pub(super) fn logout(&self, body: &[u8]) -> Reply {
        let now = self.clock.now();
        let services = self.state().services.clone();
        let checked = check::check_logout(body, &self.context(&services, now));
        let mut findings = checked.findings;
        let mut faults = self.state().always.clone();
        let mut login = None;
        if let Some(request) = &checked.message {
            let mut state = self.state();
            let known = state.sessions.find(&request.session_index).is_some_and(|session| {
                session.name_id == request.name_id
                    && session.service == request.service.service.issuer
            });
            if known && let Some(session) = state.sessions.take(&request.session_index) {
                faults.extend(session.faults);
                login = Some(session.login);
            } else {
                let mut report = Report::default();
                report.add(&rules::LOGOUT_UNKNOWN, &request.session_index, "");
                findings.extend(report.into_findings());
            }
        }
        self.note(MessageKind::LogoutRequest, &checked.seen, &findings, body, now);
        let id = checked.message.as_ref().map_or(&checked.seen.id, |request| &request.id);
        let has = |fault| faults.contains(&fault);
        let other = has(Fault::LogoutOtherIssuer).then_some("inny-wezel.example");
        let issuer = other.unwrap_or(&self.issuer);
        let respond =
            |answer: LogoutAnswer<'_>| answer::logout(&self.keys.kit(), issuer, id, answer, now);
        let mut reply = if has(Fault::LogoutRubbish) {
            Reply { status: 200, body: b"To nie jest XML.".to_vec(), pace: Pace::Now }
        } else if has(Fault::LogoutFails) {
            reply(respond(LogoutAnswer::Failed(NodeStatus::Responder, "symulowana odmowa")))
        } else if findings.iter().any(|finding| finding.rule == &rules::LOGOUT_UNKNOWN) {
            reply(respond(LogoutAnswer::Failed(NodeStatus::Requester, "unknown session")))
        } else if findings.is_empty() && has(Fault::LogoutUnsigned) {
            reply(respond(LogoutAnswer::Unsigned))
        } else if findings.is_empty() {
            reply(respond(LogoutAnswer::Success))
        } else {
            self.refuse(&findings, |text| {
                respond(LogoutAnswer::Failed(NodeStatus::Requester, text))
            })
        };
        if has(Fault::LogoutHangs) {
            reply.pace = Pace::Never(HANG);
        }
        if let Some(login) = login {
            let mut state = self.state();
            state.logins.add(login, Message::new("LogoutRequest", now, &findings, body));
            state.logins.add(login, Message::new("LogoutResponse", now, &[], &reply.body));
        }
        reply
    }

    /// Takes what waits under an artifact: once, by the service that began, within its life. What
    /// is wrong comes with the number of the login.
    fn take_artifact(
        &self,
        resolve: &Resolve,
        now: Time,
    ) -> Result<Option<Waiting>, (Finding, u64)> {
        let mut state = self.state();
        let Some(waiting) = state.artifacts.find(&resolve.artifact) else {
            return Ok(None);
        };
        if waiting.request.service.service.issuer != resolve.service.service.issuer {
            let issuer = resolve.service.service.issuer.clone();
            let rule = &rules::ARTIFACT_FOREIGN;
            let finding = Finding { rule, found: issuer, expected: String::new() };
            return Err((finding, waiting.login));
        }
        let waiting = if state.repeats {
            state.artifacts.find(&resolve.artifact).cloned()
        } else {
            state.artifacts.take(&resolve.artifact)
        };
        Ok(waiting.filter(|waiting| now < later(waiting.since, ARTIFACT_LIFE)))
    }

    /// Builds the answer and begins the session.
    fn deliver(&self, resolve: &Resolve, waiting: &Waiting, now: Time) -> Reply {
        let Waiting { request, faults, assertion_id, .. } = waiting;
        let service = &request.service.service;
        let previous = {
            let mut state = self.state();
            let previous = state.previous_assertion.replace(assertion_id.clone());
            if let Chosen::Person(person) = &waiting.chosen
                && person.status.is_none()
            {
                let replayed = faults.contains(&Fault::ReplayedAssertion);
                let index = previous.clone().filter(|_| replayed);
                let session = Session {
                    service: service.issuer.clone(),
                    name_id: person.login.to_string(),
                    person: person.key.to_string(),
                    since: now,
                    faults: faults.clone(),
                    login: waiting.login,
                };
                state.sessions.insert(index.unwrap_or_else(|| assertion_id.clone()), session);
            }
            previous
        };
        let login = Login {
            node: &self.issuer,
            service: &service.issuer,
            acs: &request.acs,
            request_id: &request.id,
            resolve_id: &resolve.id,
            outcome: waiting.chosen.outcome(),
            way: waiting.way,
            assurance: waiting.assurance,
            attributes: &request.attributes,
            recipient: &service.encryption,
            assertion_id,
            previous_assertion: previous.as_deref(),
        };
        let built = answer::build_with_assertion(&login, &self.keys.kit(), faults, now);
        let (built, assertion) = match built {
            Ok((built, assertion)) => (Ok(built), assertion),
            Err(error) => (Err(error), None),
        };
        let mut reply = reply(built);
        if faults.iter().any(|fault| POINTING.contains(fault)) {
            let own = format!("{}{EXTERNAL_PATH}", self.addresses.pages_origin);
            let text = String::from_utf8_lossy(&reply.body);
            reply.body = text.replace(answer::EXTERNAL, &own).into_bytes();
        }
        if reply.status == 200 {
            reply.status = answer::http_status(faults);
        }
        self.keep(waiting, &reply.body, assertion.as_deref(), now);
        if faults.contains(&Fault::Hangs) {
            reply.pace = Pace::Never(HANG);
        } else if faults.contains(&Fault::Drips) {
            reply.pace = Pace::Drips(HANG);
        } else if faults.contains(&Fault::Endless) {
            reply.pace = Pace::Endless;
        } else if faults.contains(&Fault::Slow) {
            reply.pace = Pace::After(SLOW);
        }
        reply
    }

    /// Keeps an answer for people to look at, and records the login when that is wanted.
    fn keep(&self, waiting: &Waiting, answer: &[u8], assertion: Option<&str>, time: Time) {
        {
            let mut state = self.state();
            let message = Message::new("ArtifactResponse", time, &[], answer);
            state.logins.add(waiting.login, message);
            if let Some(assertion) = assertion {
                let message = Message::new("Assertion", time, &[], assertion.as_bytes());
                state.logins.add(waiting.login, message);
            }
        }
        let Some(recorder) = &self.equipment.recorder else { return };
        let ended = match &waiting.chosen {
            Chosen::Person(person) => Ended::Person(Box::new((**person).clone())),
            Chosen::Failed(status) => Ended::Failed(*status),
        };
        let &Waiting { way, assurance, ref faults, ref request, .. } = waiting;
        let service = &request.service.service.issuer;
        let around = Around { time, service, acs: &request.acs, answer, assertion };
        recorder.write(&Record { ended, way, assurance, faults: faults.clone() }, around);
    }

    /// Refuses a message with all that is wrong with it; what is no message gets a SOAP fault.
    fn refuse(
        &self,
        findings: &[Finding],
        respond: impl FnOnce(&str) -> Result<Vec<u8>, Error>,
    ) -> Reply {
        let text = |finding: &Finding| {
            let what = finding.what(Language::English);
            let found = &finding.found;
            if found.is_empty() {
                format!("{}: {what}", finding.code())
            } else {
                format!("{}: {what} ({found})", finding.code())
            }
        };
        let text = findings.iter().map(text).collect::<Vec<_>>().join("; ");
        let no_message = [&rules::XML, &rules::SOAP, &rules::ELEMENT];
        if findings.iter().any(|finding| no_message.contains(&finding.rule)) {
            return Reply {
                status: 500,
                body: answer::soap_fault("soap:Client", &text),
                pace: Pace::Now,
            };
        }
        reply(respond(&text))
    }

    fn note(
        &self,
        kind: MessageKind,
        seen: &check::Seen,
        findings: &[Finding],
        body: &[u8],
        time: Time,
    ) {
        self.state().note(Received {
            kind,
            time,
            issuer: seen.issuer.clone(),
            id: seen.id.clone(),
            findings: findings.to_vec(),
            xml: String::from_utf8_lossy(body).into_owned(),
        });
    }

    fn context<'c>(&'c self, services: &'c [Arc<Registered>], now: Time) -> Context<'c> {
        let Addresses { sso, logout, .. } = &self.addresses;
        Context { services, sso_url: sso, logout_url: logout, now }
    }
}

/// The faults whose message points to something that could be fetched.
const POINTING: [Fault; 2] = [Fault::ExternalReference, Fault::ExternalEntity];

fn reply(built: Result<Vec<u8>, Error>) -> Reply {
    match built {
        Ok(body) => Reply { status: 200, body, pace: Pace::Now },
        Err(error) => {
            tracing::error!(error = %error, "answer could not be built");
            let body = answer::soap_fault("soap:Server", &error.to_string());
            Reply { status: 500, body, pace: Pace::Now }
        }
    }
}
