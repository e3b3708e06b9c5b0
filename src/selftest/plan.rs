//! What all cases are made of: how one is planned, where a citizen goes, and what comes of it.

use url::Url;

use super::choice::{Choice, Possible, satisfying};
use super::citizen::Trouble;
use super::examiner::Planned;
use super::world::World;
use crate::gate::policy::Access;
use crate::report::Text;

/// A case of a group, with what it proves and what is expected, each in Polish and English.
pub(super) fn planned(
    group: &'static str,
    id: impl Into<std::borrow::Cow<'static, str>>,
    [name_pl, name_en]: [&'static str; 2],
    [expected_pl, expected_en]: [&'static str; 2],
    source: &'static str,
) -> Planned {
    let (name, expected) = (Text::new(name_pl, name_en), Text::new(expected_pl, expected_en));
    Planned { id: id.into(), group, name, expected, source }
}

/// Where a citizen goes who has to sign in at a portal, and how: a page that asks for it, or the
/// address at which a login begins where none does. The second is where the portal leads then.
pub(super) fn goal(world: &World, origin: &Url) -> Result<(Url, Choice), Trouble> {
    let facts = &world.facts;
    let at_least = || Choice::at(facts.assurance);
    let Some(route) = facts.protected(origin) else {
        return Ok((facts.own(origin, "login?return_to=%2F"), at_least()));
    };
    let Access::Required(needs) = &route.access else {
        return Ok((facts.at(origin, &route.path), at_least()));
    };
    match satisfying(needs, facts.assurance) {
        Possible::Yes(choice) => Ok((facts.at(origin, &route.path), choice)),
        // The rule has a case of its own.
        Possible::No(_) | Possible::Unknown(_) => {
            Ok((facts.own(origin, "login?return_to=%2F"), at_least()))
        }
    }
}

/// The goal at the registered portal.
pub(super) fn home(world: &World) -> Result<(Url, Choice), Trouble> {
    goal(world, &world.facts.origin)
}

pub(super) fn differs(pl: impl Into<String>, en: impl Into<String>) -> Trouble {
    Trouble::Otherwise(Text::new(pl.into(), en.into()))
}

pub(super) fn not_here(pl: &'static str, en: &'static str) -> Trouble {
    Trouble::NotHere(Text::new(pl, en))
}

pub(super) fn done(pl: &'static str, en: &'static str) -> Result<Text, Trouble> {
    Ok(Text::new(pl, en))
}
