//! The kinds of refusals that a citizen can tell apart.

/// What a refusal means for the citizen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The citizen did not finish, or the means of identification failed.
    Cancelled,
    /// The node refused this login.
    RefusedByNode,
    /// The node does not know such a person.
    UnknownPerson,
    /// The login was weaker than asked for.
    AssuranceTooLow,
    /// The citizen was to identify anew, and did not.
    NotFresh,
    /// The node says that our request is wrong.
    OurFault,
    /// The node says that it failed, or answers what it should not.
    NodeFault,
    /// The node does not know any more what the artifact stands for.
    ArtifactExpired,
    /// The node gave no identifier of the person.
    NoIdentifier,
    /// The node gave less of the person than was required.
    DataMissing,
    /// The answer cannot be trusted.
    AnswerRefused,
}
