//! `bearer`: the token where libraries look for an access token (RFC 6750 2.1).
//!
//! What the client itself says in `Authorization` does not go on then, in anybody's name or in
//! nobody's.

use http::HeaderName;
use http::header::AUTHORIZATION;

use super::tell::{Field, Tell, Telling, sensitive};
use crate::identity::error::Error;

pub(super) struct Bearer;

impl Tell for Bearer {
    fn names(&self) -> Vec<HeaderName> {
        vec![AUTHORIZATION]
    }

    fn tell(&self, telling: &Telling<'_>, fields: &mut Vec<Field>) -> Result<(), Error> {
        let token = telling.token.ok_or(Error::Unwritable)?;
        fields.push((AUTHORIZATION, sensitive(&format!("Bearer {token}"))?));
        Ok(())
    }
}
