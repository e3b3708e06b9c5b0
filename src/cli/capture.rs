//! `brama capture`: has a running gateway keep the node's next answers, sealed to the service's
//! decryption key, and fetches them ([`crate::operations::capture`]). `brama explain` reads them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::operator::{Gateway, Operator};
use super::output::{complain, print};
use crate::base::clock::Time;
use crate::base::counted::counted;
use crate::base::{private, random};
use crate::config::file::HumanDuration;
use crate::flow::capture::{LONGEST, MOST_ANSWERS};

#[derive(Debug, clap::Args)]
#[group(id = "extent", required = true, multiple = false)]
pub(super) struct Extent {
    /// Captures the next answer, whichever login it is of, and ends. It waits for ten minutes.
    #[arg(long, group = "extent")]
    next: bool,
    /// Captures all answers for so long, such as 10m: an hour and 20 answers at the most.
    #[arg(long = "for", group = "extent", value_name = "TIME", value_parser = parse_time)]
    time: Option<HumanDuration>,
    /// Ends a capture that goes on, and has the gateway forget what nobody fetched.
    #[arg(long, group = "extent")]
    stop: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    gateway: Gateway,
    /// The folder to write the sealed answers to, a file each that nobody else may read. It is made
    /// when it is not there.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    to: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    arguments.gateway.run(async |operator| act(operator, arguments).await)
}

async fn act(operator: &Operator, arguments: &Arguments) -> Result<(), String> {
    let Extent { next, time, stop } = arguments.extent;
    if stop {
        operator.ask(Method::DELETE, "/capture", None).await?;
        complain("no answers are captured any more");
        return Ok(());
    }
    // What is fetched is there no more, so it must be sure that it can be written.
    prepare(&arguments.to)?;
    let (answers, time) = match time {
        Some(time) if !next => (MOST_ANSWERS, time.get()),
        _ => (1, NEXT),
    };
    let extent = json!({ "answers": answers, "seconds": time.as_secs() });
    let standing = operator.ask(Method::POST, "/capture", Some(extent)).await?;
    complain(format_args!(
        "captures {} of the node at most, until {}; --stop ends it",
        counted(answers as u64, "answer"),
        until(&standing)
    ));
    let mut fetched = 0;
    loop {
        let standing = operator.ask(Method::GET, "/capture", None).await?;
        let kept = standing.get("kept").and_then(Value::as_array);
        for captured in kept.into_iter().flatten() {
            if let Some(name) = captured.get("name").and_then(Value::as_str) {
                print(fetch(operator, name, &arguments.to).await?.display());
                fetched += 1;
            }
        }
        if standing.get("until").is_none_or(Value::is_null) {
            complain(format_args!("{} captured", counted(fetched, "answer")));
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Makes the folder when it is not there, and sees that files can be written to it.
fn prepare(folder: &Path) -> Result<(), String> {
    let probe = folder.join(format!(".{}", random::unique_name()));
    private::make_folder(folder)
        .and_then(|()| private::write(&probe, b""))
        .and_then(|()| fs::remove_file(&probe))
        .map_err(|error| format!("{}: {error}; nothing is captured", folder.display()))
}

/// Reads for how long answers are captured.
fn parse_time(text: &str) -> Result<HumanDuration, String> {
    let time: HumanDuration = text.parse().map_err(|error| format!("{error}"))?;
    let shortest = Duration::from_secs(1);
    if (shortest..=LONGEST).contains(&time.get()) {
        return Ok(time);
    }
    let [shortest, longest] = [shortest, LONGEST].map(HumanDuration::from);
    Err(format!("at least {shortest}, at most {longest}"))
}

/// Returns until when it goes on, as the gateway says.
fn until(standing: &Value) -> String {
    let until = standing.get("until").and_then(Value::as_str).unwrap_or("-");
    until.parse().map_or_else(
        |_| until.to_owned(),
        |until: Time| until.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_made_for_its_owner_and_one_that_takes_nothing_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/captures");
        for _ in 0..2 {
            prepare(&folder).unwrap();
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!((mode & 0o777, fs::read_dir(&folder).unwrap().count()), (0o700, 0));
        }
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        for folder in [&file, &file.join("captures"), Path::new("/proc/captures")] {
            let said = prepare(folder).unwrap_err();
            assert!(said.contains("nothing is captured"), "{said}");
        }
    }

    #[test]
    fn how_long_is_said_in_the_words_of_whoever_asks() {
        for (text, expected) in [
            ("1s", Ok(1)),
            ("10m", Ok(600)),
            ("1h", Ok(3600)),
            ("2h", Err("at least 1s, at most 1h")),
            ("61m", Err("at least 1s, at most 1h")),
            ("0s", Err("at least 1s, at most 1h")),
            ("500ms", Err("at least 1s, at most 1h")),
        ] {
            let read = parse_time(text).map(|time| time.get().as_secs());
            assert_eq!(read, expected.map_err(str::to_owned), "{text}");
        }
        assert!(parse_time("600").is_err());
        let standing = json!({ "until": "2031-03-04T14:05:19.272626176Z" });
        assert_eq!(until(&standing), "2031-03-04 14:05:19 UTC");
        assert_eq!(until(&json!({ "until": null })), "-");
    }
}
