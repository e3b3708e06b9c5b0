//! Notes what the program is built from and with, for the metric `brama_build_info`.
//!
//! `BRAMA_COMMIT` in the environment names the commit; `deploy/release/build` sets it. It is not asked of git here: the
//! same sources give the same program, in a checkout and out of it.

#![allow(clippy::print_stdout, reason = "that is how cargo is told")]

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=BRAMA_COMMIT");
    let commit = env::var("BRAMA_COMMIT").unwrap_or_default();
    println!("cargo::rustc-env=BRAMA_COMMIT={}", commit.trim());
    println!("cargo::rustc-env=BRAMA_RUST={}", rust().unwrap_or_default());
}

/// Returns the version of the compiler, the second word of `rustc --version`.
fn rust() -> Option<String> {
    let said = Command::new(env::var_os("RUSTC")?).arg("--version").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    said.split_whitespace().nth(1).map(str::to_owned)
}
