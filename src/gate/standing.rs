//! Why each route decides about a request or does not, for people who ask.
//!
//! It decides nothing: it is told which location and route were found, and compares the others with
//! them.

use std::fmt;
use std::sync::Arc;

use super::facts::Facts;
use super::policy::{Coverage, Policy, Route};

/// Where a route stands with respect to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It decides: its location and method are those of the request.
    Decides,
    /// It is for the path, but the location of a longer prefix has the only say.
    ShorterPath,
    /// It is of the same location, for other methods.
    OtherMethod,
    /// It is of the same location for all methods, and another one names the method.
    AllMethods,
    /// It is for the path in another case, and its upstream tells cases apart. No request goes past
    /// it to one that does not.
    OtherCase,
    /// It is for other paths.
    OtherPath,
    /// It is for another host.
    OtherHost,
}

impl Standing {
    /// Returns the name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::ShorterPath => "shorter_path",
            Self::OtherMethod => "other_method",
            Self::AllMethods => "all_methods",
            Self::OtherCase => "other_case",
            Self::OtherPath => "other_path",
            Self::OtherHost => "other_host",
        }
    }

    /// Tells whether the route covers host and path of the request.
    #[must_use]
    pub fn matches(self) -> bool {
        !matches!(self, Self::OtherPath | Self::OtherHost)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decides => "decides",
            Self::ShorterPath => "covers the path, but a longer path is more specific",
            Self::OtherMethod => "covers the path, but is for other methods",
            Self::AllMethods => {
                "covers the path, but a rule that names the method is more specific"
            }
            Self::OtherCase => "is for the path in another case of its letters",
            Self::OtherPath => "is for other paths",
            Self::OtherHost => "is for another host",
        })
    }
}

/// Says where every route stands, the most specific of each host first.
#[must_use]
pub fn standings<'p>(facts: &Facts<'_>, policy: &'p Policy) -> Vec<(&'p Arc<Route>, Standing)> {
    let location = policy.find(facts.host, facts.path);
    let decides = location.and_then(|location| location.route(facts.method));
    let standing = |route: &Arc<Route>| {
        if route.host != facts.host {
            return Standing::OtherHost;
        }
        match policy.coverage(route, facts.path) {
            Coverage::Elsewhere => return Standing::OtherPath,
            Coverage::OtherCase => return Standing::OtherCase,
            Coverage::Covers => {}
        }
        // Where no location was found, one with a longer path is in the way.
        if location.is_none_or(|location| location.path() != route.path) {
            Standing::ShorterPath
        } else if decides.is_some_and(|decides| Arc::ptr_eq(decides, route)) {
            Standing::Decides
        } else if route.methods.has(facts.method) {
            Standing::AllMethods
        } else {
            Standing::OtherMethod
        }
    };
    policy.routes().map(|route| (route, standing(route))).collect()
}
