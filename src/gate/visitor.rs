//! What a rule may know of a citizen who is signed in.

use jiff::civil::Date;

use crate::base::clock::Time;
use crate::identity::assurance::Assurance;
use crate::session::Session;

/// A citizen who is signed in, as the policy sees them.
#[derive(Clone, Copy)]
pub struct Visitor<'v> {
    /// How sure the identification was.
    pub assurance: Assurance,
    /// When they identified at the node.
    pub authenticated: Time,
    /// The authority that identified them, when the node said so (`AuthenticatingAuthority`).
    pub authority: Option<&'v str>,
    /// The date of birth, when it is known.
    pub birthdate: Option<Date>,
    /// Whether they have a PESEL.
    pub has_pesel: bool,
}

impl<'v> From<&'v Session> for Visitor<'v> {
    fn from(session: &'v Session) -> Self {
        let person = session.person();
        Self {
            assurance: session.assurance(),
            authenticated: session.authenticated(),
            authority: session.authority(),
            birthdate: person.birthdate(),
            has_pesel: person.has_pesel(),
        }
    }
}

impl std::fmt::Debug for Visitor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Visitor({}, [personal])", self.assurance)
    }
}
