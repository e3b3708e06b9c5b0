//! `brama run`: serves until SIGTERM or SIGINT. See [`super::control`] for the other signals.

use std::path::PathBuf;
use std::process::ExitCode;

use tokio::sync::mpsc;
use tracing::warn;

use super::configuration::load_watched;
use super::control::{self, Signals};
use super::output::{complain, fail, serve};
use super::watched::Watched;
use crate::app::App;
use crate::base::causes::in_one_line;
use crate::base::clock::SharedClock;
use crate::base::descriptors;
use crate::base::steady_clock::SteadyClock;
use crate::observe;
use crate::server::handover::Inherited;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration file. `BRAMA__SECTION__KEY` in the environment overrides its keys.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // Before there is a thread or an open file: see there.
    let mut inherited = match Inherited::from_environment() {
        Ok(inherited) => inherited,
        Err(error) => return fail(error),
    };
    if let Err(error) = descriptors::raise() {
        complain(format_args!("brama: file descriptors stay as few as they are: {error}"));
    }
    let mut watched = Watched::new(&arguments.config);
    let mut settings = match load_watched(&mut watched) {
        (Some(settings), problems) => {
            if !problems.is_empty() {
                complain(&problems);
            }
            settings
        }
        (None, problems) => {
            complain(&problems);
            return fail("the configuration is wrong, so nothing was started");
        }
    };
    if let Err(error) = observe::start(settings.log.json, &settings.log.level) {
        return fail(error);
    }
    settings.listen.inherit(&mut inherited);
    for name in inherited.names() {
        warn!(name, "a socket was passed that the configuration has no use for");
    }
    serve(|stop| async move {
        // Before a client can connect: a signal that is not waited for yet would end the process.
        let signals = match Signals::catch() {
            Ok(signals) => signals,
            Err(error) => return fail(format_args!("signals cannot be waited for: {error}")),
        };
        let clock: SharedClock = match SteadyClock::start() {
            Ok(clock) => clock,
            Err(error) => return fail(format_args!("there is no thread for the clock: {error}")),
        };
        match Box::pin(App::bind(settings, clock)).await {
            Ok(app) => {
                let (commands, received) = mpsc::channel(4);
                let listening = tokio::spawn(control::listen(signals, watched, commands));
                app.run_with(stop, received).await;
                listening.abort();
                ExitCode::SUCCESS
            }
            Err(error) => fail(in_one_line(&error)),
        }
    })
}
