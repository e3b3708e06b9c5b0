//! One order at the authority (RFC 8555, 7.4): names are claimed, the authority sees at each that it
//! is ours, and issues a certificate for a key that is made for it.

use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Error, ExternalAccountKey,
    Identifier, NewAccount, NewOrder, Order, OrderStatus, Problem, RetryPolicy,
};
use rustls::pki_types::CertificateDer;

use super::book::{self, Issued, Wanted};
use super::client::AuthorityClient;
use super::settings::Settings;
use crate::base::causes::in_one_line;
use crate::base::clock::Time;
use crate::server::certificates;
use crate::server::tls::read_chain;
use crate::xml::keys::pem;

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    /// The authority says no, or cannot be asked.
    #[error("{}", in_one_line(.0))]
    Authority(#[from] Error),
    /// The authority could not see that a name is ours.
    #[error("{name}: the authority did not see that this name leads here: {why}")]
    NotOurs {
        /// The name.
        name: String,
        /// What the authority says.
        why: String,
    },
    /// The authority wants to see something else than a file over http.
    #[error("{0}: the authority offers no challenge of the kind http-01")]
    NoChallenge(String),
    /// The authority gives no reason.
    #[error("the authority refused the order without a reason")]
    Refused,
    /// The account is not known any more: another one is made at the next try.
    #[error("the authority does not know our account any more")]
    NoAccount,
    /// What was issued cannot be used.
    #[error("what the authority issued cannot be used: {0}")]
    Unusable(String),
    /// The account cannot be kept, so nothing is ordered by it.
    #[error("the account cannot be kept: {0}")]
    Unkept(String),
    /// It took too long.
    #[error("the order did not come to an end within four minutes")]
    Late,
    /// What the authority answered makes no sense, and the library gave up at it.
    #[error("what the authority answered makes no sense")]
    Senseless,
}

/// How long the authority may take to look, and to issue.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(75));

/// Makes an account.
pub(super) async fn register(
    settings: &Settings,
    now: Time,
) -> Result<book::AcmeAccount, OrderError> {
    let contact: Vec<String> =
        settings.contacts.iter().map(|one| format!("mailto:{one}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let external = settings.external_account.as_ref();
    let external = external.map(|(id, key)| ExternalAccountKey::new(id.clone(), key.expose()));
    let builder = Account::builder_with_http(Box::new(AuthorityClient::new(settings.tls.clone())));
    let directory = settings.directory.clone();
    let (account, credentials) = builder.create(&new, directory.clone(), external.as_ref()).await?;
    let credentials = serde_json::to_string(&credentials).map_err(Error::from)?;
    let thumbprint = account.key_thumbprint().to_owned();
    Ok(book::AcmeAccount { directory, credentials, thumbprint, made: now })
}

/// Returns the account, ready to be used.
pub(super) async fn enter(
    settings: &Settings,
    account: &book::AcmeAccount,
) -> Result<Account, OrderError> {
    let credentials: AccountCredentials =
        serde_json::from_str(&account.credentials).map_err(Error::from)?;
    let builder = Account::builder_with_http(Box::new(AuthorityClient::new(settings.tls.clone())));
    Ok(builder.from_credentials(credentials).await?)
}

/// Orders a certificate, in the place of one that there is.
pub(super) async fn order(
    account: &Account,
    wanted: &Wanted,
    before: Option<&Issued>,
    now: Time,
) -> Result<Issued, OrderError> {
    let pem = issued(account, wanted, before).await.map_err(|error| match error {
        OrderError::Authority(Error::Api(problem)) if is_without_account(&problem) => {
            OrderError::NoAccount
        }
        other => other,
    })?;
    let unusable = |error: String| OrderError::Unusable(error);
    let found =
        certificates::examine(pem.as_bytes()).map_err(|error| unusable(error.to_string()))?;
    if let Some(missing) = wanted.names.iter().find(|name| !found.names.contains(name)) {
        return Err(unusable(format!("it is not for {missing}")));
    }
    if found.not_after <= now {
        return Err(unusable(format!("it ended on {}", found.not_after)));
    }
    Ok(Issued::new(wanted.clone(), pem, (found.not_before, found.not_after), now))
}

/// Asks when the authority wants a certificate replaced, and when it may be asked again. `None` when
/// it answers no such questions.
pub(super) async fn window(
    account: &Account,
    issued: &Issued,
) -> Result<Option<((Time, Time), Duration)>, OrderError> {
    let Some(leaf) = leaf(issued) else { return Ok(None) };
    let Ok(id) = (&leaf).try_into() else { return Ok(None) };
    match account.renewal_info(&id).await {
        Ok((info, again)) => {
            let time = |time: time::OffsetDateTime| Time::from_second(time.unix_timestamp());
            let window = info.suggested_window;
            let window = time(window.start).ok().zip(time(window.end).ok());
            Ok(window.map(|window| (window, again)))
        }
        Err(Error::Unsupported(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn leaf(issued: &Issued) -> Option<CertificateDer<'static>> {
    read_chain(issued.pem.as_bytes()).ok()?.into_iter().next()
}

/// Returns what was issued, the chain and the key, in PEM.
async fn issued(
    account: &Account,
    wanted: &Wanted,
    before: Option<&Issued>,
) -> Result<String, OrderError> {
    let identifiers: Vec<_> = wanted.names.iter().cloned().map(Identifier::Dns).collect();
    let with_profile = || match &wanted.profile {
        Some(profile) => NewOrder::new(&identifiers).profile(profile),
        None => NewOrder::new(&identifiers),
    };
    // An authority that knows the certificate before counts it as a renewal; another one says no.
    let leaf = before.and_then(leaf);
    let replaces = leaf.as_ref().and_then(|leaf| leaf.try_into().ok());
    let replacing = match replaces {
        Some(id) => match account.new_order(&with_profile().replaces(id)).await {
            Err(Error::Api(problem)) if is_about_us(&problem) => {
                return Err(Error::Api(problem).into());
            }
            replacing => replacing.ok(),
        },
        None => None,
    };
    let mut order = match replacing {
        Some(order) => order,
        None => account.new_order(&with_profile()).await?,
    };
    claim(&mut order).await?;
    let ready = order.poll_ready(&PATIENCE).await;
    if !matches!(ready, Ok(OrderStatus::Ready)) {
        let seen = not_seen(&mut order).await;
        return Err(seen.or(ready.err().map(OrderError::from)).unwrap_or(OrderError::Refused));
    }
    let unusable = |error: rcgen::Error| OrderError::Unusable(error.to_string());
    let key = rcgen::KeyPair::generate().map_err(unusable)?;
    let mut params = rcgen::CertificateParams::new(wanted.names.clone()).map_err(unusable)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(unusable)?;
    order.finalize_csr(request.der()).await?;
    let chain = order.poll_certificate(&PATIENCE).await?;
    Ok(format!("{}{}", written_anew(&chain)?, pem("PRIVATE KEY", key.serialized_der())))
}

/// Writes a chain as we write it: nothing else that an authority might send with it is kept, a key
/// above all.
fn written_anew(chain: &str) -> Result<String, OrderError> {
    let unusable = |error: String| OrderError::Unusable(error);
    let chain = read_chain(chain.as_bytes()).map_err(|error| unusable(error.to_string()))?;
    let written: String = chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
    if chain.len() > MOST_CERTIFICATES || written.len() > MOST_BYTES {
        return Err(unusable("its chain is longer than any client takes".to_owned()));
    }
    Ok(written)
}

const MOST_CERTIFICATES: usize = 10;
const MOST_BYTES: usize = 64 * 1024;

/// Has the authority look at each name.
async fn claim(order: &mut Order) -> Result<(), OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let name = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::Http01) else {
            return Err(OrderError::NoChallenge(name));
        };
        challenge.set_ready().await?;
    }
    Ok(())
}

/// Returns the name that the authority did not see to be ours, and why, if it is that.
async fn not_seen(order: &mut Order) -> Option<OrderError> {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else { continue };
        let mut problems = state.challenges.iter().filter_map(|one| one.error.as_ref());
        if let Some(problem) = problems.next() {
            let why = problem.to_string();
            return Some(OrderError::NotOurs { name, why });
        }
    }
    None
}

/// Tells whether a problem is not of the order but of who orders: another one would be no better.
fn is_about_us(problem: &Problem) -> bool {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    is_without_account(problem)
        || ["rateLimited", "unauthorized"].iter().any(|end| kind.ends_with(&format!(":{end}")))
}

/// Tells whether the authority does not know who asks (RFC 8555, 6.7).
fn is_without_account(problem: &Problem) -> bool {
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_an_authority_sends_nothing_is_kept_but_a_chain_of_some_certificates() {
        let made = rcgen::generate_simple_self_signed(["portal.example".to_owned()]).unwrap();
        let (one, foreign) = (made.cert.pem(), made.signing_key.serialize_pem());
        let sent = format!("\u{1}words\n{foreign}\n{one}\n{foreign}");
        assert_eq!(written_anew(&sent).unwrap(), one.replace('\r', ""));
        let many = one.repeat(MOST_CERTIFICATES);
        assert!(written_anew(&many).is_ok());
        assert!(written_anew(&format!("{many}{one}")).is_err());
        assert!(written_anew(&foreign).is_err() && written_anew("").is_err());
    }
}
