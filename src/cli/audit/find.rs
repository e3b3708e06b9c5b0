//! `brama audit find`: in files, or through the operations listener of a running gateway
//! ([`crate::operations::audit`]).

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::configured::Configured;
use crate::audit::keys::PersonKey;
use crate::audit::search::{self, Query};
use crate::base::clock::Time;
use crate::base::counted::counted;
use crate::base::foreign::escaped_json;
use crate::base::private;
use crate::base::secret::Secret;
use crate::cli::configuration::PLACE;
use crate::cli::operator::Direct;
use crate::cli::output::complain;
use crate::identity::pesel::Pesel;
use crate::observe::incident;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, or folders with files, plain or packed by gzip. Without any, those of the configuration.
    pub(super) paths: Vec<PathBuf>,
    /// The configuration of the gateway that wrote them: its files and its keys.
    #[arg(long, short, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A file with the identifier of a person (PESEL, or what the node says of somebody from another
    /// country); `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) identifier_file: Option<PathBuf>,
    /// An identifier has no place here.
    #[arg(long, alias = "pesel", hide = true, value_name = "NEVER")]
    identifier: Option<String>,
    /// A file with a key of pseudonyms, beside those of the configuration.
    #[arg(long = "person-key-file", value_name = "FILE")]
    pub(super) person_keys: Vec<PathBuf>,
    /// The public name of a session (`sid`).
    #[arg(long, value_name = "SID", allow_hyphen_values = true)]
    pub(super) session: Option<String>,
    /// The number of a request.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(super) request: Option<String>,
    /// The number on the page of a citizen, in letters of either size, with or without spaces.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub(super) number: Option<String>,
    /// The `ID` of an `AuthnRequest`.
    #[arg(long, value_name = "ID")]
    pub(super) authn_request: Option<String>,
    /// Not before that time, such as `2031-05-04T12:00:00Z`; a date such as `2031-05-04` is the
    /// begin of that day (UTC).
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,
    /// Before that time.
    #[arg(long, value_name = "TIME")]
    pub(super) to: Option<String>,
    /// Asks the running gateway of the configuration, with the token of an operator who may change
    /// something, instead of reading files.
    #[arg(long, conflicts_with_all = ["paths", "person_keys"])]
    remote: bool,
    /// Asks it as this operator of `operations.operators`.
    #[arg(long = "as", value_name = "NAME", requires = "remote")]
    pub(super) operator: Option<String>,
    #[command(flatten)]
    pub(super) direct: Direct,
}

/// Refuses arguments that have an identifier where everybody sees it.
pub(super) fn refuse_identifier(arguments: &Arguments) -> Result<(), String> {
    if is_identifier_named(arguments) {
        // It is not repeated: what is printed may be kept too.
        return Err("an identifier stands in the arguments, where every user of this machine and the \
                    history of the shell have it: give --identifier-file, and take it out of the history"
            .to_owned());
    }
    Ok(())
}

/// Tells whether a running gateway is asked; it reads its own files with its own keys.
pub(super) fn is_remote(arguments: &Arguments) -> bool {
    arguments.remote || arguments.direct.address.is_some()
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    refuse_identifier(arguments)?;
    let mut query = Query {
        sid: arguments.session.clone(),
        request: arguments.request.clone(),
        authn_request: arguments.authn_request.clone(),
        number: arguments.number.as_deref().map(number).transpose()?,
        from: arguments.from.as_deref().map(time).transpose()?,
        to: arguments.to.as_deref().map(time).transpose()?,
        persons: None,
    };
    let mut paths = arguments.paths.clone();
    let needs_keys = arguments.identifier_file.is_some() && arguments.person_keys.is_empty();
    let mut keys = Vec::new();
    if arguments.config.is_some() || paths.is_empty() || needs_keys {
        let config = arguments.config.as_deref().unwrap_or(Path::new(PLACE));
        let configured = Configured::load(config)?;
        if paths.is_empty() {
            paths = configured.files()?;
        }
        if arguments.identifier_file.is_some() {
            keys = configured.persons()?;
        }
    }
    for path in &arguments.person_keys {
        keys.push(person_key(path)?);
    }
    if let Some(path) = &arguments.identifier_file {
        let identifier = identifier(path)?;
        query = query.person(&keys, identifier.expose().trim());
    }
    let mut output = std::io::stdout().lock();
    let read = search::find(&paths, &query, |line, _| {
        // A reader who has left is no error.
        let _ = writeln!(output, "{}", escaped_json(&String::from_utf8_lossy(line)));
    });
    let read = read.map_err(|error| error.to_string())?;
    let (found, records) = (read.found, read.records);
    Ok(told(found, records, read.broken))
}

/// Says how much was read, and returns the exit status.
pub(super) fn told(found: u64, records: u64, broken: u64) -> ExitCode {
    complain(format_args!("{found} of {}", counted(records, "record")));
    if broken > 0 {
        let lines = counted(broken, "line");
        complain(format_args!("no records: {lines}, see brama audit verify"));
    }
    if found > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_identifier_named(arguments: &Arguments) -> bool {
    let files = arguments.paths.iter().chain(&arguments.identifier_file);
    let names = files.filter_map(|path| path.file_name()?.to_str());
    let Arguments { session, request, number, authn_request, from, to, .. } = arguments;
    let values = [session, request, number, authn_request, from, to];
    let mut words = names.chain(values.into_iter().filter_map(|value| value.as_deref()));
    arguments.identifier.is_some() || words.any(|word| Pesel::parse(word).is_some())
}

fn number(text: &str) -> Result<String, String> {
    let what = "has not the eight letters and digits of the number on a citizen's page: what the logs \
                call request is for --request";
    incident::parse(text).ok_or_else(|| format!("--number {what}"))
}

fn time(text: &str) -> Result<Time, String> {
    search::time(text).ok_or_else(|| {
        format!("\"{text}\" is no time: write 2031-05-04 or 2031-05-04T12:00:00Z (UTC)")
    })
}

pub(super) fn identifier(path: &Path) -> Result<Secret<String>, String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MOST).read_to_string(&mut text)
    } else {
        let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        file.take(MOST).read_to_string(&mut text)
    };
    read.map_err(|error| format!("the identifier cannot be read: {error}"))?;
    if text.trim().is_empty() {
        return Err("there is no identifier".to_owned());
    }
    Ok(Secret::new(text))
}

fn person_key(path: &Path) -> Result<PersonKey, String> {
    let failed = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let bytes = private::read(path).map_err(|error| failed(&error))?;
    let bytes = bytes.ok_or_else(|| failed(&"there is no such file"))?;
    PersonKey::new(Secret::new(bytes)).ok_or_else(|| failed(&"has fewer than 32 bytes"))
}

/// The most bytes of an identifier.
const MOST: u64 = 1024;
