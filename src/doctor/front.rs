//! What proxies in front say of citizens, seen from both sides: a request is sent to the public
//! address, and the gateway tells how it arrived ([`crate::request::probes`]).
//!
//! 1. The first request is a plain one: host, scheme, address, path and cookies.
//! 2. The second one lies about all of it, as a client can. It must arrive like the first, or be
//!    refused.

use std::net::IpAddr;

use super::check::{Check, Group};
use super::exchange::Answer;
use super::finding::Findings;
use super::gateway::Running;
use super::site::{Question, Site};
use crate::app::Settings;
use crate::request::cookie::Cookies;
use crate::request::probes::{Arrival, PROBE};

/// How often it is tried where replicas answer in their turn.
const TRIES: usize = 6;

/// What a client that lies says of its address: of a network for examples (RFC 5737).
const LIE: &str = "192.0.2.66";
/// And of its host (RFC 6761).
const LIE_HOST: &str = "doctor.invalid";

pub(super) async fn examine(
    settings: &Settings,
    running: &Running,
    site: &Site,
    findings: &mut Findings,
) {
    if findings.is_problem(Check::PublicKeys) {
        return findings.fill(&[Group::Front], "another gateway answers at the public address");
    }
    // The first letter is written in another way, which is the same path.
    let target = format!("{}%6Awks.json?doctor=a%2Fb%20c", settings.gateway.prefix);
    let is_secure = settings.gateway.cookies == Cookies::SECURE;
    let cookie = if is_secure { "__Host-brama-doctor" } else { "brama-doctor" };
    let sent = format!("{cookie}=1; doctor=2");
    let plain = [("cookie", &*sent)];
    let about = &site.origin;
    let (arrival, here) = match probe(running, site, &target, &plain).await {
        Probed::Arrived(arrival, here) => (arrival, here),
        Probed::Refused(answer) => {
            let seen = format!("the gateway refuses a plain request: {}", answer.told());
            findings.problem(Check::FrontSeen, about, seen, CONFLICT);
            return findings.fill(&[Group::Front], "a plain request is refused");
        }
        Probed::Nowhere(why) => {
            let advice = "with replicas run this at each of them; otherwise look whether the public \
                          address leads to the gateway that runs here";
            findings.warning(Check::FrontSeen, about, why, advice);
            return findings.fill(&[Group::Front], "how requests arrive is not seen");
        }
    };
    findings.ok(Check::FrontSeen, about, format!("it arrives from {}", arrival.peer));
    scheme(&arrival, site, findings);
    host(&arrival, site, findings);
    client(&arrival, here, about, findings);
    same(Check::FrontTarget, &target, &arrival.target, about, findings);
    let cookies = arrival.cookies.join(", ");
    if arrival.cookies.iter().any(|name| name == cookie) {
        findings.ok(Check::FrontCookies, about, format!("{cookies} arrive"));
    } else {
        let seen = format!("{cookie} was sent, and what arrives is: {cookies}");
        let advice = "the proxy in front must pass Cookie on as it is";
        findings.problem(Check::FrontCookies, about, seen, advice);
    }
    lie(settings, running, site, (&arrival, &target, &sent), findings).await;
}

/// What became of a request.
enum Probed {
    /// It arrived, from this address of ours.
    Arrived(Box<Arrival>, IpAddr),
    /// A gateway refused it before it was looked at.
    Refused(Answer),
    /// It is not seen where it went.
    Nowhere(String),
}

async fn probe(running: &Running, site: &Site, target: &str, more: &[(&str, &str)]) -> Probed {
    let name = match running.announce().await {
        Ok(name) => name,
        Err(why) => return Probed::Nowhere(why),
    };
    let field = PROBE;
    let mut headers = vec![(field.as_str(), &*name)];
    headers.extend(more);
    let mut last = Probed::Nowhere("nothing was sent".to_owned());
    for _ in 0..TRIES {
        let question = Question { target, headers: &headers, ..Question::default() };
        let (answer, here) = match site.ask(&question).await {
            Ok(answered) => answered,
            Err(none) => {
                last = Probed::Nowhere(none.to_string());
                break;
            }
        };
        if let Some(arrival) = running.arrival(&name).await {
            return Probed::Arrived(Box::new(arrival), here);
        }
        if answer.code().is_some() {
            last = Probed::Refused(answer);
            break;
        }
        last = Probed::Nowhere(format!(
            "none of {TRIES} requests was seen to arrive at the gateway that runs here: another \
             replica had them, or a proxy in front takes {PROBE} away"
        ));
    }
    running.forget(&name).await;
    last
}

fn scheme(arrival: &Arrival, site: &Site, findings: &mut Findings) {
    let said = |is_tls: bool| if is_tls { "https" } else { "http" };
    let expected = site.origin.starts_with("https://");
    let seen = format!("browsers speak {}, as the gateway sees it", said(arrival.is_tls));
    if arrival.is_tls == expected {
        findings.ok(Check::FrontScheme, &site.origin, seen);
    } else {
        let advice = "the last proxy that browsers speak TLS to has to say so: \
                      proxy_set_header X-Forwarded-Proto https; the ones behind it pass that on";
        findings.problem(Check::FrontScheme, &site.origin, with_told(&seen, arrival), advice);
    }
}

fn host(arrival: &Arrival, site: &Site, findings: &mut Findings) {
    let seen = format!("the gateway sees the host {}", arrival.host);
    let name = |authority: &str| match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name.to_lowercase(),
        _ => authority.to_lowercase(),
    };
    if arrival.host.eq_ignore_ascii_case(&site.authority) {
        findings.ok(Check::FrontHost, &site.origin, seen);
    } else if name(&arrival.host) == name(&site.authority) {
        let advice = "the proxy in front loses the port, so the portal may write links without it: \
                      proxy_set_header Host $host:$server_port";
        findings.warning(Check::FrontHost, &site.origin, with_told(&seen, arrival), advice);
    } else {
        let advice = "the proxy in front has to pass the host on: proxy_set_header Host $host \
                      (nginx), ProxyPreserveHost On (Apache)";
        findings.problem(Check::FrontHost, &site.origin, with_told(&seen, arrival), advice);
    }
}

fn client(arrival: &Arrival, here: IpAddr, about: &str, findings: &mut Findings) {
    let check = Check::FrontClient;
    let Arrival { peer, client, .. } = arrival;
    let tells = |name: &str| arrival.told.iter().any(|(told, _)| told == name);
    let tells_address = tells("x-forwarded-for") || tells("forwarded");
    if arrival.is_trusted && !tells_address {
        let seen = format!("{peer} is a trusted proxy, and does not say for whom it asks");
        let advice = "have it say so: proxy_set_header X-Forwarded-For $remote_addr; until then all \
                      citizens are one network to every limit";
        findings.problem(check, about, seen, advice);
    } else if !arrival.is_trusted && tells_address {
        let seen = format!("{peer} says for whom it asks, and is not believed");
        let advice = format!(
            "if that is your proxy, name it: trusted_proxies = [\"{peer}/32\"] in [listen] (/128 for \
             IPv6); until then all citizens are one network to every limit"
        );
        findings.problem(check, about, with_told(&seen, arrival), advice);
    } else if *client == here.to_string() {
        findings.ok(check, about, format!("the gateway sees {client}, which is ours"));
    } else {
        // Behind address translation we do not know what others call us.
        let seen = format!("the gateway sees {client}; we are {here} on this side");
        findings.ok(check, about, seen);
    }
}

fn same(check: Check, sent: &str, arrived: &str, about: &str, findings: &mut Findings) {
    if sent == arrived {
        return findings.ok(check, about, format!("{sent} arrives as it is"));
    }
    let seen = format!("{sent} was sent, and {arrived} arrives");
    let advice = "the proxy in front must not rewrite or decode paths: proxy_pass without a path, \
                  no rewrite";
    findings.problem(check, about, seen, advice);
}

/// Sends a request that lies about itself.
async fn lie(
    settings: &Settings,
    running: &Running,
    site: &Site,
    (plain, target, cookie): (&Arrival, &str, &str),
    findings: &mut Findings,
) {
    let about = &site.origin;
    let scheme = if plain.is_tls { "http" } else { "https" };
    let forwarded = format!("for={LIE};host={LIE_HOST};proto={scheme}");
    let headers = [
        ("cookie", cookie),
        ("x-forwarded-for", LIE),
        ("x-real-ip", LIE),
        ("x-forwarded-host", LIE_HOST),
        ("x-forwarded-proto", scheme),
        ("forwarded", &*forwarded),
        ("remote-user", "doctor-lies"),
        ("x-forwarded-user", "doctor-lies"),
        ("x-brama-assertion", "doctor.lies"),
    ];
    let arrival = match probe(running, site, target, &headers).await {
        Probed::Arrived(arrival, _) => arrival,
        Probed::Refused(answer) => {
            let seen = format!(
                "who says where they come from is refused: {}. Nobody is believed, and browsers \
                 send nothing of the kind",
                answer.told()
            );
            findings.warning(Check::FrontForged, about, seen, CLEAR);
            return findings.not_examined(Check::FrontIdentity, about, "the request was refused");
        }
        Probed::Nowhere(why) => {
            return findings.none_examined(&[Check::FrontForged, Check::FrontIdentity], about, why);
        }
    };
    let mut believed = Vec::new();
    if arrival.client == LIE {
        believed.push(format!("its address {LIE}"));
    }
    if arrival.host.eq_ignore_ascii_case(LIE_HOST) {
        believed.push(format!("its host {LIE_HOST}"));
    }
    if arrival.is_tls != plain.is_tls {
        believed.push(format!("its scheme {scheme}"));
    }
    if believed.is_empty() {
        let seen = "what a client says of its address, host and scheme is not believed";
        findings.ok(Check::FrontForged, about, seen);
    } else {
        let seen = format!("a client is believed when it makes up {}", believed.join(", "));
        findings.problem(Check::FrontForged, about, with_told(&seen, &arrival), CLEAR);
    }
    identities(&arrival, settings, about, findings);
}

/// What tells an identity is taken away, unless the configuration lets it pass from this proxy.
fn identities(arrival: &Arrival, settings: &Settings, about: &str, findings: &mut Findings) {
    let check = Check::FrontIdentity;
    let passed = &settings.gateway.edge.identity_headers_passed;
    let is_passed = |name: &&String| passed.iter().any(|passed| passed.as_str() == **name);
    let believed: Vec<_> = arrival.identities.iter().filter(is_passed).cloned().collect();
    if arrival.is_trusted && !believed.is_empty() {
        let seen = format!("a client's own {} goes on to the portal", believed.join(", "));
        let advice = "the proxy in front must write these headers itself or clear them, since \
                      identity.pass_headers lets them pass";
        findings.problem(check, about, seen, advice);
    } else {
        let seen = match arrival.identities.len() {
            0 => "nothing by which a client says who it is arrives".to_owned(),
            _ => format!("{} arrive, and go no further", arrival.identities.join(", ")),
        };
        findings.ok(check, about, seen);
    }
}

fn with_told(seen: &str, arrival: &Arrival) -> String {
    let told = arrival.told.iter().map(|(name, value)| format!("{name}: {value}"));
    let told: Vec<_> = told.collect();
    match told.is_empty() {
        true => format!("{seen}; proxies say nothing"),
        false => format!("{seen}; proxies say {}", told.join(", ")),
    }
}

const CONFLICT: &str = "what the proxies in front say of the client cannot be used: brama reason CODE; \
                        each of them has to write X-Forwarded-For and X-Forwarded-Proto in one way";
const CLEAR: &str = "the first proxy has to write these headers itself and clear the others: \
                     X-Forwarded-For $remote_addr, X-Forwarded-Proto $scheme, and \"\" for Forwarded, \
                     X-Forwarded-Host and X-Real-IP (deploy/nginx/brama.conf has them all)";
