//! `brama simulator`: stands in for the national node, for as long as one wants, or for as long as it
//! takes to examine a service provider.

mod examine;
mod more;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use self::more::More;
use crate::base::clock::{Clock, SharedClock, SystemClock};
use crate::base::handed;
use crate::cli::output::{fail, print, serve};
use crate::observe;
use crate::simulator::kit::Kit;
use crate::simulator::{self, MutualTls, Service, Simulator};
use crate::xml::keys::Certificate;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Where browsers are served, in plain HTTP.
    #[arg(long, default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    pages: SocketAddr,
    /// Where artifacts are resolved and sessions ended.
    #[arg(long, default_value = "127.0.0.1:8082", value_name = "ADDRESS")]
    soap: SocketAddr,
    /// How browsers reach the pages, when that is another address, such as that of a container.
    #[arg(long, value_name = "URL")]
    public_pages: Option<String>,
    /// How the gateway reaches the SOAP listener, when that is another address. The certificate is
    /// made for its host.
    #[arg(long, value_name = "URL")]
    public_soap: Option<String>,
    /// What the SOAP listener asks of a client.
    #[arg(long, value_enum, default_value = "required", value_name = "DEMAND")]
    mutual_tls: AuthnRequirement,
    /// The simulated node's identifier.
    #[arg(long, default_value = "symulator.brama.localhost", value_name = "ID")]
    node_issuer: String,
    /// The identifier of a service provider to know.
    #[arg(long, default_value = "portal.brama.localhost", value_name = "ID")]
    service_issuer: String,
    /// An address of its assertion consumer service. May be repeated.
    #[arg(long, default_value = "http://localhost:8080/.brama/acs", value_name = "URL")]
    acs: Vec<String>,
    /// The ProviderName that it must send; without it, any is taken.
    #[arg(long, value_name = "NAME")]
    provider_name: Option<String>,
    /// The certificate of its signatures, instead of one of the simulator's own. May be repeated.
    #[arg(long, value_name = "FILE")]
    service_certificate: Vec<PathBuf>,
    /// The certificate that assertions are encrypted to, instead of one of the simulator's own.
    #[arg(long, value_name = "FILE")]
    encryption_certificate: Option<PathBuf>,
    /// Keeps keys and certificates in a folder, the service provider's among them.
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// Makes the keys and certificates in the folder, and does not listen.
    #[arg(long, requires = "directory")]
    keys_only: bool,
    #[command(flatten)]
    more: More,
    /// Listens on addresses that others can reach. The simulator signs in whoever asks.
    #[arg(long)]
    allow_remote: bool,
    #[command(flatten)]
    examination: examine::Arguments,
    /// What to log: by default "info", and "error" while a service is examined.
    #[arg(long, value_name = "LEVEL", value_parser = observe::Level::new)]
    log: Option<observe::Level>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum AuthnRequirement {
    /// TLS, and a client certificate of the simulator's authority.
    Required,
    /// TLS; a client certificate is checked when it is shown.
    Optional,
    /// Plain HTTP.
    Off,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let subject = match arguments.examination.subject() {
        Ok(subject) => subject,
        Err(wrong) => return examine::cannot(wrong),
    };
    let usual = if subject.is_some() { "error" } else { "info" };
    let usual = observe::Level::new(usual).expect("a level");
    if let Err(error) = observe::start(false, arguments.log.as_ref().unwrap_or(&usual)) {
        return fail(error);
    }
    if arguments.keys_only {
        return match make_keys(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(error),
        };
    }
    serve(async |stop| match (start(arguments), subject) {
        (Ok(simulator), Some(subject)) => {
            examine::run(simulator, subject, &arguments.examination, stop).await
        }
        (Ok(simulator), None) => {
            introduce(&simulator, arguments);
            match simulator.run(stop).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(error),
            }
        }
        (Err(error), Some(_)) => examine::cannot(error),
        (Err(error), None) => fail(error),
    })
}

fn make_keys(arguments: &Arguments) -> Result<(), simulator::Error> {
    let Some(directory) = &arguments.directory else { return Ok(()) };
    let settings = settings(arguments);
    Kit::load_or_make(directory, settings.names(&settings.soap_hosts()), SystemClock.now())?;
    print(format_args!("Keys and certificates are in {}", directory.display()));
    Ok(())
}

fn settings(arguments: &Arguments) -> simulator::Settings {
    let settings = simulator::Settings {
        pages: arguments.pages,
        soap: arguments.soap,
        mutual_tls: match arguments.mutual_tls {
            AuthnRequirement::Required => MutualTls::Required,
            AuthnRequirement::Optional => MutualTls::Optional,
            AuthnRequirement::Off => MutualTls::Off,
        },
        node_issuer: arguments.node_issuer.clone(),
        service_issuer: arguments.service_issuer.clone(),
        directory: arguments.directory.clone(),
        public_pages_origin: arguments.public_pages.clone(),
        public_soap_origin: arguments.public_soap.clone(),
        allow_remote: arguments.allow_remote,
        ..simulator::Settings::default()
    };
    arguments.more.add_to(settings)
}

fn start(arguments: &Arguments) -> Result<Simulator, String> {
    let settings = settings(arguments);
    let clock: SharedClock = Arc::new(SystemClock);
    let simulator = Simulator::bind(settings, clock).map_err(|error| error.to_string())?;
    if !arguments.more.has_services() {
        let service = service(&simulator, arguments)?;
        simulator.control().register(service).map_err(|error| error.to_string())?;
    }
    Ok(simulator)
}

/// The service provider, with the kit's certificates unless others are given.
fn service(simulator: &Simulator, arguments: &Arguments) -> Result<Service, String> {
    let mut service = simulator.kit().service(
        &arguments.service_issuer,
        arguments.acs.clone(),
        arguments.provider_name.clone(),
    );
    if !arguments.service_certificate.is_empty() {
        service.signing = arguments
            .service_certificate
            .iter()
            .map(|path| certificate(path))
            .collect::<Result<_, _>>()?;
    }
    if let Some(path) = &arguments.encryption_certificate {
        service.encryption = certificate(path)?;
    }
    Ok(service)
}

fn certificate(path: &Path) -> Result<Certificate, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = handed::read_all(path).map_err(|error| named(&error))?;
    Certificate::parse(&bytes).map_err(|error| named(&error))
}

fn introduce(simulator: &Simulator, arguments: &Arguments) {
    print(format_args!(
        "\
Simulator of the national node. Not for production: it signs in whoever asks.

  node.issuer       {}
  node.sso_url      {}
  node.resolve_url  {}
  node.logout_url   {}
  Pages             {}/
  Last logins       {}/logins
  Control           {}",
        simulator.node_issuer(),
        simulator.sso_url(),
        simulator.resolve_url(),
        simulator.logout_url(),
        simulator.pages_origin(),
        simulator.pages_origin(),
        simulator.control_url(),
    ));
    if let Some(directory) = &arguments.directory {
        print(format_args!("  Certificates      {}", directory.display()));
    }
}
