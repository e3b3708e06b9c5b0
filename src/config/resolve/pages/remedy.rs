//! What helps against colours that lie too close together. Everything that is advised was tried.

use super::given::{Given, KEYS};
use crate::pages::{Colour, Rgb, TooFaint};

/// Returns what helps against all pairs that a colour makes: other colours beside it, or the nearest
/// shade of it that does.
pub(super) fn of(given: &Given, colour: Colour, pairs: &[TooFaint]) -> String {
    let before = given.palette_with(&[]).too_faint();
    let is_among = |pairs: &[TooFaint], pair: &TooFaint| {
        pairs.iter().any(|one| (one.front, one.back) == (pair.front, pair.back))
    };
    // Those of other colours may stay, and none may come.
    let helps = |more: &[(Colour, Rgb)]| {
        let after = given.palette_with(more).too_faint();
        after.iter().all(|pair| is_among(&before, pair) && !is_among(pairs, pair))
    };
    for beside in beside(given, colour, pairs) {
        if helps(&beside) {
            let named = beside.iter().map(|(of, to)| format!("{} = \"{to}\"", key(*of)));
            let named: Vec<_> = named.collect();
            return format!("give {} as well, or so", named.join(" and "));
        }
    }
    let value = given.palette_with(&[]).get(colour);
    let shades = (1..=STEPS).flat_map(|step| {
        [(BLACK, "darker"), (WHITE, "lighter")].map(|(to, how)| (value.shade(to, step, STEPS), how))
    });
    let found = shades.into_iter().find(|(shade, _)| helps(&[(colour, *shade)]));
    match found {
        Some((shade, how)) => format!("make it {how}, such as \"{shade}\""),
        None => {
            "no shade of it helps by itself, so change the colours that it meets too".to_owned()
        }
    }
}

/// Colours that could be given beside that of buttons, which stand for it where they are not.
fn beside(given: &Given, colour: Colour, pairs: &[TooFaint]) -> Vec<Vec<(Colour, Rgb)>> {
    if colour != Colour::Action {
        return Vec::new();
    }
    let has = |colour| pairs.iter().any(|pair| pair.front == colour) && !given.has(colour);
    let link = has(Colour::Link).then(|| (Colour::Link, given.usual(Colour::Link)));
    if !has(Colour::OnAction) {
        return vec![link.into_iter().collect()];
    }
    let with = |words| link.into_iter().chain([(Colour::OnAction, words)]).collect();
    vec![with(BLACK), with(WHITE)]
}

fn key(colour: Colour) -> &'static str {
    KEYS.into_iter().find(|(of, _)| *of == colour).map_or("ink", |(_, key)| key)
}

const BLACK: Rgb = Rgb::grey(0);
const WHITE: Rgb = Rgb::grey(255);
/// How finely shades are tried.
const STEPS: u8 = 32;
