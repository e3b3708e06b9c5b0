//! What operators do with the keys of signed identities: list, rotate and retire them, and save the
//! secret of the pseudonyms.
//!
//! 1. No private key leaves the gateway.
//! 2. The secret of the pseudonyms does, for a backup: to this machine only, whatever address the
//!    listener has. With it, the person behind a pseudonym can be found out.
//! 3. What was begun is finished and logged, although the operator's connection ends.
//! 4. Sessions were begun by the old secret of the pseudonyms, and count as other persons' by another
//!    one: when it is replaced, all of them end.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{FORWARDED, VIA};
use http::{HeaderMap, HeaderName, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::acts::{Acts, to_the_end};
use super::call::{Call, Done, Nothing, said, said_with};
use super::operators::Admin;
use super::problem::Problem;
use super::sessions::end_all;
use crate::app::keys::{Error, Keeper, Retired};
use crate::base::causes::in_one_line;
use crate::base::clock::SharedClock;
use crate::base::encoding::{base64, from_base64};
use crate::identity::claims::PairwiseSecret;
use crate::identity::keyring::Refusal;
use crate::identity::signing_key::Algorithm;
use crate::observe::event::AdminAction;
use crate::session::sessions::Sessions;

/// Answers operators who ask about keys.
pub struct KeyDesk(Arc<Gateway>);

/// What operators change.
struct Gateway {
    keeper: Arc<Keeper>,
    sessions: Arc<Sessions>,
    clock: SharedClock,
    acts: Acts,
}

/// Which keys change.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Only the key of this algorithm.
    alg: Option<Algorithm>,
}

/// The key that retires.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retire {
    /// Its `kid`.
    kid: String,
}

/// The secret of the pseudonyms.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairwiseBackup {
    /// At least 32 bytes, in base64 (RFC 4648 4).
    #[schemars(regex(pattern = SECRET_PATTERN))]
    pairwise_secret: String,
}

impl fmt::Debug for PairwiseBackup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The keys that sign identities.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Keys")]
pub struct Listed {
    keys: Vec<Key>,
    /// Why replicas do not know of it yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending: Option<String>,
}

/// A key.
#[derive(Debug, Serialize, JsonSchema)]
struct Key {
    kid: String,
    alg: &'static str,
    /// `next`, `current`, `previous` or `retired`.
    standing: &'static str,
    /// When it was made.
    since: String,
    /// From when it signs.
    signs_from: String,
}

/// The public keys (RFC 7517 5).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "JwkSet")]
pub struct Published {
    keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// What came of another secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Restored {
    restored: bool,
    /// How many sessions ended by it.
    ended: u64,
}

/// What an operator wants done.
enum Act {
    Rotate(Option<Algorithm>),
    Retire(String),
    Backup,
    Restore(PairwiseSecret),
}

impl KeyDesk {
    /// Makes the desk of what keeps the keys.
    #[must_use]
    pub fn new(keeper: Arc<Keeper>, sessions: Arc<Sessions>, clock: SharedClock) -> Self {
        let acts = Acts::new(Arc::clone(sessions.events()), Arc::clone(&clock));
        Self(Arc::new(Gateway { keeper, sessions, clock, acts }))
    }

    pub(super) fn list(&self) -> Done {
        said(&self.0.list())
    }

    pub(super) fn published(&self) -> Done {
        let published: Result<Published, _> = serde_json::from_str(&self.0.keeper.published());
        said(&published.map_err(|_| Problem::Failed("the keys cannot be told"))?)
    }

    pub(super) async fn rotate(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let asked: Rotate = call.take().await?;
        self.perform(admin, Act::Rotate(asked.alg)).await
    }

    pub(super) async fn retire(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let asked: Retire = call.take().await?;
        self.perform(admin, Act::Retire(asked.kid)).await
    }

    pub(super) async fn backup(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let _: Nothing = call.take().await?;
        self.perform(admin, Act::Backup).await
    }

    pub(super) async fn restore(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let asked: PairwiseBackup = call.take().await?;
        let secret = from_base64(&asked.pairwise_secret).and_then(PairwiseSecret::new);
        let secret = secret.ok_or(Problem::malformed(SECRET))?;
        self.perform(admin, Act::Restore(secret)).await
    }

    /// The operator may leave before the answer: it is done and logged all the same.
    async fn perform(&self, admin: Admin, act: Act) -> Done {
        let gateway = Arc::clone(&self.0);
        to_the_end(async move { gateway.perform(&admin, act).await }).await
    }
}

impl Gateway {
    async fn perform(&self, admin: &Admin, act: Act) -> Done {
        match act {
            Act::Rotate(algorithm) => {
                self.keeper.rotate(algorithm).await?;
                let algorithm = algorithm.map(Algorithm::name);
                self.acts.tell(admin, AdminAction::RotatedKeys { algorithm });
                said(&self.list())
            }
            Act::Retire(kid) => match self.keeper.retire(&kid).await? {
                Retired::Everywhere => {
                    self.acts.tell(admin, AdminAction::RetiredKey { kid: &kid, pending: None });
                    said(&self.list())
                }
                Retired::HereAlone(error) => {
                    let pending = in_one_line(&error);
                    let action = AdminAction::RetiredKey { kid: &kid, pending: Some(&pending) };
                    self.acts.tell(admin, action);
                    let listed = Listed { pending: Some(pending), ..self.list() };
                    said_with(StatusCode::ACCEPTED, &listed)
                }
            },
            Act::Backup => {
                let secret = self.keeper.backup()?;
                self.acts.tell(admin, AdminAction::SavedPairwiseSecret);
                said(&PairwiseBackup { pairwise_secret: base64(secret.bytes().expose()) })
            }
            Act::Restore(secret) => {
                self.keeper.restore(&secret).await?;
                self.acts.tell(admin, AdminAction::ReplacedPairwiseSecret);
                // What another replica began a moment ago was begun by the old one.
                self.keeper.spread().await;
                let (ended, done) = end_all(&self.sessions, &self.clock, None).await;
                let error = done.as_ref().err().map(|error| in_one_line(error));
                let error = error.as_deref();
                self.acts.tell(admin, AdminAction::EndedAllSessions { ended, error });
                done.map_err(|error| Problem::Away(format!("{error}; {NOT_ENDED}")))?;
                said(&Restored { restored: true, ended })
            }
        }
    }

    fn list(&self) -> Listed {
        let keys = self.keeper.list().into_iter().map(|key| Key {
            kid: key.id,
            alg: key.algorithm.name(),
            standing: key.standing.name(),
            since: key.since.to_string(),
            signs_from: key.active_from.to_string(),
        });
        Listed { keys: keys.collect(), pending: None }
    }
}

impl From<Error> for Problem {
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

/// The secret goes to this machine and comes from it: the listener may not be encrypted, and a
/// certificate says who asks and not where they are. What a proxy here passes on is from elsewhere,
/// as far as it says so.
pub(super) fn require_here(from: IpAddr, headers: &HeaderMap) -> Result<(), Problem> {
    let is_passed_on = PASSED_ON.iter().any(|name| headers.contains_key(name));
    match from.to_canonical().is_loopback() && !is_passed_on {
        true => Ok(()),
        false => {
            Err(Problem::NotHere("the secret of the pseudonyms is given to this machine only"))
        }
    }
}

/// Fields of a proxy that passes a request on (RFC 7239, RFC 9110 7.6.3, and what came before).
const PASSED_ON: [HeaderName; 4] = [
    FORWARDED,
    VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

/// What some of it does, for the table.
pub(super) const ROTATES: &str =
    "Has the next key sign, as soon as every replica publishes it, and makes another one.";
pub(super) const RETIRES: &str = "Retires a key that leaked: it signs nothing any more.";
pub(super) const SAVES: &str = "Tells the secret of the pseudonyms, to this machine only.";
pub(super) const RESTORES: &str =
    "Brings the secret of the pseudonyms back: every sub is another one, and all sessions end.";
const SECRET_PATTERN: &str = "^(?:[A-Za-z0-9+/]{4}){10,900}\
    (?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$";
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
            let from = from.parse().unwrap();
            assert_eq!(require_here(from, &HeaderMap::new()).is_ok(), may, "{from}");
            // What somebody passes on is from somebody else.
            for name in ["forwarded", "via", "x-forwarded-for", "x-real-ip"] {
                let name = HeaderName::from_static(name);
                let headers = HeaderMap::from_iter([(name, "x".try_into().unwrap())]);
                assert!(require_here(from, &headers).is_err(), "{from} {headers:?}");
            }
        }
    }
}
