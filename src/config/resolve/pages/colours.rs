//! Colours, and whether they can be read (WCAG 2.2).

use super::given::{Given, KEYS};
use super::remedy;
use crate::config::file::Colours;
use crate::config::resolve::context::Context;
use crate::pages::{Palette, Rgb, Scheme, Stylesheet, TooFaint};

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
