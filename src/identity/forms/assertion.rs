//! `assertion`: the token in a field of ours.

use http::HeaderName;

use super::tell::{Field, Tell, Telling, sensitive};
use crate::identity::error::Error;
use crate::identity::headers::ASSERTION;

pub(super) struct Assertion;

impl Tell for Assertion {
    fn names(&self) -> Vec<HeaderName> {
        vec![ASSERTION]
    }

    fn tell(&self, telling: &Telling<'_>, fields: &mut Vec<Field>) -> Result<(), Error> {
        let token = telling.token.ok_or(Error::Unwritable)?;
        fields.push((ASSERTION, sensitive(token)?));
        Ok(())
    }
}
