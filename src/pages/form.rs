//! The page that asks whether to send a form that was kept while its citizen signed in again.

use maud::html;

use super::labels::labels;
use super::layout::{Branding, Framing, Page, Parts};
use super::plain::{KEPT_FORM, said};
use super::text::Words;

/// What the page says of a form. Nothing that was typed is shown: another person may sit there now.
#[derive(Debug, Clone, Copy)]
pub struct KeptForm<'a> {
    /// Where it was for: path and query on our own host.
    pub target: &'a str,
    /// Bytes of the body, which the page names.
    pub bytes: usize,
    /// The name of the citizen who is signed in; empty when none is, or it is not known.
    pub name: &'a str,
    /// The name of the field with the handle.
    pub field: &'a str,
    /// The handle of the form, which its buttons post.
    pub handle: &'a str,
    /// Where it is thrown away.
    pub discard: &'a str,
}

/// Writes the page. Each button posts the handle alone.
#[must_use]
pub fn kept_form(look: Branding<'_>, form: &KeptForm<'_>) -> Page {
    let words = labels(look.language);
    let own = said(
        look,
        KEPT_FORM,
        Words {
            title: words.kept_form,
            happened: words.kept_form_why,
            advice: words.kept_form_check,
        },
    );
    let path = form.target.split('?').next().unwrap_or_default();
    look.page(Parts {
        title: &own.title,
        content: html! {
            p.lead { (own.happened) }
            dl {
                dt { (words.kept_form_to) }
                dd { code { (path) } }
                dt { (words.kept_form_size) }
                dd { (form.bytes.div_ceil(1024)) " KiB" }
                @if !form.name.is_empty() {
                    dt { (words.kept_form_as) }
                    dd { (form.name) }
                }
            }
            p.note { (own.advice) }
            form method="post" action=(form.target) autocomplete="off" {
                input type="hidden" name=(form.field) value=(form.handle);
                p.actions {
                    button type="submit" { (words.send_form) }
                    button.quiet type="submit" formaction=(form.discard) { (words.discard_form) }
                }
            }
        },
        script: None,
        // Chromium applies it to the redirects after a submission too, and the portal may lead on
        // to another site, for a payment perhaps.
        form_action: "'self' https:",
        framing: Framing::Nobody,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Language;

    const FORM: KeptForm<'static> = KeptForm {
        target: "/tax?year=2031",
        bytes: 1025,
        name: "Anna Nowak",
        field: "brama-form",
        handle: "h4ndle",
        discard: "/.brama/form",
    };

    #[test]
    fn says_what_goes_where_in_whose_name_and_posts_the_handle_alone() {
        let look = Branding::plain(Language::English, "Portal", None);
        let page = kept_form(look, &FORM);
        for expected in [
            "<code>/tax</code>",
            "<dd>2 KiB</dd>",
            "<dd>Anna Nowak</dd>",
            r#"<form method="post" action="/tax?year=2031""#,
            r#"<button class="quiet" type="submit" formaction="/.brama/form">"#,
            r#"<input type="hidden" name="brama-form" value="h4ndle">"#,
        ] {
            assert!(page.html.contains(expected), "{expected} in {}", page.html);
        }
        assert!(page.content_security_policy.contains("; form-action 'self' https:;"));
        let nobody = kept_form(look, &KeptForm { name: "", ..FORM });
        assert!(!nobody.html.contains("Signed in"), "{}", nobody.html);
    }
}
