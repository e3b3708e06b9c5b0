//! What the simulator is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use url::Url;

use super::front::{Schedule, TlsFault};
use super::kit::Names;
use crate::config::presets::SIMULATOR_ISSUER;
use crate::xml::keys::Certificate;

/// Where the simulator listens, which node it plays, and which service providers it knows.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The plain HTTP listener for browsers.
    pub pages: SocketAddr,
    /// The listener for `ArtifactResolve` and `LogoutRequest`.
    pub soap: SocketAddr,
    /// Whether the SOAP listener asks for a client certificate, or speaks TLS at all.
    pub mutual_tls: MutualTls,
    /// The `Issuer` of its messages: a bare host name, as the node's own issuer is.
    pub node_issuer: String,
    /// The entity identifier that the kit's certificates of a service provider are made for.
    pub service_issuer: String,
    /// Where keys and certificates are kept; without one they live in memory only.
    pub directory: Option<PathBuf>,
    /// The service providers that it knows from the start.
    pub services: Vec<Service>,
    /// How browsers reach the pages, when that differs from the address listened on.
    pub public_pages_origin: Option<String>,
    /// How service providers reach the SOAP listener, when that differs.
    pub public_soap_origin: Option<String>,
    /// Allows addresses that others can reach. Guards against use in production.
    pub allow_remote: bool,
    /// Shows what it has seen, and takes orders over HTTP: from whoever is on this machine.
    pub is_watched: bool,
    /// A file of persons, beside or instead of those that come with it.
    pub persons: Option<PathBuf>,
    /// A file of service providers, beside [`Self::services`].
    pub services_file: Option<PathBuf>,
    /// A folder to which each login is recorded.
    pub record: Option<PathBuf>,
    /// A folder whose recorded logins are played back, in order.
    pub replay: Option<PathBuf>,
    /// What is wrong with TLS of the SOAP listener from the start.
    pub tls_fault: Option<TlsFault>,
    /// When the endpoint for artifacts is well and when not, from the start.
    pub schedule: Option<Schedule>,
}

impl Default for Settings {
    fn default() -> Self {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            pages: any_port,
            soap: any_port,
            mutual_tls: MutualTls::Required,
            node_issuer: SIMULATOR_ISSUER.to_owned(),
            service_issuer: "portal.brama.localhost".to_owned(),
            directory: None,
            services: Vec::new(),
            public_pages_origin: None,
            public_soap_origin: None,
            allow_remote: false,
            is_watched: true,
            persons: None,
            services_file: None,
            record: None,
            replay: None,
            tls_fault: None,
            schedule: None,
        }
    }
}

impl Settings {
    /// Returns the hosts, beside those of this machine, that the certificate of the SOAP listener is
    /// for.
    #[must_use]
    pub fn soap_hosts(&self) -> Vec<String> {
        let origin = self.public_soap_origin.as_deref();
        let host = origin.and_then(|origin| Some(Url::parse(origin).ok()?.host_str()?.to_owned()));
        host.into_iter().collect()
    }

    /// Returns the names that keys and certificates are made for; `hosts` are [`Self::soap_hosts`].
    #[must_use]
    pub fn names<'n>(&'n self, hosts: &'n [String]) -> Names<'n> {
        Names { node: &self.node_issuer, service: &self.service_issuer, hosts }
    }
}

/// What the SOAP listener asks of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MutualTls {
    /// TLS, with a certificate of the kit's authority.
    Required,
    /// TLS; a certificate that is shown must be of the kit's authority.
    Optional,
    /// Plain HTTP, without certificates.
    Off,
}

/// A service provider, as the operator would have registered it.
#[derive(Debug, Clone)]
pub struct Service {
    /// The entity identifier of the service provider.
    pub issuer: String,
    /// The addresses of its assertion consumer services.
    pub acs: Vec<String>,
    /// The text that `ProviderName` must be, when it was agreed on.
    pub provider_name: Option<String>,
    /// The certificates that its signatures are checked with.
    pub signing: Vec<Certificate>,
    /// The certificate that assertions are encrypted to.
    pub encryption: Certificate,
}
