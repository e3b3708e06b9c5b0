//! How long a head may be.

/// The bounds of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the first line and all fields.
    pub bytes: usize,
    /// Fields, at most [`MOST_FIELDS`].
    pub fields: usize,
    /// Bytes of the target of a request.
    pub target: usize,
}

/// The most fields that can be allowed.
pub const MOST_FIELDS: usize = 256;

impl Default for Bounds {
    fn default() -> Self {
        Self { bytes: 32 * 1024, fields: 100, target: 8 * 1024 }
    }
}
