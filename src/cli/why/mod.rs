//! `brama why`: why a login ended as it did, in plain words, by the number on the citizen's page.
//!
//! It asks a running gateway for what it keeps of the login ([`crate::operations::why`]) and says
//! with it what the page of reason codes advises.

mod advice;
#[cfg(test)]
mod tests;
mod told;
mod words;

use std::process::ExitCode;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use self::words::Language;
use super::operator::{Gateway, Operator};
use super::output::print;
use crate::flow::history::History;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The number on the citizen's page. Or the number of a request in the logs, the `sid` of a
    /// session, or the ID of an `AuthnRequest`.
    #[arg(allow_hyphen_values = true)]
    number: String,
    #[command(flatten)]
    gateway: Gateway,
    /// The language of the answer.
    #[arg(long, value_enum, default_value_t = Language::English)]
    lang: Language,
    /// Prints what the gateway keeps, as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    arguments.gateway.run(async |operator| ask(operator, arguments).await)
}

async fn ask(operator: &Operator, arguments: &Arguments) -> Result<(), String> {
    let number = utf8_percent_encode(arguments.number.trim(), NON_ALPHANUMERIC);
    let answer = operator.ask(Method::GET, &format!("/why/{number}"), None).await?;
    let history = answer.get("history").cloned().unwrap_or_default();
    if arguments.json {
        print(history);
        return Ok(());
    }
    print(read(history)?.in_words(arguments.lang));
    Ok(())
}

fn read(history: Value) -> Result<Told, String> {
    serde_json::from_value(history)
        .map(Told)
        .map_err(|error| format!("the gateway tells it in another form: {error}; is it newer?"))
}

/// A history that can be told in words.
struct Told(History);
