//! What a configuration may have at most, so that reading it ends soon.

/// Largest configuration file in bytes.
pub(super) const MAX_FILE: usize = 1024 * 1024;
/// Problems that are told at once.
pub(super) const MAX_PROBLEMS: usize = 50;
/// Steps from the root to a value. No key of ours needs more than four.
pub(super) const MAX_DEPTH: usize = 8;
