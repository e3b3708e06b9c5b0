//! `brama log-level`: how much a running gateway logs, shown and changed through its operations
//! listener ([`crate::operations::log_level`]).

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::operator::{Gateway, Operator};
use super::output::print;
use crate::config::file::HumanDuration;
use crate::operations::log_level::LONGEST;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    gateway: Gateway,
    /// How much Brama says from now on; `configured` is as `log.level` has it. Without it, the level
    /// is only shown.
    #[arg(
        value_name = "LEVEL",
        value_parser = ["error", "warn", "info", "debug", "trace", "configured"]
    )]
    level: Option<String>,
    /// Falls back to that of the configuration after this time, such as `10m`: a day at most. Without
    /// it, that is at the next start.
    #[arg(long = "for", value_name = "TIME", requires = "level")]
    time: Option<HumanDuration>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    arguments.gateway.run(async |operator| act(operator, arguments).await)
}

async fn act(operator: &Operator, arguments: &Arguments) -> Result<(), String> {
    let shown = match arguments.level.as_deref() {
        None => operator.ask(Method::GET, "/log/level", None).await?,
        Some(level) => {
            let level = Some(level).filter(|level| *level != "configured");
            let seconds = arguments.time.map(|time| time.get().as_secs());
            if seconds.is_some_and(|seconds| !(1..=LONGEST.into()).contains(&seconds)) {
                return Err("--for is one second to 24h".to_owned());
            }
            let wanted = json!({ "level": level, "for_seconds": seconds });
            operator.ask(Method::PUT, "/log/level", Some(wanted)).await?
        }
    };
    let text = |name: &str| shown.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("until") {
        "" => print(text("level")),
        until => {
            print(format_args!("{} until {until}, then {}", text("level"), text("configured")));
        }
    }
    Ok(())
}
