//! Faults of where sessions are kept.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use super::local::quoted;
use super::row;
use crate::doctor::Row;
use crate::doctor::case::Case;
use crate::doctor::world::{PASSWORD, PATIENT};

const NOTHING: &[&str] = &[];
/// Redis without TLS is warned of.
const CLEAR: &[&str] = &["config.warnings"];

pub(super) fn rows() -> Vec<Row> {
    [servers(), file()].into_iter().flatten().collect()
}

fn redis(case: &mut Case, address: impl std::fmt::Display, more: &str) {
    let secret = case.file("secret", &"another-s3cret".repeat(4));
    case.add(&format!(
        "[store]\nkind = \"redis\"\nsecret_files = [{}]\nredis = {{ addresses = [\"{address}\"]{more}{PATIENT} }}",
        quoted(&secret)
    ));
}

fn with_password(case: &mut Case, address: SocketAddr, password: &str) {
    let file = quoted(&case.file("password", password));
    redis(case, address, &format!(", password_file = {file}"));
}

fn servers() -> Vec<Row> {
    vec![
        row("no Redis", &["store.tcp"], CLEAR, "refused", |world, case| {
            redis(case, world.closed, "");
        }),
        row("a Redis of a name that nobody has", &["store.dns"], CLEAR, "resolved", |_, case| {
            redis(case, "redis.invalid:6379", "");
        }),
        row("a Redis that wants a password", &["store.redis"], CLEAR, "NOAUTH", |world, case| {
            redis(case, world.redis.locked.address, "");
        }),
        row("another password", &["store.redis"], CLEAR, "authentication failed", |world, case| {
            with_password(case, world.redis.locked.address, &PASSWORD.replace('9', "8"));
        }),
        row("a replica", &["store.redis"], CLEAR, "replica", |world, case| {
            redis(case, world.redis.replica.address, "");
        }),
        row("a Redis that is full", &["store.redis"], CLEAR, "full", |world, case| {
            redis(case, world.redis.full.address, "");
        }),
        row("a Redis that throws away", &["store.policy"], CLEAR, "allkeys-lru", |world, case| {
            redis(case, world.redis.evicting.address, "");
        }),
        row("a Redis without TLS", &["store.redis"], NOTHING, "127.0.0.1", |world, case| {
            let authority = quoted(&world.both_authorities);
            redis(case, world.redis.good.address, &format!(", tls = true, ca_file = {authority}"));
        }),
        row("a Redis that says nothing", &["store.redis"], CLEAR, "127.0.0.1", |world, case| {
            redis(case, world.silent, "");
        }),
        row("no cluster", &["store.redis"], CLEAR, "cluster", |world, case| {
            redis(case, world.redis.good.address, ", mode = \"cluster\"");
        }),
        row("a secret of its own", &["store.secret"], CLEAR, "another secret", |world, case| {
            redis(case, world.redis.good.address, "");
        }),
    ]
}

fn file() -> Vec<Row> {
    fn stored(case: &mut Case, name: &str) {
        let path = quoted(&case.folder.path().join(name));
        case.add(&format!("[store]\nkind = \"file\"\nfile = {{ path = {path} }}"));
    }
    vec![
        row("a store that is a folder", &["store.file"], NOTHING, "no plain file", |_, case| {
            let folder = case.folder.path().join("store");
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
            stored(case, "store");
        }),
        row("a store of something else", &["store.file"], NOTHING, "something else", |_, case| {
            case.file("store", "SQLite format 3");
            stored(case, "store");
        }),
        row("a store that everybody reads", &["files.modes"], NOTHING, "0644", |_, case| {
            let path = case.file("store", "redb");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            stored(case, "store");
        }),
    ]
}
