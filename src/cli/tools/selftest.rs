//! `brama selftest`: goes through the acceptance of a sign-in with a configuration, and reports.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::reports::{self, Files};
use crate::base::causes::in_one_line;
use crate::base::foreign::Foreign;
use crate::cli::output::{complain, environment};
use crate::config;
use crate::observe;
use crate::pages::Language;
use crate::report::Report;
use crate::selftest::{self, Wish};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// The configuration that is examined. Nothing of a gateway that runs with it is touched.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
    /// Writes the report as an HTML page, to read, to print and to attach to a readiness report.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the report as JUnit writes it, for build servers.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The language of the reports.
    #[arg(long, value_enum, default_value = "pl")]
    lang: Lang,
    /// Tries only the cases of a group, or those whose names begin like this. It can be given again.
    #[arg(long, value_name = "GROUP")]
    only: Vec<String>,
    /// Asks the real portals, and not small servers that stand in for them and write down what they
    /// are told.
    #[arg(long)]
    with_portal: bool,
    /// The certificate of the decryption key that the operator has. Without it, one that is in the
    /// PKCS #12 file or beside the key is taken.
    #[arg(long, value_name = "FILE")]
    encryption_certificate: Option<PathBuf>,
    /// What the examined gateway logs, to standard error.
    #[arg(long, value_name = "LEVEL", value_parser = observe::Level::new)]
    log: Option<observe::Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Lang {
    /// Polish.
    Pl,
    /// English.
    En,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match examine(arguments) {
        Ok(report) if report.tally().is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(FAILED),
        Err(error) => {
            complain(format_args!("brama: {error}"));
            ExitCode::from(NOT_BEGUN)
        }
    }
}

fn examine(arguments: &Arguments) -> Result<Report, String> {
    if let Some(level) = &arguments.log {
        observe::start(false, level).map_err(|error| error.to_string())?;
    }
    let groups = selftest::group_names();
    let is_known = |only: &&String| {
        let group = only.split('.').next().unwrap_or_default();
        groups.contains(&group)
    };
    if let Some(unknown) = arguments.only.iter().find(|only| !is_known(only)) {
        let (unknown, groups) = (Foreign::new(unknown), groups.join(", "));
        return Err(format!("there is no group \"{unknown}\"; there are {groups}"));
    }
    let loaded = config::load(&arguments.config, environment())
        .map_err(|problems| format!("the configuration cannot be read:\n{problems}"))?;
    let name = with_folder(&arguments.config);
    let wish = Wish {
        encryption_certificate: arguments.encryption_certificate.as_deref(),
        with_portal: arguments.with_portal,
        only: &arguments.only,
        name: &name,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("runtime cannot start: {error}"))?;
    let report =
        runtime.block_on(selftest::examine(loaded, &wish)).map_err(|error| in_one_line(&error))?;
    runtime.shutdown_background();
    // Which cases there are depends on the configuration.
    let has_cases = |only: &&String| {
        groups.contains(&only.as_str())
            || report.cases.iter().any(|case| case.id.starts_with(only.as_str()))
    };
    if let Some(unknown) = arguments.only.iter().find(|only| !has_cases(only)) {
        let unknown = Foreign::new(unknown);
        return Err(format!("there is no case \"{unknown}\" for this configuration"));
    }
    write(arguments, &report)?;
    Ok(report)
}

/// Returns the name of a file behind that of its folder, which often tells one from another.
fn with_folder(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().and_then(Path::file_name);
    let names = folder.into_iter().chain(path.file_name());
    names.collect::<PathBuf>().display().to_string()
}

fn write(arguments: &Arguments, report: &Report) -> Result<(), String> {
    let language = match arguments.lang {
        Lang::Pl => Language::Polish,
        Lang::En => Language::English,
    };
    let files = Files {
        html: arguments.html.as_deref(),
        json: arguments.json.as_deref(),
        junit: arguments.junit.as_deref(),
    };
    reports::write(report, language, files)
}

/// The exit status when something did not pass.
const FAILED: u8 = 1;
/// The exit status when nothing was tried, or a report cannot be written.
const NOT_BEGUN: u8 = 2;
