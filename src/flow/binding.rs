//! What binds a thing to one browser: a secret in a cookie of that browser alone.
//!
//! 1. Each thing has a cookie of its own, with a fresh value, whose name ends in the [`Tag`] of the
//!    thing. So a cookie that was preset in a citizen's browser fixes nothing, and two tabs that
//!    begin at the same time do not overwrite each other's.
//! 2. A tag is made of a digest: it leads from the handle of a thing to its cookie, and does not
//!    reveal the handle.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};

use crate::base::encoding::{base64url, hex_lower, sha256};
use crate::base::random;
use crate::base::secret::Secret;

/// The secret in a binding cookie: says which browser it is.
#[derive(Debug, Clone)]
pub struct Binding(Secret<String>);

impl Binding {
    /// Makes a fresh binding, for a new cookie.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::handle()))
    }

    /// Takes the value of a cookie, when it could be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        random::is_handle(text).then(|| Self(Secret::new(text.to_owned())))
    }

    /// Shows the value for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Returns the form in which a record remembers it.
    pub(super) fn digest(&self) -> BindingDigest {
        BindingDigest(hex_lower(&sha256(self.0.expose().as_bytes())))
    }

    /// Tells, in constant time, whether a record remembers this one.
    pub(super) fn is_remembered_as(&self, known: &BindingDigest) -> bool {
        verify_slices_are_equal(self.digest().0.as_bytes(), known.0.as_bytes()).is_ok()
    }
}

/// What a record remembers of a binding.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BindingDigest(String);

/// What the names of a thing's cookies end in: eight letters of base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// How many letters it has.
    pub const LENGTH: usize = 8;

    /// Returns the tag of the thing with a handle.
    #[must_use]
    pub fn of(handle: &str) -> Self {
        let mut text = base64url(&sha256(handle.as_bytes()));
        text.truncate(Self::LENGTH);
        Self(text)
    }

    /// Tells whether a text could be a tag.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        random::is_base64url(text, Self::LENGTH)
    }

    /// Returns the letters that the name of the cookie ends in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_eight_letters_of_base64url_and_leads_from_the_handle_alone() {
        let tag = Tag::of("handle");
        assert_eq!(tag, Tag::of("handle"));
        assert_ne!(tag, Tag::of("other"));
        assert_eq!(tag.as_str().len(), Tag::LENGTH);
        for (text, expected) in [
            (tag.as_str(), true),
            ("AZaz09-_", true),
            ("AZaz09-", false),
            ("AZaz09-_A", false),
            ("AZaz09+/", false),
            ("AZaz09-=", false),
            ("", false),
        ] {
            assert_eq!(Tag::is_one(text), expected, "{text}");
        }
    }

    #[test]
    fn a_binding_is_remembered_as_itself_and_as_no_other() {
        let binding = Binding::generate();
        let again = Binding::parse(binding.expose()).unwrap();
        assert!(again.is_remembered_as(&binding.digest()));
        assert!(!Binding::generate().is_remembered_as(&binding.digest()));
        assert!(Binding::parse(&binding.expose()[1..]).is_none());
        assert!(Binding::parse("").is_none());
    }
}
