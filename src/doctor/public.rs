//! The portal as citizens reach it: by its public name, through whatever stands in front.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use http::Method;
use http::header::SET_COOKIE;
use rustls::pki_types::CertificateDer;
use serde_json::Value;
use url::Url;

use super::check::{Check, Group};
use super::exchange::Answer;
use super::finding::Findings;
use super::gateway::Running;
use super::login_page::LoginPage;
use super::network::{self, Place};
use super::options::Options;
use super::site::{NAVIGATION, Question, Site};
use super::tls::{self, Failed};
use super::{delivered, front};
use crate::app::Settings;
use crate::base::reason::Reason;
use crate::server::socket::Socket;
use crate::server::tls::read_chain;

pub(super) async fn examine(
    options: &Options,
    settings: &Settings,
    running: &Running,
    findings: &mut Findings,
) {
    redirect(options, settings, running, findings).await;
    let site = reach(options, settings, running, findings).await;
    let Some(site) = site else {
        return findings.fill(&BOTH, "the public address is not reached");
    };
    if !is_gateway(&site, settings, running, findings).await {
        return findings.fill(&BOTH, "the gateway does not answer at the public address");
    }
    // How requests arrive explains what becomes of them.
    if running.is_there() {
        front::examine(settings, running, &site, findings).await;
    } else {
        findings.fill(&[Group::Front], "no gateway runs here, so nobody tells how requests arrive");
    }
    if findings.is_problem(Check::FrontHost) {
        return findings.fill(&[Group::Public], "the gateway is asked for another host");
    }
    acs(&site, settings, findings).await;
    login(&site, settings, findings).await;
    findings.fill(&[Group::Public], "there is no login page to look at");
}

/// Resolves the name, connects, and speaks TLS.
async fn reach(
    options: &Options,
    settings: &Settings,
    running: &Running,
    findings: &mut Findings,
) -> Option<Site> {
    let origin = settings.gateway.origin.clone();
    let url = Url::parse(&origin).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default()?;
    let place = Place { about: &origin, host: &host, port };
    let time = options.timeout;
    let addresses = match options.through {
        Some(address) => {
            findings.not_examined(Check::PublicDns, &origin, "--through says where to ask");
            vec![address]
        }
        None => network::resolve(Check::PublicDns, place, time, findings).await?,
    };
    let address = connect(&origin, &addresses, running, time, findings).await?;
    let authority = origin.split_once("://").map_or("", |(_, authority)| authority).to_owned();
    let tls = if url.scheme() == "https" {
        Some(secure(options, &origin, (address, &host), findings).await?)
    } else {
        findings.not_examined(Check::PublicTls, &origin, "portal.public_url is plain HTTP");
        None
    };
    Some(Site { origin, host, authority, address, tls, time })
}

async fn connect(
    origin: &str,
    addresses: &[SocketAddr],
    running: &Running,
    time: Duration,
    findings: &mut Findings,
) -> Option<SocketAddr> {
    let mut found = Findings::default();
    let address = network::connect(Check::PublicTcp, origin, addresses, time, &mut found).await;
    if address.is_none() && !running.is_there() {
        let why = "nothing takes connections there, and no gateway runs here";
        findings.not_examined(Check::PublicTcp, origin, why);
        return None;
    }
    findings.append(found);
    address
}

/// Verifies the certificate as browsers would, and returns how.
async fn secure(
    options: &Options,
    origin: &str,
    (address, host): (SocketAddr, &str),
    findings: &mut Findings,
) -> Option<rustls::ClientConfig> {
    let more = match options.public_ca.as_deref().map(authorities).transpose() {
        Ok(more) => more.unwrap_or_default(),
        Err(error) => {
            findings.not_examined(Check::PublicTls, origin, format!("--public-ca: {error}"));
            return None;
        }
    };
    let Some(config) = tls::browser(&more) else {
        findings.not_examined(Check::PublicTls, origin, "no authorities are known here");
        return None;
    };
    match tls::connect(address, host, &config, options.timeout).await {
        Ok(stream) => {
            let (seen, is_soon) = tls::seen(&stream);
            if is_soon {
                findings.warning(Check::PublicTls, origin, seen, "renew it");
            } else {
                findings.ok(Check::PublicTls, origin, seen);
            }
            Some(config)
        }
        Err(Failed::Refused(seen, advice) | Failed::Broken(seen, advice)) => {
            findings.problem(Check::PublicTls, origin, seen, advice);
            None
        }
        Err(Failed::OfOurs(alert)) => {
            let seen = format!("it wants a certificate of each client ({alert:?})");
            let advice = "browsers of citizens have none: do not ask for client certificates there";
            findings.problem(Check::PublicTls, origin, seen, advice);
            None
        }
    }
}

fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = std::fs::read(path).map_err(|error| named(&error))?;
    read_chain(&bytes).map_err(|error| named(&error))
}

/// Tells whether a gateway answers there, and whether it is this one.
async fn is_gateway(
    site: &Site,
    settings: &Settings,
    running: &Running,
    findings: &mut Findings,
) -> bool {
    let target = format!("{}jwks.json", settings.gateway.prefix);
    let question = Question { target: &target, ..Question::default() };
    let (check, about) = (Check::PublicGateway, format!("{}{target}", site.origin));
    let seen = match site.ask(&question).await {
        Ok((answer, _)) if kids(&answer).is_some() => {
            findings.ok(check, &about, "the gateway's keys are there");
            same_keys(site, settings, &kids(&answer).unwrap_or_default(), &target, findings).await;
            return true;
        }
        Ok((answer, _)) if answer.code().is_some() => {
            findings.problem(check, &about, answer.told(), REFUSED);
            return false;
        }
        Ok((answer, _)) if answer.text().contains("keys are not known yet") => {
            let advice = "its store is away since its start: see the checks of the store";
            let seen = "the gateway answers, and does not know its keys yet";
            findings.problem(check, &about, seen, advice);
            return false;
        }
        Ok((answer, _)) => format!("something else answers: {}", answer.told()),
        Err(none) => none.to_string(),
    };
    if running.is_there() {
        findings.problem(check, &about, seen, FRONT);
    } else {
        findings.not_examined(check, &about, format!("no gateway runs here, and {seen}"));
    }
    false
}

/// The names of the keys in a set (RFC 7517), sorted.
fn kids(answer: &Answer) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    let keys = value.get("keys")?.as_array()?.iter();
    let mut kids: Vec<_> =
        keys.filter_map(|key| Some(key.get("kid")?.as_str()?.to_owned())).collect();
    kids.sort();
    (!kids.is_empty()).then_some(kids)
}

/// Compares the keys with those that the listener of this machine tells.
async fn same_keys(
    site: &Site,
    settings: &Settings,
    kids_there: &[String],
    target: &str,
    findings: &mut Findings,
) {
    let check = Check::PublicKeys;
    let Some(Socket::Address(address)) = &settings.listen.http else {
        let why = "listen.http is not given, so the gateway here is not asked beside";
        return findings.not_examined(check, &site.origin, why);
    };
    let (host, authority) = (site.host.clone(), site.authority.clone());
    let origin = site.origin.clone();
    let here = Site { origin, host, authority, address: *address, tls: None, time: site.time };
    match here.ask(&Question { target, ..Question::default() }).await {
        Ok((answer, _)) => match kids(&answer) {
            Some(kids) if kids == kids_there => {
                findings.ok(check, &site.origin, "they are those of the gateway here");
            }
            Some(_) => findings.problem(
                check,
                &site.origin,
                "the gateway at the public address has other keys than the one here",
                "the name or the proxy in front leads to another gateway, or replicas do not share \
                 a store; or a cache holds an old answer",
            ),
            None => findings.not_examined(check, &site.origin, answer.told()),
        },
        Err(none) => findings.not_examined(
            check,
            &site.origin,
            format!("the gateway here is not reached at {address}: {none}"),
        ),
    }
}

/// Sends a form to the registered address, as the node's page has browsers do. No navigation brings
/// it, so the gateway refuses it before it looks into it.
async fn acs(site: &Site, settings: &Settings, findings: &mut Findings) {
    let (check, about) = (Check::PublicAcs, settings.flows.template.acs.clone());
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "null"),
    ];
    let body = "SAMLart=brama-doctor-asks-whether-forms-arrive&RelayState=brama-doctor";
    let target = &settings.gateway.acs_path;
    let question = Question { method: Method::POST, target, headers: &headers, body };
    match site.ask(&question).await {
        Ok((answer, _)) if answer.code().as_deref() == Some(Reason::LoginNoNavigation.as_str()) => {
            findings.ok(check, &about, "a form arrives, as far as can be seen from here");
        }
        Ok((answer, _)) => {
            let seen = format!("a form that is sent there is answered by {}", answer.told());
            findings.problem(check, &about, seen, FORM);
        }
        Err(none) => findings.problem(check, &about, none.to_string(), FORM),
    }
}

/// Returns where the button of a page before the node leads, and the cookie that it needs.
fn begin(answer: &Answer, settings: &Settings) -> Option<(String, String)> {
    let prefix = format!("href=\"{}login?", settings.gateway.prefix);
    let text = answer.text();
    let (_, rest) = text.split_once("class=\"button\"")?;
    let (_, rest) = rest.split_once(&prefix)?;
    let link = rest.split_once('"')?.0.replace("&amp;", "&");
    let lines = answer.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    let cookie = lines.filter_map(|line| line.split(';').next());
    let cookie = cookie.rev().find(|pair| pair.contains("brama-landing="))?.to_owned();
    link.contains("&begin=").then(|| (format!("{}login?{link}", settings.gateway.prefix), cookie))
}

/// Goes to the page that a login begins with, as a browser.
async fn login(site: &Site, settings: &Settings, findings: &mut Findings) {
    let target = format!("{}login", settings.gateway.prefix);
    let about = format!("{}{target}", site.origin);
    let question = Question { target: &target, headers: &NAVIGATION, ..Question::default() };
    let answer = match site.ask(&question).await {
        Ok((answer, _)) => answer,
        Err(none) => return findings.problem(Check::PublicLogin, &about, none.to_string(), PAGE),
    };
    let answer = match begin(&answer, settings) {
        None => answer,
        Some((link, cookie)) => {
            let headers = [&NAVIGATION[..], &[("cookie", &*cookie)]].concat();
            let question = Question { target: &link, headers: &headers, ..Question::default() };
            match site.ask(&question).await {
                Ok((answer, _)) => answer,
                Err(none) => {
                    return findings.problem(Check::PublicLogin, &about, none.to_string(), PAGE);
                }
            }
        }
    };
    let Some(page) = LoginPage::read(&answer.text()) else {
        // A program is told a reason code.
        let code = site.ask(&Question { target: &target, ..Question::default() }).await;
        let code = code.ok().and_then(|(answer, _)| answer.code());
        let code = code.filter(|code| code != "login_required");
        let code = code.map_or_else(String::new, |code| format!(" ({code}: brama reason {code})"));
        let seen = format!("no login page: HTTP {}{code}", answer.status.as_u16());
        if findings.is_problem(Check::GatewayStore) {
            let why = format!("the store of the gateway is away, and {seen}");
            return findings.not_examined(Check::PublicLogin, &about, why);
        }
        return findings.problem(Check::PublicLogin, &about, seen, PAGE);
    };
    let template = &settings.flows.template;
    let expected = LoginPage {
        action: settings.flows.sso_url.clone(),
        issuer: template.issuer.clone(),
        acs: template.acs.clone(),
    };
    if page == expected {
        let seen = format!("it sends browsers to {} for {}", page.action, page.issuer);
        findings.ok(Check::PublicLogin, &about, seen);
    } else {
        let LoginPage { action, issuer, acs } = page;
        let seen = format!("it sends browsers to {action}, as {issuer}, to come back to {acs}");
        let advice = "the gateway there runs with another configuration than this file: reload it, or \
                      look which gateway the public address leads to";
        findings.problem(Check::PublicLogin, &about, seen, advice);
        let why = "the gateway there runs with another configuration";
        return findings.fill(&[Group::Public], why);
    }
    delivered::cookies(&about, &answer, settings, findings);
    delivered::headers(&about, &answer, settings, findings);
}

/// Asks in plain HTTP where browsers ask that were given no scheme.
async fn redirect(
    options: &Options,
    settings: &Settings,
    running: &Running,
    findings: &mut Findings,
) {
    let check = Check::PublicRedirect;
    let origin = &settings.gateway.origin;
    let Some(authority) = origin.strip_prefix("https://") else {
        return findings.not_examined(check, origin, "portal.public_url is plain HTTP");
    };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let Some(Socket::Address(address)) = &settings.listen.redirect else {
        let why = "listen.redirect is not given: what answers plain HTTP is not the gateway's";
        return findings.not_examined(check, origin, why);
    };
    let about = format!("http://{address}/");
    let site = Site {
        origin: origin.clone(),
        host: host.to_owned(),
        authority: host.to_owned(),
        address: *address,
        tls: None,
        time: options.timeout,
    };
    let advice = "start the gateway, and look at listen.redirect";
    match site.ask(&Question { target: "/", headers: &NAVIGATION, ..Question::default() }).await {
        Ok((answer, _)) => {
            let to = answer.header("location").unwrap_or_default();
            if answer.status.is_redirection() && to.starts_with("https://") {
                findings.ok(check, &about, format!("it leads to {to}"));
            } else {
                let seen = format!("{} instead of a redirect to https", answer.told());
                findings.problem(check, &about, seen, advice);
            }
        }
        Err(_) if !running.is_there() => {
            findings.not_examined(check, &about, "no gateway runs here");
        }
        Err(none) => findings.warning(check, &about, none.to_string(), advice),
    }
}

const BOTH: [Group; 2] = [Group::Public, Group::Front];
const REFUSED: &str = "a gateway answers, and refuses: brama reason CODE says why; look at what the \
                       proxy in front makes of requests";
const FRONT: &str = "look at the proxy in front: it has to pass everything on to the gateway, the \
                     gateway's own places too";
const FORM: &str = "look whether a firewall or proxy in front refuses POST from other sites, or has \
                    another rule for this path; this address is registered at the node";
const PAGE: &str = "look at the log of the gateway for this moment; nobody can sign in";
