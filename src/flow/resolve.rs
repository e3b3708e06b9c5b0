//! What the artifact stands for: the node is asked, once, and its answer examined.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;

use super::Flows;
use super::capture::About;
use super::history::{Pen, What, milliseconds};
use super::login_error::LoginError;
use super::node::{NodeError, Permit};
use super::pending::PendingLogin;
use crate::base::clock::Time;
use crate::base::encoding::hex_lower;
use crate::base::random;
use crate::observe::event::{Event, LoginFacts};
use crate::saml::artifact::{self, Artifact};
use crate::saml::assertion::Assertion;
use crate::saml::examine::{Examination, examine};
use crate::saml::expected::{Expected, Wrapping};
use crate::saml::soap;

impl Flows {
    /// Asks the node what an artifact stands for, and examines what it says: both signatures,
    /// statuses, decryption, every condition, level, person.
    pub(super) async fn resolve(
        &self,
        permit: Permit,
        login: &PendingLogin,
        artifact: &Artifact,
        pen: &Pen,
    ) -> Result<Assertion, LoginError> {
        let resolve_id = random::message_id();
        pen.note(|history| {
            history.artifact = Some(hex_lower(&artifact.fingerprint()[..8]));
            history.resolve = Some(resolve_id.clone());
        });
        let (answer, permit) = self.ask(permit, (login, artifact), &resolve_id, pen).await?;
        let now = self.now();
        self.capture(&answer, now, login, &resolve_id);
        let expected = self.expected(login, resolve_id);
        let known = Arc::clone(&self.settings);
        let examination = self.examiner.examine(move || {
            examine(&answer, &known.trusted, &known.decryption_keys, &expected, now)
        });
        let examination = examination.await?;
        if let (Some(exchanged), Some(issued)) =
            (permit.exchanged(), examination.checks.message_issued())
        {
            self.node.exchanges().clock.note_message(exchanged, issued);
        }
        drop(permit);
        self.node.exchanges().extensions.note(examination.checks.unread());
        pen.examined(now, &examination.checks);
        note(pen, &examination);
        Ok(examination.for_login()?)
    }

    /// Asks the node, once, because the artifact is spent by asking.
    async fn ask(
        &self,
        permit: Permit,
        (login, artifact): (&PendingLogin, &Artifact),
        resolve_id: &str,
        pen: &Pen,
    ) -> Result<(Bytes, Permit), LoginError> {
        let (now, settings) = (self.now(), &self.settings);
        let issuer = &settings.template.issuer;
        let message = artifact::resolve(artifact, resolve_id, now, issuer, &settings.signer)?;
        let began = Instant::now();
        let answer = self.node.resolve(permit, soap::wrap(&message)).await;
        let took = began.elapsed();
        if answer.is_ok() {
            self.tell_resolved(login, artifact, took);
        }
        let took = milliseconds(took);
        let (status, bytes) = match &answer {
            Ok((answer, _)) => (Some(StatusCode::OK), Some(answer.len())),
            Err(NodeError::Status(status)) => (Some(*status), None),
            Err(_) => (None, None),
        };
        let status = status.map(|status| status.as_u16());
        pen.step(self.now(), What::Asked { took, status, bytes });
        Ok(answer?)
    }

    /// Tells that the node said what an artifact stands for.
    fn tell_resolved(&self, login: &PendingLogin, artifact: &Artifact, took: Duration) {
        let fingerprint = hex_lower(&artifact.fingerprint());
        let (authn_request, artifact) = (Some(&*login.request_id), Some(&*fingerprint));
        let login = LoginFacts { authn_request, artifact, ..LoginFacts::default() };
        self.tell(Event::ArtifactResolved { login, took });
    }

    /// Captures the answer for an operator who wants it.
    fn capture(&self, answer: &[u8], now: Time, login: &PendingLogin, resolve_id: &str) {
        let settings = &self.settings;
        let about = About {
            at: now,
            request_id: login.request_id.clone(),
            resolve_id: resolve_id.to_owned(),
            assurance: login.assurance.name().to_owned(),
            fresh_since: login.fresh_since,
        };
        let (keys, service) = (&settings.decryption_keys, &settings.template.issuer);
        if self.captures.offer(answer, &about, keys, service) {
            tracing::warn!(login = login.request_id, "an answer of the node was captured");
        }
    }

    fn expected(&self, login: &PendingLogin, resolve_id: String) -> Expected {
        let settings = &self.settings;
        Expected {
            node: Some(settings.node_issuer.clone()),
            service: Some(settings.template.issuer.clone()),
            acs: Some(settings.template.acs.clone()),
            request_id: Some(login.request_id.clone()),
            resolve_id: Some(resolve_id),
            assurance: Some(login.assurance),
            fresh_since: login.fresh_since,
            required: settings.template.required.clone(),
            skew: settings.skew,
            maximum_bytes: settings.maximum_answer,
            wrapping: Wrapping::Soap,
        }
    }
}

/// Notes what the assertion says of the login, and nothing of the person.
fn note(pen: &Pen, examination: &Examination) {
    let Ok(assertion) = &examination.outcome else { return };
    pen.note(|history| {
        history.assertion = Some(assertion.id().to_owned());
        history.identified = Some(assertion.authn_instant());
        history.authority = assertion.authority().map(str::to_owned);
    });
}
