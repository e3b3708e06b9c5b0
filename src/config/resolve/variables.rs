//! Variables of the environment that change which clients may go where.
//!
//! A reader of the file does not see them, so each is named: by `check`, and at every start.

use super::context::Context;
use crate::config::file::Access;

/// What says where a route is.
const WHERE: [&str; 3] = ["host", "path", "methods"];
/// What says which clients it is for.
const WHOM: [&str; 6] =
    ["assurance", "max_age", "authorities", "require", "upgrade_origins", "cors_preflight"];

pub(super) fn check(context: &mut Context<'_>) {
    for (index, route) in context.file().routes.iter().enumerate() {
        let name = format!("route[{index}]");
        let is_open = route.access != Access::Required;
        let opens = format!("is from the environment, and opens {}", route.path);
        let asks = format!("is from the environment, and says who may go to {}", route.path);
        // The route is not in the file at all.
        if context.is_variable(&name) {
            if is_open {
                warn(context, &name, &opens);
            }
            continue;
        }
        for key in ["access"].into_iter().chain(WHERE).chain(WHOM) {
            let full = format!("{name}.{key}");
            if context.is_variable(&full) && (is_open || key != "access") {
                warn(context, &full, if is_open { &opens } else { &asks });
            }
        }
    }
}

fn warn(context: &mut Context<'_>, key: &str, what: &str) {
    context.warn(key, what, "write it into the file, where whoever reads the rules sees it");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;

    #[test]
    fn a_variable_that_opens_a_route_or_changes_whom_it_is_for_is_named() {
        let file = "[[route]]\npath = \"/\"\n[[route]]\npath = \"/a\"\naccess = \"public\"\n";
        for (variables, expected) in [
            (
                &[("ROUTE__0__ACCESS", "public")][..],
                Some("route[0].access: is from the environment"),
            ),
            (&[("ROUTE__0__ACCESS", "optional")], Some("and opens /;")),
            (
                &[("ROUTE__1__PATH", "/admin")],
                Some("route[1].path: is from the environment, and op"),
            ),
            (&[("ROUTE__0__PATH", "/b")], Some("says who may go to /b;")),
            (&[("ROUTE__0__ASSURANCE", "low")], Some("says who may go to /;")),
            (&[("ROUTE__0__REQUIRE", "[]")], Some("BRAMA__ROUTE__0__REQUIRE: route[0].require")),
            (&[("ROUTE__2__PATH", "/c"), ("ROUTE__2__ACCESS", "public")], Some("and opens /c;")),
            (&[("ROUTE__2__PATH", "/c")], None),
            (&[("ROUTE__0__ACCESS", "required")], None),
            (&[("ROUTE__0__UPSTREAM", "x")], None),
            (&[], None),
        ] {
            let variables = variables.iter().map(|(k, v)| (format!("BRAMA__{k}"), (*v).to_owned()));
            let loaded = load_text("brama.toml", file, variables.clone()).unwrap();
            let mut context = Context::new(&loaded, SystemClock.now());
            check(&mut context);
            let said = context.problems.to_string();
            let count = if expected.is_some() { "0 errors, 1 warning" } else { "0 errors, 0 warn" };
            assert!(said.contains(count), "{said}");
            assert!(expected.is_none_or(|part| said.contains(part)), "{said}");
        }
    }
}
