//! What an upstream may make of a path that is read in more than one way, and whether its route
//! takes it all the same.
//!
//! 1. The location that decides is that of the path as it is written. Every other reading that an
//!    upstream could make of it must lead to the same location, or it is refused: nobody reaches by
//!    a spelling what another route decides about.
//! 2. A byte whose letter nobody knows may become any letters, or none ([`UNKNOWN`]). So no other
//!    location may cover what it could become.
//! 3. No upstream is sent a path that begins with two slashes: it would name a host to some.
//!
//! `request::lenient_path` makes the readings; it takes none that leads up or stays in place.

use super::case;
use super::leniency::Leniency;
use super::policy::{Location, Policy, covers};

/// Stands for letters that are not known. No path of a route has it.
pub const UNKNOWN: char = '\0';

/// What an upstream may make of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readings {
    /// The kinds of spelling that are in it.
    pub needed: Leniency,
    /// The path for the policy: decoded, but for what is read in more than one way, which stays as
    /// it came. No path of a route looks like that.
    pub path: String,
    /// Every other reading, with [`UNKNOWN`] where letters are not known.
    pub others: Vec<String>,
    /// The one with the most slashes.
    pub longest: String,
}

/// Why a path of such a spelling is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its route does not take the spelling.
    NotTaken,
    /// It may be read as one for another route.
    LeadsElsewhere,
}

impl Policy {
    /// Tells whether the route of a path takes it, and no reading of it leads to another one.
    ///
    /// # Errors
    /// When it does not, or one does.
    pub fn take(&self, host: &str, readings: &Readings) -> Result<(), Refusal> {
        let location = self.find(host, &readings.path).ok_or(Refusal::NotTaken)?;
        if !location.leniency().includes(readings.needed) {
            return Err(Refusal::NotTaken);
        }
        let is_same = |other: &String| {
            self.find(host, other).is_some_and(|found| std::ptr::eq(found, location))
        };
        let is_below = |other: &Location| {
            let [other, above] = [other, location].map(|it| case::wide(it.path()));
            other != above && covers(&above, &other)
        };
        let may_be_of_another = |reading: &String| {
            let mut others = self.locations(host).iter().filter(|other| is_below(other));
            reading.contains(UNKNOWN) && others.any(|other| may_cover(other, reading))
        };
        let names_a_host = |path: &str| path.starts_with("//");
        let is_refused = !readings.others.iter().all(is_same)
            || readings.others.iter().any(may_be_of_another)
            || names_a_host(&readings.longest)
            || location.routes().any(|route| names_a_host(&route.rewrite.path(&readings.longest)));
        if is_refused { Err(Refusal::LeadsElsewhere) } else { Ok(()) }
    }
}

/// Tells whether a location could cover a path with letters that are not known. Case is not
/// regarded: nobody knows that of those letters.
fn may_cover(location: &Location, path: &str) -> bool {
    let (prefix, path) = (case::wide(location.path()), case::wide(path));
    let mut segments = path.split('/');
    prefix.split('/').all(|name| segments.next().is_some_and(|segment| may_be(segment, name)))
}

/// Tells whether a segment may be a name, whatever stands for its unknown letters.
fn may_be(segment: &str, name: &str) -> bool {
    let Some((first, rest)) = segment.split_once(UNKNOWN) else { return segment == name };
    let (middle, last) = rest.rsplit_once(UNKNOWN).unwrap_or(("", rest));
    let Some(name) = name.strip_prefix(first) else { return false };
    let Some(mut name) = name.strip_suffix(last) else { return false };
    middle.split(UNKNOWN).all(|part| match name.find(part) {
        Some(at) => {
            name = &name[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::leniency::Kind;
    use crate::gate::policy::{Access, Route};
    use crate::gate::rewrite::Rewrite;
    use crate::identity::release::Release;

    #[test]
    fn a_segment_with_unknown_letters_may_be_many_names() {
        for (segment, name, may) in [
            ("admin", "admin", true),
            ("admin", "admim", false),
            ("\0", "", true),
            ("\0", "anything", true),
            ("ad\0min", "admin", true),
            ("ad\0n", "admin", true),
            ("ad\0n", "admi", false),
            ("\0\0", "x", true),
            ("a\0b\0c", "axbxc", true),
            ("a\0b\0c", "axc", false),
            ("a\0b\0c", "abbc", true),
            ("a\0a", "a", false),
            ("a\0b\0b", "ab", false),
            ("\0b\0b\0", "xb", false),
            ("\0b\0b\0", "bxb", true),
        ] {
            assert_eq!(may_be(segment, name), may, "{segment:?} {name}");
        }
    }

    const HOST: &str = "portal.example";

    fn route(path: &str, kinds: &[Kind]) -> Route {
        let release = Release::by_assertion("a", Vec::new());
        let leniency = kinds.iter().fold(Leniency::default(), |set, &kind| set.with(kind));
        let route = Route::to_upstream((HOST, path), Access::Public, 0, (0, release));
        Route { leniency, ..route }
    }

    /// What is said of a path that could be read as these.
    fn said(policy: &Policy, path: &str, others: &[&str]) -> Result<(), Refusal> {
        let others: Vec<_> = others.iter().map(|&other| other.to_owned()).collect();
        let longest = others.iter().map(String::as_str).chain([path]);
        let longest = longest.max_by_key(|path| path.matches('/').count()).unwrap().to_owned();
        let needed = Leniency::default().with(Kind::EncodedSlash);
        policy.take(HOST, &Readings { needed, path: path.to_owned(), others, longest })
    }

    #[test]
    fn a_path_is_taken_where_its_route_says_so_and_each_reading_is_of_that_route() {
        let lenient = |path| route(path, &[Kind::EncodedSlash]);
        let policy = Policy::new(vec![
            lenient("/"),
            lenient("/files"),
            lenient("/files/Own"),
            route("/strict", &[Kind::EmptySegment]),
        ]);
        for (path, others, expected) in [
            ("/files/a%2Fb", &["/files/a/b"][..], Ok(())),
            ("/files/a%2Fb", &[], Ok(())),
            ("/strict/a%2Fb", &["/strict/a/b"], Err(Refusal::NotTaken)),
            // Letters that are known are compared as they are.
            ("/files/own%2Fb", &["/files/own/b"], Ok(())),
            // Another location, or none that covers it.
            ("/x%2Fy", &["/x/y"], Ok(())),
            ("/files%2Fb", &["/files/b"], Err(Refusal::LeadsElsewhere)),
            ("/files/Own%2Fb", &["/files/Own/b"], Err(Refusal::LeadsElsewhere)),
            ("/files/a%2Fb", &["/files/a/b", "/b"], Err(Refusal::LeadsElsewhere)),
            // Letters that are not known, in whatever case: those of a location below, or not.
            ("/files/%FF", &["/files/\0"], Err(Refusal::LeadsElsewhere)),
            ("/files/o%FF", &["/files/o\0"], Err(Refusal::LeadsElsewhere)),
            ("/files/a%FF", &["/files/a\0"], Ok(())),
            ("/files/a/%FF", &["/files/a/\0"], Ok(())),
            ("/files/Own/%FF", &["/files/Own/\0"], Ok(())),
            ("/a/%FF", &["/a/\0"], Ok(())),
            // It would name a host.
            ("/%2Fx", &["//x"], Err(Refusal::LeadsElsewhere)),
        ] {
            assert_eq!(said(&policy, path, others), expected, "{path} {others:?}");
        }
        let elsewhere = Readings {
            needed: Leniency::default(),
            path: "/".to_owned(),
            others: vec![],
            longest: "/".to_owned(),
        };
        assert_eq!(policy.take("other.example", &elsewhere), Err(Refusal::NotTaken));
    }

    #[test]
    fn what_a_rewrite_makes_of_a_reading_names_no_host() {
        let policy = |path: &str, strip: &str, add: &str| {
            let rewrite = Rewrite::new(path, strip, add).unwrap();
            Policy::new(vec![Route { rewrite, ..route(path, &[Kind::EncodedSlash]) }])
        };
        let stripped = policy("/app", "/app", "");
        assert_eq!(said(&stripped, "/app/a%2Fb", &["/app/a/b"]), Ok(()));
        assert_eq!(said(&stripped, "/app/%2Fb", &["/app//b"]), Err(Refusal::LeadsElsewhere));
        // Whatever is put before it.
        let added = policy("/", "", "/app");
        assert_eq!(said(&added, "/a%2Fb", &["/a/b"]), Ok(()));
        assert_eq!(said(&added, "/%2Fb", &["//b"]), Err(Refusal::LeadsElsewhere));
    }
}
