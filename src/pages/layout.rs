//! What all pages share: the document around the content, the stylesheet, the ribbon of a test
//! environment. The simulator and the demonstration portal use it too.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Language;
use super::appearance::Appearance;
use super::around::{Around, Switch};
use super::labels::labels;
use super::policy::{self, Needs};
use super::timer::SessionTimer;

/// A finished page and the policy that must be sent with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The whole document, from the doctype on.
    pub html: String,
    /// The value of the `Content-Security-Policy` header for this document.
    pub content_security_policy: String,
}

impl Page {
    /// Takes its origin from the page (CSP 3, sandbox): a step that it leads on to, by itself or by
    /// a button, counts as one of another site's page.
    #[must_use]
    pub fn without_origin(mut self) -> Self {
        self.content_security_policy.push_str("; sandbox allow-scripts allow-top-navigation");
        self
    }
}

/// What stays the same from page to page for one visitor.
#[derive(Clone, Copy, Debug)]
pub struct Branding<'a> {
    /// The language to speak.
    pub language: Language,
    /// The name of the portal, shown at the top of the page.
    pub portal_name: &'a str,
    /// The name of the test environment, shown on a ribbon; `None` in production.
    pub test_environment: Option<&'a str>,
    /// What makes the pages look like the office's own, when something is said of that.
    pub appearance: Option<&'a Appearance>,
    /// Where the page can be had in another language.
    pub switch: Option<Switch<'a>>,
    /// What our own places begin with, where images are.
    pub prefix: &'a str,
}

impl<'a> Branding<'a> {
    /// Returns the usual look, without a switch of languages.
    #[must_use]
    pub const fn plain(
        language: Language,
        portal_name: &'a str,
        test_environment: Option<&'a str>,
    ) -> Self {
        Self {
            language,
            portal_name,
            test_environment,
            appearance: None,
            switch: None,
            prefix: "/.brama/",
        }
    }
}

/// Which pages may show this one in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// No page, so that no other site can trick a citizen into pressing our buttons.
    #[default]
    Nobody,
    /// Pages of the same origin.
    SameOrigin,
}

/// A page before it is written. It has exactly one `h1`, made from the title, so the content
/// begins below that.
pub struct Document<'a> {
    /// The language of the text.
    pub language: Language,
    /// The name of the site, for the bar at the top and the window title; empty for no bar.
    pub site: &'a str,
    /// The title of the page and its `h1`.
    pub title: &'a str,
    /// The ribbon above everything, word for word.
    pub ribbon: Option<&'a str>,
    /// What stands below the `h1`.
    pub content: Markup,
    /// A script to run once the content is there. Only a constant: the policy trusts it.
    pub script: Option<&'static str>,
    /// The session timer, for pages of a portal.
    pub timer: Option<SessionTimer<'a>>,
    /// The sources of the `form-action` directive, such as `'self'` or `'none'`.
    pub form_action: &'a str,
    /// Which pages may show this one in a frame.
    pub framing: Framing,
    /// What stands above and below besides.
    pub around: Around<'a>,
}

impl Document<'_> {
    /// Writes the page and its policy.
    pub fn render(self) -> Page {
        let content_security_policy = policy::build(&Needs {
            style: self.around.style().source(),
            has_images: self.around.logo().is_some(),
            script: self.script,
            has_timer: self.timer.is_some(),
            form_action: self.form_action,
            frame_ancestors: match self.framing {
                Framing::Nobody => "'none'",
                Framing::SameOrigin => "'self'",
            },
        });
        Page { html: self.markup().into_string(), content_security_policy }
    }

    fn markup(self) -> Markup {
        html! {
            (DOCTYPE)
            html lang=(self.language.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title {
                        (self.title)
                        @if !self.site.is_empty() { " – " (self.site) }
                    }
                    style { (PreEscaped(self.around.style().as_str())) }
                    @if let Some(timer) = self.timer { (timer.markup()) }
                }
                body {
                    @if self.around.switch.is_some() {
                        a.skip href="#content" { (labels(self.language).skip) }
                    }
                    (self.header())
                    main #content tabindex="-1" {
                        h1 { (self.title) }
                        (self.content)
                    }
                    (self.around.footer(self.language))
                    @if let Some(script) = self.script { script { (PreEscaped(script)) } }
                }
            }
        }
    }

    /// WCAG 2.2, 1.3.1: everything on a page is within a landmark, the ribbon too.
    fn header(&self) -> Markup {
        let switch = self.around.switch;
        if self.ribbon.is_none() && self.site.is_empty() && switch.is_none() {
            return html! {};
        }
        html! {
            header {
                @if let Some(ribbon) = self.ribbon { p.ribbon { (ribbon) } }
                @if !self.site.is_empty() || switch.is_some() {
                    div.bar {
                        p.site { (self.around.picture()) (self.site) }
                        @if let Some(switch) = switch { (switch.markup(self.language)) }
                    }
                }
            }
        }
    }
}

/// Writes a page without the bar of a site: a short form of [`Document`] that no page may frame.
pub fn document(
    language: Language,
    title: &str,
    ribbon: Option<&str>,
    content: Markup,
    script: Option<&'static str>,
    form_action: &str,
) -> Page {
    let framing = Framing::Nobody;
    let (site, timer, around) = ("", None, Around::default());
    Document { language, site, title, ribbon, content, script, timer, form_action, framing, around }
        .render()
}

/// Returns the words of the ribbon for a test environment: "Środowisko testowe: …".
pub fn ribbon(language: Language, test_environment: &str) -> String {
    format!("{}: {test_environment}", labels(language).test_environment)
}

impl Branding<'_> {
    /// Writes one of our own pages in this look.
    pub(super) fn page(&self, parts: Parts<'_>) -> Page {
        let ribbon = self.test_environment.map(|name| ribbon(self.language, name));
        Document {
            language: self.language,
            site: self.portal_name,
            title: parts.title,
            ribbon: ribbon.as_deref(),
            content: parts.content,
            script: parts.script,
            timer: None,
            form_action: parts.form_action,
            framing: parts.framing,
            around: Around {
                appearance: self.appearance,
                switch: self.switch,
                prefix: self.prefix,
            },
        }
        .render()
    }
}

/// What differs between our own pages.
pub(super) struct Parts<'a> {
    pub(super) title: &'a str,
    pub(super) content: Markup,
    pub(super) script: Option<&'static str>,
    pub(super) form_action: &'a str,
    pub(super) framing: Framing,
}
