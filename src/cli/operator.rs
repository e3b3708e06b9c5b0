//! An operator's program asks a running gateway, through its operations listener and with a token of
//! its configuration.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::configuration::load;
use super::output::{fail, print};
use crate::base::private;
use crate::base::secret::Secret;
use crate::operations::client::Client;
use crate::operations::operators::{FIRST, Operator as Operates};
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
        default_value = crate::cli::configuration::PLACE
    )]
    pub(super) config: PathBuf,
    /// Asks as this operator of `operations.operators`, and not as that of
    /// `operations.admin_token_file`. Where there is one operator alone, it need not be given.
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(super) operator: Option<String>,
    #[command(flatten)]
    pub(super) direct: Direct,
}

/// What an operator has who has no file of the gateway.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Direct {
    /// Where the gateway listens for operators, such as 127.0.0.1:9480, with the token of
    /// `--token-file`. No configuration is read then: whoever asks needs no file of the gateway.
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        requires = "token_file",
        conflicts_with_all = ["config", "operator"]
    )]
    pub(super) address: Option<SocketAddr>,
    /// The file with the token of whoever asks; with `--address`.
    #[arg(long, global = true, value_name = "FILE", requires = "address")]
    pub(super) token_file: Option<PathBuf>,
    /// The certificate of the listener, where it speaks TLS: that very one is taken; with
    /// `--address`.
    #[arg(long, global = true, value_name = "FILE", requires = "address")]
    pub(super) certificate: Option<PathBuf>,
}

impl<A: clap::Subcommand> Arguments<A> {
    /// Acts on the gateway that is named.
    pub(super) fn run(
        &self,
        act: impl AsyncFnOnce(&Operator, &A) -> Result<(), String>,
    ) -> ExitCode {
        self.gateway.run(async |operator| act(operator, &self.act).await)
    }
}

impl Gateway {
    /// Acts on the gateway that is named.
    pub(super) fn run(&self, act: impl AsyncFnOnce(&Operator) -> Result<(), String>) -> ExitCode {
        let client = match &self.direct {
            Direct { address: Some(address), token_file: Some(token), .. } => {
                self.direct.client(*address, token)
            }
            _ => self.configured(),
        };
        let acted = client.and_then(|client| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            runtime.block_on(act(&Operator(client.within(PATIENCE))))
        });
        match acted {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(error),
        }
    }

    /// Asks as the configuration of the gateway has it.
    fn configured(&self) -> Result<Client, String> {
        let (settings, problems) = load(&self.config);
        let Some(settings) = settings else {
            print(&problems);
            return Err(UNREADABLE.to_owned());
        };
        let operator = of(&settings.operators, self.operator.as_deref())?;
        let token = operator.token.as_ref().ok_or_else(|| {
            let name = &operator.name;
            format!(
                "{name} shows a certificate and has no token, so no command asks as {name}: \
                 give --as with another operator, or a token_file to this one"
            )
        })?;
        let certificate = settings.listen.operations_tls.as_ref().map(|tls| &*tls.file);
        let Socket::Address(address) = settings.listen.operations else {
            return Err("operations.listen is no address".to_owned());
        };
        Ok(Client::new(address).pinned(certificate)?.with_token(token))
    }
}

impl Direct {
    /// Asks where it is said, with the token of a file.
    fn client(&self, address: SocketAddr, file: &Path) -> Result<Client, String> {
        let shown = file.display();
        let failed = |error: &dyn std::fmt::Display| format!("{shown}: {error}");
        let token = private::read(file).map_err(|error| failed(&error))?;
        let token = Secret::new(token.ok_or_else(|| failed(&"there is no such file"))?);
        let line = Secret::new(token.expose().trim_ascii().to_vec());
        if line.expose().is_empty() {
            return Err(failed(&"there is no token in it"));
        }
        Ok(Client::new(address).pinned(self.certificate.as_deref())?.with_token(&line))
    }
}

/// Finds the operator who asks.
fn of<'o>(all: &'o [Operates], wanted: Option<&str>) -> Result<&'o Operates, String> {
    let name = match (all, wanted) {
        ([], _) => return Err(NOBODY.to_owned()),
        ([only], None) => return Ok(only),
        (_, wanted) => wanted.unwrap_or(FIRST),
    };
    all.iter().find(|one| one.name == name).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|one| &*one.name).collect();
        let names = names.join(", ");
        match wanted {
            Some(name) => format!("there is no operator {name}: --as may be one of {names}"),
            None => format!("who asks? Give --as with one of {names}"),
        }
    })
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

const NOBODY: &str = "the gateway obeys nobody: give operations.admin_token_file, or an operator in \
                      [[operations.operators]]";
const UNREADABLE: &str = "the configuration cannot be used. Whoever may not read it asks with --address \
                          and --token-file";
