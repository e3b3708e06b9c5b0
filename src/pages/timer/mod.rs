//! The script that warns a citizen before the session ends, for pages of the portal.
//!
//! 1. It is one file: behaviour, style and the words in each language, so that one line includes
//!    it.
//! 2. It says that a session ended only when the gateway said so.
//! 3. It is served without its comments and indents. `session.js` is written for that: a line is
//!    either a comment or none, and no string goes over two lines.

use std::sync::LazyLock;

use maud::{Markup, html};

use super::Language;
use super::text::timer_words;

/// How a page of ours includes the session timer.
#[derive(Clone, Copy, Debug)]
pub struct SessionTimer<'a> {
    /// The address of the script, on the origin of the page.
    pub source: &'a str,
    /// How many seconds before the end it warns; `None` for the usual time.
    pub warn_seconds: Option<u32>,
}

impl SessionTimer<'_> {
    pub(super) fn markup(&self) -> Markup {
        html! {
            script src=(self.source) data-warn-seconds=[self.warn_seconds] defer {}
        }
    }
}

/// Returns the script as it is served.
#[must_use]
pub fn session_script() -> &'static str {
    &SCRIPT
}

static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let style = without_indents(STYLE).replace('\n', "");
    let words = serde_json::json!({
        "pl": timer_words(Language::Polish),
        "en": timer_words(Language::English),
        "uk": timer_words(Language::Ukrainian),
    });
    without_indents(BEHAVIOUR)
        .replacen("STYLE", &serde_json::Value::from(style).to_string(), 1)
        .replacen("WORDS", &words.to_string(), 1)
});

fn without_indents(text: &str) -> String {
    let lines = text.lines().map(str::trim_start);
    let kept: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    kept.join("\n")
}

const BEHAVIOUR: &str = include_str!("session.js");
pub(super) const STYLE: &str = include_str!("session.css");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::text::assert_translated;

    #[test]
    fn every_word_that_the_script_asks_for_is_there_in_each_language() {
        let word = |language, name: &str| {
            let words = serde_json::to_value(timer_words(language)).unwrap();
            words[name].clone()
        };
        let asked: Vec<_> = BEHAVIOUR
            .split("words.")
            .skip(1)
            .map(|rest| {
                rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap()
            })
            .collect();
        assert!(asked.len() > 10, "{asked:?}");
        let states = ["idle", "final", "expired", "signed_out", "elsewhere", "operator", "changed"];
        for name in asked.into_iter().chain(states) {
            let words = Language::ALL.map(|language| word(language, name));
            match words.each_ref().map(serde_json::Value::as_str) {
                [Some(polish), Some(english), Some(ukrainian)] => {
                    assert_translated([polish, english, ukrainian]);
                }
                _ => assert!(words.iter().all(|forms| forms[2].is_string()), "{name}"),
            }
        }
        for language in Language::ALL {
            for name in ["idle", "final"] {
                assert!(word(language, name).as_str().unwrap().contains("{time}"), "{name}");
            }
        }
    }

    #[test]
    fn the_manual_has_the_titles_as_they_are() {
        let manual = include_str!("../../../docs/sessions.md");
        for language in Language::ALL {
            let words = serde_json::to_value(timer_words(language)).unwrap();
            let titles =
                words.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_title"));
            assert_eq!(titles.clone().count(), 6);
            for (name, title) in titles {
                assert!(manual.contains(&format!("| {} |", title.as_str().unwrap())), "{name}");
            }
        }
    }

    #[test]
    fn needs_nothing_that_a_strict_policy_forbids() {
        let script = session_script();
        for forbidden in [
            "eval(",
            "Function(",
            "innerHTML",
            "insertAdjacent",
            "document.write",
            ".style.",
            "http:",
            "https:",
        ] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
        for forbidden in ["url(", "@import"] {
            assert!(!STYLE.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn nothing_is_left_that_was_to_be_put_in_or_taken_out() {
        let script = session_script();
        assert!(!script.contains("STYLE") && !script.contains("WORDS"));
        assert!(script.lines().all(|line| !line.starts_with("//") && !line.starts_with(' ')));
        assert!(!BEHAVIOUR.contains("/*"), "only whole lines are comments");
        assert_eq!(BEHAVIOUR.matches('`').count() % 2, 0);
        for line in BEHAVIOUR.lines() {
            assert_eq!(line.matches('`').count() % 2, 0, "a string over two lines: {line}");
        }
    }
}
