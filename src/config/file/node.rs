//! `[node]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HumanDuration, HumanSize};
use crate::config::field_order::keep_order;

/// The `[node]` table: which node, and how its answers are checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Node {
    /// Which node to talk to; it sets the addresses below.
    ///
    /// Each environment has its own certificates from the operator.
    pub environment: Environment,
    /// Name that the node signs its messages with: a host name without scheme.
    ///
    /// Set by `environment`; required when that is `custom`.
    #[schemars(example = &"login.gov.pl")]
    pub issuer: Option<String>,
    /// Address that the browser posts a login to.
    ///
    /// Set by `environment`; required when that is `custom`.
    #[schemars(example = &"https://login.gov.pl/login/SingleSignOnService")]
    pub sso_url: Option<String>,
    /// Address written into the login as its destination, when it differs from `sso_url`.
    ///
    /// Some test environments expect the production address here.
    #[schemars(example = &"https://login.gov.pl/login/SingleSignOnService")]
    pub sso_destination: Option<String>,
    /// Address at which the gateway exchanges an artifact for the assertion.
    ///
    /// Set by `environment`; required when that is `custom`.
    #[schemars(example = &"https://node.example.gov.pl/resolve")]
    pub resolve_url: Option<String>,
    /// Address for a logout at the node.
    ///
    /// Set by `environment`. With `custom` and no address, logout ends only our own session.
    #[schemars(example = &"https://node.example.gov.pl/logout")]
    pub logout_url: Option<String>,
    /// PEM files with the certificates that the node signs its messages with.
    ///
    /// Required. The operator hands them over. Only these are believed: certificates inside
    /// messages are ignored. List the old and the new one while the node changes its key.
    #[schemars(example = vec!["node/signing.pem"])]
    pub certificates: Vec<PathBuf>,
    /// PEM file with further authorities to trust for TLS to the node.
    #[schemars(example = &"node/ca.pem")]
    pub extra_ca_file: Option<PathBuf>,
    /// Whether TLS to the node trusts the authorities of this computer.
    ///
    /// With `false`, only `extra_ca_file` counts.
    pub system_roots: bool,
    /// PEM file with the certificate that we show to the node for TLS.
    ///
    /// Leave it out unless the operator handed one over for this.
    #[schemars(example = &"node/client.pem")]
    pub client_certificate: Option<PathBuf>,
    /// PEM file with the private key of `client_certificate`.
    #[schemars(example = &"node/client.key")]
    pub client_key: Option<PathBuf>,
    /// PKCS #12 file with both of them, in place of the two PEM files.
    #[schemars(example = &"node/client.p12")]
    pub client_p12: Option<PathBuf>,
    /// File with the password of `client_p12`.
    #[schemars(example = &"node/client.p12.password")]
    pub client_p12_password_file: Option<PathBuf>,
    /// Time that one exchange with the node may take, from connecting to the last byte. Connecting
    /// may take half of it.
    pub timeout: HumanDuration,
    /// Exchanges with the node that may run at once.
    pub max_concurrent: usize,
    /// Exchanges that may wait for their turn. What is more is answered with 503 at once, and the
    /// citizen can try again with the same login.
    pub max_waiting: usize,
    /// Time that an exchange waits for its turn before it is answered with 503.
    pub waiting_timeout: HumanDuration,
    /// Largest answer that is read from the node.
    pub max_answer: HumanSize,
    /// What to make of a pinned certificate past its date.
    pub expired_certificate: ExpiredCertificate,
    /// Whether sign-in is closed for now, because the node is away or is being worked on.
    ///
    /// Citizens who must sign in, or more surely, see a page that says so; programs get 503.
    /// Citizens who are signed in go on, and so do logins that are under way. It takes effect
    /// without a restart.
    pub outage: bool,
    /// Time after which clients are told to come back (`Retry-After`).
    pub outage_retry_after: HumanDuration,
    /// What the page says of the outage, at most 1000 characters. Left out, we say it.
    pub outage_message: OutageMessage,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            environment: Environment::Symulator,
            issuer: None,
            sso_url: None,
            sso_destination: None,
            resolve_url: None,
            logout_url: None,
            certificates: Vec::new(),
            extra_ca_file: None,
            system_roots: true,
            client_certificate: None,
            client_key: None,
            client_p12: None,
            client_p12_password_file: None,
            timeout: HumanDuration::from_secs(10),
            max_concurrent: 64,
            max_waiting: 256,
            waiting_timeout: HumanDuration::from_secs(2),
            max_answer: HumanSize::from_kib(256),
            expired_certificate: ExpiredCertificate::Warn,
            outage: false,
            outage_retry_after: HumanDuration::from_secs(300),
            outage_message: OutageMessage::default(),
        }
    }
}

/// What is said of an outage, in the languages of the pages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct OutageMessage {
    /// Text of the page in Polish.
    #[schemars(example = &"login.gov.pl jest niedostępny do godziny 18.")]
    pub pl: Option<String>,
    /// Text of the page in English.
    #[schemars(example = &"login.gov.pl is unavailable until 6 p.m.")]
    pub en: Option<String>,
    /// Text of the page in Ukrainian.
    #[schemars(example = &"login.gov.pl недоступний до 18-ї години.")]
    pub uk: Option<String>,
}

/// Which node to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// The operator's sandbox.
    Symulator,
    /// Tests before production, for public bodies.
    Integration,
    /// Tests before production, for private entities.
    IntegrationPrivate,
    /// Real citizens, for public bodies.
    Production,
    /// Real citizens, for private entities.
    ProductionPrivate,
    /// No preset: every address is given below.
    Custom,
}

/// What to make of a pinned certificate past its date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExpiredCertificate {
    /// Say so and go on: the key is pinned, its date is the operator's affair.
    Warn,
    /// An error: the gateway does not start.
    Refuse,
}
