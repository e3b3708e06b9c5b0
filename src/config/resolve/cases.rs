//! Paths on hosts with an upstream that ignores case.

use super::context::Context;
use crate::gate::action::Action;
use crate::gate::case;
use crate::gate::policy::Route;

/// Checks that no two routes of such a host differ only in case, and that the routes of one place
/// lead to upstreams that read its path alike.
pub(super) fn check(context: &mut Context<'_>, routes: &[Route]) {
    if routes.len() != context.file().routes.len() {
        return;
    }
    let ignores = |route: &Route| match &route.action {
        Action::Forward(forward) => Some(forward.ignores_case),
        Action::Permit => Some(false),
        Action::Redirect(_) | Action::Respond(_) => None,
    };
    let is_such = |host: &str| routes.iter().any(|r| r.host == host && ignores(r) == Some(true));
    for (index, route) in routes.iter().enumerate().filter(|(_, route)| is_such(&route.host)) {
        for (earlier, other) in routes[..index].iter().enumerate() {
            if other.host != route.host || case::wide(&other.path) != case::wide(&route.path) {
                continue;
            }
            let key = format!("route[{index}].path");
            let (one, two) = (ignores(route), ignores(other));
            if other.path == route.path {
                if one.zip(two).is_some_and(|(one, two)| one != two) {
                    let what = format!(
                        "is that of route[{earlier}] too, and one leads to an upstream that ignores \
                         case and the other to one that does not"
                    );
                    context.error(&key, what, "lead both to upstreams with the same ignores_case");
                }
            } else if !(one == Some(false) && two == Some(false)) {
                let what = format!(
                    "differs only in case from that of route[{earlier}] ({}), and case is ignored here",
                    other.path
                );
                context.error(&key, what, "write both in the same case, or join the two");
            }
        }
    }
}
