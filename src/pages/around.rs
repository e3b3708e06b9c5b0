//! What stands above and below the content: the logo, the switch of languages, the links of the
//! office.

use maud::{Markup, html};

use super::Language;
use super::appearance::{Appearance, FooterLink, Image, LinkKind, STYLE, Stylesheet, local};
use super::labels::labels;

/// Where a page can be had in another language.
#[derive(Clone, Copy, Debug)]
pub struct Switch<'a> {
    /// The place that remembers the choice and leads back.
    pub place: &'a str,
    /// Path and query of the page, on the same host.
    pub return_to: &'a str,
}

impl Switch<'_> {
    /// Links, so that it works without a script and from a page that may send no forms.
    pub(super) fn markup(self, present: Language) -> Markup {
        html! {
            nav.languages aria-label=(labels(present).language) {
                ul {
                    @for language in Language::ALL {
                        li {
                            @if language == present {
                                span lang=(language.code()) aria-current="true" { (language.name()) }
                            } @else {
                                a lang=(language.code()) hreflang=(language.code())
                                    href=(self.address(language)) { (language.name()) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn address(self, language: Language) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("to", language.code()).append_pair("return_to", self.return_to);
        format!("{}?{}", self.place, query.finish())
    }
}

/// What stands above and below the content of our own pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// What makes the page look like the office's own.
    pub appearance: Option<&'a Appearance>,
    /// Where the page can be had in another language.
    pub switch: Option<Switch<'a>>,
    /// What our own places begin with.
    pub prefix: &'a str,
}

impl Around<'_> {
    pub(super) fn style(&self) -> &Stylesheet {
        let own = self.appearance.and_then(|appearance| appearance.style.as_ref());
        own.unwrap_or(&STYLE)
    }

    pub(super) fn logo(&self) -> Option<&Image> {
        self.appearance?.logo.as_ref()
    }

    /// The name of the portal stands beside it, so it has no other text (WCAG 2.2, 1.1.1).
    pub(super) fn picture(&self) -> Markup {
        let Some(logo) = self.logo() else { return html! {} };
        let dark = self.appearance.and_then(|appearance| appearance.dark_logo.as_ref());
        html! {
            picture {
                @if let Some(dark) = dark {
                    source media="screen and (prefers-color-scheme: dark)"
                        srcset={ (self.prefix) (dark.name) };
                }
                img.logo src={ (self.prefix) (logo.name) } alt="";
            }
        }
    }

    pub(super) fn footer(&self, language: Language) -> Markup {
        let links = self.appearance.map(|appearance| &*appearance.links).unwrap_or_default();
        if links.is_empty() {
            return html! {};
        }
        html! {
            footer {
                nav aria-label=(labels(language).links) {
                    ul {
                        @for link in links {
                            @if let Some((to, of)) = local(&link.to, language) {
                                li { (link.markup(language, to, of)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

impl FooterLink {
    fn markup(&self, language: Language, to: &str, of: Language) -> Markup {
        let words = labels(language);
        let name = match self.kind {
            LinkKind::Accessibility => words.accessibility,
            LinkKind::Privacy => words.privacy,
            LinkKind::Contact => words.contact,
            LinkKind::Helpline => {
                let digits: String =
                    to.chars().filter(|letter| letter.is_ascii_digit() || *letter == '+').collect();
                return html! { (words.helpline) ": " a href={ "tel:" (digits) } { (to) } };
            }
        };
        let hreflang = (of != language).then(|| of.code());
        html! { a href=(to) hreflang=[hreflang] { (name) } }
    }
}
