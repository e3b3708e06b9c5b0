//! Why sessions end before their time, as the metrics have it.

/// Why sessions are ended here: by their citizen, by a login after them, or from outside ([`Why`]).
pub(super) const CAUSES: [&str; 4] = [SIGNED_OUT, REPLACED, "elsewhere", "operator"];
/// The citizen signed out.
pub const SIGNED_OUT: &str = "signed_out";
/// The same browser signed in again.
pub const REPLACED: &str = "replaced";
