//! Whether the connections that are allowed fit into the descriptors that the system gives.
//!
//! A client may fill the connections of clients, but never the rest: what goes on to portals, the
//! node, the store, the files, and the port of the operators. So where they do not fit, fewer are
//! accepted, and of one client fewer in proportion.

use super::context::Context;
use crate::base::descriptors;
use crate::server::listener::Limits;

/// Returns the limits that fit, and warns when they are other ones.
pub(super) fn fit(context: &mut Context<'_>, limits: Limits) -> Limits {
    match descriptors::most() {
        Some(most) => fit_into(context, limits, most),
        None => limits,
    }
}

fn fit_into(context: &mut Context<'_>, limits: Limits, most: u64) -> Limits {
    let asked = limits.connections as u64;
    // A client's connection has at most one to a portal, except by HTTP/2, where the portal's
    // `max_requests` is the bound.
    let upstreams = context.file().upstreams.iter();
    let most_behind = upstreams.map(|upstream| upstream.max_requests as u64);
    let behind = most_behind.fold(0, u64::saturating_add).min(asked);
    let needed = asked.saturating_add(behind).saturating_add(OTHERS);
    if needed <= most {
        return limits;
    }
    let free = most.saturating_sub(OTHERS.min(most / 2));
    let (asked, behind) = (asked.max(1), behind.max(1));
    let both = u128::from(asked) + u128::from(behind);
    let share = u128::from(free) * u128::from(asked) / both;
    let connections = u64::try_from(share).unwrap_or(u64::MAX).clamp(1, asked);
    let of_one = limits.connections_per_address as u64;
    let fewer = u128::from(of_one) * u128::from(connections) / u128::from(asked);
    let fewer = u64::try_from(fewer).unwrap_or(u64::MAX).max(u64::from(of_one > 0));
    let told = if of_one > 0 { format!(", {fewer} of one client") } else { String::new() };
    context.warn(
        key!(listen.max_connections),
        format!(
            "{asked} connections of clients and what goes on from them need {needed} file \
             descriptors, and this process may have {most}: only {connections} are accepted{told}"
        ),
        format!(
            "let it have {needed} (LimitNOFILE= of systemd, ulimits of a container, ulimit -n of a \
             shell), or lower this"
        ),
    );
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits { connections: number(connections), connections_per_address: number(fewer), ..limits }
}

/// For everything else: sockets that are listened on, the operators' port, the node, the store,
/// connections to portals that are kept, checks of their health, logs and files.
const OTHERS: u64 = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::config::load::load_text;

    fn told(text: &str, limits: Limits, most: u64) -> (Limits, String) {
        let loaded = load_text("brama.toml", text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
        let fitted = fit_into(&mut context, limits, most);
        (fitted, context.problems.to_string())
    }

    const TWO: &str = "[[upstream]]\nname = \"a\"\nmax_requests = 400\n\
                       [[upstream]]\nname = \"b\"\nmax_requests = 400\n";

    #[test]
    fn what_fits_stays_as_it_is_and_of_what_does_not_there_is_less() {
        let limits =
            Limits { connections: 1000, connections_per_address: 100, ..Limits::default() };
        let needed = 1000 + 800 + OTHERS;
        let (fitted, said) = told(TWO, limits, needed);
        assert_eq!(fitted, limits);
        assert!(said.ends_with("0 errors, 0 warnings"), "{said}");
        let (fitted, said) = told(TWO, limits, needed - 1);
        assert_eq!(fitted.connections, 999);
        assert!(said.contains("need 2312 file descriptors, and this process may have 2311"));
        assert!(said.contains("only 999 are accepted, 99 of one client"), "{said}");
        // With few of them, half is for the rest.
        let (fitted, _) = told(TWO, limits, 720);
        assert_eq!((fitted.connections, fitted.connections_per_address), (200, 20));
        for most in [0, 1, 2, 64] {
            let (fitted, _) = told(TWO, limits, most);
            assert!(fitted.connections > 0 && fitted.connections_per_address > 0);
        }
        let nobody = Limits { connections_per_address: 0, ..limits };
        let (fitted, said) = told("", nobody, 1024);
        assert_eq!(fitted.connections_per_address, 0);
        assert!(!said.contains("of one client"), "{said}");
    }
}
