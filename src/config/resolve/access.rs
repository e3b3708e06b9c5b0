//! Which clients may make the requests of a route, and with which methods.

use std::time::Duration;

use http::Method;

use super::context::Context;
use super::login::assurance;
use crate::config::file::{self, HumanDuration};
use crate::gate::methods::{Methods, Tie};
use crate::gate::policy::Access;
use crate::gate::requirement::{Attribute, Requirement};
use crate::identity::assurance::Assurance;
use crate::wire::head::is_method;

/// The shortest age of a login that can be kept, beside what the clocks may differ: a citizen must
/// come back from the node and arrive within it, or would be sent there again and again.
const SHORTEST_AGE: Duration = Duration::from_secs(60);
/// The most entries of a list in a route.
const MAXIMUM: usize = 32;
/// The longest name of an authority that an assertion may have.
const LONGEST_AUTHORITY: usize = 500;

/// The methods of a route; absent with a problem.
pub(super) fn methods(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &str,
) -> Option<Methods> {
    let Some(given) = &route.methods else { return Some(Methods::ALL) };
    if given.is_empty() || given.len() > MAXIMUM {
        let what = format!("has {} methods, and may have between 1 and {MAXIMUM}", given.len());
        context.error(key, what, "name some methods, or leave it out for all of them");
        return None;
    }
    let mut methods = Vec::new();
    for name in given {
        let method = Method::from_bytes(name.as_bytes());
        let known = method.ok().filter(|_| is_method(name.as_bytes()));
        match known {
            Some(Method::TRACE | Method::CONNECT) => {
                let what = format!("has {name}, which is refused everywhere");
                context.error(key, what, "leave it out");
            }
            Some(method) if !methods.contains(&method) => methods.push(method),
            Some(_) => {}
            None => {
                let what = format!("\"{}\" is no method", name.escape_debug());
                let advice = if is_method(name.to_ascii_uppercase().as_bytes()) {
                    format!("write \"{}\"", name.to_ascii_uppercase())
                } else {
                    "write names such as \"GET\" and \"POST\"".to_owned()
                };
                context.error(key, what, advice);
            }
        }
    }
    if methods.contains(&Method::GET) && !methods.contains(&Method::HEAD) {
        let what = "has GET without HEAD, which this route is then not for";
        context.warn(key, what, "write [\"GET\", \"HEAD\"]");
    }
    (!methods.is_empty()).then(|| Methods::only(methods))
}

/// A route, as far as it can be taken for another one.
pub(super) struct Claimed {
    pub(super) index: usize,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) methods: Methods,
}

/// Reports a route that is for the same as an earlier one.
pub(super) fn check_tie(context: &mut Context<'_>, taken: &[Claimed], claimed: &Claimed) {
    let same = |other: &&Claimed| other.host == claimed.host && other.path == claimed.path;
    for other in taken.iter().filter(same) {
        let Some(tie) = claimed.methods.tie(&other.methods) else { continue };
        let what = match tie {
            Tie::All => String::new(),
            Tie::Method(method) => format!(" with {method}"),
        };
        let Claimed { index, host, path, .. } = claimed;
        let first = format!("route[{}]", other.index);
        let place = context.place(&format!("{first}.path"));
        context.error(
            &format!("route[{index}].path"),
            format!(
                "route[{index}] and {first} ({place}) are both for {host}{path}{what}, and \
                 neither is more specific"
            ),
            "join the two, or give one another path or other methods",
        );
    }
}

/// Resolves what a client needs to pass: `access`, and the requirements beside it.
pub(super) fn access(
    context: &mut Context<'_>,
    route: &file::Route,
    key: &dyn Fn(&str) -> String,
) -> Access {
    check_meaning(context, route, key);
    match route.access {
        file::Access::Public => Access::Public,
        file::Access::Optional => Access::Optional,
        file::Access::Required => Access::Required(Requirement {
            assurance: level(context, route.assurance, &key(key!(Route: assurance))),
            max_age: max_age(context, route.max_age, &key(key!(Route: max_age))),
            authorities: authorities(context, &route.authorities, &key(key!(Route: authorities))),
            attributes: attributes(context, &route.require, &key(key!(Route: require))),
        }),
    }
}

/// The level of a route. That of the service holds for every login, so less is not what it says.
fn level(context: &mut Context<'_>, given: Option<file::Assurance>, key: &str) -> Assurance {
    let least = context.file().service.assurance;
    if given.is_some_and(|given| given < least) {
        context.error(
            key,
            "is less than service.assurance, and no login has less than that",
            "leave it out; or lower service.assurance and give the other routes the level that they \
             need",
        );
    }
    assurance(given.unwrap_or(least))
}

fn check_meaning(context: &mut Context<'_>, route: &file::Route, key: &dyn Fn(&str) -> String) {
    let asked = [
        (key!(Route: assurance), route.assurance.is_some()),
        (key!(Route: max_age), route.max_age.is_some()),
        (key!(Route: authorities), !route.authorities.is_empty()),
        (key!(Route: require), !route.require.is_empty()),
    ];
    for (name, _) in asked.into_iter().filter(|(_, is_given)| *is_given) {
        if route.access != file::Access::Required {
            context.error(
                &key(name),
                "has no meaning on a route that needs nobody to be signed in",
                "leave it out, or set access = \"required\"",
            );
        }
    }
    if route.access == file::Access::Public && route.outlives_session {
        context.warn(
            &key(key!(Route: outlives_session)),
            "what is opened on a public route belongs to no session",
            "leave it out, or set access = \"optional\"",
        );
    }
    if route.access == file::Access::Public && !route.claims.is_empty() {
        context.warn(
            &key(key!(Route: claims)),
            "nobody's identity is passed on to a public route",
            "leave it out, or set access = \"optional\"",
        );
    }
}

fn max_age(context: &mut Context<'_>, age: Option<HumanDuration>, key: &str) -> Option<Duration> {
    let age = age?.get();
    let shortest = SHORTEST_AGE + context.file().service.clock_skew.get();
    if age < shortest {
        context.error(
            key,
            "is so short that citizens who come back from the node would be sent there again",
            format!(
                "give at least \"{}\": a minute, and service.clock_skew",
                HumanDuration::from_secs(shortest.as_secs())
            ),
        );
    } else if age >= context.file().session.absolute.get() {
        context.warn(
            key,
            "is not shorter than session.absolute, so it asks for nothing",
            "leave it out, or give less",
        );
    }
    Some(age)
}

fn authorities(context: &mut Context<'_>, given: &[String], key: &str) -> Vec<String> {
    let fits = |name: &String| {
        !name.is_empty()
            && name.trim() == name
            && name.chars().count() <= LONGEST_AUTHORITY
            && !name.chars().any(char::is_control)
    };
    if given.len() > MAXIMUM || !given.iter().all(fits) {
        context.error(
            key,
            format!("is not a list of at most {MAXIMUM} names of authorities"),
            "write them as the node does, such as \"pz.gov.pl\"",
        );
    }
    given.to_vec()
}

fn attributes(context: &mut Context<'_>, given: &[file::Requirement], key: &str) -> Vec<Attribute> {
    let service = &context.file().service;
    let asked: Vec<file::Attribute> =
        service.required_attributes.iter().chain(&service.optional_attributes).copied().collect();
    let mut attributes = Vec::new();
    for &requirement in given {
        let (attribute, needed, name) = match requirement {
            file::Requirement::Adult => (Attribute::Adult, file::Attribute::Birthdate, "birthdate"),
            file::Requirement::Pesel => {
                (Attribute::Pesel, file::Attribute::Identifier, "identifier")
            }
        };
        if !asked.contains(&needed) {
            context.error(
                key,
                format!(
                    "needs the attribute {name}, which the node is not asked for, so nobody \
                         could pass"
                ),
                format!("add \"{name}\" to service.required_attributes"),
            );
        }
        if !attributes.contains(&attribute) {
            attributes.push(attribute);
        }
    }
    attributes
}
