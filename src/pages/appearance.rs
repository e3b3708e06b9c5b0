//! What makes the pages look like those of one office: colours, logo, links below, texts.
//!
//! Everything in it was checked when the configuration was read: addresses are addresses, texts are
//! plain, images have nothing that runs. It is escaped all the same.

use std::sync::LazyLock;

use bytes::Bytes;

use super::colours::{self, Palette, Scheme};
use super::template::Template;
use super::{Language, policy};

/// One text or address in each language, in the order of [`Language::ALL`].
pub type Local<T = String> = [Option<T>; 3];

/// Returns what there is in a language, or in Polish, with the language that it is in.
pub(super) fn local<T>(texts: &Local<T>, language: Language) -> Option<(&T, Language)> {
    let own = texts[language as usize].as_ref().map(|text| (text, language));
    own.or_else(|| texts[Language::Polish as usize].as_ref().map(|text| (text, Language::Polish)))
}

/// How the pages of one portal look.
#[derive(Clone, Debug, Default)]
pub struct Appearance {
    /// The stylesheet with colours of the office; `None` for the usual one.
    pub style: Option<Stylesheet>,
    /// The logo above, for all or for light pages.
    pub logo: Option<Image>,
    /// The logo for dark pages, where that is another one.
    pub dark_logo: Option<Image>,
    /// Links below, in the order in which they are shown.
    pub links: Vec<FooterLink>,
    /// Texts in place of ours.
    pub texts: Vec<ReasonText>,
    /// The page before the node, where there is one.
    pub landing: Option<Local>,
}

impl Appearance {
    /// Returns an image by its name below the prefix, whatever version of it is named.
    #[must_use]
    pub fn image(&self, name: &str) -> Option<&Image> {
        let images = || self.logo.iter().chain(&self.dark_logo);
        let exact = images().find(|image| image.name == name);
        exact.or_else(|| images().find(|image| is_same_kind(&image.name, name)))
    }

    /// Returns the text in place of ours for a reason.
    pub(super) fn text(&self, reason: &str, language: Language) -> Option<&ReasonText> {
        self.texts.iter().find(|text| text.language == language && text.reason == reason)
    }
}

/// Tells whether two names differ in the digest at most.
fn is_same_kind(one: &str, two: &str) -> bool {
    let kind = |name| str::rsplit_once(name, '-').map(|(kind, _)| kind);
    kind(one).is_some() && kind(one) == kind(two)
}

/// A whole stylesheet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stylesheet {
    text: String,
    /// What allows it in a policy.
    source: String,
}

impl Stylesheet {
    /// Writes one with these colours.
    #[must_use]
    pub fn with(light: &Palette, dark: &Palette) -> Self {
        let text = colours::stylesheet(light, dark) + SHEET;
        Self { source: policy::hash_source(&text), text }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }
}

/// The stylesheet of pages for which nothing is said. Its hash is taken from these bytes, and
/// browsers read CRLF as LF, so the file must keep LF line ends; a test watches over it.
pub(super) static STYLE: LazyLock<Stylesheet> =
    LazyLock::new(|| Stylesheet::with(&Palette::of(Scheme::Light), &Palette::of(Scheme::Dark)));

const SHEET: &str = include_str!("style.css");

/// An image that is served below our prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Its name below the prefix: what it is, a dash, and a digest of the content, so that browsers
    /// may keep it for good.
    pub name: String,
    /// Its bytes.
    pub content: Bytes,
    /// What they are.
    pub content_type: &'static str,
}

/// What a link below leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// The declaration of accessibility (Directive (EU) 2016/2102, article 7).
    Accessibility,
    /// What becomes of personal data (Regulation (EU) 2016/679, article 13).
    Privacy,
    /// How the office is reached.
    Contact,
    /// A telephone number, which is shown.
    Helpline,
}

/// A link below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FooterLink {
    /// What it leads to.
    pub kind: LinkKind,
    /// Where it leads, or the number.
    pub to: Local,
}

/// Words in place of ours for one reason, or one page without a reason, in one language; what is absent stays ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonText {
    /// The language of the words.
    pub language: Language,
    /// The reason code, or the name of the page ([`PlainPage`](super::PlainPage)).
    pub reason: &'static str,
    /// The heading.
    pub title: Option<Template>,
    /// What happened.
    pub happened: Option<Template>,
    /// What the citizen can do.
    pub advice: Option<Template>,
}
