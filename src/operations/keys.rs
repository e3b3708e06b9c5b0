//! What operators do with the keys of signed identities: list, rotate and retire them, and save the
//! secret of the pseudonyms.
//!
//! 1. Nothing is done without the operators' token, as with sessions ([`super::sessions`]).
//! 2. No private key leaves the gateway.
//! 3. The secret of the pseudonyms does, for a backup: to this machine only, whatever address the
//!    listener has. With it, the person behind a pseudonym can be found out.
//!
//! | request | answer |
//! |---|---|
//! | `GET /keys` | all keys with their standing and times |
//! | `GET /keys/jwks` | the public keys, as they are published |
//! | `POST /keys/rotate` `{}` or `{"alg": "ES256"}` | all keys; the next one signs |
//! | `POST /keys/retire` `{"kid": "..."}` | all keys; that one signs nothing any more |
//! | `POST /keys/backup` | `{"pairwise_secret": "..."}` in base64 |
//! | `POST /keys/restore` `{"pairwise_secret": "..."}` | `{"restored": true}` |

use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, Request, Response};
use serde_json::{Value, json};

use super::refused::{self, Refused, read};
use super::sessions::Admin;
use crate::app::keys::{Error, Keeper};
use crate::base::body::Body;
use crate::base::encoding::{base64, from_base64};
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::Refusal;
use crate::identity::signing_key::Algorithm;
use crate::wire::incoming::Incoming;

/// The path that requests about keys begin with.
pub const PATH: &str = "/keys";

/// Answers operators who ask about keys.
pub struct Keys(Arc<Keeper>);

impl Keys {
    /// Makes the door to what keeps the keys.
    #[must_use]
    pub fn new(keeper: Arc<Keeper>) -> Self {
        Self(keeper)
    }

    /// Answers a request whose path is [`PATH`] or below it. `from` is who asks.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        from: IpAddr,
        admin: &Admin,
    ) -> Response<Body> {
        let admitted = admin.admit(request.headers());
        refused::answer(match admitted {
            Ok(()) => self.handle(request, from).await,
            Err(refused) => Err(refused),
        })
    }

    async fn handle(&self, request: Request<Incoming>, from: IpAddr) -> Result<Value, Refused> {
        let (parts, body) = request.into_parts();
        let rest = parts.uri.path().strip_prefix(PATH).ok_or(Refused::NotFound)?;
        match (rest, &parts.method) {
            ("", &Method::GET) => Ok(self.list()),
            ("/jwks", &Method::GET) => {
                Ok(serde_json::from_str(&self.0.published()).unwrap_or_default())
            }
            ("/rotate", &Method::POST) => {
                let asked = read(body).await?;
                let algorithm = match asked.get("alg").and_then(Value::as_str) {
                    Some(name) => Some(Algorithm::named(name).ok_or(Refused::Malformed(ALG))?),
                    None => None,
                };
                self.0.rotate(algorithm).await?;
                tracing::info!(algorithm = algorithm.map(Algorithm::name), "operator rotated keys");
                Ok(self.list())
            }
            ("/retire", &Method::POST) => {
                let asked = read(body).await?;
                let kid = asked.get("kid").and_then(Value::as_str);
                let kid = kid.ok_or(Refused::Malformed("give kid"))?;
                self.0.retire(kid).await?;
                tracing::warn!(kid, "operator retired a key of identities");
                Ok(self.list())
            }
            ("/backup", &Method::POST) => {
                require_here(from)?;
                let secret = self.0.backup().await?;
                tracing::warn!("operator saved the secret of the pseudonyms");
                Ok(json!({ "pairwise_secret": base64(secret.bytes().expose()) }))
            }
            ("/restore", &Method::POST) => {
                require_here(from)?;
                let asked = read(body).await?;
                let given = asked.get("pairwise_secret").and_then(Value::as_str);
                let secret = given.and_then(from_base64).and_then(PairwiseSecret::new);
                let secret = secret.ok_or(Refused::Malformed(SECRET))?;
                self.0.restore(&secret).await?;
                tracing::warn!("operator replaced the secret of the pseudonyms");
                Ok(json!({ "restored": true }))
            }
            ("" | "/jwks" | "/rotate" | "/retire" | "/backup" | "/restore", _) => {
                Err(Refused::Method)
            }
            _ => Err(Refused::NotFound),
        }
    }

    fn list(&self) -> Value {
        let keys = self.0.list().into_iter().map(|key| {
            json!({
                "kid": key.id,
                "alg": key.algorithm.name(),
                "standing": key.standing.name(),
                "since": key.since.to_string(),
                "signs_from": key.active_from.to_string(),
            })
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refusal::NoSuchKey) => Self::NotFound,
            Error::Refused(_) | Error::Given | Error::OtherSecret => {
                Self::Conflict(error.to_string())
            }
            Error::Store(_) | Error::State(_) | Error::Shut | Error::Busy | Error::NotMade => {
                Self::Away(error.to_string())
            }
        }
    }
}

/// The secret goes to this machine and comes from it: the listener is not encrypted.
fn require_here(from: IpAddr) -> Result<(), Refused> {
    if from.to_canonical().is_loopback() {
        return Ok(());
    }
    let text = "the secret of the pseudonyms is given to this machine only: ask over loopback";
    Err(Refused::Conflict(text.to_owned()))
}

const ALG: &str = "alg is ES256, EdDSA or RS256";
const SECRET: &str = "give pairwise_secret: at least 32 bytes, in base64";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_the_pseudonyms_goes_to_this_machine_only() {
        for (from, may) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(require_here(from.parse().unwrap()).is_ok(), may, "{from}");
        }
    }
}
