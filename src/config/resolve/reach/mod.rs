//! Two doors to one place: what one route protects at an upstream and a more open one reaches.
//!
//! 1. A route has a location at its upstream: its path, less what is taken off, after what is put
//!    before. Upstreams that share a server are one.
//! 2. Two routes of different places are compared when they take the same method and the stricter
//!    one asks for a login. A more open route below a stricter one on the same host is no second
//!    door: that is how single paths are opened.
//! 3. When a request for the more open route arrives at what the other one covers, it is a second
//!    door.
//! 4. When it only would if the upstream took another spelling for the same (`/Admin`, `/adminx`),
//!    the more open one covers the other from above. That is said too: which spellings an upstream
//!    takes for the same is not known here.
//! 5. Two routes with fixed and different `host_header`s are told apart by the upstream.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use http::Method;

use super::context::Context;
use crate::gate::action::{Action, Forward, HostHeader};
use crate::gate::case;
use crate::gate::policy::{Access, Policy, Route};
use crate::proxy::upstream::{ServerAddress, Settings};

/// Checks the routes of a file, when all of them could be read.
pub(super) fn check(context: &mut Context<'_>, routes: &[Route], upstreams: &[Settings]) {
    let file = context.file();
    if routes.len() != file.routes.len() || upstreams.len() != file.upstreams.len() {
        return;
    }
    if routes.len() > MOST_ROUTES {
        let what = format!("more than {MOST_ROUTES} routes are not searched for second doors");
        context.warn("route", what, "");
        return;
    }
    let reach = UpstreamReach::new(routes, &groups(upstreams));
    let mut second: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut wider: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (open, strict) in reach.second() {
        second.entry(open).or_default().push(strict);
    }
    for (open, strict) in reach.wider() {
        if !second.get(&open).is_some_and(|known| known.contains(&strict)) {
            wider.entry(open).or_default().push(strict);
        }
    }
    let name =
        |index: usize| format!("route[{index}] ({}{})", routes[index].host, routes[index].path);
    let names = |found: &[usize]| {
        let mut text: Vec<_> = found.iter().take(MOST_NAMED).map(|index| name(*index)).collect();
        if found.len() > MOST_NAMED {
            text.push(format!("{} more", found.len() - MOST_NAMED));
        }
        text.join(", ")
    };
    for (open, strict) in second {
        context.warn(
            &format!("route[{open}].path"),
            format!(
                "is a second door: by {} requests reach at the same upstream what {} asks more for",
                name(open),
                names(&strict)
            ),
            "ask for as much here; or give what is to be open a path or an upstream of its own; or set \
             host_header on both, when the upstream tells hosts apart",
        );
    }
    for (open, strict) in wider {
        let example = &routes[strict[0]].path;
        context.warn(
            &format!("route[{open}].path"),
            format!(
                "is more open than {} below it: a spelling of {example} that the upstream takes for \
                 the same, and the gateway does not, passes by this route",
                names(&strict)
            ),
            "make the widest route the strictest and open single paths below it; \
             docs/upstream-paths.md tells which upstreams take which spellings",
        );
    }
}

/// Routes with their locations at their upstreams.
struct UpstreamReach<'r> {
    routes: &'r [Route],
    policy: Policy,
    /// For each route its upstream and the prefix there, without a slash at its end, if it goes on.
    locations: Vec<Option<(usize, String)>>,
    /// The methods that each route decides for.
    methods: Vec<u128>,
}

impl<'r> UpstreamReach<'r> {
    fn new(routes: &'r [Route], groups: &[usize]) -> Self {
        let location = |route: &Route| {
            let Forward { upstream, .. } = forward(route)?;
            let path = route.rewrite.path(&route.path);
            Some((groups[*upstream], path.trim_end_matches('/').to_owned()))
        };
        Self {
            routes,
            policy: Policy::new(routes.to_vec()),
            locations: routes.iter().map(location).collect(),
            methods: methods(routes),
        }
    }

    /// Returns more open routes whose requests reach what stricter ones cover.
    ///
    /// Each route covers its prefix at the upstream less what longer routes of its host take away,
    /// and both are whole trees. So where two routes meet at all, they meet at the longer of the
    /// prefixes.
    fn second(&self) -> Vec<(usize, usize)> {
        let index = self.index();
        let mut found = BTreeSet::new();
        for (group, path) in self.locations.iter().flatten() {
            let here: Vec<usize> = prefixes(path)
                .filter_map(|prefix| {
                    let routes = index.get(&(*group, case::wide(prefix).into_owned()))?;
                    Some(routes.iter().filter(move |route| self.leads_to(**route, prefix, path)))
                })
                .flatten()
                .copied()
                .collect();
            for open in &here {
                found.extend(here.iter().map(|strict| (*open, *strict)));
            }
        }
        self.conflicts(found)
    }

    /// Returns more open routes that cover stricter ones from above, without regard to case.
    fn wider(&self) -> Vec<(usize, usize)> {
        let index = self.index();
        let mut found = BTreeSet::new();
        for (strict, location) in self.locations.iter().enumerate() {
            let Some((group, path)) = location else { continue };
            for prefix in prefixes(&case::wide(path)) {
                let above = index.get(&(*group, prefix.to_owned()));
                found.extend(above.into_iter().flatten().map(|open| (*open, strict)));
            }
        }
        self.conflicts(found)
    }

    /// Finds routes by their upstream and their prefix there, without case.
    fn index(&self) -> HashMap<(usize, String), Vec<usize>> {
        let mut index: HashMap<_, Vec<usize>> = HashMap::new();
        for (route, location) in self.locations.iter().enumerate() {
            if let Some((group, path)) = location {
                index.entry((*group, case::wide(path).into_owned())).or_default().push(route);
            }
        }
        index
    }

    /// Tells whether a request for a route arrives at a path of its upstream, of which its prefix
    /// is the beginning, or is but for the case.
    fn leads_to(&self, route: usize, prefix: &str, path: &str) -> bool {
        let (Some((_, own)), route) = (&self.locations[route], &self.routes[route]) else {
            return false;
        };
        if own != prefix && !forward(route).is_some_and(|forward| forward.ignores_case) {
            return false;
        }
        let request = format!("{}{}", route.path.trim_end_matches('/'), &path[prefix.len()..]);
        let request = if request.is_empty() { "/" } else { &request };
        let location = self.policy.find(&route.host, request);
        location.is_some_and(|location| location.path() == route.path)
    }

    fn conflicts(&self, pairs: BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
        pairs.into_iter().filter(|(open, strict)| self.is_conflict(*open, *strict)).collect()
    }

    fn is_conflict(&self, open: usize, strict: usize) -> bool {
        let (one, other) = (&self.routes[open], &self.routes[strict]);
        (&one.host, &one.path) != (&other.host, &other.path)
            && self.methods[open] & self.methods[strict] != 0
            && matches!(other.access, Access::Required(_))
            && !one.access.asks_as_much_as(&other.access)
            && !are_told_apart(one, other)
    }
}

fn forward(route: &Route) -> Option<&Forward> {
    match &route.action {
        Action::Forward(forward) => Some(forward),
        Action::Redirect(_) | Action::Respond(_) | Action::Permit => None,
    }
}

fn are_told_apart(one: &Route, other: &Route) -> bool {
    match (forward(one).map(|f| &f.host), forward(other).map(|f| &f.host)) {
        (Some(HostHeader::Fixed(one)), Some(HostHeader::Fixed(other))) => one != other,
        _ => false,
    }
}

/// Returns a path and the prefixes of it that end at a segment, the empty one last.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| Some(&path[..path.rfind('/')?]))
}

/// Returns for each route the methods that it decides for: a bit for each that a route names, and
/// one for all others.
pub(super) fn methods(routes: &[Route]) -> Vec<u128> {
    let mut named: Vec<&Method> = Vec::new();
    for method in routes.iter().flat_map(|route| route.methods.named()) {
        if !named.contains(&method) && named.len() < 127 {
            named.push(method);
        }
    }
    let bits = |route: &Route| {
        let of_name = named.iter().enumerate().filter(|(_, method)| route.methods.has(method));
        of_name.fold(0_u128, |bits, (bit, _)| bits | 1 << bit)
    };
    let mut taken: HashMap<(&str, &str), u128> = HashMap::new();
    for route in routes.iter().filter(|route| route.methods.is_named()) {
        *taken.entry((&route.host, &route.path)).or_default() |= bits(route);
    }
    let decides = |route: &Route| {
        if route.methods.is_named() {
            return bits(route);
        }
        let location = (route.host.as_str(), route.path.as_str());
        !taken.get(&location).copied().unwrap_or_default()
    };
    routes.iter().map(decides).collect()
}

/// Returns for each upstream the number of the first one that it shares a server with.
fn groups(upstreams: &[Settings]) -> Vec<usize> {
    let mut groups: Vec<usize> = (0..upstreams.len()).collect();
    let mut first: HashMap<String, usize> = HashMap::new();
    for (number, upstream) in upstreams.iter().enumerate() {
        for server in &upstream.servers {
            let other = *first.entry(shown(&server.address)).or_insert(number);
            let (one, other) = (groups[number], groups[other]);
            let (least, most) = (one.min(other), one.max(other));
            groups.iter_mut().filter(|group| **group == most).for_each(|group| *group = least);
        }
    }
    groups
}

fn shown(address: &ServerAddress) -> String {
    match address {
        ServerAddress::Name { host, port } if host == "localhost" => format!("127.0.0.1:{port}"),
        ServerAddress::Name { host, port } => format!("{host}:{port}"),
        ServerAddress::Socket(address) => address.to_string(),
        ServerAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}

/// The most routes that are searched: all are compared with those that meet them.
const MOST_ROUTES: usize = 4096;
/// The most routes that a problem names.
const MOST_NAMED: usize = 3;

#[cfg(test)]
mod tests;
