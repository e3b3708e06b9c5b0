//! The configuration: TOML, the environment, and the types of its values.
//!
//! A text is taken or told what is wrong with it, in bounds and the same way each time. What was
//! taken is written as a text that is taken as the same.

use crate::product::config::file::{HumanDuration, HumanSize, Network};
use crate::product::config::{Severity, load_text};
use crate::within;

/// The longest text that is looked at: cost grows with it.
const MOST: usize = 64 * 1024;

/// Looks at one input: a file, and after a NUL variables of the environment, one a line.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > MOST {
        return;
    }
    let (file, variables) = text.split_once('\0').unwrap_or((text, ""));
    let variables: Vec<(String, String)> = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let load = |file: &str, variables: &[(String, String)]| {
        load_text("brama.toml", file, variables.iter().cloned())
    };
    let memory = 8 * 1024 * 1024 + 4096 * text.len();
    let loaded = within(memory, || load(file, &variables));
    // 1. It is told the same each time, and not without end.
    let problems = match &loaded {
        Ok(loaded) => &loaded.problems,
        Err(problems) => problems,
    };
    assert!(problems.len() <= 200, "{}", problems.len());
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let again: Vec<_> = match load(file, &variables) {
        Ok(loaded) => loaded.problems.iter().map(ToString::to_string).collect(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(told, again);
    // 2. What was taken is taken again.
    if let Ok(loaded) = loaded
        && loaded.problems.count(Severity::Error) == 0
    {
        let written = toml::to_string(&loaded.file).expect("it can be written");
        let again = load(&written, &[]).unwrap_or_else(|problems| {
            let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{told:?}\n{written}")
        });
        assert_eq!(again.problems.count(Severity::Error), 0, "{written}");
        assert_eq!(again.file, loaded.file, "{written}");
    }
    // 3. So are the values that people write.
    if let Ok(duration) = file.parse::<HumanDuration>() {
        let written = duration.to_string();
        assert_eq!(written.parse::<HumanDuration>().ok(), Some(duration), "{written}");
    }
    if let Ok(size) = file.parse::<HumanSize>() {
        let written = size.to_string();
        assert_eq!(written.parse::<HumanSize>().ok(), Some(size), "{written}");
    }
    if let Ok(network) = file.parse::<Network>() {
        let written = network.to_string();
        assert_eq!(written.parse::<Network>().ok(), Some(network), "{written}");
    }
}
