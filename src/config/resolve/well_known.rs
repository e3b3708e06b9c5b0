//! `identity.well_known`: places that are the portal's own otherwise.

use super::context::Context;
use crate::gate::policy::Route;
use crate::gateway;
use crate::gateway::endpoints::jwks::{WELL_KNOWN_ISSUER, WELL_KNOWN_KEYS};
use crate::gateway::portals::Standing;

/// Warns of a route of the portal that is for one of these places, or for the folder that they are
/// in: requests for them do not reach it. A route for everything says nothing about them.
pub(super) fn check(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
    routes: &[Route],
) {
    let Some(portal) = portal.filter(|portal| portal.well_known) else { return };
    for route in routes.iter().filter(|route| portal.standing(&route.host) == Standing::Registered)
    {
        let taken = [WELL_KNOWN_KEYS, WELL_KNOWN_ISSUER].into_iter().find(|place| {
            let rest = place.strip_prefix(&*route.path);
            route.path != "/" && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if let Some(place) = taken {
            let what =
                format!("{place} is the gateway's, and the route {} is not asked", route.path);
            let advice = "give the portal another place, or leave this out and tell backends \
                          jwks.json below portal.prefix";
            context.warn(key!(identity.well_known), what, advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::clock::{Clock, SystemClock};
    use crate::config;
    use crate::config::load::load_text;

    #[test]
    fn a_route_that_is_for_what_the_gateway_takes_is_warned_of() {
        let told = |well_known: bool, path: &str, host: &str| {
            let text = format!(
                "[portal]\nname = \"P\"\npublic_url = \"https://portal.example\"\n[identity]\n\
                 well_known = {well_known}\n[[upstream]]\nname = \"p\"\nurl = \
                 \"http://127.0.0.1:9\"\n[[route]]\n{host}path = \"{path}\"\nupstream = \"p\"\n\
                 access = \"public\"\n"
            );
            let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
            let (_, problems) = config::resolve(loaded, SystemClock.now());
            problems.to_string().contains("identity.well_known: /.well-known/")
        };
        for (path, is_warned) in [
            ("/.well-known/openid-configuration", true),
            ("/.well-known/jwks.json", true),
            ("/.well-known", true),
            ("/.well-known/jwks.json/more", false),
            ("/.well-known/jwks", false),
            ("/.well-known/security.txt", false),
            ("/", false),
        ] {
            assert_eq!(told(true, path, ""), is_warned, "{path}");
            assert!(!told(false, path, ""), "{path}");
        }
        assert!(!told(true, "/.well-known", "host = \"other.example\"\n"));
    }
}
