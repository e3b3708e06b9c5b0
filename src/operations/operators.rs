//! Who may ask this listener for what is not for everybody: operators, each with a name, a token or a
//! client certificate, and a role.
//!
//! 1. A token is compared by its digest, in constant time, with that of every operator: how long an
//!    answer takes says neither whose token it is nor how much of it is right.
//! 2. Whoever is admitted is an [`Admin`], and only this file makes one. Its name stands in the log
//!    beside what was done.
//! 3. They can change while the program runs: a token that is taken out is refused from the next
//!    request on, and what a request sent before that was read to its end is not obeyed
//!    ([`Admin::is_known`]). A token that is not in its file any more opens nothing, although the
//!    configuration as a whole be refused ([`Operators::forget_those_without_token`]).
//! 4. A certificate counts between its dates at each request, however old the connection is.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::warn;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

use super::problem::Problem;
use crate::base::clock::{SharedClock, Time};
use crate::base::encoding::{from_base64, sha256};
use crate::base::files;
use crate::base::secret::Secret;
use crate::observe::OF_OPERATORS;

/// The name of whoever has the token of `operations.admin_token_file`.
pub const FIRST: &str = "admin";

/// What an operator may do.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look: at sessions, keys, the level of the log, the status page.
    #[default]
    Read,
    /// Change as well, and find out whose a session is.
    Write,
}

/// An operator of the configuration.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The name, for the log.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What they show; or a certificate.
    pub token: Option<Secret<Vec<u8>>>,
    /// Where the token stands.
    pub token_file: Option<PathBuf>,
    /// A name in the certificate that they show; or a token.
    pub certificate_name: Option<CertificateName>,
}

/// A name of an operator's certificate, with its kind: one of another kind is another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateName {
    /// An e-mail address (RFC 5280 4.2.1.6, `rfc822Name`).
    Email(String),
    /// A URI.
    Uri(String),
    /// A name of DNS.
    Dns(String),
}

impl CertificateName {
    /// Takes a name, whose kind shows: `:` is in a URI alone, `@` in an e-mail address. None for what
    /// is no such name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic()) && name.len() <= 1024;
        let has_parts = |mark| {
            name.split_once(mark).is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty())
        };
        let own = || name.to_owned();
        match (name.contains(':'), name.contains('@')) {
            _ if name.is_empty() || !is_plain => None,
            (true, _) => has_parts(':').then(|| Self::Uri(own())),
            (false, true) => has_parts('@').then(|| Self::Email(own())),
            (false, false) => Some(Self::Dns(own())),
        }
    }

    fn is(&self, name: &GeneralName<'_>) -> bool {
        match (self, name) {
            (Self::Email(own), GeneralName::RFC822Name(name))
            | (Self::Uri(own), GeneralName::URI(name))
            | (Self::Dns(own), GeneralName::DNSName(name)) => own == name,
            _ => false,
        }
    }
}

/// All operators of a running gateway; without any, nobody is admitted.
pub struct Operators {
    known: ArcSwap<Vec<Arc<Known>>>,
    clock: SharedClock,
}

/// An operator, as tokens are compared with it.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    name: Arc<str>,
    role: Role,
    digest: Option<[u8; 32]>,
    token_file: Option<PathBuf>,
    certificate_name: Option<CertificateName>,
}

/// An operator who showed a token or a certificate, and has the role that was asked for.
#[derive(Clone)]
pub struct Admin {
    known: Arc<Known>,
    among: Arc<Operators>,
}

impl Admin {
    /// Returns the name of the operator.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.known.name
    }

    /// Tells whether that operator is one still, with the same token, certificate and role.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.among.known.load().contains(&self.known)
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Operators {
    /// Knows these. The clock says whether a certificate counts.
    #[must_use]
    pub fn new(operators: &[Operator], clock: SharedClock) -> Arc<Self> {
        let all = Arc::new(Self { known: ArcSwap::default(), clock });
        all.replace(operators);
        all
    }

    /// Knows these from now on, and no others.
    pub fn replace(&self, operators: &[Operator]) {
        let known = operators.iter().map(|one| {
            Arc::new(Known {
                name: one.name.as_str().into(),
                role: one.role,
                digest: one.token.as_ref().map(|token| sha256(token.expose())),
                token_file: one.token_file.clone(),
                certificate_name: one.certificate_name.clone(),
            })
        });
        self.known.store(Arc::new(known.collect()));
    }

    /// Knows those no more whose token is not in its file: where a new configuration is refused, the
    /// old one stays, and a token that was taken away must not. Returns their names.
    pub fn forget_those_without_token(&self) -> Vec<Arc<str>> {
        let known = self.known.load_full();
        let (stay, go): (Vec<_>, Vec<_>) =
            known.iter().map(Arc::clone).partition(|one| one.has_token());
        if !go.is_empty() {
            self.known.store(Arc::new(stay));
        }
        go.iter().map(|one| Arc::clone(&one.name)).collect()
    }

    /// Admits whoever shows a token (RFC 6750 2.1) of an operator with this role, or the certificate
    /// of one. Where both are shown, the token says who it is.
    ///
    /// # Errors
    /// [`Problem::NobodyOperates`] when there are no operators, [`Problem::Unauthorized`] without
    /// anything that is right, [`Problem::Forbidden`] for one of too small a role, and
    /// [`Problem::NotInBrowsers`] for the token of one who may change something, as a password.
    pub fn admit(self: &Arc<Self>, shown: &Shown<'_>, needed: Role) -> Result<Admin, Problem> {
        let known = self.known.load();
        if known.is_empty() {
            return Err(Problem::NobodyOperates);
        }
        let (found, is_password) = match shown.token()? {
            Some((token, is_password)) => (by_token(&known, &token), is_password),
            None => {
                let now = self.clock.now();
                let by = |certificate| by_certificate(&known, certificate, now);
                (shown.certificate.and_then(by), false)
            }
        };
        let found = found.ok_or(Problem::Unauthorized)?;
        if found.role < needed {
            return Err(Problem::Forbidden);
        }
        // A browser keeps what is typed into it, and shows it to whatever is asked there.
        if is_password && found.role > Role::Read {
            let admin = &*found.name;
            warn!(
                target: OF_OPERATORS,
                admin,
                "operator typed a token that may change something into a browser, which is not \
                 taken: the status page is for the role read"
            );
            return Err(Problem::NotInBrowsers);
        }
        Ok(Admin { known: Arc::clone(found), among: Arc::clone(self) })
    }
}

impl fmt::Debug for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operators").field(&self.known.load()).finish()
    }
}

impl Known {
    /// Tells whether the token is in its file; so it is for whoever has none.
    fn has_token(&self) -> bool {
        let (Some(digest), Some(file)) = (self.digest, &self.token_file) else { return true };
        let read = files::read(file, MOST_OF_TOKEN).map(Secret::new);
        read.is_ok_and(|text| sha256(text.expose().trim_ascii()) == digest)
    }
}

/// What a request shows of who makes it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'s> {
    /// Its fields.
    pub headers: &'s HeaderMap,
    /// The certificate of its client, in DER, which an authority of operators issued.
    pub certificate: Option<&'s [u8]>,
    /// Whether a browser may show the token as the password of Basic (RFC 7617). The name that it
    /// sends with it is passed over.
    pub may_be_password: bool,
}

/// A token, and whether it is shown as a password.
type Token = (Secret<Vec<u8>>, bool);

impl Shown<'_> {
    /// Returns the token, when there is one, and whether it is shown as a password.
    fn token(&self) -> Result<Option<Token>, Problem> {
        let mut given = self.headers.get_all(AUTHORIZATION).iter();
        let value = match (given.next(), given.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => value.as_bytes(),
            // Two of them could be read in two ways.
            (Some(_), Some(_)) => return Err(Problem::Unauthorized),
        };
        if let Some(token) = bearer(value) {
            return Ok(Some((token, false)));
        }
        let token = self.may_be_password.then(|| password(value)).flatten();
        token.map(|token| Some((token, true))).ok_or(Problem::Unauthorized)
    }
}

/// Every token is compared, whichever is right.
fn by_token<'k>(known: &'k [Arc<Known>], token: &Secret<Vec<u8>>) -> Option<&'k Arc<Known>> {
    let digest = sha256(token.expose());
    known.iter().fold(None, |found, one| {
        let is_right =
            one.digest.is_some_and(|known| verify_slices_are_equal(&digest, &known).is_ok());
        if is_right { Some(one) } else { found }
    })
}

/// A certificate with the names of two operators is nobody's, and so is one that has ended or has not
/// begun: the connection may be older than that.
fn by_certificate<'k>(known: &'k [Arc<Known>], der: &[u8], now: Time) -> Option<&'k Arc<Known>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    if !certificate.validity().is_valid_at(ASN1Time::from_timestamp(now.as_second()).ok()?) {
        return None;
    }
    let names = certificate.subject_alternative_name().ok()??;
    let has = |wanted: &CertificateName| names.value.general_names.iter().any(|n| wanted.is(n));
    let mut found = known.iter().filter(|one| one.certificate_name.as_ref().is_some_and(has));
    match (found.next(), found.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

fn bearer(value: &[u8]) -> Option<Secret<Vec<u8>>> {
    value.strip_prefix(b"Bearer ").map(|token| Secret::new(token.to_vec()))
}

fn password(value: &[u8]) -> Option<Secret<Vec<u8>>> {
    let (scheme, rest) = value.split_at_checked(6)?;
    let text = scheme.eq_ignore_ascii_case(b"basic ").then_some(rest)?;
    let pair = Secret::new(from_base64(std::str::from_utf8(text).ok()?.trim())?);
    let colon = pair.expose().iter().position(|&byte| byte == b':')?;
    Some(Secret::new(pair.expose()[colon + 1..].to_vec()))
}

/// The most bytes of a file with a token.
const MOST_OF_TOKEN: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
