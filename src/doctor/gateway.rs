//! The gateway that runs here, by its operations listener. Where none runs, that is a warning: what
//! depends on it is not examined.

use http::{Method, StatusCode};
use serde_json::Value;

use super::check::{Check, Group};
use super::finding::Findings;
use super::options::Options;
use super::owner;
use crate::app::Settings;
use crate::operations::client::{Answer, Client, NoAnswer};
use crate::operations::probes;
use crate::request::probes::Arrival;
use crate::server::socket::Socket;

/// The operations listener of a gateway, as far as one runs.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// What asks it; none when it does not run.
    operations: Option<Client>,
}

pub(super) async fn examine(
    options: &Options,
    settings: &Settings,
    findings: &mut Findings,
) -> Running {
    let mut running = Running::default();
    let Socket::Address(address) = &settings.listen.operations else {
        findings.fill(&[Group::Gateway], "operations.listen is no address");
        return running;
    };
    let certificate = settings.listen.operations_tls.as_ref().map(|tls| &*tls.file);
    let client = match Client::new(*address).pinned(certificate) {
        Ok(client) => client.within(options.timeout),
        Err(error) => {
            findings.fill(&[Group::Gateway], &error);
            return running;
        }
    };
    let about = client.address().to_string();
    let ready = client.ask(Method::GET, "/readyz", None).await;
    match is_ready(&ready) {
        Ok(text) => {
            let whose = whose(&client).await;
            if let Some(other) = whose.as_ref().filter(|url| **url != settings.gateway.origin) {
                let seen = format!(
                    "a gateway of another configuration answers there: its portal.public_url is \
                     {other}"
                );
                findings.problem(Check::GatewayRunning, &about, seen, ANOTHER);
                findings.fill(&[Group::Gateway], "a gateway of another configuration answers");
                return running;
            }
            running.operations = Some(client.clone());
            if !options.wants(&[Group::Gateway]) {
                return running;
            }
            said(&text, &about, findings);
            metrics(&client, findings).await;
            if whose.is_none() {
                let why =
                    "it does not say of which configuration it is, so it is not told the token";
                findings.not_examined(Check::GatewayToken, &about, why);
            } else if let Err(why) = may_have_tokens(settings, &client) {
                let why = format!("{why}, so it is not told the token");
                findings.not_examined(Check::GatewayToken, &about, why);
            } else {
                tokens(&client, settings, findings).await;
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
async fn whose(client: &Client) -> Option<String> {
    let answer = client.ask(Method::GET, probes::PATH, None).await.ok()?;
    answer.json().get("public_url")?.as_str().map(str::to_owned)
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

async fn metrics(client: &Client, findings: &mut Findings) {
    let about = client.address().to_string();
    let answer = client.ask(Method::GET, "/metrics", None).await;
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

/// Tells whether it is our own gateway that would be shown tokens: it has our certificate, or its
/// socket is of a user that the gateway may run as.
fn may_have_tokens(settings: &Settings, client: &Client) -> Result<(), String> {
    if settings.listen.operations_tls.is_some() {
        return Ok(());
    }
    let believed = owner::believed(settings.state_directory.as_deref());
    owner::is_believed(client.address().port(), &believed)
}

/// Whether it takes the tokens of all operators.
async fn tokens(client: &Client, settings: &Settings, findings: &mut Findings) {
    let about = client.address().to_string();
    if settings.operators.is_empty() {
        let why = "the configuration names no operator: nobody operates the gateway";
        return findings.not_examined(Check::GatewayToken, &about, why);
    }
    for operator in &settings.operators {
        let Some(token) = &operator.token else { continue };
        let client = client.clone().with_token(token);
        match client.ask(Method::GET, "/keys", None).await {
            Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                let seen = format!("it does not take the token of {}", operator.name);
                return findings.problem(
                    Check::GatewayToken,
                    &about,
                    seen,
                    "the gateway has not read the file since it changed: run brama reload, and look \
                     at its log",
                );
            }
            Ok(answer) if answer.status == StatusCode::OK => {}
            Ok(answer) => {
                let why = format!("it answers the token of {}: {}", operator.name, answer.told());
                return findings.not_examined(Check::GatewayToken, &about, why);
            }
            Err(none) => {
                return findings.not_examined(Check::GatewayToken, &about, none.to_string());
            }
        }
    }
    findings.ok(Check::GatewayToken, &about, "it takes the tokens of its operators");
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
        let client = self.operations.as_ref().ok_or("no gateway runs here")?;
        let answer = client.ask(Method::POST, probes::PATH, None).await;
        let answer = answer.map_err(|none| none.to_string())?;
        let name = answer.json().get("probe").and_then(Value::as_str).map(str::to_owned);
        name.ok_or_else(|| format!("{} answers {} to a probe", client.address(), answer.told()))
    }

    /// Returns how a probe arrived, if it did.
    pub(super) async fn arrival(&self, name: &str) -> Option<Arrival> {
        let path = format!("{}/{name}", probes::PATH);
        let answer = self.operations.as_ref()?.ask(Method::GET, &path, None).await.ok()?;
        serde_json::from_value(answer.json().get("arrival")?.clone()).ok()
    }

    /// Says that a probe is not awaited any more.
    pub(super) async fn forget(&self, name: &str) {
        if let Some(client) = &self.operations {
            let path = format!("{}/{name}", probes::PATH);
            let _ = client.ask(Method::DELETE, &path, None).await;
        }
    }
}

const ANOTHER: &str = "give each gateway of a machine its own operations.listen; if the file was changed \
                       since this one was started, restart it";
