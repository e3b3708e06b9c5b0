//! What is in the memory of the process stays there: keys, cookies, data of citizens.
//!
//! 1. There is no core dump of it, whatever the system's limits and handlers say.
//! 2. No other process of the same user reads its memory, its environment or its open files through
//!    `/proc`, or traces it (`ptrace`). Whoever has `CAP_SYS_PTRACE`, such as root, still may.
//!
//! prctl(2), `PR_SET_DUMPABLE`. A program that this one starts begins anew, and says the same for
//! itself.

use std::io;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Keeps the memory of this process from everybody else, from now on.
///
/// # Errors
/// What the system says; then it is as it was.
pub fn forbid() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
