//! The pages of the simulator. Each carries a banner, so that it is not taken for the node.

mod chooser;
mod findings;
mod logins;
mod notices;
mod overview;
mod pretty;
mod text;

use maud::Markup;

use crate::pages::{Around, Document, Framing, Language, Page};

use text::{Words, words};

pub(super) use chooser::{back, chooser};
pub(super) use findings::refused;
pub(super) use logins::{login, logins};
pub(super) use notices::{nobody, not_found, over, post_only, unreadable};
pub(super) use overview::overview;

/// Where the choice of a person is posted.
pub(super) const CHOOSE_PATH: &str = "/login/choose";

/// Where the last logins are listed.
pub(super) const LOGINS_PATH: &str = "/logins";

/// Chromium applies form-action to redirects as well, and a return may go to any portal.
const FORMS: &str = "'self' http: https:";

fn write(language: Language, title: &str, content: Markup, script: Option<&'static str>) -> Page {
    let words = words(language);
    Document {
        language,
        site: words.site,
        title,
        ribbon: Some(words.ribbon),
        content,
        script,
        timer: None,
        form_action: FORMS,
        framing: Framing::Nobody,
        around: Around::default(),
    }
    .render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_that_it_is_not_the_node() {
        for language in Language::OF_TOOLS {
            for page in [
                nobody(language),
                not_found(language),
                over(language),
                unreadable(language),
                post_only(language),
                refused(language, &[]),
            ] {
                assert!(page.html.contains("SYMULATOR"), "{}", page.html);
                assert!(page.html.contains("class=\"ribbon\""));
            }
        }
    }
}
