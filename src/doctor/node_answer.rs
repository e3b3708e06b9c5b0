//! A signed request by the gateway's own client of the node, and the answer by the gateway's own
//! examination.

use std::time::Duration;

use bytes::Bytes;

use super::check::Check;
use super::clock::{self, Told};
use super::finding::Findings;
use crate::app::Settings;
use crate::base::clock::{Clock, SystemClock, Time};
use crate::base::encoding::{base64, sha256};
use crate::base::random;
use crate::flow::node::{self, NodeClient, NodeError};
use crate::saml::artifact::{self, Artifact};
use crate::saml::checks::Outcome;
use crate::saml::examine::{Examination, examine as examine_answer};
use crate::saml::expected::{Expected, Wrapping};
use crate::saml::refusal::{Level, Refusal};
use crate::saml::soap;
use crate::xml::scan::Limits;
use crate::xml::tree::Document;

/// What the answer is looked at for, once there is one.
const OF_ANSWER: [Check; 3] = [Check::NodeRequest, Check::NodeSignature, Check::NodeIssuer];

/// Asks for what an invented artifact stands for. Returns the time that a signed answer says.
pub(super) async fn examine(
    time: Duration,
    settings: &Settings,
    about: &str,
    told: Option<Told>,
    findings: &mut Findings,
) -> Option<Told> {
    let (id, asked) = (random::message_id(), SystemClock.now());
    let answer = match ask(time, settings, &id, asked).await {
        Ok(answer) => answer,
        Err((seen, advice)) => {
            findings.problem(Check::NodeSoap, about, seen, advice);
            findings.none_examined(&OF_ANSWER, about, "there is no answer to look at");
            return None;
        }
    };
    let now = SystemClock.now();
    let examination = examination(&answer, settings, id, now);
    let is_signed = has_passed(&examination, "artifact_response_signature");
    let said = issued(&answer, settings.flows.maximum_answer);
    let by = if is_signed { "its signed answer" } else { "its answer" };
    let said = said.map(|time| Told { time, asked, heard: now, by });
    let is_clock_off = clock::examine(said.or(told), settings.flows.skew, findings);
    judge(&examination, is_clock_off, about, settings, findings);
    said
}

/// Sends it with the client that logins use.
async fn ask(
    time: Duration,
    settings: &Settings,
    id: &str,
    now: Time,
) -> Result<Bytes, (String, &'static str)> {
    let failed = |error: &dyn std::fmt::Display| (error.to_string(), OURS);
    let artifact = Artifact::parse(&invented(&settings.flows.node_issuer));
    let artifact = artifact.map_err(|error| failed(&error))?;
    let (issuer, signer) = (&settings.flows.template.issuer, &settings.flows.signer);
    let message = artifact::resolve(&artifact, id, now, issuer, signer);
    let message = message.map_err(|error| failed(&error))?;
    let one = node::Settings { timeout: time, ..settings.node.clone() };
    let client = NodeClient::new(one, settings.node_tls.clone());
    let permit = client.permit().await.map_err(|error| failed(&error))?;
    match client.resolve(permit, soap::wrap(&message)).await {
        Ok((answer, _)) => Ok(answer),
        Err(error) => {
            let advice = match &error {
                NodeError::Timeout(_) => SLOW,
                NodeError::Status(_) => PATH,
                NodeError::TooLong(_) | NodeError::Broken | NodeError::Coded => BETWEEN,
                NodeError::Busy | NodeError::NotReached(_) | NodeError::Unreachable(_) => BROKEN,
            };
            Err((error.to_string(), advice))
        }
    }
}

/// An artifact of type 0x0004 (SAML bindings 3.6.4) of that node, with a handle by chance: it stands
/// for nothing.
fn invented(node: &str) -> String {
    // The source is SHA-1 of the issuer there; another 20 bytes are as good for nothing.
    let source = sha256(node.as_bytes());
    let handle: [u8; 20] = random::bytes();
    base64(&[&[0, 4, 0, 0][..], &source[..20], &handle].concat())
}

fn examination(answer: &[u8], settings: &Settings, id: String, now: Time) -> Examination {
    let flows = &settings.flows;
    let expected = Expected {
        node: Some(flows.node_issuer.clone()),
        service: Some(flows.template.issuer.clone()),
        acs: Some(flows.template.acs.clone()),
        request_id: None,
        resolve_id: Some(id),
        assurance: Some(flows.assurance),
        fresh_since: None,
        required: flows.template.required.clone(),
        skew: flows.skew,
        maximum_bytes: flows.maximum_answer,
        wrapping: Wrapping::Soap,
    };
    examine_answer(answer, &flows.trusted, &flows.decryption_keys, &expected, now)
}

fn has_passed(examination: &Examination, name: &str) -> bool {
    let checks = examination.checks.list().iter();
    checks.filter(|check| check.outcome == Outcome::Passed).any(|check| check.name == name)
}

/// The `IssueInstant` of the answer, believed for nothing but to look at the clock.
fn issued(answer: &[u8], most: usize) -> Option<Time> {
    let document = Document::parse(answer, &Limits::message(most)).ok()?;
    let message = soap::unwrap(document.root()).ok()?;
    message.attribute("IssueInstant")?.parse().ok()
}

/// Says under each check what the examination came to.
fn judge(
    examination: &Examination,
    is_clock_off: bool,
    about: &str,
    settings: &Settings,
    findings: &mut Findings,
) {
    let Err(refusal) = &examination.outcome else {
        let seen = "the node answered an invented artifact with a login";
        let advice = "tell the operator of the node";
        return findings.problem(Check::NodeRequest, about, seen, advice);
    };
    let seen = refusal.to_string();
    let rest = |findings: &mut Findings, why: &str| {
        for check in OF_ANSWER {
            if !findings.iter().any(|finding| finding.check == check) {
                findings.not_examined(check, about, why);
            }
        }
    };
    if matches!(refusal, Refusal::Unreadable(_) | Refusal::Shape(_)) {
        findings.problem(Check::NodeSoap, about, seen, BETWEEN);
        return rest(findings, "the answer is none of the node's");
    }
    findings.ok(Check::NodeSoap, about, "the answer is a message of SOAP");
    if has_passed(examination, "artifact_response_signature") {
        findings.ok(Check::NodeSignature, about, "a pinned certificate signed the answer");
    }
    if has_passed(examination, "artifact_response_issuer") {
        findings.ok(Check::NodeIssuer, about, &settings.flows.node_issuer);
    }
    match refusal {
        Refusal::NoResponse => {
            let seen = "it was taken: the node knows nothing under an invented artifact";
            findings.ok(Check::NodeRequest, about, seen);
        }
        Refusal::Signature(_) => {
            findings.problem(Check::NodeSignature, about, seen, PIN);
            rest(findings, "nothing is believed that a pinned certificate did not sign");
        }
        Refusal::Issuer { level: Level::ArtifactResponse, .. } => {
            findings.problem(Check::NodeIssuer, about, seen, ISSUER);
            rest(findings, "the answer is of another issuer");
        }
        Refusal::IssuedInFuture { .. } | Refusal::Status { .. } | Refusal::SoapFault(_)
            if is_clock_off =>
        {
            rest(findings, &format!("the clock is off, which may be why: {refusal}"));
        }
        Refusal::Status { .. } | Refusal::SoapFault(_) => {
            findings.problem(Check::NodeRequest, about, seen, REQUEST);
            rest(findings, "an answer that refuses may come without a signature");
        }
        _ => {
            findings.problem(Check::NodeRequest, about, seen, BETWEEN);
            rest(findings, "the answer is not to our question");
        }
    }
}

const OURS: &str = "look at service.signing_key and service.signing_certificate";
const SLOW: &str = "the node is slow, or something between swallows what is sent: ask its operator, \
                    and look at firewalls";
const PATH: &str =
    "look at the path of node.resolve_url, and whether a proxy between answers instead";
const BROKEN: &str = "look whether a firewall or proxy between ends connections";
const BETWEEN: &str =
    "look at node.resolve_url: what answers there does not answer as the node does";
const PIN: &str = "compare node.certificates with the certificate that the operator hands out now \
                   (brama certs inspect FILE); both the old and the new one may be pinned";
const ISSUER: &str = "write that issuer to node.issuer if it is the node of this environment; \
                      otherwise look at node.resolve_url";
const REQUEST: &str = "the node does not take what we sign: compare service.issuer, the signing \
                       certificate and the environment with what the operator registered";
