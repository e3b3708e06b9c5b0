//! What operators do with sessions: list, show and end them, on the operations listener.
//!
//! 1. Nothing is done without the token of the configuration (RFC 6750 2.1), compared in constant
//!    time. Wrong ones are slowed down ([`super::Operations`]).
//! 2. Nothing that names a person stands in an address or in an answer: a person is a keyed digest
//!    (`owner`), which is found by sending the identifier in the body of a request.
//! 3. What was ended is ended on every replica within a second, with its tunnels.
//!
//! | request | answer |
//! |---|---|
//! | `GET /sessions?limit=&after=&owner=` | a page of sessions, and `next` for `after` |
//! | `GET /sessions/KEY` | one session |
//! | `DELETE /sessions/KEY` | `{"ended": 1}` |
//! | `POST /sessions/owner` `{"kind": "pesel", "identifier": "..."}` | `{"owner": "..."}` |
//! | `POST /sessions/end` `{"owner": "..."}` or `{"all": true}` | `{"ended": 12}` |

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use futures_util::{StreamExt, stream};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::json::{self, AdminError, read};
use crate::base::body::Body;
use crate::base::clock::SharedClock;
use crate::base::encoding::{from_hex, hex_lower};
use crate::base::secret::Secret;
use crate::observe::event::{AdminAction, Event};
use crate::session::SessionKey;
use crate::session::label::Why;
use crate::session::sessions::{Seen, Sessions};
use crate::store::Unavailable;
use crate::wire::incoming::Incoming;

/// The path that requests about sessions begin with.
pub const PATH: &str = "/sessions";

/// Answers operators; every request is refused when the configuration has no token.
pub struct Admin {
    token: Option<Secret<Vec<u8>>>,
    sessions: Arc<Sessions>,
    clock: SharedClock,
}

impl Admin {
    /// Makes the door, which stays shut without a token.
    #[must_use]
    pub fn new(
        token: Option<Secret<Vec<u8>>>,
        sessions: Arc<Sessions>,
        clock: SharedClock,
    ) -> Self {
        Self { token, sessions, clock }
    }

    /// Answers a request whose path is [`PATH`] or below it.
    pub async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let done = self.handle(request).await;
        json::answer(done.map(|said| (StatusCode::OK, said)))
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Value, AdminError> {
        let (parts, body) = request.into_parts();
        self.admit(&parts.headers)?;
        let now = self.clock.now();
        let rest = parts.uri.path().strip_prefix(PATH).ok_or(AdminError::NotFound)?;
        match (rest, &parts.method) {
            ("", &Method::GET) => self.list(parts.uri.query().unwrap_or("")).await,
            ("/owner", &Method::POST) => {
                let value = read(body).await?;
                let text = |name: &str| value.get(name).and_then(Value::as_str);
                let owner = text("kind")
                    .zip(text("identifier"))
                    .and_then(|(kind, identifier)| self.sessions.owner(kind, identifier));
                let owner = owner.ok_or(AdminError::Malformed(
                    "give kind (pesel, cross_border or login_name) and identifier",
                ))?;
                Ok(json!({ "owner": hex_lower(&owner) }))
            }
            ("/end", &Method::POST) => {
                let value = read(body).await?;
                let owner = value.get("owner").and_then(Value::as_str);
                let all = value.get("all").and_then(Value::as_bool) == Some(true);
                let owner = match (owner, all) {
                    (Some(owner), false) => Some(digest(owner)?),
                    (None, true) => None,
                    _ => return Err(AdminError::Malformed("give owner, or all as true")),
                };
                self.end_many(owner).await
            }
            (rest, method) => {
                let key = rest.strip_prefix('/').ok_or(AdminError::NotFound)?;
                let key = SessionKey::from_bytes(digest(key)?);
                match *method {
                    Method::GET => {
                        let seen = self.sessions.seen(key, now).await?;
                        seen.as_ref().map(shown).ok_or(AdminError::NotFound)
                    }
                    Method::DELETE => {
                        let ended = self.sessions.end(key, Why::Operator, now).await?;
                        if !ended {
                            return Err(AdminError::NotFound);
                        }
                        let session = key.public_name();
                        self.tell(AdminAction::EndedSession { session: &session });
                        Ok(json!({ "ended": 1 }))
                    }
                    _ => Err(AdminError::Method),
                }
            }
        }
    }

    /// Admits whoever has the token.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Result<(), AdminError> {
        let token = self.token.as_ref().ok_or(AdminError::NotFound)?;
        let given = headers.get(AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes);
        let given = given.strip_prefix(b"Bearer ").ok_or(AdminError::Unauthorized)?;
        verify_slices_are_equal(given, token.expose()).map_err(|_| AdminError::Unauthorized)
    }

    async fn list(&self, query: &str) -> Result<Value, AdminError> {
        let (mut owner, mut after, mut limit) = (None, None, DEFAULT_LIMIT);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "owner" => owner = Some(digest(&value)?),
                "after" => after = Some(value.into_owned()),
                "limit" => {
                    limit = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=MOST).contains(limit))
                        .ok_or(AdminError::Malformed("limit is 1 to 1000"))?;
                }
                _ => return Err(AdminError::Malformed("parameters are owner, after and limit")),
            }
        }
        let listed = self.sessions.list(owner, after, limit, self.clock.now()).await?;
        let sessions: Vec<_> = listed.sessions.iter().map(shown).collect();
        Ok(json!({ "sessions": sessions, "next": listed.next }))
    }

    /// Tells what an operator did.
    pub(super) fn tell(&self, action: AdminAction<'_>) {
        let event = Event::AdminActed { admin: OPERATOR, action };
        self.sessions.events().tell(self.clock.now(), None, event);
    }

    /// Goes on although the operator's connection ends.
    async fn end_many(&self, owner: Option<[u8; 32]>) -> Result<Value, AdminError> {
        let (sessions, clock) = (Arc::clone(&self.sessions), Arc::clone(&self.clock));
        let ended = tokio::spawn(async move { end_all(&sessions, &clock, owner).await });
        let ended = ended.await.map_err(|error| Unavailable(error.to_string()))??;
        let is_of_one_person = owner.is_some();
        self.tell(AdminAction::EndedSessions { ended, is_of_one_person });
        Ok(json!({ "ended": ended }))
    }
}

/// The name of who has the token.
pub(super) const OPERATOR: &str = "operator";

/// Ends page after page, from the beginning, until there is nothing more to end.
pub(super) async fn end_all(
    sessions: &Sessions,
    clock: &SharedClock,
    owner: Option<[u8; 32]>,
) -> Result<u64, Unavailable> {
    let (mut ended, mut next) = (0_u64, None);
    loop {
        let listed = sessions.list(owner, next, MOST, clock.now()).await?;
        let some = listed.sessions.len();
        let end = |seen: Seen| sessions.end(seen.key, Why::Operator, clock.now());
        let mut ends = stream::iter(listed.sessions).map(end).buffer_unordered(AT_ONCE);
        let mut now_ended = 0;
        while let Some(done) = ends.next().await {
            now_ended += u64::from(done?);
        }
        ended += now_ended;
        next = listed.next;
        // Of one person there is one page at a time.
        let may_be_more = next.is_some() || (owner.is_some() && some > 0 && now_ended > 0);
        if !may_be_more {
            return Ok(ended);
        }
    }
}

fn shown(seen: &Seen) -> Value {
    let label = seen.label.as_ref();
    json!({
        "key": hex_lower(&seen.key.bytes()),
        "sid": label.map(|label| &label.sid),
        "owner": hex_lower(&seen.owner),
        "acr": label.map(|label| &label.acr),
        "auth_time": label.map(|label| label.auth_time),
        "alive": seen.alive.as_second(),
        "expires": seen.expires.as_second(),
        "end": label.map(|label| label.end),
    })
}

fn digest(text: &str) -> Result<[u8; 32], AdminError> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(AdminError::Malformed("a key or an owner is 64 hexadecimal digits"))
}

/// How many are ended at once.
const AT_ONCE: usize = 64;
const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;
