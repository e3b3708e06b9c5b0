//! The simulated node without its sockets: what comes in, what is remembered, what goes out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Error;
use super::answer::{self, Login, LogoutAnswer, Outcome};
use super::bounds::{ARTIFACT_LIFE, HANG, SLOW};
use super::check::{
    self, Checked, Context, Finding, Registered, Report, Resolve, check_authn_request, rules,
};
use super::faults::Fault;
use super::people::{NodeStatus, Person, Way};
use super::rollover::Rollover;
use super::settings::Service;
use super::state::{MessageKind, Received, Session, State, Transaction, Waiting};
use crate::base::clock::{SharedClock, Time, later};
use crate::base::encoding::base64;
use crate::base::random;
use crate::identity::assurance::Assurance;
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
    clock: SharedClock,
    state: Mutex<State>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({})", self.issuer)
    }
}

/// What a citizen chose.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) transaction: String,
    pub(super) person: String,
    pub(super) way: Option<Way>,
    pub(super) assurance: Option<Assurance>,
    pub(super) faults: Vec<Fault>,
}

/// How the browser goes back to the service provider.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Return {
    pub(super) acs: String,
    pub(super) artifact: String,
    pub(super) relay_state: Option<String>,
    pub(super) by_get: bool,
}

/// Why a choice leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoReturn {
    /// The transaction is over, or never was.
    Transaction,
    /// There is no such person.
    Person,
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
}

impl Node {
    pub(super) fn new(
        issuer: String,
        addresses: Addresses,
        keys: Rollover,
        clock: SharedClock,
    ) -> Self {
        Self { issuer, addresses, keys, clock, state: Mutex::new(State::new()) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock leaves it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Announces what the node is going to sign with.
    pub(super) fn announce(&self) -> Result<(), Error> {
        self.keys.announce(self.clock.now())
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
                let transaction = Transaction { request, relay_state: form.relay_state };
                let handle = random::handle();
                state.transactions.insert(handle.clone(), transaction.clone());
                Ok((handle, transaction))
            }
            _ => Err(findings),
        }
    }

    /// Ends the choice of a person with an artifact.
    pub(super) fn choose(&self, choice: &Choice) -> Result<Return, NoReturn> {
        let outcome = match Person::find(&choice.person) {
            Some(person) => Outcome::Person(person),
            None if choice.person == CANCEL => Outcome::Failed(NodeStatus::AuthnFailed),
            None => return Err(NoReturn::Person),
        };
        let mut state = self.state();
        let transaction = state.transactions.take(&choice.transaction);
        let Transaction { request, relay_state } = transaction.ok_or(NoReturn::Transaction)?;
        let faults = state.take_faults(&choice.faults);
        let way = choice.way.unwrap_or_default();
        let assurance = choice.assurance.unwrap_or_else(|| request.minimum.max(way.assurance()));
        let artifact = self.artifact();
        let back = Return {
            acs: request.acs.clone(),
            artifact: artifact.clone(),
            relay_state: if faults.contains(&Fault::RelayStateLost) {
                None
            } else if faults.contains(&Fault::RelayStateOther) {
                Some(random::handle())
            } else {
                relay_state
            },
            by_get: faults.contains(&Fault::ReturnByGet),
        };
        let since = self.clock.now();
        let waiting = Waiting { request, outcome, way, assurance, faults, since };
        state.artifacts.insert(artifact, waiting);
        Ok(back)
    }

    /// Answers an `ArtifactResolve`: with the waiting message, with none, or with what is wrong.
    pub(super) fn resolve(&self, body: &[u8]) -> Reply {
        let now = self.clock.now();
        let services = self.state().services.clone();
        let checked = check::check_resolve(body, &self.context(&services, now));
        let (mut findings, mut waiting) = (checked.findings, None);
        if let Some(resolve) = &checked.message {
            match self.take_artifact(resolve, now) {
                Ok(found) => waiting = found,
                Err(finding) => findings.push(finding),
            }
        }
        self.note(MessageKind::ArtifactResolve, &checked.seen, &findings, body, now);
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
        if let Some(request) = &checked.message {
            let mut state = self.state();
            let known = state.sessions.find(&request.session_index).is_some_and(|session| {
                session.name_id == request.name_id
                    && session.service == request.service.service.issuer
            });
            if known && let Some(session) = state.sessions.take(&request.session_index) {
                faults.extend(session.faults);
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
        reply
    }

    /// Takes what waits under an artifact: once, by the service that began, within its life.
    fn take_artifact(&self, resolve: &Resolve, now: Time) -> Result<Option<Waiting>, Finding> {
        let mut state = self.state();
        let Some(waiting) = state.artifacts.find(&resolve.artifact) else {
            return Ok(None);
        };
        if waiting.request.service.service.issuer != resolve.service.service.issuer {
            let issuer = resolve.service.service.issuer.clone();
            let rule = &rules::ARTIFACT_FOREIGN;
            return Err(Finding { rule, found: issuer, expected: String::new() });
        }
        let waiting = state.artifacts.take(&resolve.artifact);
        Ok(waiting.filter(|waiting| now < later(waiting.since, ARTIFACT_LIFE)))
    }

    /// Builds the answer and begins the session.
    fn deliver(&self, resolve: &Resolve, waiting: &Waiting, now: Time) -> Reply {
        let Waiting { request, faults, .. } = waiting;
        let service = &request.service.service;
        let assertion_id = answer::assertion_id();
        let previous = {
            let mut state = self.state();
            let previous = state.previous_assertion.replace(assertion_id.clone());
            if let Outcome::Person(person) = waiting.outcome
                && person.status.is_none()
            {
                let replayed = faults.contains(&Fault::ReplayedAssertion);
                let index = previous.clone().filter(|_| replayed);
                let session = Session {
                    service: service.issuer.clone(),
                    name_id: person.login.to_owned(),
                    person: person.key,
                    since: now,
                    faults: faults.clone(),
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
            outcome: waiting.outcome,
            way: waiting.way,
            assurance: waiting.assurance,
            attributes: &request.attributes,
            recipient: &service.encryption,
            assertion_id: &assertion_id,
            previous_assertion: previous.as_deref(),
        };
        let mut reply = reply(answer::build(&login, &self.keys.kit(), faults, now));
        if reply.status == 200 {
            reply.status = answer::http_status(faults);
        }
        if faults.contains(&Fault::Hangs) {
            reply.pace = Pace::Never(HANG);
        } else if faults.contains(&Fault::Slow) {
            reply.pace = Pace::After(SLOW);
        }
        reply
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

    /// SAML bindings 3.6.4: type 0x0004, an endpoint index, the SHA-1 of the issuer, a handle.
    fn artifact(&self) -> String {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        let mut bytes = vec![0, 4, 0, 0];
        bytes.extend_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, self.issuer.as_bytes()).as_ref());
        bytes.extend_from_slice(&random::bytes::<20>());
        base64(&bytes)
    }
}

/// What is chosen instead of a person.
pub(super) const CANCEL: &str = "cancel";

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
