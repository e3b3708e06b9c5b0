//! Every key of the reference is changed while a gateway runs: it is applied, or refused by name.
//!
//! The keys are those that the product knows ([`Shape`]). A key that has no other value here
//! fails by its name, so a new key needs a row in [`values`] at most, and often none.

mod values;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::values::{REDIS_TLS, Row, rows};
use self::world::World;
use super::ReloadError;
use crate::base::causes::in_one_line;
use crate::config::shape::{Kind, Shape};

/// The names of all keys that have a value, without the numbers of entries.
fn keys() -> Vec<String> {
    fn visit(table: Shape<'_>, before: &str, found: &mut Vec<String>) {
        for key in table.keys() {
            let name = format!("{before}{key}");
            let field = table.field(key).unwrap();
            match field.kind() {
                Some(Kind::Table) => visit(field, &format!("{name}."), found),
                Some(Kind::Tables) => visit(field.item().unwrap(), &format!("{name}."), found),
                _ => found.push(name),
            }
        }
    }
    let mut found = Vec::new();
    visit(Shape::root(), "", &mut found);
    found
}

#[tokio::test]
async fn every_key_is_applied_by_a_reload_or_refused_by_name() {
    let world = World::start().await;
    let (mut applied, mut refused, mut wrong) = (BTreeSet::new(), BTreeSet::new(), String::new());
    let rows = rows();
    for key in keys() {
        let row = match rows.iter().find(|row| row.key() == key) {
            Some(row) => row.clone(),
            None => match world.another_value(&key) {
                Some(row) => row,
                None => {
                    let _ = writeln!(wrong, "{key}: this test knows no other value of it");
                    continue;
                }
            },
        };
        match world.change(&row).await {
            Ok(Outcome::Applied) => applied.insert(key),
            Ok(Outcome::Refused) => refused.insert(key),
            Err(what) => {
                let _ = writeln!(wrong, "{key}: {what}");
                continue;
            }
        };
    }
    assert!(wrong.is_empty(), "{wrong}");
    // Neither list is empty because the test looks at nothing.
    for key in
        ["route.path", "upstream.url", "node.client_key", "listen.trusted_proxies", "log.level"]
    {
        assert!(applied.contains(key), "{key} is applied");
    }
    for key in ["listen.http", "store.redis.prefix", "log.access_file", "session.idle"] {
        assert!(refused.contains(key), "{key} is refused");
    }
}

#[tokio::test]
async fn a_key_that_is_as_it_was_is_not_refused() {
    let world = World::start().await;
    assert_eq!(world.change(&Row::new("log.level", "'info'")).await, Err(SAME.to_owned()));
    assert_eq!(world.change(&Row::new("portal.name", "'Portal'")).await, Err(SAME.to_owned()));
}

#[tokio::test]
async fn a_refusal_names_all_that_it_is_for_and_applies_nothing() {
    let world = World::start().await;
    let changes = [
        ("portal.name", "'Urząd'"),
        ("listen.backlog", "17"),
        ("store.file.path", "'other.db'"),
        ("identity.pairwise_secret_file", "'other/secret'"),
    ];
    let refused = world.refused(&changes).await;
    let named = ["listen.backlog", "store.file.path", "identity.pairwise_secret_file"];
    assert_eq!(BTreeSet::from_iter(refused), BTreeSet::from(named));
}

#[tokio::test]
async fn another_secret_in_the_same_file_is_refused() {
    let world = World::start().await;
    world.write("secret", &[8; 32]);
    let refused = world.refused(&[("portal.name", "'Urząd'")]).await;
    assert_eq!(refused, ["identity.pairwise_secret_file"]);
    // The twin: the same secret again.
    world.write("secret", &[7; 32]);
    let row = Row::new("portal.name", "'Urząd'");
    assert_eq!(world.change(&row).await, Ok(Outcome::Applied));
}

#[tokio::test]
async fn another_token_of_operators_in_the_same_file_is_taken() {
    let world = World::start().await;
    let before = world.operators();
    assert_eq!(world.operators(), before, "the same token again");
    world.write("token", b"newer-0123456789-0123456789-abcdef");
    assert_ne!(world.operators(), before);
    let row = Row::new("portal.name", "'Urząd'");
    assert_eq!(world.change(&row).await, Ok(Outcome::Applied));
}

/// They are believed from the start to the end: one that is gone from the file would be on.
#[tokio::test]
async fn other_authorities_of_operators_in_the_same_file_are_refused() {
    let world = World::start().await;
    let kept = world.read("ca.crt.pem");
    let both = [kept.clone(), world.read("other/ca.crt.pem")].concat();
    world.write("ca.crt.pem", &both);
    let refused = world.refused(&[("portal.name", "'Urząd'")]).await;
    assert_eq!(refused, ["operations.client_ca_file"]);
    // The twin: those that there were.
    world.write("ca.crt.pem", &kept);
    let row = Row::new("portal.name", "'Urząd'");
    assert_eq!(world.change(&row).await, Ok(Outcome::Applied));
}

/// The file was there when the configuration was read, as one is that is being replaced.
#[tokio::test]
async fn files_of_redis_that_cannot_be_used_keep_the_whole_configuration_back() {
    let world = World::start().await;
    let before = [REDIS_TLS, &[("store.redis.ca_file", "'other/ca.crt.pem'")]].concat();
    let change = ("portal.name", "'Urząd'");
    let refused = world.change_with_redis((&before, change), Some("other/ca.crt.pem")).await;
    let refused = refused.expect_err("it is refused");
    assert!(matches!(refused, ReloadError::Redis(_)), "{refused:?}");
    assert!(in_one_line(&refused).contains("other/ca.crt.pem"), "{}", in_one_line(&refused));
    // The twin: the file is there.
    let before = [REDIS_TLS, &[("store.redis.ca_file", "'ca.crt.pem'")]].concat();
    world.change_with_redis((&before, change), None).await.unwrap();
}

/// What became of a change.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Applied,
    Refused,
}

const SAME: &str = "a gateway that is told of it is as before";
