//! What the forms have in common.

use http::{HeaderName, HeaderValue};

use crate::identity::claims::Claims;
use crate::identity::error::Error;

/// What every form does.
pub(super) trait Tell {
    /// Returns the names of its fields.
    fn names(&self) -> Vec<HeaderName>;

    /// Returns the names that a portal reads beside these, although nothing is sent under them.
    fn also_read(&self) -> &'static [&'static str] {
        &[]
    }

    /// Adds its fields.
    fn tell(&self, telling: &Telling<'_>, fields: &mut Vec<Field>) -> Result<(), Error>;
}

/// A header field.
pub type Field = (HeaderName, HeaderValue);

/// What there is to tell.
pub struct Telling<'t> {
    /// What the release lets the backend know.
    pub claims: &'t Claims<'t>,
    /// The same, signed; absent when no form wants it.
    pub token: Option<&'t str>,
}

/// Makes the value of a field that is hidden in logs.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::Unwritable)?;
    value.set_sensitive(true);
    Ok(value)
}
