//! `brama audit find --remote`: asks part after part.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use http::Method;
use serde_json::{Map, Value};

use super::find::{Arguments, identifier, refuse_identifier, told};
use crate::base::counted::counted;
use crate::base::foreign::escaped_json;
use crate::cli::configuration::PLACE;
use crate::cli::operator::{Gateway, Operator};
use crate::cli::output::complain;

/// How much was read, in all parts.
#[derive(Default)]
struct Sum {
    found: u64,
    read: u64,
    broken: u64,
    unreadable: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    refuse_identifier(arguments)?;
    if !arguments.paths.is_empty() || !arguments.person_keys.is_empty() {
        return Err(
            "a running gateway reads its own files with its own keys: give --address alone, or \
                    files and keys without it"
                .to_owned(),
        );
    }
    let wanted = wanted(arguments)?;
    let config = arguments.config.clone();
    let gateway = Gateway {
        config: config.unwrap_or_else(|| PathBuf::from(PLACE)),
        operator: arguments.operator.clone(),
        direct: arguments.direct.clone(),
    };
    let mut sum = None;
    gateway.run(async |operator| {
        sum = Some(ask(operator, wanted).await?);
        Ok(())
    });
    let Some(sum) = sum else { return Ok(ExitCode::from(UNREADABLE)) };
    if sum.unreadable > 0 {
        let files = counted(sum.unreadable, "file");
        complain(format_args!("not read to the end: {files}, see the log of the gateway"));
    }
    Ok(told(sum.found, sum.read, sum.broken))
}

/// Returns what is sent.
fn wanted(arguments: &Arguments) -> Result<Map<String, Value>, String> {
    let Arguments { session, request, number, authn_request, from, to, .. } = arguments;
    let mut wanted = Map::new();
    for (name, value) in [
        ("sid", session),
        ("request", request),
        ("number", number),
        ("authn_request", authn_request),
        ("from", from),
        ("to", to),
    ] {
        if let Some(value) = value {
            wanted.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    if let Some(path) = &arguments.identifier_file {
        let identifier = identifier(path)?;
        wanted.insert("identifier".to_owned(), Value::from(identifier.expose().trim()));
    }
    wanted.insert("limit".to_owned(), MOST.into());
    Ok(wanted)
}

async fn ask(operator: &Operator, mut wanted: Map<String, Value>) -> Result<Sum, String> {
    let (mut sum, mut output) = (Sum::default(), std::io::stdout().lock());
    loop {
        let asked = Some(Value::Object(wanted.clone()));
        let part = operator.ask(Method::POST, "/audit/find", asked).await?;
        let count = |name: &str| part.get(name).and_then(Value::as_u64).unwrap_or_default();
        sum.read += count("read");
        sum.broken += count("broken");
        sum.unreadable += count("unreadable");
        for record in part.get("records").and_then(Value::as_array).into_iter().flatten() {
            sum.found += 1;
            // A reader who has left is no error.
            let _ = writeln!(output, "{}", escaped_json(&record.to_string()));
        }
        match part.get("next").filter(|next| next.is_string()) {
            Some(next) => wanted.insert("after".to_owned(), next.clone()),
            None => return Ok(sum),
        };
    }
}

/// The exit status when nothing could be asked; why is told by then.
const UNREADABLE: u8 = 2;
/// How many records are asked for at once.
const MOST: u32 = 1000;
