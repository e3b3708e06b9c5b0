//! The gateway that runs here, by its operations listener. Where none runs, that is a warning: what
//! depends on it is not examined.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::check::{Check, Group};
use super::exchange::{self, Answer, NoAnswer};
use super::finding::Findings;
use super::options::Options;
use crate::app::Settings;
use crate::operations::address::reachable;
use crate::operations::probes;
use crate::request::probes::Arrival;
use crate::server::socket::Socket;

/// The operations listener of a gateway, as far as one runs.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// Where it is asked; none when it does not run.
    operations: Option<SocketAddr>,
    time: Duration,
}

pub(super) async fn examine(
    options: &Options,
    settings: &Settings,
    findings: &mut Findings,
) -> Running {
    let mut running = Running { operations: None, time: options.timeout };
    let Socket::Address(address) = &settings.listen.operations else {
        findings.fill(&[Group::Gateway], "operations.listen is no address");
        return running;
    };
    let address = reachable(*address);
    let about = address.to_string();
    let ready = ask(address, Method::GET, "/readyz", None, running.time).await;
    match is_ready(&ready) {
        Ok(text) => {
            let whose = whose(address, running.time).await;
            if let Some(other) = whose.as_ref().filter(|url| **url != settings.gateway.origin) {
                let seen = format!(
                    "a gateway of another configuration answers there: its portal.public_url is \
                     {other}"
                );
                findings.problem(Check::GatewayRunning, &about, seen, ANOTHER);
                findings.fill(&[Group::Gateway], "a gateway of another configuration answers");
                return running;
            }
            running.operations = Some(address);
            if !options.wants(&[Group::Gateway]) {
                return running;
            }
            said(&text, &about, findings);
            metrics(address, running.time, findings).await;
            if whose.is_some() {
                token(address, settings, running.time, findings).await;
            } else {
                let why =
                    "it does not say of which configuration it is, so it is not told the token";
                findings.not_examined(Check::GatewayToken, &about, why);
            }
        }
        Err(Missing::Absent(seen)) => {
            let seen = format!("no gateway answers there: {seen}");
            let advice = "start it; the other checks go on without it";
            findings.warning(Check::GatewayRunning, &about, seen, advice);
            findings.fill(&[Group::Gateway], "no gateway runs here");
        }
        Err(Missing::Other(seen)) => {
            let advice =
                "look what listens at operations.listen, and whether the gateway was started";
            findings.problem(Check::GatewayRunning, &about, seen, advice);
            findings.fill(&[Group::Gateway], "no gateway answers there");
        }
    }
    running
}

/// Why no gateway answers.
enum Missing {
    /// Nothing listens.
    Absent(String),
    /// Something does.
    Other(String),
}

fn is_ready(answer: &Result<Answer, NoAnswer>) -> Result<String, Missing> {
    match answer {
        Ok(answer) if answer.text().starts_with("ready") && answer.status == StatusCode::OK => {
            Ok(answer.text())
        }
        Ok(answer) if answer.text().starts_with("stopping") => {
            Err(Missing::Other("it says that it is stopping".to_owned()))
        }
        Ok(answer)
            if ["starting", "not ready: "].iter().any(|no| answer.text().starts_with(no)) =>
        {
            Err(Missing::Other(format!("it says {}", answer.text().trim_end())))
        }
        Ok(answer) => {
            Err(Missing::Other(format!("something else answers there: {}", answer.told())))
        }
        Err(NoAnswer::Broken(why)) => Err(Missing::Absent(why.clone())),
        Err(none) => Err(Missing::Other(none.to_string())),
    }
}

/// Asks a gateway for its public address, which cannot change while it runs; none where it does not
/// say.
async fn whose(address: SocketAddr, time: Duration) -> Option<String> {
    let answer = ask(address, Method::GET, probes::PATH, None, time).await.ok()?;
    let value: Value = serde_json::from_slice(&answer.body).ok()?;
    value.get("public_url")?.as_str().map(str::to_owned)
}

/// What readiness says beside "ready".
fn said(text: &str, about: &str, findings: &mut Findings) {
    findings.ok(Check::GatewayRunning, about, "it is ready");
    let (is_store_away, are_keys_apart) =
        (text.contains("session store is away"), text.contains("keys of identities"));
    if is_store_away {
        let advice = "see the checks of the store, and the log of the gateway";
        findings.problem(Check::GatewayStore, about, "it says that its store is away", advice);
    } else {
        findings.ok(Check::GatewayStore, about, "it says nothing against its store");
    }
    if are_keys_apart {
        let advice = "look at the log: keys that are not kept are lost at a restart";
        let seen = "it says that the keys of identities are not kept";
        findings.problem(Check::GatewayKeys, about, seen, advice);
    } else if is_store_away {
        findings.not_examined(Check::GatewayKeys, about, "the store is away");
    } else {
        findings.ok(Check::GatewayKeys, about, "it keeps them");
    }
}

async fn metrics(address: SocketAddr, time: Duration, findings: &mut Findings) {
    let about = address.to_string();
    let answer = ask(address, Method::GET, "/metrics", None, time).await;
    let text = match &answer {
        Ok(answer) if answer.status == StatusCode::OK => answer.text(),
        Ok(answer) => {
            let why = format!("/metrics is answered by {}", answer.told());
            return findings.not_examined(Check::GatewayConfiguration, &about, why);
        }
        Err(none) => {
            let why = format!("/metrics: {none}");
            return findings.not_examined(Check::GatewayConfiguration, &about, why);
        }
    };
    let is_old = text.lines().any(|line| line == "brama_config_last_reload_successful 0");
    if is_old {
        findings.problem(
            Check::GatewayConfiguration,
            &about,
            "it refused its last configuration, and runs with the one before",
            "look at the log of the gateway, or run: brama check --config FILE, then brama reload",
        );
    } else {
        findings.ok(Check::GatewayConfiguration, &about, "it took its last configuration");
    }
}

async fn token(address: SocketAddr, settings: &Settings, time: Duration, findings: &mut Findings) {
    let about = address.to_string();
    let Some(token) = &settings.admin_token else {
        let why = "operations.admin_token_file is not given: nobody operates the gateway";
        return findings.not_examined(Check::GatewayToken, &about, why);
    };
    let token = String::from_utf8_lossy(token.expose()).into_owned();
    match ask(address, Method::GET, "/sessions?limit=1", Some(&token), time).await {
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => findings.problem(
            Check::GatewayToken,
            &about,
            "it does not take the token of operations.admin_token_file",
            "the file was changed after the gateway read it: run brama reload, or restart it",
        ),
        Ok(_) => findings.ok(Check::GatewayToken, &about, "it takes the token of its operators"),
        Err(none) => findings.not_examined(Check::GatewayToken, &about, none.to_string()),
    }
}

impl Running {
    /// Tells whether a gateway runs here.
    pub(super) fn is_there(&self) -> bool {
        self.operations.is_some()
    }

    /// Announces a probe, and returns its name.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn announce(&self) -> Result<String, String> {
        let address = self.operations.ok_or("no gateway runs here")?;
        let answer = ask(address, Method::POST, probes::PATH, None, self.time).await;
        let answer = answer.map_err(|none| none.to_string())?;
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let name = value.get("probe").and_then(Value::as_str).map(str::to_owned);
        name.ok_or_else(|| format!("{} answers {} to a probe", address, answer.told()))
    }

    /// Returns how a probe arrived, if it did.
    pub(super) async fn arrival(&self, name: &str) -> Option<Arrival> {
        let path = format!("{}/{name}", probes::PATH);
        let answer = ask(self.operations?, Method::GET, &path, None, self.time).await.ok()?;
        let value: Value = serde_json::from_slice(&answer.body).ok()?;
        serde_json::from_value(value.get("arrival")?.clone()).ok()
    }

    /// Says that a probe is not awaited any more.
    pub(super) async fn forget(&self, name: &str) {
        if let Some(address) = self.operations {
            let path = format!("{}/{name}", probes::PATH);
            let _ = ask(address, Method::DELETE, &path, None, self.time).await;
        }
    }
}

async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    token: Option<&str>,
    time: Duration,
) -> Result<Answer, NoAnswer> {
    let stream = match timeout(time, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(NoAnswer::Broken(error.to_string())),
        Err(_) => return Err(NoAnswer::Slow(time)),
    };
    let request = Request::builder().method(method).uri(path).header(HOST, address.to_string());
    let request = request.header(probes::ASKS, "1");
    let request = match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    };
    let request = request.body(Full::<Bytes>::default()).unwrap_or_default();
    exchange::ask(stream, request, time).await
}

const ANOTHER: &str = "give each gateway of a machine its own operations.listen; if the file was changed \
                       since this one was started, restart it";
