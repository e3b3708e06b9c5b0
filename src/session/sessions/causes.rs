//! Why sessions end, as the numbers and the notes say it.

use std::time::Duration;

/// Why sessions are ended here: by their citizen, by a login after them, or from outside
/// ([`super::super::label::Why`]).
pub(super) const CAUSES: [&str; 4] = [SIGNED_OUT, REPLACED, "elsewhere", "operator"];
/// The citizen signed out.
pub const SIGNED_OUT: &str = "signed_out";
/// The same browser signed in again.
pub const REPLACED: &str = "replaced";
/// How long a note on an ended session is kept.
pub(super) const NOTE_LIFE: Duration = Duration::from_secs(3600);
