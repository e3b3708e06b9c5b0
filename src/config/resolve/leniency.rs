//! `lenient_paths` of a `[[route]]`.
//!
//! 1. Routes of one location take the same: the path is read before it is known which of them
//!    decides.
//! 2. Every kind of spelling may be read as a path for a route below. The gateway refuses what may,
//!    and where the two routes let different requests pass, the option is an error: an upstream may
//!    read a path in a way that nobody has thought of.
//! 3. Which letters stand for bytes that are not UTF-8 is not known, so the path of a route that
//!    takes them has none but those of ASCII.

use super::context::Context;
use super::reach;
use crate::config::file::{self, LenientPath};
use crate::gate::action::Action;
use crate::gate::case;
use crate::gate::leniency::{Kind, Leniency};
use crate::gate::policy::{Route, covers};

pub(super) fn resolve(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &str,
    path: Option<&str>,
) -> Leniency {
    let kind = |spelling: &LenientPath| match spelling {
        LenientPath::EncodedSlash => Kind::EncodedSlash,
        LenientPath::EmptySegment => Kind::EmptySegment,
        LenientPath::EncodedSemicolon => Kind::EncodedSemicolon,
        LenientPath::NotUtf8 => Kind::NotUtf8,
    };
    let leniency = route.lenient_paths.iter().map(kind).fold(Leniency::default(), Leniency::with);
    if leniency.has(Kind::NotUtf8) && path.is_some_and(|path| !path.is_ascii()) {
        context.error(
            key,
            "has \"not_utf8\", and the path of the route has letters outside ASCII: which bytes \
             they are to the upstream is not known",
            "take it out, or give the route a path in ASCII",
        );
    }
    leniency
}

/// Checks that no lenient route is read as another one, when all routes could be read.
pub(super) fn check(context: &mut Context<'_>, routes: &[Route]) {
    if routes.len() != context.file().routes.len() {
        return;
    }
    let methods = reach::methods(routes);
    for (index, route) in routes.iter().enumerate() {
        let key = format!("route[{index}].lenient_paths");
        for (number, other) in routes.iter().enumerate().filter(|(_, it)| it.host == route.host) {
            let name = format!("route[{number}] ({}{})", other.host, other.path);
            if other.path == route.path {
                if number < index && other.leniency != route.leniency {
                    let what =
                        format!("is not the same as that of {name}, which has the same path");
                    context.error(&key, what, "give the same to all routes of one path");
                }
            } else if leads_into(route, other)
                && methods[index] & methods[number] != 0
                && !let_pass_the_same(route, other)
            {
                let what = format!(
                    "leads past {name}: a spelling of a path below {} that the upstream reads as \
                     one below {} is judged by this route, and the two let different requests pass",
                    route.path, other.path
                );
                context.error(
                    &key,
                    what,
                    "give lenient_paths to a route with no such route below it, for the part of \
                     the portal that needs it alone; or let both routes ask for the same",
                );
            }
        }
    }
}

/// Tells whether a path of a lenient route may be read as one for another route.
fn leads_into(route: &Route, other: &Route) -> bool {
    let ignores_case = [route, other]
        .iter()
        .any(|route| matches!(&route.action, Action::Forward(forward) if forward.ignores_case));
    let is_below = |above: &str, below: &str| above != below && covers(above, below);
    !route.leniency.is_none()
        && (is_below(&route.path, &other.path)
            || ignores_case && is_below(&case::wide(&route.path), &case::wide(&other.path)))
}

fn let_pass_the_same(one: &Route, other: &Route) -> bool {
    one.access.asks_as_much_as(&other.access)
        && other.access.asks_as_much_as(&one.access)
        && one.maintenance == other.maintenance
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;
    use crate::config::resolve::{routes, upstreams};

    const SLASH: &str = "lenient_paths = [\"encoded_slash\"]";

    /// What is said of routes, each as `path more`.
    fn told(given: &[&str]) -> String {
        let mut text = "[[upstream]]\nname = \"up\"\nurl = \"http://127.0.0.1:3000\"\n".to_owned();
        for route in given {
            let (path, more) = route.split_once(' ').unwrap_or((route, ""));
            let more = more.replace(", ", "\n");
            text.push_str(&format!(
                "[[route]]\nhost = \"a.test\"\npath = \"{path}\"\nupstream = \"up\"\n{more}\n"
            ));
        }
        let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let (names, _) = upstreams::resolve(&mut context);
        let routes = routes::resolve(&mut context, None, &names);
        check(&mut context, &routes);
        let said = context.problems.to_string();
        if said.contains(".lenient_paths: ") { said } else { String::new() }
    }

    #[test]
    fn a_lenient_route_above_one_that_lets_others_pass_is_an_error() {
        let public = format!("/api access = \"public\", {SLASH}");
        let closed = format!("/api {SLASH}");
        for (routes, other) in [
            (vec!["/", &*public, "/api/admin"], "route[2] (a.test/api/admin)"),
            (vec!["/", &*closed, "/api/open access = \"public\""], "route[2] (a.test/api/open)"),
            (vec!["/api/high assurance = \"high\"", &*closed], "route[0] (a.test/api/high)"),
            (vec![&*closed, "/api/work maintenance = true"], "route[1] (a.test/api/work)"),
            (vec![&*format!("/ {SLASH}"), "/x access = \"public\""], "route[1] (a.test/x)"),
            (
                vec!["/ lenient_paths = [\"empty_segment\"]", "/x access = \"optional\""],
                "(a.test/x)",
            ),
            (vec!["/ lenient_paths = [\"not_utf8\"]", "/x require = [\"adult\"]"], "(a.test/x)"),
            (
                vec!["/ lenient_paths = [\"encoded_semicolon\"]", "/x max_age = \"1h\""],
                "(a.test/x)",
            ),
        ] {
            let said = told(&routes);
            assert!(said.contains("lenient_paths: leads past"), "{routes:?}: {said}");
            assert!(said.contains(other), "{routes:?}: {said}");
        }
    }

    #[test]
    fn one_that_has_no_such_route_below_is_none() {
        let closed = format!("/api {SLASH}");
        for routes in [
            vec!["/ access = \"public\"", &*closed],
            vec!["/ access = \"public\"", &*closed, "/apis access = \"public\""],
            vec![&*closed, "/api/same"],
            vec!["/ access = \"public\"", &*closed, &*format!("/api/same {SLASH}")],
            vec![
                &*format!("{closed}, methods = [\"GET\"]"),
                "/api/x access = \"public\", methods = [\"PUT\"]",
            ],
            vec!["/", "/x access = \"public\""],
        ] {
            assert_eq!(told(&routes), "", "{routes:?}");
        }
    }

    #[test]
    fn routes_of_one_path_take_the_same() {
        let get = format!("/api methods = [\"GET\"], {SLASH}");
        let said = told(&[&get, "/api methods = [\"PUT\"]"]);
        assert!(
            said.contains("route[1].lenient_paths: is not the same as that of route[0]"),
            "{said}"
        );
        assert_eq!(told(&[&get, &format!("/api methods = [\"PUT\"], {SLASH}")]), "");
    }

    #[test]
    fn unknown_letters_stand_below_a_path_in_ascii() {
        let said = told(&["/%C5%BC lenient_paths = [\"not_utf8\"]"]);
        assert!(said.contains("the path of the route has letters outside ASCII"), "{said}");
        assert_eq!(told(&["/z lenient_paths = [\"not_utf8\"]"]), "");
        assert_eq!(told(&[&format!("/%C5%BC {SLASH}")]), "");
    }
}
