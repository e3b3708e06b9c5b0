//! What a target finds when it is opened.

use super::super::record::Kind;

/// How a chain goes on at a target that was opened.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::audit) struct Begun {
    /// [`Kind::Opened`] or [`Kind::Resumed`].
    pub(in crate::audit) kind: Kind,
    /// What was found, in a word.
    pub(in crate::audit) outcome: &'static str,
    /// Bytes of a half line that were set aside.
    pub(in crate::audit) torn: Option<u64>,
}
