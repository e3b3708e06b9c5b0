//! An operator's program asks a running gateway, through its operations listener and with a token of
//! its configuration.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::configuration::load;
use super::output::{fail, print};
use crate::operations::client::Client;
use crate::operations::operators::FIRST;
use crate::server::socket::Socket;

/// What a gateway is asked for, and which one.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments<A: clap::Subcommand> {
    #[command(flatten)]
    pub(super) gateway: Gateway,
    #[command(subcommand)]
    pub(super) act: A,
}

/// Which gateway is asked, and by whom.
#[derive(Debug, clap::Args)]
pub(super) struct Gateway {
    /// The configuration file of the gateway: where it listens for operators, and the files with
    /// their tokens.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        default_value = "/etc/brama/brama.toml"
    )]
    pub(super) config: PathBuf,
    /// Asks as this operator of `operations.operators`, and not as that of
    /// `operations.admin_token_file`. Where there is one operator alone, it need not be given.
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(super) operator: Option<String>,
}

impl<A: clap::Subcommand> Arguments<A> {
    /// Acts on the gateway of the configuration.
    pub(super) fn run(
        &self,
        act: impl AsyncFnOnce(&Operator, &A) -> Result<(), String>,
    ) -> ExitCode {
        self.gateway.run(async |operator| act(operator, &self.act).await)
    }
}

impl Gateway {
    /// Acts on the gateway of the configuration.
    pub(super) fn run(&self, act: impl AsyncFnOnce(&Operator) -> Result<(), String>) -> ExitCode {
        let (settings, problems) = load(&self.config);
        let Some(settings) = settings else {
            print(&problems);
            return fail("the configuration is wrong");
        };
        let wanted = self.operator.as_deref();
        let operator = match &*settings.operators {
            [] => {
                return fail(
                    "operations.admin_token_file is not given, so the gateway obeys nobody",
                );
            }
            [only] if wanted.is_none() => only,
            all => {
                let name = wanted.unwrap_or(FIRST);
                let Some(found) = all.iter().find(|one| one.name == name) else {
                    let names: Vec<_> = all.iter().map(|one| &*one.name).collect();
                    let names = names.join(", ");
                    return fail(format_args!(
                        "there is no operator {name}, but {names}: give --as"
                    ));
                };
                found
            }
        };
        let Some(token) = &operator.token else {
            let name = &operator.name;
            return fail(format_args!(
                "{name} shows a certificate and has no token: ask with another --as"
            ));
        };
        let certificate = settings.listen.operations_tls.as_ref().map(|tls| &*tls.file);
        let Socket::Address(address) = settings.listen.operations else {
            return fail("operations.listen is no address");
        };
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return fail(error),
        };
        let client = match Client::new(address).pinned(certificate) {
            Ok(client) => client.with_token(token).within(PATIENCE),
            Err(error) => return fail(error),
        };
        let operator = Operator(client);
        match runtime.block_on(act(&operator)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(error),
        }
    }
}

/// Asks a gateway as an operator.
pub(super) struct Operator(Client);

impl Operator {
    /// Asks, and returns the answer, or why there is none.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, String> {
        let answer = self.0.ask(method, path, body.as_ref()).await;
        let at = self.0.address();
        answer.map_err(|none| format!("{at} cannot be asked: {none}"))?.good()
    }
}

/// Ending all sessions may take a while.
const PATIENCE: Duration = Duration::from_secs(600);
