//! The colours of the pages, light and dark, and the contrast that readers need of them.
//!
//! WCAG 2.2: text has a contrast of 4.5 to what it stands on (1.4.3), edges and marks that say
//! something have 3 (1.4.11). [`Palette::too_faint`] computes it for every pair that a page shows.

use std::fmt;

/// A colour of sRGB, 8 bits a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(u32);

impl Rgb {
    /// Reads a colour as `#rrggbb`, and in no other form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let is_hex = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok().map(Self))?
    }

    /// Returns a grey: 0 is black, 255 is white.
    #[must_use]
    pub const fn grey(value: u8) -> Self {
        Self(u32::from_be_bytes([0, value, value, value]))
    }

    fn channels(self) -> [u8; 3] {
        let [_, red, green, blue] = self.0.to_be_bytes();
        [red, green, blue]
    }

    /// WCAG 2.2, relative luminance: 0 for black, 1 for white.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.channels().map(|value| {
            let share = f64::from(value) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// WCAG 2.2, contrast ratio: from 1 to 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Moves so many of all steps of the way to another colour.
    #[must_use]
    pub fn shade(self, other: Self, step: u8, steps: u8) -> Self {
        let [a, b, c] = self.channels();
        let [d, e, f] = other.channels();
        let (steps, step) = (u32::from(steps.max(1)), u32::from(step.min(steps)));
        let mix =
            |from: u8, to: u8| (u32::from(from) * (steps - step) + u32::from(to) * step) / steps;
        Self(mix(a, d) << 16 | mix(b, e) << 8 | mix(c, f))
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.0)
    }
}

macro_rules! colours {
    ($($(#[$doc:meta])* $colour:ident = $name:literal, $light:literal, $dark:literal;)*) => {
        /// What a colour is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Colour {
            $($(#[$doc])* $colour,)*
        }

        impl Colour {
            const ALL: [Self; COUNT] = [$(Self::$colour),*];

            /// Returns the name of the colour in the stylesheet, without the dashes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$colour => $name,)*
                }
            }
        }

        const COUNT: usize = [$($name),*].len();
        const LIGHT: Palette = Palette([$(Rgb($light)),*]);
        const DARK: Palette = Palette([$(Rgb($dark)),*]);
    };
}

colours! {
    /// Around the content.
    Paper = "paper", 0xf2f4f7, 0x11161d;
    /// Below the content.
    Surface = "surface", 0xffffff, 0x1a212b;
    /// Text.
    Ink = "ink", 0x1b2430, 0xe9edf2;
    /// Text that matters less.
    Muted = "muted", 0x4d5968, 0xaab5c3;
    /// Lines that only please.
    Line = "line", 0xd5dbe3, 0x343e4c;
    /// Edges of fields.
    Edge = "edge", 0x6a7686, 0x8794a5;
    /// Links, quiet buttons and the mark of the focus.
    Link = "link", 0x0b4f9e, 0x93c1ff;
    /// Buttons.
    Action = "action", 0x0b4f9e, 0x93c1ff;
    /// A button below the pointer.
    ActionOver = "action-over", 0x083b78, 0xc0dbff;
    /// The words on a button.
    OnAction = "on-action", 0xffffff, 0x0c1a2b;
    /// The line above everything.
    Stripe = "stripe", 0xc8102e, 0xef5068;
    /// Below a remark.
    Note = "note", 0xe8f0fa, 0x1d2e45;
    /// Below a warning.
    Warning = "warning", 0xfdf2d8, 0x3a2f14;
    /// The edge of a warning.
    WarningEdge = "warning-edge", 0x9a6700, 0xd9a536;
    /// The ribbon of a test environment.
    Ribbon = "ribbon", 0xffd24a, 0xffd24a;
    /// The words on the ribbon.
    OnRibbon = "on-ribbon", 0x1b2430, 0x1b2430;
}

/// Whether a page is for daylight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light, and on paper.
    Light,
    /// Light on dark, for those who prefer it.
    Dark,
}

/// A colour for each purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette([Rgb; COUNT]);

/// Two colours that lie too close together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TooFaint {
    /// The colour in front.
    pub front: Colour,
    /// The colour behind.
    pub back: Colour,
    /// The contrast that they have.
    pub contrast: f64,
    /// The contrast that they need.
    pub least: f64,
}

impl Palette {
    /// Returns the colours that pages have when nothing is said of them.
    #[must_use]
    pub const fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Light => LIGHT,
            Scheme::Dark => DARK,
        }
    }

    /// Returns a colour.
    #[must_use]
    pub const fn get(&self, colour: Colour) -> Rgb {
        self.0[colour as usize]
    }

    /// Puts another colour in place of one.
    pub const fn set(&mut self, colour: Colour, value: Rgb) {
        self.0[colour as usize] = value;
    }

    /// Derives how a button looks below the pointer: further from the words on it, so that their
    /// contrast grows.
    pub fn derive_action_over(&mut self) {
        let (action, words) = (self.get(Colour::Action), self.get(Colour::OnAction));
        let away = if words.luminance() > action.luminance() { Rgb(0) } else { Rgb(0x00ff_ffff) };
        self.set(Colour::ActionOver, action.shade(away, 1, 4));
    }

    /// Returns every pair of colours of a page that lie too close together.
    #[must_use]
    pub fn too_faint(&self) -> Vec<TooFaint> {
        let judged = PAIRS.iter().map(|&(front, back, least)| {
            let contrast = self.get(front).contrast(self.get(back));
            TooFaint { front, back, contrast, least }
        });
        judged.filter(|pair| pair.contrast < pair.least).collect()
    }

    fn properties(&self) -> String {
        let property = |colour: Colour| format!("--{}:{};", colour.name(), self.get(colour));
        Colour::ALL.into_iter().map(property).collect()
    }
}

/// Writes both schemes for a stylesheet. Paper is always light.
pub(super) fn stylesheet(light: &Palette, dark: &Palette) -> String {
    format!(
        ":root{{color-scheme:light dark;{}}}\n\
         @media screen and (prefers-color-scheme: dark){{:root{{{}}}}}\n",
        light.properties(),
        dark.properties()
    )
}

/// Contrast of text (WCAG 2.2, 1.4.3, level AA).
const TEXT: f64 = 4.5;
/// Contrast of edges and marks (WCAG 2.2, 1.4.11, level AA).
const MARK: f64 = 3.0;

/// What stands on what.
const PAIRS: [(Colour, Colour, f64); 18] = [
    (Colour::Ink, Colour::Surface, TEXT),
    (Colour::Ink, Colour::Paper, TEXT),
    (Colour::Ink, Colour::Note, TEXT),
    (Colour::Ink, Colour::Warning, TEXT),
    (Colour::Muted, Colour::Surface, TEXT),
    (Colour::Muted, Colour::Paper, TEXT),
    (Colour::Muted, Colour::Note, TEXT),
    (Colour::Link, Colour::Surface, TEXT),
    (Colour::Link, Colour::Paper, TEXT),
    (Colour::Link, Colour::Note, TEXT),
    (Colour::Link, Colour::Warning, TEXT),
    (Colour::OnAction, Colour::Action, TEXT),
    (Colour::OnAction, Colour::ActionOver, TEXT),
    (Colour::Action, Colour::Surface, MARK),
    (Colour::ActionOver, Colour::Surface, MARK),
    (Colour::OnRibbon, Colour::Ribbon, TEXT),
    (Colour::Edge, Colour::Surface, MARK),
    (Colour::WarningEdge, Colour::Warning, MARK),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_what_wcag_computes() {
        let colour = |text| Rgb::parse(text).unwrap();
        for (one, two, expected) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#777777", "#ffffff", 4.478),
            ("#767676", "#ffffff", 4.542),
            ("#0b4f9e", "#ffffff", 7.996),
        ] {
            let found = colour(one).contrast(colour(two));
            assert!((found - expected).abs() < 0.01, "{one} on {two}: {found}");
            assert!((found - colour(two).contrast(colour(one))).abs() < f64::EPSILON);
        }
    }

    #[test]
    fn a_colour_has_six_digits_and_nothing_else() {
        assert_eq!(Rgb::parse("#0B4f9e").unwrap().to_string(), "#0b4f9e");
        for text in ["", "#", "0b4f9e", "#0b4", "#0b4f9e0", "#0b4f9g", "#+b4f9e", "red", "#ąąą"]
        {
            assert_eq!(Rgb::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn both_schemes_keep_the_contrast_and_a_pale_one_is_found() {
        for scheme in [Scheme::Light, Scheme::Dark] {
            assert_eq!(Palette::of(scheme).too_faint(), [], "{scheme:?}");
        }
        let mut pale = Palette::of(Scheme::Light);
        pale.set(Colour::Ink, Rgb(0x0077_7777));
        let found: Vec<_> = pale.too_faint().iter().map(|pair| (pair.front, pair.back)).collect();
        assert!(found.contains(&(Colour::Ink, Colour::Surface)), "{found:?}");
        assert!(found.iter().all(|(front, _)| *front == Colour::Ink), "{found:?}");
    }

    #[test]
    fn a_button_below_the_pointer_is_read_more_easily() {
        for (action, words) in [(0x0b4f9e, 0xffffff), (0xffd24a, 0x1b2430), (0x93c1ff, 0x0c1a2b)] {
            let mut palette = Palette::of(Scheme::Light);
            palette.set(Colour::Action, Rgb(action));
            palette.set(Colour::OnAction, Rgb(words));
            palette.derive_action_over();
            let contrast = |colour| palette.get(colour).contrast(Rgb(words));
            assert!(contrast(Colour::ActionOver) > contrast(Colour::Action), "{action:x}");
        }
    }
}
