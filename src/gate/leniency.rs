//! Spellings of a path that are read in more than one way, and that a route takes all the same.
//!
//! A route names each kind that it takes. Without that the path is refused, as on any other route.
//! What else must hold of such a path stands in [`super::readings`].

/// A kind of spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `%2F`.
    EncodedSlash,
    /// `//`.
    EmptySegment,
    /// `%3B`.
    EncodedSemicolon,
    /// Encoded bytes that are not UTF-8.
    NotUtf8,
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leniency(u8);

impl Leniency {
    /// Returns the set with one kind more.
    #[must_use]
    pub fn with(self, kind: Kind) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// Tells whether a kind is in the set.
    #[must_use]
    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// Tells whether the set has all that another has.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Tells whether the set has nothing.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Returns what both sets have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let set = Leniency::default().with(Kind::EncodedSlash).with(Kind::NotUtf8);
        assert!(set.has(Kind::EncodedSlash) && set.has(Kind::NotUtf8));
        assert!(!set.has(Kind::EmptySegment) && !set.has(Kind::EncodedSemicolon));
        assert!(set.includes(Leniency::default().with(Kind::NotUtf8)));
        assert!(!set.includes(Leniency::default().with(Kind::EmptySegment)));
        assert!(Leniency::default().is_none() && !set.is_none());
        assert_eq!(set.and(Leniency::default().with(Kind::NotUtf8)).0, 8);
    }
}
