//! `brama healthcheck`: asks a running gateway whether it is well, where there is no shell and no curl:
//! for `HEALTHCHECK` of a container, for `exec` probes, for scripts.
//!
//! 1. Of the configuration only `operations.listen` is used, and the certificate of that listener where it
//!    has one; no key is read. Where the
//!    file cannot be read, or has no address there, it is as if it were empty: the variable
//!    `BRAMA__OPERATIONS__LISTEN`, otherwise the default. So a file that an operator is editing says
//!    nothing of the gateway that runs, unless it has another address.
//! 2. A listener at every address (`0.0.0.0`, `::`) is asked on loopback.
//! 3. The answer is there within [`crate::operations::client::PATIENCE`], or it is no.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::{Method, StatusCode};

use super::output::{complain, environment, fail, print};
use crate::config;
use crate::operations::client::Client;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration file of the gateway, for its `operations.listen`.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
    /// The operations listener, instead of that of the configuration.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "config")]
    address: Option<SocketAddr>,
    /// Asks whether the process answers (`/livez`) and not whether it wants requests (`/readyz`):
    /// a gateway that is told to stop is live, and not ready.
    #[arg(long, conflicts_with_all = ["startup", "verbose", "needs", "exclude"])]
    live: bool,
    /// Asks whether it has started (`/startupz`).
    #[arg(long, conflicts_with_all = ["verbose", "needs", "exclude"])]
    startup: bool,
    /// Shows each part with its state.
    #[arg(long, short)]
    verbose: bool,
    /// Needs this part too, whatever the configuration needs; as often as one likes.
    #[arg(long, value_name = "PART", value_parser = PARTS)]
    needs: Vec<String>,
    /// Does without this part.
    #[arg(long, value_name = "PART", value_parser = PARTS)]
    exclude: Vec<String>,
}

/// The parts that can be named: a test compares them with those that there are.
const PARTS: [&str; 8] =
    ["drain", "startup", "store", "keys", "certificates", "upstreams", "configuration", "audit"];

impl Arguments {
    /// Returns what is asked for. Names of parts need no escapes.
    fn path(&self) -> String {
        if self.live {
            return "/livez".to_owned();
        }
        if self.startup {
            return "/startupz".to_owned();
        }
        let needs = self.needs.iter().map(|part| format!("needs={part}"));
        let exclude = self.exclude.iter().map(|part| format!("exclude={part}"));
        let verbose = self.verbose.then(|| "verbose".to_owned());
        let query: Vec<_> = verbose.into_iter().chain(needs).chain(exclude).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/readyz{mark}{}", query.join("&"))
    }
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let client = match arguments.address.map(Client::new) {
        Some(client) => Ok(client),
        None => configured(&arguments.config),
    };
    let client = match client {
        Ok(client) => client,
        Err(error) => return fail(error),
    };
    let path = &*arguments.path();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format_args!("runtime cannot start: {error}")),
    };
    let url = client.url(path);
    match runtime.block_on(client.ask(Method::GET, path, None)) {
        Ok(answer) if answer.status == StatusCode::OK => {
            print(answer.text().trim_end());
            ExitCode::SUCCESS
        }
        Ok(answer) => {
            fail(format_args!("{url} says {}: {}", answer.status, answer.text().trim_end()))
        }
        Err(none) => fail(format_args!("{url} cannot be asked: {none}")),
    }
}

/// Asks at `operations.listen` of a configuration, by TLS where that is spoken there, and says so where the
/// file was of no use.
///
/// # Errors
///
/// When there is no address in the environment either, but something else.
fn configured(path: &Path) -> Result<Client, String> {
    let why = match config::load(path, environment()) {
        Ok(loaded) if !loaded.was_refused("operations.listen") => {
            let operations = &loaded.file.operations;
            let certificate = operations.certificate.as_deref().map(|file| loaded.resolve(file));
            return Client::new(operations.listen).pinned(certificate.as_deref());
        }
        Ok(loaded) => loaded.problems,
        Err(problems) => problems,
    };
    let without = config::load_text("the environment", "", environment());
    let without = without.map_err(|problems| format!("--address does without it\n{problems}"))?;
    if without.was_refused("operations.listen") {
        return Err("operations.listen is no address; --address does without it".to_owned());
    }
    let address = without.file.operations.listen;
    complain(format_args!(
        "brama: {address} is asked, since the configuration does not say\n{why}"
    ));
    Ok(Client::new(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::health::Name;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Asked {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn path(words: &str) -> Option<String> {
        let words = std::iter::once("healthcheck").chain(words.split_whitespace());
        Some(Asked::try_parse_from(words).ok()?.arguments.path())
    }

    #[test]
    fn the_question_is_what_was_asked_for() {
        assert_eq!(Name::ALL.map(Name::name), PARTS);
        for (words, expected) in [
            ("", Some("/readyz")),
            ("--live", Some("/livez")),
            ("--startup", Some("/startupz")),
            ("--verbose", Some("/readyz?verbose")),
            ("--needs store --needs keys", Some("/readyz?needs=store&needs=keys")),
            ("-v --exclude drain", Some("/readyz?verbose&exclude=drain")),
            ("--needs node", None),
            ("--live --needs store", None),
            ("--live --startup", None),
        ] {
            assert_eq!(path(words).as_deref(), expected, "{words}");
        }
    }
}
