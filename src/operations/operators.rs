//! Who may ask this listener for what is not for everybody: operators, each with a name, a token or a
//! client certificate, and a role.
//!
//! 1. A token is compared by its digest, in constant time, with that of every operator: how long an
//!    answer takes says neither whose token it is nor how much of it is right.
//! 2. Whoever is admitted is an [`Admin`], and only this file makes one. Its name stands in the log
//!    beside what was done.
//! 3. They can change while the program runs: a token that is taken out is refused from the next
//!    request on.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::problem::Problem;
use crate::base::encoding::{from_base64, sha256};
use crate::base::secret::Secret;

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
    /// A name in the certificate that they show; or a token.
    pub certificate_name: Option<String>,
}

/// All operators of a running gateway; without any, nobody is admitted.
#[derive(Debug, Default)]
pub struct Operators(ArcSwap<Vec<Known>>);

/// An operator, as tokens are compared with it.
#[derive(Debug)]
struct Known {
    name: Arc<str>,
    role: Role,
    digest: Option<[u8; 32]>,
    certificate_name: Option<String>,
}

/// Somebody who showed the token of an operator, with the role that was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Admin {
    name: Arc<str>,
    role: Role,
}

impl Admin {
    /// Returns the name of the operator.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what they may do.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Operators {
    /// Knows these.
    #[must_use]
    pub fn new(operators: &[Operator]) -> Arc<Self> {
        let all = Arc::new(Self::default());
        all.replace(operators);
        all
    }

    /// Knows these from now on, and no others.
    pub fn replace(&self, operators: &[Operator]) {
        let known = operators.iter().map(|one| Known {
            name: one.name.as_str().into(),
            role: one.role,
            digest: one.token.as_ref().map(|token| sha256(token.expose())),
            certificate_name: one.certificate_name.clone(),
        });
        self.0.store(Arc::new(known.collect()));
    }

    /// Admits whoever shows a token (RFC 6750 2.1) of an operator with this role, or the certificate
    /// of one. Where both are shown, the token says who it is.
    ///
    /// # Errors
    /// [`Problem::NobodyOperates`] when there are no operators, [`Problem::Unauthorized`] without
    /// anything that is right, [`Problem::Forbidden`] for one of too small a role.
    pub fn admit(&self, shown: &Shown<'_>, needed: Role) -> Result<Admin, Problem> {
        let known = self.0.load();
        if known.is_empty() {
            return Err(Problem::NobodyOperates);
        }
        let found = match shown.token()? {
            Some(token) => by_token(&known, &token),
            None => shown.certificate.and_then(|certificate| by_certificate(&known, certificate)),
        };
        let found = found.ok_or(Problem::Unauthorized)?;
        if found.role < needed {
            return Err(Problem::Forbidden);
        }
        Ok(Admin { name: Arc::clone(&found.name), role: found.role })
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

impl Shown<'_> {
    /// Returns the token, when there is one.
    fn token(&self) -> Result<Option<Secret<Vec<u8>>>, Problem> {
        let mut given = self.headers.get_all(AUTHORIZATION).iter();
        let value = match (given.next(), given.next()) {
            (None, _) => return Ok(None),
            (Some(value), None) => value.as_bytes(),
            // Two of them could be read in two ways.
            (Some(_), Some(_)) => return Err(Problem::Unauthorized),
        };
        let token = bearer(value).or_else(|| self.may_be_password.then(|| password(value))?);
        token.map(Some).ok_or(Problem::Unauthorized)
    }
}

/// Every token is compared, whichever is right.
fn by_token<'k>(known: &'k [Known], token: &Secret<Vec<u8>>) -> Option<&'k Known> {
    let digest = sha256(token.expose());
    known.iter().fold(None, |found, one| {
        let is_right =
            one.digest.is_some_and(|known| verify_slices_are_equal(&digest, &known).is_ok());
        if is_right { Some(one) } else { found }
    })
}

/// A certificate with the names of two operators is nobody's.
fn by_certificate<'k>(known: &'k [Known], der: &[u8]) -> Option<&'k Known> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let has = |wanted: &str| {
        names.value.general_names.iter().any(|name| match name {
            GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
                *name == wanted
            }
            _ => false,
        })
    };
    let mut found = known.iter().filter(|one| one.certificate_name.as_deref().is_some_and(has));
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;
    use crate::base::encoding::base64;

    fn operators() -> Arc<Operators> {
        Operators::new(&[one("admin", Role::Write, "first"), one("anna", Role::Read, "second")])
    }

    fn one(name: &str, role: Role, token: &str) -> Operator {
        let token = Some(Secret::new(token.as_bytes().to_vec()));
        let certificate_name = Some(format!("{name}@office.test"));
        Operator { name: name.to_owned(), role, token, certificate_name }
    }

    fn with(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
    }

    fn shown(headers: &HeaderMap) -> Shown<'_> {
        Shown { headers, certificate: None, may_be_password: false }
    }

    fn admitted(operators: &Operators, shown: &Shown<'_>, needed: Role) -> Result<String, u16> {
        let found = operators.admit(shown, needed);
        found.map(|admin| admin.name().to_owned()).map_err(|problem| problem.status().as_u16())
    }

    #[test]
    fn a_token_admits_its_operator_by_name_and_role_and_no_other() {
        let operators = operators();
        for (value, needed, expected) in [
            ("Bearer first", Role::Write, Ok("admin")),
            ("Bearer first", Role::Read, Ok("admin")),
            ("Bearer second", Role::Read, Ok("anna")),
            ("Bearer second", Role::Write, Err(403)),
            ("Bearer firs", Role::Read, Err(401)),
            ("Bearer firstt", Role::Read, Err(401)),
            ("Bearer ", Role::Read, Err(401)),
            ("bearer first", Role::Read, Err(401)),
            ("first", Role::Read, Err(401)),
            ("Basic OmZpcnN0", Role::Read, Err(401)),
        ] {
            let found = admitted(&operators, &shown(&with(value)), needed);
            assert_eq!(found, expected.map(str::to_owned), "{value}");
        }
        assert_eq!(admitted(&operators, &shown(&HeaderMap::new()), Role::Read), Err(401));
        let mut two = with("Bearer first");
        two.append(AUTHORIZATION, HeaderValue::from_static("Bearer first"));
        assert_eq!(admitted(&operators, &shown(&two), Role::Read), Err(401), "one is enough");
    }

    #[test]
    fn a_browser_shows_it_as_a_password_where_it_may() {
        let operators = operators();
        for (pair, expected) in [
            ("anyone:second", Ok("anna")),
            (":first", Ok("admin")),
            ("first:", Err(401)),
            ("first", Err(401)),
            ("a:b:first", Err(401)),
        ] {
            let headers = with(&format!("Basic {}", base64(pair.as_bytes())));
            let browser = Shown { may_be_password: true, ..shown(&headers) };
            let found = admitted(&operators, &browser, Role::Read);
            assert_eq!(found, expected.map(str::to_owned), "{pair}");
            assert_eq!(admitted(&operators, &shown(&headers), Role::Read), Err(401), "{pair}");
        }
        let headers = with("Basic !");
        let browser = Shown { may_be_password: true, ..shown(&headers) };
        assert!(operators.admit(&browser, Role::Read).is_err());
    }

    #[test]
    fn a_certificate_admits_the_one_operator_whose_name_it_has() {
        let operators = operators();
        let none = HeaderMap::new();
        for (names, expected) in [
            (&["admin@office.test"][..], Ok("admin")),
            (&["other@office.test", "anna@office.test"], Ok("anna")),
            (&["admin@office.test", "anna@office.test"], Err(401)),
            (&["ADMIN@office.test"], Err(401)),
            (&["other@office.test"], Err(401)),
            (&[], Err(401)),
        ] {
            let mut params = CertificateParams::default();
            let name = |name: &&str| SanType::Rfc822Name((*name).try_into().unwrap());
            params.subject_alt_names = names.iter().map(name).collect();
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let certificate = Some(certificate.der().as_ref());
            let mut by = Shown { certificate, ..shown(&none) };
            let found = admitted(&operators, &by, Role::Read);
            assert_eq!(found, expected.map(str::to_owned), "{names:?}");
            // A token that is wrong is not made good by it, and one that is right says who it is.
            let (wrong, right) = (with("Bearer wrong"), with("Bearer second"));
            by.headers = &wrong;
            assert_eq!(admitted(&operators, &by, Role::Read), Err(401));
            by.headers = &right;
            assert_eq!(admitted(&operators, &by, Role::Read), Ok("anna".to_owned()));
        }
        let nonsense = Shown { certificate: Some(b"nonsense"), ..shown(&none) };
        assert_eq!(admitted(&operators, &nonsense, Role::Read), Err(401));
    }

    #[test]
    fn who_is_taken_out_is_admitted_no_more() {
        let operators = operators();
        operators.replace(&[one("anna", Role::Write, "third")]);
        let (second, third) = (with("Bearer second"), with("Bearer third"));
        assert_eq!(admitted(&operators, &shown(&second), Role::Read), Err(401));
        assert_eq!(admitted(&operators, &shown(&third), Role::Write), Ok("anna".to_owned()));
        operators.replace(&[]);
        assert_eq!(admitted(&operators, &shown(&third), Role::Read), Err(404));
    }
}
