//! Finding the browser and its driver.

use std::path::PathBuf;

/// Where the two programs are.
pub(super) struct Tools {
    pub(super) chromium: PathBuf,
    pub(super) chromedriver: PathBuf,
}

/// Returns both programs, when they are installed.
pub(super) fn find() -> Option<Tools> {
    let tools = installed("chromium").zip(installed("chromedriver"));
    if tools.is_none() {
        skip("chromium and chromedriver are not installed (apt-get install chromium-driver)");
    }
    tools.map(|(chromium, chromedriver)| Tools { chromium, chromedriver })
}

/// Says that a test is skipped, or fails where judges are required.
pub(super) fn skip(what: &str) {
    let required = std::env::var_os("BRAMA_JUDGES").is_some_and(|value| value == "required");
    assert!(!required, "{what}, and BRAMA_JUDGES=required");
    eprintln!("SKIPPED: {what}");
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
