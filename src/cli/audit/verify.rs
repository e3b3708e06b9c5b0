//! `brama audit verify`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::configured::Configured;
use crate::app::state::AUDIT_HEAD;
use crate::audit::chain::Checkpoint;
use crate::audit::head;
use crate::audit::keys::PublicKey;
use crate::audit::verify::{Expected, Head, Report, verify};
use crate::base::counted::counted;
use crate::cli::configuration::PLACE;
use crate::cli::output::print;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, or folders with files, in any order, plain or packed by gzip. Without any, those of the
    /// configuration.
    paths: Vec<PathBuf>,
    /// The configuration of the gateway that wrote them: its files, its keys, and how far its chain
    /// had come by its state folder.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A public key that may have signed, as `brama audit public-keys` prints it. Without any, those
    /// are believed that the records name.
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// A checkpoint that was kept elsewhere, as this command prints it: the chain must have come there
    /// in just this way.
    #[arg(long = "expect-checkpoint", value_name = "CHAIN:NUMBER:DIGEST")]
    checkpoints: Vec<String>,
    /// Takes it as wrong when the first records of a chain are not there.
    #[arg(long)]
    from_the_start: bool,
    /// Prints one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let mut expected =
        Expected { is_from_the_start: arguments.from_the_start, ..Expected::default() };
    for key in &arguments.keys {
        let key = PublicKey::parse(key).ok_or_else(|| format!("\"{key}\" is no public key"))?;
        expected.keys.push(key);
    }
    for text in &arguments.checkpoints {
        let found = Checkpoint::parse(text);
        expected.checkpoints.push(found.ok_or_else(|| format!("\"{text}\" is no checkpoint"))?);
    }
    let mut paths = arguments.paths.clone();
    let is_configured = arguments.config.is_some() || paths.is_empty();
    if is_configured {
        let config = arguments.config.as_deref().unwrap_or(Path::new(PLACE));
        let configured = Configured::load(config)?;
        expected.keys.extend(configured.keys()?.public());
        let path = configured.folder.join(AUDIT_HEAD);
        let noted = head::read(&path).map_err(|error| error.to_string())?;
        expected.head = noted.map_or(Head::Missing(path), |noted| Head::At(noted.checkpoint));
        if paths.is_empty() {
            paths = configured.files()?;
        }
    }
    let report = verify(&paths, &expected).map_err(|error| error.to_string())?;
    if arguments.json {
        print(serde_json::to_string(&report).unwrap_or_default());
    } else {
        tell(&report);
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(report: &Report) {
    let place = |file: &Path, line: u64| match (file.as_os_str().is_empty(), line) {
        (true, _) => String::new(),
        (false, 0) => format!("{}: ", file.display()),
        (false, line) => format!("{}:{line}: ", file.display()),
    };
    for note in &report.notes {
        print(format_args!("note: {}{}", place(&note.file, note.line), note.what));
    }
    if report.more_notes > 0 {
        print(format_args!("note: {} more", report.more_notes));
    }
    for found in &report.findings {
        let fault = serde_json::to_value(found.fault).unwrap_or_default();
        let fault = fault.as_str().unwrap_or_default().to_owned();
        print(format_args!("WRONG ({fault}): {}{}", place(&found.file, found.line), found.what));
    }
    if report.more_findings > 0 {
        print(format_args!("WRONG: {} more", report.more_findings));
    }
    for seen in &report.chains {
        let believed = match (seen.is_pinned, seen.keys.is_empty()) {
            (_, true) => "no signature holds",
            (true, false) => "signed with a known key",
            (false, false) => "signed with a key that only the records themselves name: give --key",
        };
        print(format_args!(
            "chain {}: records {} to {}, signed up to {}; {believed}",
            seen.chain, seen.first, seen.last, seen.signed
        ));
        if let Some(checkpoint) = &seen.checkpoint {
            print(format_args!("checkpoint {checkpoint}"));
        }
    }
    if !report.is_whole() && !report.chains.is_empty() {
        print("no checkpoint: what is wrong is not to be kept as if it were right");
    }
    let (records, files) = (report.records, report.files.len() as u64);
    let (records, files) = (counted(records, "record"), counted(files, "file"));
    let found = if report.is_whole() { "nothing is wrong" } else { "not as it was written" };
    print(format_args!("{records} in {files}: {found}"));
}
