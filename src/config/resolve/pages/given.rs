//! The colours that an office gives.

use crate::pages::{Colour, Palette, Rgb, Scheme, TooFaint};

/// What is given of a scheme.
pub(super) struct Given {
    pub(super) scheme: Scheme,
    pub(super) colours: Vec<(Colour, Rgb)>,
}

impl Given {
    pub(super) fn has(&self, colour: Colour) -> bool {
        self.colours.iter().any(|(given, _)| *given == colour)
    }

    /// Returns all colours of the scheme when these are given too, in place of others.
    pub(super) fn palette_with(&self, more: &[(Colour, Rgb)]) -> Palette {
        let mut palette = Palette::of(self.scheme);
        let has = |colour| self.has(colour) || more.iter().any(|(given, _)| *given == colour);
        for (colour, value) in self.colours.iter().chain(more) {
            palette.set(*colour, *value);
        }
        if has(Colour::Action) && !has(Colour::Link) {
            palette.set(Colour::Link, palette.get(Colour::Action));
        }
        if has(Colour::Action) || has(Colour::OnAction) {
            palette.derive_action_over();
        }
        palette
    }

    /// Returns the colour that is to blame for a pair: of two that are given the one in front.
    pub(super) fn to_blame(&self, pair: &TooFaint) -> Colour {
        let own = |colour| match colour {
            _ if self.has(colour) => Some(colour),
            Colour::Link | Colour::ActionOver if self.has(Colour::Action) => Some(Colour::Action),
            Colour::ActionOver if self.has(Colour::OnAction) => Some(Colour::OnAction),
            _ => None,
        };
        own(pair.front).or_else(|| own(pair.back)).unwrap_or(Colour::Ink)
    }

    pub(super) fn usual(&self, colour: Colour) -> Rgb {
        Palette::of(self.scheme).get(colour)
    }
}

/// The colours that can be given, with their keys.
pub(super) const KEYS: [(Colour, &str); 7] = [
    (Colour::Paper, "paper"),
    (Colour::Surface, "surface"),
    (Colour::Ink, "ink"),
    (Colour::Action, "action"),
    (Colour::OnAction, "on_action"),
    (Colour::Link, "link"),
    (Colour::Stripe, "stripe"),
];
