//! `brama print-config`: what a proxy in front needs, for the configuration at hand.
//!
//! 1. [`sketch`] reads from the configuration what such a proxy has to know: hosts, where to ask,
//!    where our own places are, and under which names an identity is told.
//! 2. Each kind of proxy has a file that writes it down in that proxy's words. What is printed can
//!    be used as it is, and the tests run the real proxies with it.
//! 3. Whatever a client could say in our place is taken away by a line of what is printed. Where a
//!    proxy cannot, the text says so.

mod nginx;
mod sketch;

use std::path::PathBuf;
use std::process::ExitCode;

use self::sketch::Sketch;
use super::configuration::load;
use super::output::{complain, print};

/// Exit status for wrong usage, as clap has it.
const USAGE: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The proxy in front.
    #[arg(value_name = "PROXY")]
    proxy: Proxy,
    /// The configuration file of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = "/etc/brama/brama.toml")]
    config: PathBuf,
    /// Where the proxy finds the portal, as host and port.
    #[arg(long, value_name = "ADDRESS", default_value = "portal.internal:8080")]
    portal: String,
    /// Where the proxy finds the gateway's listener for citizens. Default: as the configuration
    /// has it.
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// Where the proxy asks. Default: as `[[companion]]` has it.
    #[arg(long, value_name = "ADDRESS")]
    ask: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Proxy {
    /// nginx, Angie, OpenResty.
    Nginx,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let wrong = |message: String| {
        complain(format_args!("brama print-config: {message}"));
        ExitCode::from(USAGE)
    };
    let settings = match load(&arguments.config) {
        (Some(settings), _) => settings,
        (None, problems) => return wrong(format!("the configuration is wrong\n{problems}")),
    };
    let front = match arguments.proxy {
        Proxy::Nginx => crate::companion::front::Front::Nginx,
    };
    let given = sketch::Given {
        portal: &arguments.portal,
        gateway: arguments.gateway.as_deref(),
        ask: arguments.ask.as_deref(),
    };
    let sketch = match Sketch::of(&settings, front, given) {
        Ok(sketch) => sketch,
        Err(error) => return wrong(error.to_string()),
    };
    for warning in sketch.warnings() {
        complain(format_args!("warning: {warning}"));
    }
    print(match arguments.proxy {
        Proxy::Nginx => nginx::text(&sketch),
    });
    ExitCode::SUCCESS
}
