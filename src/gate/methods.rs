//! The methods that a rule is for.

use std::fmt;

use http::Method;

/// All methods, or those that are named and no other: `HEAD` does not come with `GET`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Methods(Option<Vec<Method>>);

impl Methods {
    /// Every method, also one that no rule names.
    pub const ALL: Self = Self(None);

    /// These and no other.
    #[must_use]
    pub fn only(methods: Vec<Method>) -> Self {
        Self(Some(methods))
    }

    /// Tells whether a rule is for that method.
    #[must_use]
    pub fn has(&self, method: &Method) -> bool {
        self.0.as_ref().is_none_or(|methods| methods.contains(method))
    }

    /// Tells whether it names methods.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the methods that it names.
    #[must_use]
    pub fn named(&self) -> &[Method] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Tells why neither of two rules for one place would be the more specific one: both are for
    /// all methods, or both name the same one.
    #[must_use]
    pub fn tie(&self, other: &Self) -> Option<Tie<'_>> {
        match (&self.0, &other.0) {
            (None, None) => Some(Tie::All),
            (Some(mine), Some(_)) => mine.iter().find(|method| other.has(method)).map(Tie::Method),
            _ => None,
        }
    }
}

/// What two rules for one place are both for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie<'m> {
    /// Every method: neither rule names any.
    All,
    /// A method that both rules name.
    Method(&'m Method),
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("all methods"),
            Some(methods) => {
                let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}
