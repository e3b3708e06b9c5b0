//! Colours, and whether they can be read (WCAG 2.2).

use crate::config::file::Colours;
use crate::config::resolve::context::Context;
use crate::pages::{Colour, Palette, Rgb, Scheme, Stylesheet};

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
    let given = [
        ("paper", Colour::Paper, paper),
        ("surface", Colour::Surface, surface),
        ("ink", Colour::Ink, ink),
        ("action", Colour::Action, action),
        ("on_action", Colour::OnAction, on_action),
        ("link", Colour::Link, link),
        ("stripe", Colour::Stripe, stripe),
    ];
    let mut palette = Palette::of(scheme);
    for (name, colour, text) in given {
        let Some(text) = text else { continue };
        match Rgb::parse(text) {
            Some(value) => palette.set(colour, value),
            None => {
                let advice = "write it like \"#0b4f9e\"";
                context.error(&format!("{table}.{name}"), "is not a colour", advice);
            }
        }
    }
    if action.is_some() && link.is_none() {
        palette.set(Colour::Link, palette.get(Colour::Action));
    }
    if action.is_some() || on_action.is_some() {
        palette.derive_action_over();
    }
    let key_of = |colour: Colour| {
        let own = given.iter().find(|(_, of, text)| *of == colour && text.is_some());
        own.map(|(name, ..)| *name).or(match colour {
            Colour::Link | Colour::ActionOver if action.is_some() => Some("action"),
            Colour::ActionOver if on_action.is_some() => Some("on_action"),
            _ => None,
        })
    };
    for pair in palette.too_faint() {
        let (front, back) = (palette.get(pair.front), palette.get(pair.back));
        let key = key_of(pair.front).or(key_of(pair.back)).unwrap_or("ink");
        let clause = if pair.least < 4.0 { "1.4.11" } else { "1.4.3" };
        let what = format!(
            "makes {} ({front}) on {} ({back}), which have a contrast of {:.2}, and people need \
             {} (WCAG 2.2, {clause})",
            pair.front.name(),
            pair.back.name(),
            (pair.contrast * 100.0).floor() / 100.0,
            pair.least,
        );
        context.error(&format!("{table}.{key}"), what, "make one darker or the other lighter");
    }
    palette
}
