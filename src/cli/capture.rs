//! `brama capture`: has a running gateway keep the node's next answers, sealed to the service's
//! decryption key, and fetches them ([`crate::operations::capture`]). `brama explain` reads them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::operator::{self, Operator};
use super::output::{complain, print};
use crate::base::private;
use crate::config::file::HumanDuration;
use crate::flow::capture::MOST_ANSWERS;

#[derive(Debug, clap::Args)]
#[group(id = "wish", required = true, multiple = false)]
pub(super) struct Wish {
    /// Captures the next answer, whichever login it is of, and ends. It waits for ten minutes.
    #[arg(long, group = "wish")]
    next: bool,
    /// Captures all answers for so long, such as 10m: an hour and 20 answers at the most.
    #[arg(long = "for", group = "wish", value_name = "TIME")]
    time: Option<HumanDuration>,
    /// Ends a capture that goes on, and has the gateway forget what nobody fetched.
    #[arg(long, group = "wish")]
    stop: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    wish: Wish,
    /// The configuration file of the gateway: where it listens for operators, and the file with the
    /// token.
    #[arg(long, short, value_name = "FILE", default_value = "/etc/brama/brama.toml")]
    config: PathBuf,
    /// The folder to write the sealed answers to, a file each that nobody else may read.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    to: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    operator::with(&arguments.config, async |operator| act(operator, arguments).await)
}

async fn act(operator: &Operator, arguments: &Arguments) -> Result<(), String> {
    let Wish { next, time, stop } = arguments.wish;
    if stop {
        operator.ask(Method::DELETE, "/capture", None).await?;
        return Ok(());
    }
    let (answers, time) = match time {
        Some(time) if !next => (MOST_ANSWERS, time.get()),
        _ => (1, NEXT),
    };
    let wish = json!({ "answers": answers, "seconds": time.as_secs() });
    let standing = operator.ask(Method::POST, "/capture", Some(wish)).await?;
    complain(format_args!(
        "captures {answers} answers of the node at most, until {}; --stop ends it",
        standing.get("until").and_then(Value::as_str).unwrap_or("-")
    ));
    loop {
        let standing = operator.ask(Method::GET, "/capture", None).await?;
        let kept = standing.get("kept").and_then(Value::as_array);
        for captured in kept.into_iter().flatten() {
            if let Some(name) = captured.get("name").and_then(Value::as_str) {
                print(fetch(operator, name, &arguments.to).await?.display());
            }
        }
        if standing.get("until").is_none_or(Value::is_null) {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Fetches a captured answer into a file; returns its path.
async fn fetch(operator: &Operator, name: &str, folder: &Path) -> Result<PathBuf, String> {
    let captured = operator.ask(Method::GET, &format!("/capture/{name}"), None).await?;
    let text = |field: &str| captured.get(field).and_then(Value::as_str).unwrap_or_default();
    // The gateway names the login; what is not of its own making names no file.
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    let login: String = text("login").chars().filter(is_plain).take(MOST_NAME).collect();
    let path = folder.join(format!("capture-{login}.xml"));
    private::write(&path, text("sealed").as_bytes())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// How long the next answer is waited for.
const NEXT: Duration = Duration::from_secs(600);
/// How often the gateway is asked whether there is something.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const MOST_NAME: usize = 64;
