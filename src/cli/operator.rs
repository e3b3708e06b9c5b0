//! An operator's program asks a running gateway, through its operations listener and with the token
//! of its configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::configuration::load;
use super::output::{fail, print};
use crate::base::body;
use crate::server::socket::Socket;

/// What a gateway is asked for, and which one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments<A: clap::Subcommand> {
    /// The configuration file of the gateway: where it listens for operators, and the file with the
    /// token.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        default_value = "/etc/brama/brama.toml"
    )]
    pub(super) config: PathBuf,
    #[command(subcommand)]
    pub(super) act: A,
}

impl<A: clap::Subcommand> Arguments<A> {
    /// Acts on the gateway of the configuration.
    pub(super) fn run(
        &self,
        act: impl AsyncFnOnce(&Operator, &A) -> Result<(), String>,
    ) -> ExitCode {
        with(&self.config, async |operator| act(operator, &self.act).await)
    }
}

/// Acts on the gateway of a configuration.
pub(super) fn with(
    config: &Path,
    act: impl AsyncFnOnce(&Operator) -> Result<(), String>,
) -> ExitCode {
    let (settings, problems) = load(config);
    let Some(settings) = settings else {
        print(&problems);
        return fail("the configuration is wrong");
    };
    let Some(token) = settings.admin_token else {
        return fail("operations.admin_token_file is not given, so the gateway obeys nobody");
    };
    let Socket::Address(address) = settings.listen.operations else {
        return fail("operations.listen is no address");
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(error),
    };
    let token = String::from_utf8_lossy(token.expose()).into_owned();
    match runtime.block_on(act(&Operator { address, token })) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error),
    }
}

/// Where the gateway of a configuration listens for operators, and its token.
pub(super) struct Operator {
    address: SocketAddr,
    token: String,
}

impl Operator {
    /// Asks, and returns the answer, or why there is none.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
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
        if status.is_success() {
            return Ok(value);
        }
        let reason = value.get("error").and_then(Value::as_str).unwrap_or("it says no");
        Err(format!("{status}: {reason}"))
    }
}

/// Ending all sessions may take a while.
const PATIENCE: Duration = Duration::from_secs(600);
const MOST: usize = 4 * 1024 * 1024;
