//! What is said of a command that only the full program has: the gateway alone is built without the feature `tools`.

use std::ffi::OsString;

/// The commands of [`super::tools`].
const NAMES: [&str; 11] = [
    "selftest",
    "doctor",
    "demo",
    "demo-portal",
    "simulator",
    "token",
    "certs",
    "onboarding",
    "print-config",
    "completions",
    "man",
];

/// The exit status of a command line that the program does not take.
pub(super) const USAGE: u8 = 2;

/// Says where the command is, when this program is the gateway alone and the words ask for what it does not have.
pub(super) fn refusal(words: impl Iterator<Item = OsString>) -> Option<String> {
    if cfg!(feature = "tools") { None } else { missing(words).map(text) }
}

/// Returns the command of the full program that the words ask for, or for the help of.
fn missing(words: impl Iterator<Item = OsString>) -> Option<&'static str> {
    let asked = words.into_iter().find(|word| word != "help")?;
    NAMES.into_iter().find(|name| asked == *name)
}

fn text(name: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "brama: `{name}` is not part of this program, which is the gateway alone: the full program of the same version \
         has it (brama-{version}-linux-MACHINE of the release, or the image brama-tools:{version})"
    )
}

#[cfg(test)]
mod tests {
    use clap::Subcommand;

    use super::*;
    use crate::cli::tools;

    fn asks(words: &[&str]) -> Option<&'static str> {
        missing(words.iter().map(OsString::from))
    }

    #[test]
    fn every_tool_is_named() {
        let tools = tools::Command::augment_subcommands(clap::Command::new("brama"));
        let tools: Vec<_> = tools.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(tools, NAMES);
    }

    #[test]
    fn a_tool_is_told_from_what_every_program_has() {
        assert_eq!(asks(&["simulator", "--keys-only"]), Some("simulator"));
        assert_eq!(asks(&["help", "certs"]), Some("certs"));
        for other in [&["run", "simulator"][..], &["simulators"], &["help"], &["--version"], &[]] {
            assert_eq!(asks(other), None);
        }
        assert!(text("doctor").contains("`doctor`") && !text("doctor").contains('\n'));
    }
}
