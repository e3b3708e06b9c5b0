//! The guard finds each kind of fault, and nothing in a house that is sound.

use crate::house::House;

const FLOORS: [&[&str]; 3] = [&["base"], &["gate"], &["app"]];

/// A house of nine rooms without a fault.
const SOUND: [(&str, &str); 9] = [
    ("lib.rs", "pub mod app; pub mod base; pub mod gate;"),
    ("base/mod.rs", "pub mod clock; pub mod random; pub use clock::Clock;"),
    ("base/clock.rs", "pub struct Clock;"),
    ("base/random.rs", "use std::time::Duration; pub fn wait(_: Duration) {}"),
    (
        "gate/mod.rs",
        "//! See [`crate::app`].\nmod policy; mod route; pub use policy::Policy;\n\
         fn find() { policy::find(); }\n#[cfg(test)] mod tests;",
    ),
    (
        "gate/policy.rs",
        "use super::route::Route; use crate::base::clock; pub struct Policy(Route);",
    ),
    (
        "gate/route.rs",
        "use crate::base::random; pub struct Route; pub(in crate::gate) struct Inner;\n\
         fn app() { let app = 1; }",
    ),
    // For tests only: it may look up, and so may what is beside what it tests.
    ("gate/tests.rs", "use crate::app::App; use super::policy::Policy;"),
    (
        "app/mod.rs",
        "use crate::gate::Policy; pub struct App;\n\
         #[cfg(test)] mod tests { use super::App; use crate::app::other; }",
    ),
];

/// Returns what the guard says of the house with one file in place of another, or beside them.
fn says(path: &'static str, text: &'static str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut files: Vec<_> = SOUND.into_iter().filter(|(known, _)| *known != path).collect();
    files.push((path, text));
    let house = House::read(files);
    (house.upward(&FLOORS), house.circles())
}

#[test]
fn a_sound_house_is_called_sound() {
    let house = House::read(SOUND);
    assert_eq!(house.upward(&FLOORS), Vec::<String>::new());
    assert_eq!(house.circles(), Vec::<Vec<String>>::new());
    // It did read what there is, and not what is for tests.
    let policy: Vec<_> = house.imports["gate/policy.rs"].iter().collect();
    assert_eq!(policy, ["base/clock.rs", "gate/route.rs"]);
    assert!(!house.imports.contains_key("gate/tests.rs"));
    assert_eq!(house.imports["gate/mod.rs"].iter().collect::<Vec<_>>(), ["gate/policy.rs"]);
    assert_eq!(house.imports["base/mod.rs"].len(), 0, "it is the face of what is below");
    assert_eq!(house.imports["app/mod.rs"].iter().collect::<Vec<_>>(), ["gate/policy.rs"]);
}

#[test]
fn each_import_that_leads_up_is_found() {
    for (fault, path, text) in [
        ("a use", "base/clock.rs", "use crate::app::App;"),
        ("a use of many", "base/clock.rs", "use crate::{base::random, app::{self, App as Other}};"),
        ("a use that goes up and down", "base/clock.rs", "use super::super::app::App;"),
        ("a name that is handed on", "base/clock.rs", "pub use crate::app::App;"),
        ("a path in an expression", "base/clock.rs", "fn now() { crate::app::begin(); }"),
        ("a path in a type", "base/clock.rs", "struct Clock(Vec<crate::app::App>);"),
        ("tokens of a macro", "base/clock.rs", "fn now() { assert!(crate::app::is_there()); }"),
        (
            "what stands behind tests",
            "base/clock.rs",
            "#[cfg(test)] mod tests { #[test] fn a() {} }\nfn now() { crate::app::begin(); }",
        ),
        (
            "a module in the file",
            "base/clock.rs",
            "mod inner { use super::super::super::app::App; }",
        ),
        ("a use in a function", "base/clock.rs", "fn now() { use crate::app::App; }"),
    ] {
        let (upward, _) = says(path, text);
        assert_eq!(upward, ["base/clock.rs imports app/mod.rs"], "{fault}");
    }
    let (upward, _) = says("cellar.rs", "");
    assert_eq!(upward, ["cellar.rs stands on no floor"]);
}

#[test]
fn each_circle_is_found() {
    for (fault, path, text, circle) in [
        (
            "of two by crate",
            "gate/route.rs",
            "use crate::gate::policy::Policy; pub struct Route;",
            &["gate/policy.rs", "gate/route.rs"][..],
        ),
        (
            "of two by super",
            "gate/route.rs",
            "fn route() { super::policy::find(); }",
            &["gate/policy.rs", "gate/route.rs"],
        ),
        (
            "of a parent and its child",
            "gate/policy.rs",
            "use super::Door; pub struct Policy;",
            &["gate/mod.rs", "gate/policy.rs"],
        ),
        (
            "of two by a name that was handed on",
            "gate/route.rs",
            "use super::Policy; pub struct Route;",
            &["gate/policy.rs", "gate/route.rs"],
        ),
        (
            "of two by a name from elsewhere",
            "gate/route.rs",
            "use crate::app::Policy as Other; pub struct Route;",
            &["gate/policy.rs", "gate/route.rs"],
        ),
        (
            "of three",
            "base/random.rs",
            "use crate::gate::Policy; pub struct Random;",
            &["base/random.rs", "gate/policy.rs", "gate/route.rs"],
        ),
        (
            "by what stands behind tests",
            "gate/route.rs",
            "#[cfg(test)] mod tests {}\nuse super::policy::Policy; pub struct Route;",
            &["gate/policy.rs", "gate/route.rs"],
        ),
    ] {
        let (_, circles) = says(path, text);
        assert_eq!(circles, [circle], "{fault}");
    }
}
