//! Certificates of ours and of the node: which has ended, and which soon will.

use std::time::Duration;

use super::check::Check;
use super::finding::Findings;
use crate::app::Settings;
use crate::base::clock::{Clock, SystemClock, Time, later};
use crate::server::certificates::Certificates;

/// New ones of the operator take weeks.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);
/// Those for citizens are renewed by programs.
const SOON_PUBLIC: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn examine(settings: &Settings, findings: &mut Findings) {
    let now = SystemClock.now();
    let signing = settings.flows.signer.certificate();
    let of_operator = "ask the operator of the node for a new one";
    let times = (signing.not_before(), signing.not_after());
    holds(Check::KeysSigning, signing.subject(), times, (now, SOON, of_operator), findings);
    match &settings.node.client_certificate {
        Some(shown) => {
            let times = (shown.not_before(), shown.not_after());
            holds(Check::KeysClient, shown.subject(), times, (now, SOON, of_operator), findings);
        }
        None => findings.not_examined(
            Check::KeysClient,
            "",
            "node.client_certificate is not given: none is shown to the node",
        ),
    }
    pinned(settings, now, findings);
    match &settings.listen.https {
        Some(https) => public(&https.certificates, settings, now, findings),
        None => findings.not_examined(
            Check::KeysPublic,
            "",
            "listen.https is not given: a proxy in front has the certificate (see public.tls)",
        ),
    }
}

fn holds(
    check: Check,
    about: &str,
    (begin, end): (Time, Time),
    (now, soon, advice): (Time, Duration, &str),
    findings: &mut Findings,
) {
    if end <= now {
        findings.problem(check, about, format!("it ended on {end}"), advice);
    } else if begin > now {
        let seen = format!("it begins only on {begin}");
        findings.problem(check, about, seen, "look at the clock of this machine, or wait");
    } else if end <= later(now, soon) {
        findings.warning(check, about, format!("it ends on {end}"), advice);
    } else {
        findings.ok(check, about, format!("it ends on {end}"));
    }
}

/// One that holds is enough.
fn pinned(settings: &Settings, now: Time, findings: &mut Findings) {
    let pinned = settings.flows.trusted.certificates();
    let last = pinned.iter().max_by_key(|certificate| certificate.not_after());
    let Some(last) = last else {
        return findings.not_examined(Check::KeysNode, "", "none is pinned");
    };
    let advice = "ask the operator of the node for the present one, and pin both side by side";
    // The node may sign with one that has ended: that shows at its answer.
    if last.not_after() <= now {
        let seen = format!("the last one ended on {}", last.not_after());
        findings.warning(Check::KeysNode, last.subject(), seen, advice);
    } else {
        let times = (last.not_before(), last.not_after());
        holds(Check::KeysNode, last.subject(), times, (now, SOON, advice), findings);
    }
}

fn public(certificates: &Certificates, settings: &Settings, now: Time, findings: &mut Findings) {
    for status in certificates.status() {
        let about = status.certificate.display().to_string();
        let advice = "renew it; the new files are read without a restart";
        let times = (status.not_before, status.not_after);
        holds(Check::KeysPublic, &about, times, (now, SOON_PUBLIC, advice), findings);
    }
    let origins = settings.gateway.others.iter().map(|other| &*other.origin);
    for origin in std::iter::once(&*settings.gateway.origin).chain(origins) {
        let host = url::Url::parse(origin).ok();
        let host = host.as_ref().and_then(url::Url::host_str).unwrap_or_default();
        if !certificates.covers(host) {
            let seen = "no certificate of listen.https is for this host";
            let advice = "get one with that DNS name, or name it in listen.certificates";
            findings.problem(Check::KeysPublic, host, seen, advice);
        }
    }
}
