//! The program: everything is in the library, see [`brama`].

use std::process::ExitCode;

/// Requests allocate small things for a short time, on every worker at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    brama::cli::main()
}
