//! `[session]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HumanDuration, HumanSize};
use crate::config::field_order::keep_order;

/// How long a citizen stays signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Session {
    /// Time without a request after which a session ends.
    pub idle: HumanDuration,
    /// Time after which a session ends, whatever happens in it; not below `idle`.
    pub absolute: HumanDuration,
    /// Sessions that may exist at once. A million fit in about 400 MB.
    pub maximum: usize,
    /// Sessions that one person may have at once; the one that was used longest ago ends, and its
    /// browser is told. Zero is no bound.
    pub maximum_per_person: usize,
    /// Time for which sessions that this process knows go on while the place where they are kept is
    /// away. Others are answered 503 meanwhile.
    pub grace: HumanDuration,
    /// Time a citizen has at the node, from leaving us to coming back.
    pub login_timeout: HumanDuration,
    /// Logins that came to an end and are still told of, and as many wishes to be signed in at
    /// another host and codes. A login that has only begun takes no room. Room is shared out among
    /// the networks that clients come from.
    pub maximum_pending: usize,
    /// The longest form that is kept, sealed, while its citizen signs in again: it came when the
    /// session had ended, or a higher level was needed. Afterwards a page asks whether to send it.
    /// Zero keeps none; at most "4 MiB". All that are kept have at most 128 MiB together.
    pub keep_forms: HumanSize,
    /// What becomes of a login by another person than the one who is signed in with that browser, as
    /// at a step-up.
    pub other_person: OtherPerson,
}

/// What becomes of a login by another person than the one who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OtherPerson {
    /// It is refused, and the citizen who is signed in stays so.
    Refuse,
    /// The earlier session ends, and the other person is signed in.
    Replace,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            idle: HumanDuration::from_secs(15 * 60),
            absolute: HumanDuration::from_secs(8 * 60 * 60),
            maximum: 1_000_000,
            maximum_per_person: 0,
            grace: HumanDuration::from_secs(5 * 60),
            login_timeout: HumanDuration::from_secs(10 * 60),
            maximum_pending: 100_000,
            keep_forms: HumanSize::from_kib(1024),
            other_person: OtherPerson::Refuse,
        }
    }
}
