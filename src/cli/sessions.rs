//! `brama sessions`: lists, shows and ends sessions of a running gateway, through its operations
//! listener ([`crate::operations::sessions`]).
//!
//! A person is named by an identifier read from standard input, never from an argument: arguments
//! are seen by every user of a machine and stay in histories.

use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::configuration::load;
use super::output::{complain, fail, print};
use crate::base::body;
use crate::server::socket::Socket;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration file of the gateway: where it listens for operators, and the file with the
    /// token.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        default_value = "/etc/brama/brama.toml"
    )]
    config: PathBuf,
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Lists sessions, one JSON object a line.
    List {
        /// Only those of this person, as `owner` in other lines has it.
        #[arg(long, value_name = "DIGEST")]
        owner: Option<String>,
        /// No more than so many.
        #[arg(long, default_value_t = 10_000)]
        limit: usize,
    },
    /// Shows one session.
    Show {
        /// Its `key`.
        key: String,
    },
    /// Ends one session.
    End {
        /// Its `key`.
        key: String,
    },
    /// Ends all sessions of a person. The identifier is read from standard input.
    EndPerson {
        /// What kind of identifier it is.
        #[arg(long, default_value = "pesel", value_parser = ["pesel", "cross_border", "login_name"])]
        kind: String,
    },
    /// Ends all sessions.
    EndAll {
        /// Must be given: everybody is signed out.
        #[arg(long, required = true)]
        yes: bool,
    },
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let (settings, problems) = load(&arguments.config);
    let Some(settings) = settings else {
        print(&problems);
        return fail("the configuration is wrong");
    };
    let Some(token) = settings.admin_token else {
        return fail("operations.admin_token_file is not given, so sessions cannot be managed");
    };
    let Socket::Address(address) = settings.listen.operations else {
        return fail("operations.listen is no address");
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let token = String::from_utf8_lossy(token.expose()).into_owned();
    match runtime.block_on(Gateway { address, token }.act(&arguments.act)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

struct Gateway {
    address: SocketAddr,
    token: String,
}

impl Gateway {
    async fn act(&self, act: &Act) -> Result<(), String> {
        match act {
            Act::List { owner, limit } => self.list(owner.as_deref(), *limit).await,
            Act::Show { key } => self.tell(Method::GET, &format!("/{key}"), None).await,
            Act::End { key } => self.tell(Method::DELETE, &format!("/{key}"), None).await,
            Act::EndPerson { kind } => {
                let mut identifier = String::new();
                let mut input = std::io::stdin().take(1024);
                input.read_to_string(&mut identifier).map_err(|error| error.to_string())?;
                let person = json!({ "kind": kind, "identifier": identifier.trim() });
                let found = self.ask(Method::POST, "/owner", Some(person)).await?;
                let owner = found.get("owner").cloned().unwrap_or_default();
                self.tell(Method::POST, "/end", Some(json!({ "owner": owner }))).await
            }
            Act::EndAll { .. } => {
                self.tell(Method::POST, "/end", Some(json!({ "all": true }))).await
            }
        }
    }

    async fn list(&self, owner: Option<&str>, limit: usize) -> Result<(), String> {
        let (mut left, mut after) = (limit, None::<String>);
        loop {
            let mut query = url::form_urlencoded::Serializer::new(String::from("?"));
            // One more tells whether there are more.
            query.append_pair("limit", &left.clamp(1, 1000).to_string());
            for (name, value) in [("owner", owner), ("after", after.as_deref())] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            let page = self.ask(Method::GET, &query.finish(), None).await?;
            let sessions = page.get("sessions").and_then(Value::as_array);
            for session in sessions.into_iter().flatten() {
                if left == 0 {
                    complain(format_args!(
                        "stopped at {limit} sessions, and there are more: give --limit"
                    ));
                    return Ok(());
                }
                print(session);
                left -= 1;
            }
            after = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn tell(&self, method: Method, path: &str, body: Option<Value>) -> Result<(), String> {
        print(self.ask(method, path, body).await?);
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}/sessions{path}", self.address))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = tokio::time::timeout(PATIENCE, client.request(request)).await;
        let answer = answer
            .map_err(|_| format!("{} does not answer", self.address))?
            .map_err(|error| format!("{} cannot be asked: {error}", self.address))?;
        let status = answer.status();
        let bytes = body::read_within(answer.into_body(), MOST, PATIENCE).await;
        let bytes = bytes.map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status == StatusCode::OK {
            return Ok(value);
        }
        let reason = value.get("error").and_then(Value::as_str).unwrap_or("it says no");
        Err(format!("{status}: {reason}"))
    }
}

/// Ending all sessions may take a while.
const PATIENCE: Duration = Duration::from_secs(600);
const MOST: usize = 4 * 1024 * 1024;
