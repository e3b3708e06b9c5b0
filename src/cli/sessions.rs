//! `brama sessions`: lists, shows and ends sessions of a running gateway, through its operations
//! listener ([`crate::operations::sessions`]).
//!
//! A person is named by an identifier read from standard input, never from an argument: arguments
//! are seen by every user of a machine and stay in histories.

use std::io::Read;
use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::operator::{self, Operator};
use super::output::{complain, print};

pub(super) type Arguments = operator::Arguments<Act>;

/// What is asked for.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Act {
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
    arguments.run(act)
}

async fn act(operator: &Operator, act: &Act) -> Result<(), String> {
    match act {
        Act::List { owner, limit } => return list(operator, owner.as_deref(), *limit).await,
        Act::Show { key } => print(ask(operator, Method::GET, &format!("/{key}"), None).await?),
        Act::End { key } => print(ask(operator, Method::DELETE, &format!("/{key}"), None).await?),
        Act::EndPerson { kind } => {
            let mut identifier = String::new();
            let mut input = std::io::stdin().take(1024);
            input.read_to_string(&mut identifier).map_err(|error| error.to_string())?;
            let person = json!({ "kind": kind, "identifier": identifier.trim() });
            let found = ask(operator, Method::POST, "/owner", Some(person)).await?;
            let owner = found.get("owner").cloned().unwrap_or_default();
            let all = json!({ "owner": owner });
            print(ask(operator, Method::POST, "/end", Some(all)).await?);
        }
        Act::EndAll { .. } => {
            print(ask(operator, Method::POST, "/end", Some(json!({ "all": true }))).await?);
        }
    }
    Ok(())
}

async fn list(operator: &Operator, owner: Option<&str>, limit: usize) -> Result<(), String> {
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
        let page = ask(operator, Method::GET, &query.finish(), None).await?;
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

async fn ask(
    operator: &Operator,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, String> {
    operator.ask(method, &format!("/sessions{path}"), body).await
}
