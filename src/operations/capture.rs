//! What operators do to look at answers of the node ([`crate::flow::capture`]).
//!
//! 1. It is for those who may change something, and each act stands in the log with their name.
//! 2. What is given away is sealed to the service's decryption key. The token alone reads nothing.
//! 3. It is given away once.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::acts::Acts;
use super::call::{Call, Done, said, whole};
use super::problem::Problem;
use crate::base::clock::SharedClock;
use crate::flow::capture::{self, Captures, LONGEST, MOST_ANSWERS, Wish};
use crate::observe::event::AdminAction;
use crate::observe::events::Events;

/// The path that requests about captured answers begin with.
pub const PATH: &str = "/capture";

/// Has answers of the node captured for operators.
pub struct CaptureDesk {
    captures: Arc<Captures>,
    acts: Acts,
}

/// What is to be captured.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Capture")]
pub struct Wanted {
    /// How many answers at most.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 20))]
    answers: u32,
    /// For how many seconds at most.
    #[serde(deserialize_with = "whole")]
    #[schemars(range(min = 1, max = 3600))]
    seconds: u32,
}

/// How it stands with captured answers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Captures")]
pub struct Standing {
    /// Until when answers are captured; null when none is.
    until: Option<String>,
    /// How many more.
    left: usize,
    /// What waits to be fetched.
    kept: Vec<KeptAnswer>,
}

/// An answer that was captured.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeptAnswer {
    /// What it is fetched by.
    name: String,
    /// When it came.
    at: String,
    /// The `ID` of the `AuthnRequest` of its login.
    login: String,
}

/// An answer that was fetched.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SealedAnswer")]
pub struct Sealed {
    /// What it was fetched by.
    name: String,
    /// When it came.
    at: String,
    /// The `ID` of the `AuthnRequest` of its login.
    login: String,
    /// The answer, sealed to the service's decryption key, as XML.
    sealed: String,
}

impl CaptureDesk {
    /// Makes the door to what is captured.
    #[must_use]
    pub fn new(captures: Arc<Captures>, events: Arc<Events>, clock: SharedClock) -> Self {
        Self { captures, acts: Acts::new(events, clock) }
    }

    pub(super) async fn begin(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let wanted: Wanted = call.take().await?;
        let wish = wanted.wish().ok_or(Problem::malformed(WISH))?;
        self.captures.begin(wish, self.acts.now());
        let (answers, seconds) = (wish.answers, wish.time.as_secs());
        self.acts.tell(&admin, AdminAction::BeganCapture { answers, seconds });
        self.show()
    }

    pub(super) fn show(&self) -> Done {
        let standing = self.captures.standing(self.acts.now());
        said(&Standing {
            until: standing.until.map(|until| until.to_string()),
            left: standing.left,
            kept: standing.kept.iter().map(KeptAnswer::of).collect(),
        })
    }

    pub(super) fn fetch(&self, call: &Call) -> Done {
        // Whoever asks without wanting the answer would lose it.
        if call.head.method == Method::HEAD {
            return Err(Problem::Method(Method::GET.to_string()));
        }
        let admin = call.admin()?;
        let taken = self.captures.take(&call.name, self.acts.now());
        let taken = taken.ok_or(Problem::NoSuch("nothing is kept under this name"))?;
        self.acts.tell(&admin, AdminAction::FetchedCapture { login: &taken.login });
        let KeptAnswer { name, at, login } = KeptAnswer::of(&taken);
        said(&Sealed { name, at, login, sealed: taken.sealed })
    }

    pub(super) fn end(&self, call: &Call) -> Done {
        let admin = call.admin()?;
        self.captures.end(self.acts.now());
        self.acts.tell(&admin, AdminAction::EndedCapture);
        self.show()
    }
}

impl Wanted {
    /// Returns a wish that may be fulfilled as it is.
    fn wish(&self) -> Option<Wish> {
        let answers = usize::try_from(self.answers).ok()?;
        let time = Duration::from_secs(self.seconds.into());
        let may_be = (1..=MOST_ANSWERS).contains(&answers) && !time.is_zero() && time <= LONGEST;
        may_be.then_some(Wish { answers, time })
    }
}

impl KeptAnswer {
    fn of(captured: &capture::Captured) -> Self {
        let (name, login) = (captured.name.clone(), captured.login.clone());
        Self { name, at: captured.at.to_string(), login }
    }
}

pub(super) const BEGINS: &str =
    "Has this process capture the node's next answers, in the place of what was wanted before.";
pub(super) const SHOWS: &str = "Says which answers of the node were captured.";
pub(super) const FETCHES: &str = "Fetches a captured answer, once; HEAD does not.";
pub(super) const ENDS: &str = "Captures nothing any more, and forgets what waits to be fetched.";
const WISH: &str = "give answers, 1 to 20, and seconds, 1 to 3600";
const _: () = assert!(MOST_ANSWERS == 20 && LONGEST.as_secs() == 3600);

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            let wanted = Wanted { answers, seconds };
            assert_eq!(wanted.wish().is_some(), may_be, "{wanted:?}");
        }
        for (asked, may_be) in [
            (json!({ "answers": 1, "seconds": 5 }), true),
            (json!({ "answers": 1.0, "seconds": 5.0 }), true),
            (json!({}), false),
            (json!({ "answers": 1 }), false),
            (json!({ "answers": -1, "seconds": 5 }), false),
            (json!({ "answers": 1.5, "seconds": 5 }), false),
            (json!({ "answers": 1, "seconds": 5, "all": true }), false),
        ] {
            assert_eq!(serde_json::from_value::<Wanted>(asked.clone()).is_ok(), may_be, "{asked}");
        }
    }
}
