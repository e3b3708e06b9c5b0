//! The forms in which a backend is told whose request it is. A route names those that it wants.
//!
//! 1. Each form is one file. What it says is made once for a session and a release, and kept with
//!    the token ([`super::token`]). [`signature`] alone differs: it is made for each request, over
//!    the request.
//! 2. A form says everything in header fields whose names it knows beforehand ([`Form::names`]).
//!    A client's own fields of these names go no further, on any route.
//! 3. What is released is decided by the [`Release`] and by nothing else: a form has only the
//!    claims.
//!
//! [`Release`]: super::release::Release

mod assertion;
mod bearer;
pub mod headers;
pub mod jwe;
pub mod signature;
mod tell;

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use self::assertion::Assertion;
use self::bearer::Bearer;
use self::headers::PlainHeaders;
use self::jwe::Recipient;
use self::tell::Tell;
pub use self::tell::{Field, Telling};
use super::error::Error;
use super::headers::ASSERTION;

/// A form of identity that is the same for all requests of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The token in `X-Brama-Assertion`.
    Assertion,
    /// The token in `Authorization: Bearer`.
    Bearer,
    /// The token, encrypted to one backend, in `X-Brama-Encrypted-Assertion`.
    Jwe(Recipient),
    /// The claims in fields of their own.
    Headers(PlainHeaders),
}

impl Form {
    /// Returns the names of the fields that it sends.
    #[must_use]
    pub fn names(&self) -> Vec<HeaderName> {
        self.teller().names()
    }

    /// Returns the names that no client may send: those of its fields, and what a portal reads beside
    /// them.
    #[must_use]
    pub fn taken(&self) -> Vec<HeaderName> {
        let also = self.teller().also_read().iter();
        let also = also.map(|name| HeaderName::from_static(name));
        self.names().into_iter().chain(also).collect()
    }

    /// Tells whether it hands on the signed token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        !matches!(self, Self::Headers(_))
    }

    fn teller(&self) -> &dyn Tell {
        match self {
            Self::Assertion => &Assertion,
            Self::Bearer => &Bearer,
            Self::Jwe(recipient) => recipient,
            Self::Headers(headers) => headers,
        }
    }
}

/// What goes with each request of one session for one release: header fields, ready to be written.
#[derive(Debug, Clone)]
pub struct Told(Arc<[Field]>);

impl Told {
    /// Has every form tell.
    ///
    /// # Errors
    /// When a token is wanted that is not there, or cannot be encrypted.
    pub(super) fn by(forms: &[Form], telling: &Telling<'_>) -> Result<Self, Error> {
        let mut fields = Vec::new();
        for form in forms {
            form.teller().tell(telling, &mut fields)?;
        }
        Ok(Self(fields.into()))
    }

    /// Says in every form that it is nobody: `token` says so signed, and the other fields are
    /// empty.
    ///
    /// # Errors
    /// When the token cannot be written.
    pub(super) fn nobody(forms: &[Form], token: &str) -> Result<Self, Error> {
        let empty = || HeaderValue::from_static("");
        let mut fields = Vec::new();
        for form in forms {
            match form {
                Form::Assertion => fields.push((ASSERTION, tell::sensitive(token)?)),
                other => fields.extend(other.names().into_iter().map(|name| (name, empty()))),
            }
        }
        Ok(Self(fields.into()))
    }

    /// Returns the fields.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.0
    }
}

/// What is told with one request.
#[derive(Debug, Default)]
pub struct Identity<'i> {
    /// In whose name it is made; absent when that is nobody's, or not to be told.
    pub told: Option<Told>,
    /// Signs the message, with all that is told.
    pub signer: Option<signature::Signer<'i>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::forms::headers::{Encoding, Value};

    #[test]
    fn nobody_is_said_signed_in_one_form_and_by_empty_fields_in_the_others() {
        let fields = vec![(HeaderName::from_static("x-citizen"), Value::Subject)];
        let plain = PlainHeaders { encoding: Encoding::Percent, fields, also_read: &[] };
        let plain = Form::Headers(plain);
        assert!(Form::Assertion.has_token() && Form::Bearer.has_token() && !plain.has_token());
        assert_eq!(Form::Assertion.names(), [ASSERTION]);
        let told = Told::nobody(&[Form::Assertion, Form::Bearer, plain], "t").unwrap();
        let said: Vec<_> = told.fields().iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        assert_eq!(
            said,
            [("x-brama-assertion", &b"t"[..]), ("authorization", b""), ("x-citizen", b"")]
        );
    }
}
