//! `brama onboarding sheet`: the data sheet of an environment, as the operator registers it.
//!
//! What stands in it is read off the configuration and the certificates, so that it is what the
//! gateway will say. What is missing is marked in it, and named on standard error.

mod html;
mod markdown;
mod model;

use std::path::PathBuf;
use std::process::ExitCode;

use self::model::Sheet;
use super::record::{self, Record};
use super::seen;
use super::stage::Stage;
use super::words::{Language, both};
use crate::base::clock::{Clock, SystemClock};
use crate::base::private;
use crate::cli::output::{complain, fail, print};
use crate::cli::tools::certs::material::{UNREADABLE, shown_path};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The environment that it is of.
    #[arg(value_enum, value_name = "ENVIRONMENT")]
    stage: Stage,
    /// The folder that `brama onboarding init` made.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// A page of HTML to print, in place of Markdown.
    #[arg(long)]
    html: bool,
    /// The language of the sheet.
    #[arg(long, value_enum, default_value = "pl")]
    lang: Language,
    /// The file that is made, in place of printing it. One that is there stays.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let sheet = match read(arguments) {
        Ok(sheet) => sheet,
        Err(why) => return fail(why),
    };
    let text = match arguments.html {
        true => html::page(&sheet, arguments.lang),
        false => markdown::page(&sheet, arguments.lang),
    };
    let missing = both("missing in the sheet", "na karcie brakuje").of(arguments.lang);
    for what in sheet.missing() {
        complain(format_args!("brama: {missing}: {what}"));
    }
    let Some(out) = &arguments.out else {
        print(text.trim_end());
        return ExitCode::SUCCESS;
    };
    let shown = shown_path(out);
    match private::write_new(out, text.as_bytes()) {
        Ok(true) => {
            print(format_args!("{shown}: the data sheet for {}", arguments.stage));
            ExitCode::SUCCESS
        }
        Ok(false) => {
            complain(format_args!("brama: {shown} is there already, and stays"));
            ExitCode::from(UNREADABLE)
        }
        Err(error) => fail(format_args!("{shown}: {error}")),
    }
}

fn read(arguments: &Arguments) -> Result<Sheet, String> {
    let Arguments { stage, dir, lang, .. } = arguments;
    let record = Record::read(dir)?;
    let password = record.password(dir)?;
    let seen = seen::look(*stage, dir, password.as_ref());
    let Some(loaded) = &seen.loaded else {
        let path = stage.configuration(dir);
        return Err(format!("{}: {}", shown_path(&path), seen.errors.join("\n")));
    };
    let today = record::today(SystemClock.now());
    Ok(model::sheet(*stage, &record, loaded, &seen, today).in_language(*lang))
}
