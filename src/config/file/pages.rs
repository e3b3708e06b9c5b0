//! `[pages]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::field_order::keep_order;

/// How the pages that the gateway itself shows to citizens look, and where they lead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Pages {
    /// File with the logo that stands above, beside `portal.name`: SVG or PNG, at most 128 KiB.
    ///
    /// An SVG has no scripts, no event handlers, no animations, nothing foreign in it and nothing
    /// from elsewhere.
    #[schemars(example = &"logo.svg")]
    pub logo: Option<PathBuf>,
    /// File with the logo for dark pages, where the other one cannot be seen.
    #[schemars(example = &"logo-dark.svg")]
    pub logo_dark: Option<PathBuf>,
    /// Folder with texts in place of ours: `pl.toml`, `en.toml` and `uk.toml`, each may be absent.
    ///
    /// A table for each reason code, in quotes, with `title`, `happened` and `advice`.
    /// `{portal}`, `{reason}` and `{number}` stand for what the page says.
    #[schemars(example = &"texts")]
    pub texts: Option<PathBuf>,
    /// Where the button of the page after signing out leads: a path of the portal or an address that
    /// begins with https://. Left out, it is the front page.
    #[schemars(example = &"https://www.example.gov.pl/")]
    pub after_logout: Option<String>,
    /// Where a citizen who gave up at the node can go besides signing in again: a path or an address.
    /// Left out, it is the front page.
    #[schemars(example = &"/")]
    pub after_cancel: Option<String>,
    /// Addresses outside of the portal that it may name when it signs a citizen out (`return_to`).
    /// Each is taken as it stands here, whole.
    #[schemars(example = vec!["https://www.example.gov.pl/"])]
    pub return_urls: Vec<String>,
    /// A page of ours before a citizen leaves for the node.
    pub landing: Landing,
    /// Colours of light pages, each as `#rrggbb`. What is left out stays as it is.
    ///
    /// `brama check` computes the contrast of all pairs that a page shows (WCAG 2.2, 1.4.3 and
    /// 1.4.11), and refuses what is too pale to be read.
    pub light: Colours,
    /// Colours of dark pages, for citizens who prefer those.
    pub dark: Colours,
    /// Links below each page.
    pub footer: Footer,
}

/// A page of ours before the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Landing {
    /// Whether a citizen first sees a page with one button, and leaves for the node only by pressing
    /// it.
    pub enabled: bool,
    /// What the page says, such as a consent, at most 2000 characters; an empty line parts
    /// paragraphs. Left out, we say it.
    pub text: LandingText,
}

/// What the page before the node says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct LandingText {
    /// In Polish, and where another language is left out.
    #[schemars(example = &"Logując się, akceptujesz regulamin portalu.")]
    pub pl: Option<String>,
    /// In English.
    #[schemars(example = &"By signing in you accept the terms of the portal.")]
    pub en: Option<String>,
    /// In Ukrainian.
    #[schemars(example = &"Входячи, ви приймаєте правила порталу.")]
    pub uk: Option<String>,
}

/// Colours of one scheme.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Colours {
    /// Around the content.
    #[schemars(example = &"#f2f4f7")]
    pub paper: Option<String>,
    /// Below the content.
    #[schemars(example = &"#ffffff")]
    pub surface: Option<String>,
    /// Text.
    #[schemars(example = &"#1b2430")]
    pub ink: Option<String>,
    /// Buttons.
    #[schemars(example = &"#0b4f9e")]
    pub action: Option<String>,
    /// The words on buttons.
    #[schemars(example = &"#ffffff")]
    pub on_action: Option<String>,
    /// Links and the mark of the focus. Left out, it is the colour of buttons.
    #[schemars(example = &"#0b4f9e")]
    pub link: Option<String>,
    /// The line above everything.
    #[schemars(example = &"#c8102e")]
    pub stripe: Option<String>,
}

/// Links below each page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Footer {
    /// The declaration of accessibility, which a public body must have.
    pub accessibility: LocalAddress,
    /// What becomes of personal data.
    pub privacy: LocalAddress,
    /// How the office is reached.
    pub contact: LocalAddress,
    /// The telephone number of the helpline, which the page shows.
    pub helpline: LocalNumber,
}

/// An address in each language: a path of the portal, or what begins with https://, mailto: or tel:.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct LocalAddress {
    /// In Polish, and where another language is left out.
    #[schemars(example = &"https://www.example.gov.pl/strona")]
    pub pl: Option<String>,
    /// In English.
    #[schemars(example = &"https://www.example.gov.pl/en/page")]
    pub en: Option<String>,
    /// In Ukrainian.
    #[schemars(example = &"https://www.example.gov.pl/uk/page")]
    pub uk: Option<String>,
}

/// A telephone number for each language.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct LocalNumber {
    /// For those who read Polish, and where another language is left out.
    #[schemars(example = &"+48 22 000 00 00")]
    pub pl: Option<String>,
    /// For those who read English.
    #[schemars(example = &"+48 22 000 00 01")]
    pub en: Option<String>,
    /// For those who read Ukrainian.
    #[schemars(example = &"+48 22 000 00 02")]
    pub uk: Option<String>,
}
