//! The program: everything is in the library, see [`brama`].

use std::process::ExitCode;

fn main() -> ExitCode {
    brama::cli::main()
}
