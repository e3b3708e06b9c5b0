//! The outage switch of `[node]`.

use std::time::Duration;

use crate::config::resolve::context::Context;
use crate::gateway::settings::Outage;

pub(super) fn resolve(context: &mut Context<'_>) -> Option<Outage> {
    let file = &context.file().node;
    let message = &file.outage_message;
    let said = [
        said(context, key!(node.outage_message.pl), message.pl.as_deref()),
        said(context, key!(node.outage_message.en), message.en.as_deref()),
        said(context, key!(node.outage_message.uk), message.uk.as_deref()),
    ];
    if !file.outage {
        return None;
    }
    context.warn(
        key!(node.outage),
        "nobody can sign in",
        "set it to false when the node can be used again",
    );
    let retry_after = file.outage_retry_after.get().max(Duration::from_secs(1));
    Some(Outage { retry_after, said })
}

/// Reads a text for the page. It may be prepared before it is needed, so it is checked always.
fn said(context: &mut Context<'_>, key: &str, text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        let what = format!("is empty or longer than {LONGEST} characters");
        context.error(key, what, "say in a sentence or two what happened and how long it lasts");
        return None;
    }
    Some(text.to_owned())
}

/// The longest text, in characters.
const LONGEST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;

    fn resolved(lines: &str) -> (Option<Outage>, String) {
        let text = format!("[node]\n{lines}\n");
        let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let outage = resolve(&mut context);
        (outage, context.problems.to_string())
    }

    #[test]
    fn a_text_may_be_prepared_and_says_nothing_until_the_switch_is_turned() {
        let text = "outage_message = { pl = \" Przerwa. \" }\noutage_retry_after = \"0s\"\n";
        let (outage, said) = resolved(text);
        assert_eq!(outage, None);
        assert!(said.contains("0 errors, 0 warnings"), "{said}");
        let (outage, said) = resolved(&format!("{text}outage = true"));
        let expected = Outage {
            retry_after: Duration::from_secs(1),
            said: [Some("Przerwa.".to_owned()), None, None],
        };
        assert_eq!(outage, Some(expected));
        assert!(said.contains("node.outage"), "a warning: {said}");
    }

    #[test]
    fn a_text_that_says_nothing_or_too_much_is_an_error() {
        let long = "ż".repeat(LONGEST + 1);
        for text in ["", "  ", &long] {
            let (_, said) = resolved(&format!("outage_message = {{ en = \"{text}\" }}"));
            assert!(said.contains("node.outage_message.en"), "{said}");
            assert!(said.contains("1 error, 0 warnings"), "{said}");
        }
        let fits = "ż".repeat(LONGEST);
        let (_, said) = resolved(&format!("outage_message = {{ en = \"{fits}\" }}"));
        assert!(said.contains("0 errors"), "{said}");
    }
}
