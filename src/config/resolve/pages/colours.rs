//! Colours, and whether they can be read (WCAG 2.2).

use super::remedy;
use crate::config::file::Colours;
use crate::config::resolve::context::Context;
use crate::pages::{Colour, Palette, Rgb, Scheme, Stylesheet, TooFaint};

/// Resolves both schemes; `None` when nothing is said of either.
pub(super) fn resolve(context: &mut Context<'_>) -> Option<Stylesheet> {
    let file = &context.file().pages;
    if file.light == Colours::default() && file.dark == Colours::default() {
        return None;
    }
    let light = scheme(context, (key!(pages.light), Scheme::Light), &file.light);
    let dark = scheme(context, (key!(pages.dark), Scheme::Dark), &file.dark);
    Some(Stylesheet::with(&light, &dark))
}

/// What is given of a scheme.
pub(super) struct Given {
    scheme: Scheme,
    colours: Vec<(Colour, Rgb)>,
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

fn scheme(context: &mut Context<'_>, (table, scheme): (&str, Scheme), file: &Colours) -> Palette {
    let Colours { paper, surface, ink, action, on_action, link, stripe } = file;
    let texts = [paper, surface, ink, action, on_action, link, stripe];
    let mut given = Given { scheme, colours: Vec::new() };
    for ((colour, name), text) in KEYS.into_iter().zip(texts) {
        let Some(text) = text else { continue };
        match Rgb::parse(text) {
            Some(value) => given.colours.push((colour, value)),
            None => {
                let advice = "write it like \"#0b4f9e\"";
                context.error(&format!("{table}.{name}"), "is not a colour", advice);
            }
        }
    }
    let palette = given.palette_with(&[]);
    let faint = palette.too_faint();
    for (colour, name) in KEYS {
        let of_it = faint.iter().filter(|pair| given.to_blame(pair) == colour);
        let of_it: Vec<_> = of_it.copied().collect();
        if !of_it.is_empty() {
            let advice = remedy::of(&given, colour, &of_it);
            context.error(&format!("{table}.{name}"), told(&palette, &of_it), advice);
        }
    }
    palette
}

/// Names the pairs that a colour makes.
fn told(palette: &Palette, pairs: &[TooFaint]) -> String {
    let one = |pair: &TooFaint| {
        format!(
            "{} ({}) on {} ({}) has {:.2} and needs {} ({})",
            pair.front.name(),
            palette.get(pair.front),
            pair.back.name(),
            palette.get(pair.back),
            (pair.contrast * 100.0).floor() / 100.0,
            pair.least,
            if pair.least < 4.0 { "1.4.11" } else { "1.4.3" },
        )
    };
    let all: Vec<_> = pairs.iter().map(one).collect();
    format!("makes too little contrast for people (WCAG 2.2): {}", all.join(", "))
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
