//! `[pages]`.

mod addresses;
mod colours;
mod given;
mod image;
mod remedy;
mod texts;

#[cfg(test)]
mod tests;

use crate::config::resolve::context::Context;
use crate::gateway::settings::Returns;
use crate::pages::{Appearance, is_control};

/// Resolves how the pages look, and where they lead.
pub(super) fn resolve(context: &mut Context<'_>) -> (Appearance, Returns) {
    let appearance = Appearance {
        style: colours::resolve(context),
        logo: image::resolve(context, key!(pages.logo), "logo-light"),
        dark_logo: image::resolve(context, key!(pages.logo_dark), "logo-dark"),
        links: addresses::footer(context),
        texts: texts::resolve(context),
        landing: landing(context),
    };
    if appearance.dark_logo.is_some() && appearance.logo.is_none() {
        let what = "is given without pages.logo, which light pages would need";
        context.error(key!(pages.logo_dark), what, "give both, or pages.logo alone for all pages");
    }
    (appearance, addresses::returns(context))
}

fn landing(context: &mut Context<'_>) -> Option<crate::pages::Local> {
    let file = &context.file().pages.landing;
    let texts = [
        said(context, key!(pages.landing.text.pl), file.text.pl.as_deref()),
        said(context, key!(pages.landing.text.en), file.text.en.as_deref()),
        said(context, key!(pages.landing.text.uk), file.text.uk.as_deref()),
    ];
    file.enabled.then_some(texts)
}

fn said(context: &mut Context<'_>, key: &str, text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        let what = format!("is empty or longer than {LONGEST} characters");
        context.error(key, what, "say shortly what a citizen agrees to, or leave it out");
        return None;
    }
    if text.chars().any(|letter| letter != '\n' && is_control(letter)) {
        context.error(key, "has a control character", "write plain text");
        return None;
    }
    Some(text.to_owned())
}

/// The longest text before the node, in characters.
const LONGEST: usize = 2_000;
