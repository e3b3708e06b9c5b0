//! `brama simulator --examine`: a service provider, driven and judged.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::base::causes::in_one_line;
use crate::base::clock::SystemClock;
use crate::base::handed;
use crate::cli::output::complain;
use crate::cli::tools::reports::{self, Files};
use crate::pages::Language;
use crate::report;
use crate::server::listener::{Shutdown, shutdown};
use crate::server::tls;
use crate::simulator::Simulator;
use crate::simulator::examine::{
    CASES, Examined, Group, Logout, Profile, SignedIn, Subject, examine,
};

#[derive(Debug, clap::Args)]
#[group(id = "examination")]
#[command(next_help_heading = "Examining a service provider")]
pub(super) struct Arguments {
    /// Examines the service provider that begins a login at this address, and ends: signs in as a
    /// browser, answers with every quirk and every attack, and judges. Exit status 0 when all cases
    /// passed, 1 when one failed, 2 when not even a plain login is taken.
    #[arg(long, value_name = "URL")]
    examine: Option<Url>,
    /// A page that tells who is signed in from who is not. By default the address where the login
    /// begins.
    #[arg(long, value_name = "URL", requires = "examine")]
    page: Option<Url>,
    /// What stands in that page when somebody is signed in, and not otherwise. May be a part of its
    /// HTML.
    #[arg(long, value_name = "TEXT", requires = "examine")]
    signed_in_text: Option<String>,
    /// The status of that page when somebody is signed in.
    #[arg(long, value_name = "STATUS", requires = "examine")]
    signed_in_status: Option<u16>,
    /// A cookie that the browser has when somebody is signed in.
    #[arg(long, value_name = "NAME", requires = "examine")]
    signed_in_cookie: Option<String>,
    /// Where one signs out. Without it, that is not examined.
    #[arg(long, value_name = "URL", requires = "examine")]
    logout: Option<Url>,
    /// How one signs out: by opening the address, or by a form of the page.
    #[arg(long, value_enum, default_value = "get", value_name = "METHOD")]
    logout_method: Method,
    /// Which cases are tried: what the node does (node), or every attack as well (strict).
    #[arg(long, value_enum, default_value = "strict", value_name = "PROFILE")]
    profile: ProfileName,
    /// Tries only the case or group of this name, and a plain login. May be repeated.
    #[arg(long, value_name = "NAME", requires = "examine")]
    only: Vec<String>,
    /// Does not try the case or group of this name. May be repeated.
    #[arg(long, value_name = "NAME", requires = "examine")]
    skip: Vec<String>,
    /// A case that is known to fail: it is told, and does not count. May be repeated.
    #[arg(long, value_name = "CASE", requires = "examine")]
    known: Vec<String>,
    /// Seconds within which the service has to answer.
    #[arg(long, default_value = "30", value_name = "SECONDS")]
    within: u64,
    /// Milliseconds to wait before each case.
    #[arg(long, default_value = "0", value_name = "MILLISECONDS")]
    pause: u64,
    /// An authority (PEM) that the service's own TLS certificate is of, in place of those that the
    /// system trusts.
    #[arg(long, value_name = "FILE", requires = "examine")]
    service_ca: Option<PathBuf>,
    /// Writes the report as a page of HTML.
    #[arg(long, value_name = "FILE", requires = "examine")]
    html: Option<PathBuf>,
    /// Writes the report as JSON.
    #[arg(long, value_name = "FILE", requires = "examine")]
    json: Option<PathBuf>,
    /// Writes the report as JUnit XML, which CI reads.
    #[arg(long, value_name = "FILE", requires = "examine")]
    junit: Option<PathBuf>,
    /// The language of the reports.
    #[arg(long, value_enum, default_value = "en", value_name = "LANGUAGE")]
    lang: Lang,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Method {
    /// The address is opened.
    Get,
    /// The form of the page that leads there is sent.
    Post,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ProfileName {
    /// What the node does, or may do.
    Node,
    /// All of it, and every attack.
    Strict,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Lang {
    /// Polish.
    Pl,
    /// English.
    En,
}

impl Arguments {
    /// Returns what is to be examined, if something is.
    pub(super) fn subject(&self) -> Result<Option<Subject>, String> {
        let Some(login) = &self.examine else { return Ok(None) };
        let signed_in = SignedIn {
            text: self.signed_in_text.clone(),
            status: self.signed_in_status,
            cookie: self.signed_in_cookie.clone(),
        };
        if signed_in.text.is_none() && signed_in.status.is_none() && signed_in.cookie.is_none() {
            return Err("say what tells that somebody is signed in: --signed-in-text, \
                        --signed-in-status or --signed-in-cookie"
                .to_owned());
        }
        let is_group = |name: &str| Group::ALL.iter().any(|group| group.name() == name);
        let is_case = |name: &str| CASES.iter().any(|case| case.name() == name);
        let is_wrong = |name: &&String| !is_case(name) && !is_group(name);
        if let Some(name) = self.only.iter().chain(&self.skip).find(is_wrong) {
            return Err(format!("there is no case and no group \"{name}\""));
        }
        if let Some(name) = self.known.iter().find(|name| !is_case(name)) {
            return Err(format!("there is no case \"{name}\""));
        }
        let by_post = matches!(self.logout_method, Method::Post);
        Ok(Some(Subject {
            login: login.clone(),
            page: self.page.clone().unwrap_or_else(|| login.clone()),
            signed_in,
            logout: self.logout.clone().map(|url| Logout { url, by_post }),
            patience: Duration::from_secs(self.within),
            pause: Duration::from_millis(self.pause),
            profile: match self.profile {
                ProfileName::Node => Profile::Node,
                ProfileName::Strict => Profile::Strict,
            },
            only: self.only.clone(),
            skip: self.skip.clone(),
            known: self.known.clone(),
            tls: (login.scheme() == "https").then(|| self.trust()).transpose()?,
        }))
    }

    /// The settings of a browser that trusts one authority, or those of the system.
    fn trust(&self) -> Result<Arc<rustls::ClientConfig>, String> {
        let mut roots = rustls::RootCertStore::empty();
        match &self.service_ca {
            Some(path) => {
                let named = |told: String| format!("{}: {told}", path.display());
                let bytes = handed::read_all(path).map_err(|error| named(error.to_string()))?;
                let chain = tls::read_chain(&bytes).and_then(|chain| tls::root_store(&chain));
                roots = chain.map_err(|error| named(in_one_line(&error)))?;
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        let client = tls::client(roots, None).map_err(|error| in_one_line(&error))?;
        Ok(Arc::new(client))
    }

    fn language(&self) -> Language {
        match self.lang {
            Lang::Pl => Language::Polish,
            Lang::En => Language::English,
        }
    }
}

/// Runs the simulator until the examination ends, or the process is told to stop.
pub(super) async fn run(
    simulator: Simulator,
    subject: Subject,
    arguments: &Arguments,
    mut told_to_stop: Shutdown,
) -> ExitCode {
    let control = simulator.control();
    let (stopper, stopped) = shutdown();
    let served = tokio::spawn(simulator.run(stopped));
    let mut number = 0;
    let total = subject.cases().count();
    let tell = |case: &report::Case| {
        number += 1;
        let (outcome, took) = (case.outcome.name(), case.took.as_secs_f64());
        complain(format_args!("{number:>3}/{total} {:<32} {outcome} ({took:.1} s)", case.id));
    };
    let examined = tokio::select! {
        examined = examine(&control, &subject, Arc::new(SystemClock), tell) => Some(examined),
        () = told_to_stop.wait() => None,
    };
    drop(stopper);
    served.abort();
    match examined {
        Some(examined) => conclude(&examined, arguments),
        None => cannot("told to stop before the end"),
    }
}

/// Writes the reports, prints the summary, and says how it went.
fn conclude(examined: &Examined, arguments: &Arguments) -> ExitCode {
    let (report, language) = (&examined.report, arguments.language());
    let files = Files {
        html: arguments.html.as_deref(),
        json: arguments.json.as_deref(),
        junit: arguments.junit.as_deref(),
    };
    if let Err(error) = reports::write(report, language, files) {
        return cannot(error);
    }
    if !examined.was_possible {
        ExitCode::from(2)
    } else if report.tally().is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Says why nothing was examined.
pub(super) fn cannot(why: impl std::fmt::Display) -> ExitCode {
    complain(format_args!("brama: {why}"));
    ExitCode::from(2)
}
