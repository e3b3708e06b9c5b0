//! What operators do to look at answers of the node ([`crate::flow::capture`]).
//!
//! 1. Nothing is done without the operators' token, as with sessions ([`super::sessions`]), and each
//!    act stands in the log.
//! 2. What is given away is sealed to the service's decryption key. The token alone reads nothing.
//!
//! | request | answer |
//! |---|---|
//! | `POST /capture` `{"answers": 1, "seconds": 600}` | how things stand; the next answers are captured by this process |
//! | `GET /capture` | `{"until": "...", "left": 1, "kept": [{"name": "...", "at": "...", "login": "ID-..."}]}` |
//! | `GET /capture/NAME` | the same with `sealed`, once |
//! | `DELETE /capture` | how things stand; nothing is captured any more, and what waits is forgotten |

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use super::json::{self, AdminError, Done, read};
use super::sessions::Admin;
use crate::base::body::Body;
use crate::base::clock::SharedClock;
use crate::flow::capture::{Captured, Captures, LONGEST, MOST_ANSWERS, Standing, Wish};
use crate::observe::event::AdminAction;
use crate::wire::incoming::Incoming;

/// The path that requests about captured answers begin with.
pub const PATH: &str = "/capture";

/// Has answers of the node captured for operators.
pub struct CaptureDesk {
    captures: Arc<Captures>,
    clock: SharedClock,
}

impl CaptureDesk {
    /// Makes the door to what is captured.
    #[must_use]
    pub fn new(captures: Arc<Captures>, clock: SharedClock) -> Self {
        Self { captures, clock }
    }

    /// Answers a request whose path is [`PATH`] or below it.
    pub(super) async fn answer(&self, request: Request<Incoming>, admin: &Admin) -> Response<Body> {
        json::answer(match admin.admit(request.headers()) {
            Ok(()) => self.handle(request, admin).await,
            Err(refused) => Err(refused),
        })
    }

    async fn handle(&self, request: Request<Incoming>, admin: &Admin) -> Done {
        let (parts, body) = request.into_parts();
        let now = self.clock.now();
        let rest = parts.uri.path().strip_prefix(PATH).ok_or(AdminError::NotFound)?;
        match (rest, &parts.method) {
            ("", &Method::POST) => {
                let wish = wish(&read(body).await?).ok_or(AdminError::Malformed(WISH))?;
                self.captures.begin(wish, now);
                let (answers, seconds) = (wish.answers, wish.time.as_secs());
                admin.tell(AdminAction::BeganCapture { answers, seconds });
            }
            ("", &Method::GET) => {}
            ("", &Method::DELETE) => {
                self.captures.end(now);
                admin.tell(AdminAction::EndedCapture);
            }
            ("", _) => return Err(AdminError::Method),
            (rest, &Method::GET) => {
                let name = rest.strip_prefix('/').ok_or(AdminError::NotFound)?;
                let taken = self.captures.take(name, now);
                let taken = taken.ok_or(AdminError::NoSuch("nothing is kept under this name"))?;
                admin.tell(AdminAction::FetchedCapture { login: &taken.login });
                let mut told = shown(&taken);
                told["sealed"] = Value::String(taken.sealed);
                return Ok((StatusCode::OK, told));
            }
            _ => return Err(AdminError::Method),
        }
        Ok((StatusCode::OK, told(&self.captures.standing(now))))
    }
}

/// Reads a wish that may be fulfilled as it is.
fn wish(asked: &Value) -> Option<Wish> {
    let number = |name: &str| asked.get(name).and_then(Value::as_u64);
    let answers = usize::try_from(number("answers")?).ok()?;
    let time = Duration::from_secs(number("seconds")?);
    let may_be = (1..=MOST_ANSWERS).contains(&answers) && !time.is_zero() && time <= LONGEST;
    may_be.then_some(Wish { answers, time })
}

fn told(standing: &Standing) -> Value {
    json!({
        "until": standing.until.map(|until| until.to_string()),
        "left": standing.left,
        "kept": standing.kept.iter().map(shown).collect::<Vec<_>>(),
    })
}

fn shown(captured: &Captured) -> Value {
    json!({
        "name": captured.name,
        "at": captured.at.to_string(),
        "login": captured.login,
    })
}

const WISH: &str = "give answers, 1 to 20, and seconds, 1 to 3600";
const _: () = assert!(MOST_ANSWERS == 20 && LONGEST.as_secs() == 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_asks_for_more_or_longer_than_there_may_be() {
        for (answers, seconds, may_be) in [
            (1, 1, true),
            (20, 3600, true),
            (0, 60, false),
            (21, 60, false),
            (1, 0, false),
            (1, 3601, false),
        ] {
            let asked = json!({ "answers": answers, "seconds": seconds });
            assert_eq!(wish(&asked).is_some(), may_be, "{asked}");
        }
        for asked in [json!({}), json!({ "answers": 1 }), json!({ "answers": -1, "seconds": 5 })] {
            assert_eq!(wish(&asked), None, "{asked}");
        }
    }
}
