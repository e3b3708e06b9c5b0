//! The page before the node, where the operator wants one: what a citizen agrees to, and the one
//! button that leaves.

use maud::html;

use super::appearance::local;
use super::labels::labels;
use super::layout::{Branding, Framing, Page, Parts};
use super::plain::{self, LANDING};
use super::text::Words;

/// Writes the page; `link` begins the login.
#[must_use]
pub fn landing(look: Branding<'_>, link: &str) -> Page {
    let words = labels(look.language);
    let own = plain::said(look, LANDING, Words { title: words.landing, happened: "", advice: "" });
    let said = look.appearance.and_then(|appearance| appearance.landing.as_ref());
    let (text, of) = said
        .and_then(|said| local(said, look.language))
        .map_or((words.landing_why, look.language), |(text, of)| (text.as_str(), of));
    let lang = (of != look.language).then(|| of.code());
    look.page(Parts {
        title: &own.title,
        content: html! {
            div lang=[lang] {
                @for paragraph in text.split("\n\n").filter(|text| !text.trim().is_empty()) {
                    p { (paragraph) }
                }
            }
            p.actions { a.button href=(link) { (words.go_to_node) } }
        },
        script: None,
        form_action: "'none'",
        framing: Framing::Nobody,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::{Appearance, Language};

    #[test]
    fn says_what_the_operator_says_in_paragraphs_and_has_one_button() {
        let text = Some("Pierwszy.\n\n\nDrugi <b>.".to_owned());
        let appearance = Appearance { landing: Some([text, None, None]), ..Appearance::default() };
        for (language, lang) in
            [(Language::Polish, "<div>"), (Language::English, "<div lang=\"pl\">")]
        {
            let plain = Branding::plain(language, "Portal", None);
            let look = Branding { appearance: Some(&appearance), ..plain };
            let html = landing(look, "/.brama/login?begin=x").html;
            let said = format!("{lang}<p>Pierwszy.</p><p>\nDrugi &lt;b&gt;.</p></div>");
            assert!(html.contains(&said), "{html}");
            assert_eq!(html.matches("class=\"button\"").count(), 1);
            assert!(html.contains(r#"<a class="button" href="/.brama/login?begin=x">"#), "{html}");
        }
        let html = landing(Branding::plain(Language::English, "Portal", None), "/").html;
        assert!(html.contains("needs you to sign in"), "{html}");
    }
}
