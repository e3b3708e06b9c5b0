//! What operators do with the keys of signed identities: list, rotate and retire them, and save the
//! secret of the pseudonyms.
//!
//! 1. Nothing is done without the operators' token, as with sessions ([`super::sessions`]).
//! 2. No private key leaves the gateway.
//! 3. The secret of the pseudonyms does, for a backup: to this machine only, whatever address the
//!    listener has. With it, the person behind a pseudonym can be found out.
//! 4. What was begun is finished and logged, although the operator's connection ends.
//! 5. Sessions were begun by the old secret of the pseudonyms, and count as other persons' by another
//!    one: when it is replaced, all of them end.
//!
//! | request | answer |
//! |---|---|
//! | `GET /keys` | all keys with their standing and times |
//! | `GET /keys/jwks` | the public keys, as they are published |
//! | `POST /keys/rotate` `{}` or `{"alg": "ES256"}` | all keys; the next one signs |
//! | `POST /keys/retire` `{"kid": "..."}` | all keys; that one signs nothing any more. 202 with `pending`: here alone, and why; the others are told later |
//! | `POST /keys/backup` | `{"pairwise_secret": "..."}` in base64 |
//! | `POST /keys/restore` `{"pairwise_secret": "..."}` | `{"restored": true, "ended": 12}`: so many sessions |

use std::net::IpAddr;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::json::{self, AdminError, Done, read};
use super::sessions::{Admin, OPERATOR, end_all};
use crate::app::keys::{Error, Keeper, Retired};
use crate::base::body::Body;
use crate::base::causes::in_one_line;
use crate::base::clock::SharedClock;
use crate::base::encoding::{base64, from_base64};
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::Refusal;
use crate::identity::signing_key::Algorithm;
use crate::observe::event::{AdminAction, Event};
use crate::session::sessions::Sessions;
use crate::store::Unavailable;
use crate::wire::incoming::Incoming;

/// The path that requests about keys begin with.
pub const PATH: &str = "/keys";

/// Answers operators who ask about keys.
pub struct Keys(Arc<Gateway>);

/// What operators change.
struct Gateway {
    keeper: Arc<Keeper>,
    sessions: Arc<Sessions>,
    clock: SharedClock,
}

/// What an operator wants done.
enum Act {
    Rotate(Option<Algorithm>),
    Retire(String),
    Backup,
    Restore(PairwiseSecret),
}

impl Keys {
    /// Makes the door to what keeps the keys.
    #[must_use]
    pub fn new(keeper: Arc<Keeper>, sessions: Arc<Sessions>, clock: SharedClock) -> Self {
        Self(Arc::new(Gateway { keeper, sessions, clock }))
    }

    /// Answers a request whose path is [`PATH`] or below it. `from` is who asks.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        from: IpAddr,
        admin: &Admin,
    ) -> Response<Body> {
        json::answer(match admin.admit(request.headers()) {
            Ok(()) => self.handle(request, from).await,
            Err(refused) => Err(refused),
        })
    }

    async fn handle(&self, request: Request<Incoming>, from: IpAddr) -> Done {
        let (parts, body) = request.into_parts();
        let rest = parts.uri.path().strip_prefix(PATH).ok_or(AdminError::NotFound)?;
        let act = match (rest, &parts.method) {
            ("", &Method::GET) => return Ok((StatusCode::OK, self.0.list())),
            ("/jwks", &Method::GET) => {
                let published = serde_json::from_str(&self.0.keeper.published());
                return Ok((StatusCode::OK, published.unwrap_or_default()));
            }
            ("/rotate", &Method::POST) => {
                let asked = read(body).await?;
                Act::Rotate(match asked.get("alg").and_then(Value::as_str) {
                    Some(name) => Some(Algorithm::named(name).ok_or(AdminError::Malformed(ALG))?),
                    None => None,
                })
            }
            ("/retire", &Method::POST) => {
                let asked = read(body).await?;
                let kid = asked.get("kid").and_then(Value::as_str);
                Act::Retire(kid.ok_or(AdminError::Malformed("give kid"))?.to_owned())
            }
            ("/backup", &Method::POST) => {
                require_here(from)?;
                Act::Backup
            }
            ("/restore", &Method::POST) => {
                require_here(from)?;
                let asked = read(body).await?;
                let given = asked.get("pairwise_secret").and_then(Value::as_str);
                let secret = given.and_then(from_base64).and_then(PairwiseSecret::new);
                Act::Restore(secret.ok_or(AdminError::Malformed(SECRET))?)
            }
            ("" | "/jwks" | "/rotate" | "/retire" | "/backup" | "/restore", _) => {
                return Err(AdminError::Method);
            }
            _ => return Err(AdminError::NotFound),
        };
        // The operator may leave before the answer: it is done and logged all the same.
        let gateway = Arc::clone(&self.0);
        let done = tokio::spawn(async move { gateway.perform(act).await });
        done.await.map_err(|error| Unavailable(error.to_string()))?
    }
}

impl Gateway {
    async fn perform(&self, act: Act) -> Done {
        match act {
            Act::Rotate(algorithm) => {
                self.keeper.rotate(algorithm).await?;
                let algorithm = algorithm.map(Algorithm::name);
                self.tell(AdminAction::RotatedKeys { algorithm });
                Ok((StatusCode::OK, self.list()))
            }
            Act::Retire(kid) => match self.keeper.retire(&kid).await? {
                Retired::Everywhere => {
                    self.tell(AdminAction::RetiredKey { kid: &kid, pending: None });
                    Ok((StatusCode::OK, self.list()))
                }
                Retired::HereAlone(error) => {
                    let pending = in_one_line(&error);
                    self.tell(AdminAction::RetiredKey { kid: &kid, pending: Some(&pending) });
                    let mut said = self.list();
                    said["pending"] = Value::String(pending);
                    Ok((StatusCode::ACCEPTED, said))
                }
            },
            Act::Backup => {
                let secret = self.keeper.backup()?;
                self.tell(AdminAction::SavedPairwiseSecret);
                let said = json!({ "pairwise_secret": base64(secret.bytes().expose()) });
                Ok((StatusCode::OK, said))
            }
            Act::Restore(secret) => {
                self.keeper.restore(&secret).await?;
                self.tell(AdminAction::ReplacedPairwiseSecret);
                // What another replica began a moment ago was begun by the old one.
                self.keeper.spread().await;
                let ended = end_all(&self.sessions, &self.clock, None).await;
                let ended =
                    ended.map_err(|error| AdminError::Away(format!("{error}; {NOT_ENDED}")))?;
                self.tell(AdminAction::EndedAllSessions { ended });
                Ok((StatusCode::OK, json!({ "restored": true, "ended": ended })))
            }
        }
    }

    /// Tells what an operator did.
    fn tell(&self, action: AdminAction<'_>) {
        let event = Event::AdminActed { admin: OPERATOR, action };
        self.sessions.events().tell(self.clock.now(), None, event);
    }

    fn list(&self) -> Value {
        let keys = self.keeper.list().into_iter().map(|key| {
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

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Refusal::NoSuchKey) => {
                Self::NoSuch("there is no key with this kid: brama keys list shows those there are")
            }
            Error::Refused(_) | Error::Given | Error::OtherSecret => {
                Self::Conflict(error.to_string())
            }
            Error::Store(_) | Error::State(_) | Error::Shut(_) | Error::Busy | Error::NotMade => {
                Self::Away(error.to_string())
            }
        }
    }
}

/// The secret goes to this machine and comes from it: the listener is not encrypted.
fn require_here(from: IpAddr) -> Result<(), AdminError> {
    if from.to_canonical().is_loopback() {
        return Ok(());
    }
    let text = "the secret of the pseudonyms is given to this machine only: ask over loopback";
    Err(AdminError::Conflict(text.to_owned()))
}

const ALG: &str = "alg is ES256, EdDSA or RS256";
const SECRET: &str = "give pairwise_secret: at least 32 bytes, in base64";
const NOT_ENDED: &str =
    "the secret of the pseudonyms is replaced, but sessions go on: run brama sessions end-all";

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
