//! The node, step by step: its name, its addresses, TLS with our client certificate, and a signed
//! request of the gateway's own client.
//!
//! 1. The request is an `ArtifactResolve` of an artifact that was made up here. SAML core 3.5.3: the
//!    node answers it with success and without a message, so no login is touched.
//! 2. Before it a `GET` goes over a connection of its own, since with TLS 1.3 a server refuses our
//!    certificate only when it is asked for something.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, DATE, HOST};
use http::{Request, Uri};
use http_body_util::Full;
use rustls::AlertDescription;

use super::check::{Check, Group};
use super::clock::{self, Told};
use super::exchange::{self, Answer, NoAnswer};
use super::finding::Findings;
use super::network::{self, Place};
use super::node_answer;
use super::options::Options;
use super::sso;
use super::tls::{self, Failed};
use crate::app::Settings;
use crate::base::clock::{Clock, SystemClock};

/// Why nothing more is asked of the node.
const NOT_LET_IN: &str = "the node does not take our client certificate";

pub(super) async fn examine(options: &Options, settings: &Settings, findings: &mut Findings) {
    let time = options.timeout.min(settings.node.timeout);
    let told = soap(time, settings, findings).await;
    if !findings.iter().any(|finding| finding.check == Check::ClockNode) {
        clock::examine(told, settings.flows.skew, findings);
    }
    sso::examine(time, settings, findings).await;
    findings.fill(&[Group::Node], "the node is not reached");
}

/// Host and port, which is what a line has room for.
fn short(url: &Uri) -> String {
    url.authority().map_or_else(String::new, |authority| authority.as_str().to_owned())
}

/// Goes all the way to a signed request; returns what was told of the time.
async fn soap(time: Duration, settings: &Settings, findings: &mut Findings) -> Option<Told> {
    let url = &settings.node.resolve_url;
    let about = short(url);
    let place = Place::of(url, &about);
    let addresses = network::resolve(Check::NodeDns, place, time, findings).await?;
    let address = network::connect(Check::NodeTcp, &about, &addresses, time, findings).await?;
    let asked = SystemClock.now();
    let request = question(url);
    let answer = if url.scheme_str() == Some("https") {
        let stream = match tls::connect(address, place.host, &settings.node_tls, time).await {
            Ok(stream) => stream,
            Err(failed) => {
                refused(failed, &about, settings, findings);
                return None;
            }
        };
        let (seen, is_soon) = tls::seen(&stream);
        if is_soon {
            let advice = "tell the operator of the node that it is to be renewed";
            findings.warning(Check::NodeTls, &about, seen, advice);
        } else {
            findings.ok(Check::NodeTls, &about, seen);
        }
        exchange::ask(stream, request, time).await
    } else {
        let why = "node.resolve_url is plain HTTP";
        findings.none_examined(&[Check::NodeTls, Check::NodeClient], &about, why);
        match network::again(address, time).await {
            Ok(stream) => exchange::ask(stream, request, time).await,
            Err(why) => Err(NoAnswer::Broken(why)),
        }
    };
    let told = answer.as_ref().ok().and_then(|answer| date(answer, asked));
    if !is_let_in(&answer, &about, settings, findings) {
        let others = [Check::NodeSso, Check::ClockNode];
        findings.fill_except(&others, Group::Node, NOT_LET_IN);
        return told;
    }
    let signed = node_answer::examine(time, settings, &about, told, findings).await;
    logout(time, settings, findings).await;
    signed.or(told)
}

/// A request that asks for nothing in particular.
fn question(url: &Uri) -> Request<Full<Bytes>> {
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let authority = url.authority().map_or("", |authority| authority.as_str());
    Request::get(target)
        .header(HOST, authority)
        .header(ACCEPT, "text/xml")
        .body(Full::default())
        .unwrap_or_default()
}

/// What a connection that failed says of the server's certificate, and of ours.
fn refused(failed: Failed, about: &str, settings: &Settings, findings: &mut Findings) {
    let why = match failed {
        Failed::Refused(seen, advice) | Failed::Broken(seen, advice) => {
            findings.problem(Check::NodeTls, about, seen, advice);
            "there is no TLS with the node"
        }
        Failed::OfOurs(alert) => {
            findings.ok(Check::NodeTls, about, "we believe the node's certificate");
            of_ours(alert, about, settings, findings);
            NOT_LET_IN
        }
    };
    findings.fill_except(&[Check::NodeSso, Check::ClockNode], Group::Node, why);
}

fn of_ours(alert: AlertDescription, about: &str, settings: &Settings, findings: &mut Findings) {
    let (seen, advice) = match &settings.node.client_certificate {
        None => (
            format!("the node wants a client certificate, and none is configured ({alert:?})"),
            "name what the operator handed over in node.client_certificate and node.client_key",
        ),
        Some(ours) => {
            let why = match alert {
                AlertDescription::CertificateExpired => "it has ended",
                AlertDescription::CertificateRevoked => "it is revoked",
                AlertDescription::UnknownCA => "it does not know the authority that issued it",
                _ => "it does not say more",
            };
            (
                format!(
                    "the node refuses our client certificate {}, which ends on {}: {why} ({alert:?})",
                    ours.subject(),
                    ours.not_after()
                ),
                "look whether it is that of this environment (symulator, integration, production), \
                 and ask the operator whether it is registered",
            )
        }
    };
    findings.problem(Check::NodeClient, about, seen, advice);
}

/// Tells whether the node takes our client certificate.
fn is_let_in(
    answer: &Result<Answer, NoAnswer>,
    about: &str,
    settings: &Settings,
    findings: &mut Findings,
) -> bool {
    let is_tls = settings.node.resolve_url.scheme_str() == Some("https");
    match answer {
        Err(NoAnswer::Tls(rustls::Error::AlertReceived(alert)))
            if tls::is_of_certificate(*alert) =>
        {
            of_ours(*alert, about, settings, findings);
            false
        }
        // Servers such as nginx say it in a page.
        Ok(answer) if answer.status.is_client_error() && speaks_of_certificates(answer) => {
            let advice = "look whether node.client_certificate is that of this environment, and ask \
                          the operator whether it is registered";
            let seen = format!("the node answers {}: it takes no such certificate", answer.told());
            findings.problem(Check::NodeClient, about, seen, advice);
            false
        }
        _ if !is_tls => true,
        _ => {
            let seen = match &settings.node.client_certificate {
                Some(ours) => format!("nothing is said against {}", ours.subject()),
                None => "none is configured, and none is asked for".to_owned(),
            };
            findings.ok(Check::NodeClient, about, seen);
            true
        }
    }
}

fn speaks_of_certificates(answer: &Answer) -> bool {
    let text = answer.text().to_ascii_lowercase();
    text.contains("ssl certificate") || text.contains("client certificate")
}

/// The time that a server says (RFC 9110 6.6.1).
fn date(answer: &Answer, asked: crate::base::clock::Time) -> Option<Told> {
    let said = answer.header(DATE.as_str())?;
    let time = jiff::fmt::rfc2822::parse(said).ok()?.timestamp();
    Some(Told { time, asked, heard: SystemClock.now(), by: "the Date of its server" })
}

/// Looks whether something is at the address for sign-out. Nobody is signed out.
async fn logout(time: Duration, settings: &Settings, findings: &mut Findings) {
    let Some(url) = &settings.node.logout_url else {
        let why = "node.logout_url is not given: citizens are signed out here alone";
        return findings.not_examined(Check::NodeLogout, "", why);
    };
    let about = url.to_string();
    let advice = "look at node.logout_url: citizens are signed out here, and not at the node";
    match reach(url, settings, time).await {
        Err(seen) => findings.warning(Check::NodeLogout, &about, seen, advice),
        Ok(answer) if matches!(answer.status.as_u16(), 404 | 410 | 500..) => {
            let seen = format!("a GET there is answered by {}", answer.told());
            findings.warning(Check::NodeLogout, &about, seen, advice);
        }
        Ok(answer) => {
            let seen = format!("something answers there ({})", answer.told());
            findings.ok(Check::NodeLogout, &about, seen);
        }
    }
}

async fn reach(url: &Uri, settings: &Settings, time: Duration) -> Result<Answer, String> {
    let place = Place::of(url, "");
    let mut unused = Findings::default();
    let addresses = network::resolve(Check::NodeLogout, place, time, &mut unused).await;
    let addresses = addresses.ok_or("its name cannot be resolved")?;
    let address = network::connect(Check::NodeLogout, "", &addresses, time, &mut unused).await;
    let address = address.ok_or("it takes no connections")?;
    let answer = if url.scheme_str() == Some("https") {
        let stream = tls::connect(address, place.host, &settings.node_tls, time).await;
        let stream = stream.map_err(|failed| match failed {
            Failed::Refused(seen, _) | Failed::Broken(seen, _) => seen,
            Failed::OfOurs(alert) => format!("it refuses our client certificate ({alert:?})"),
        })?;
        exchange::ask(stream, question(url), time).await
    } else {
        let stream = network::again(address, time).await?;
        exchange::ask(stream, question(url), time).await
    };
    answer.map_err(|none| none.to_string())
}
