//! Faults of this machine: the configuration, files, certificates, the clock, the gateway itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use super::row;
use crate::doctor::Row;
use crate::doctor::certificates::{Ends, again, ended_client};
use crate::doctor::world::World;

const NOTHING: &[&str] = &[];

pub(super) fn rows() -> Vec<Row> {
    [configuration(), files(), keys(), clock(), gateway()].into_iter().flatten().collect()
}

fn configuration() -> Vec<Row> {
    vec![
        row("no configuration", &["config.file"], NOTHING, "cannot be read", |_, case| {
            case.file_of_configuration("/nowhere/brama.toml".as_ref());
        }),
        row("no TOML", &["config.file"], NOTHING, "brama.toml", |_, case| {
            case.configuration("[portal\npublic_url = 1");
        }),
        row("a key that nobody knows", &["config.usable"], NOTHING, "isuer", |_, case| {
            case.add("[session]\nisuer = \"x\"");
        }),
        row("a key that is missing", &["config.usable"], NOTHING, "service.issuer", |_, case| {
            case.without("service.issuer");
        }),
        row("a pair that is none", &["config.usable"], NOTHING, "pair", |world, case| {
            let key = world.strangers.join("service-tls-client.key.pem");
            case.set("client_key", &quoted(&key));
        }),
        row("what is unwise", NOTHING, &["config.warnings"], "clock_skew", |_, case| {
            case.set("provider_name", "\"Portal\"\nclock_skew = \"10m\"");
        }),
        row("everybody writes the configuration", &["files.modes"], NOTHING, "0646", |_, case| {
            case.mode(0o646);
        }),
    ]
}

fn files() -> Vec<Row> {
    vec![
        row("a key that everybody reads", &["files.modes"], NOTHING, "chmod", |world, case| {
            let text = fs::read_to_string(kit(world, "service-sig.key.pem")).unwrap();
            let path = case.file("open.pem", &text);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            case.set("signing_key", &quoted(&path));
        }),
        row(
            "a certificate that is not there",
            &["files.readable"],
            NOTHING,
            "gone.pem",
            |_, case| {
                case.set("certificates", "[\"/nowhere/gone.pem\"]");
            },
        ),
        row("state of another user", &["files.owner"], NOTHING, "chown", |_, case| {
            let state = case.folder.path().join("state");
            fs::create_dir(&state).unwrap();
            fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
            brama::base::private::write(&state.join("lock"), b"").unwrap();
            if chown(state.join("lock"), Some(65_534), None).is_err() {
                return case.missing("this user cannot give files away");
            }
            case.set("state_directory", &quoted(&state));
        }),
        row("a disk that is full", &["files.space"], NOTHING, "are free", |_, case| {
            let state = case.folder.path().join("state");
            fs::create_dir(&state).unwrap();
            let mount = format!("mount -t tmpfs -o size=512k,mode=700 none {}", state.display());
            case.set("state_directory", &quoted(&state)).in_mounts(&mount);
        }),
        row("a disk that is nearly full", NOTHING, &["files.space"], "MiB are free", |_, case| {
            let state = case.folder.path().join("state");
            fs::create_dir(&state).unwrap();
            let mount = format!("mount -t tmpfs -o size=8m,mode=700 none {}", state.display());
            case.set("state_directory", &quoted(&state)).in_mounts(&mount);
        }),
    ]
}

fn keys() -> Vec<Row> {
    vec![
        row(
            "the signing certificate has ended",
            &["keys.signing"],
            &["config.warnings"],
            "ended on",
            |world, case| {
                case.set("signing_certificate", &quoted(&kit(world, "ended.pem")));
            },
        ),
        row(
            "the signing certificate ends soon",
            NOTHING,
            &["keys.signing", "config.warnings"],
            "ends on",
            |world, case| {
                case.set("signing_certificate", &quoted(&kit(world, "soon.pem")));
            },
        ),
        row(
            "the client certificate has ended",
            &["node.client", "keys.client"],
            &["config.warnings"],
            "it has ended",
            |world, case| {
                let (certificate, key) = ended_client(world.simulator.kit());
                let (certificate, key) =
                    (case.file("c.pem", &certificate), case.file("k.pem", &key));
                case.set("client_certificate", &quoted(&certificate));
                case.set("client_key", &quoted(&key));
            },
        ),
        row(
            "the pinned certificate has ended",
            NOTHING,
            &["keys.node", "config.warnings"],
            "ended on",
            |world, case| {
                let key = kit(world, "node-signing.key.pem");
                let path = case.file("c.pem", &again(&key, "WK_SIG_EC", Ends::LastYear));
                case.set("certificates", &format!("[{}]", quoted(&path)));
            },
        ),
        row(
            "the certificate for citizens has ended",
            &["keys.public"],
            &["config.warnings"],
            "ended on",
            |world, case| {
                case.set("certificate", &quoted(&world.certificates.file("ended.pem")));
                case.set("key", &quoted(&world.certificates.file("ended.key")));
            },
        ),
        row(
            "the certificate for citizens is for another host",
            &["keys.public"],
            &["config.warnings"],
            "is for this host",
            |world, case| {
                case.set("certificate", &quoted(&world.certificates.file("other.pem")));
                case.set("key", &quoted(&world.certificates.file("other.key")));
            },
        ),
    ]
}

fn clock() -> Vec<Row> {
    vec![
        row("the clock is 3 minutes ahead", &["clock.node"], NOTHING, "ahead of", |_, case| {
            case.clock("+180s");
        }),
        row("the clock is 3 minutes behind", &["clock.node"], NOTHING, "behind", |_, case| {
            case.clock("-180s");
        }),
        row("the clock is an hour ahead", &["clock.node"], NOTHING, "s ahead of", |_, case| {
            case.clock("+3600s");
        }),
        row("the clock is 20 seconds behind", NOTHING, &["clock.node"], "behind", |_, case| {
            case.clock("-20s");
        }),
    ]
}

fn gateway() -> Vec<Row> {
    vec![
        row("no gateway runs", NOTHING, &["gateway.running"], "refused", |world, case| {
            case.set("operations.listen", &format!("\"{}\"", world.closed));
            case.through(world.sites.at("before-nobody"));
        }),
        row(
            "something else has the port of operations",
            &["gateway.running"],
            NOTHING,
            "something else",
            |world, case| {
                let address = world.sites.at("backend-open");
                case.set("operations.listen", &format!("\"{address}\""));
                case.through(world.sites.at("before-nobody"));
            },
        ),
        row(
            "the port of operations says nothing",
            &["gateway.running"],
            NOTHING,
            "no answer",
            |world, case| {
                case.set("operations.listen", &format!("\"{}\"", world.silent));
                case.through(world.sites.at("before-nobody"));
            },
        ),
        row(
            "a gateway of another configuration",
            &["gateway.running"],
            NOTHING,
            "another configuration answers",
            |world, case| {
                let other = format!("\"https://localhost:{}\"", world.closed.port());
                case.without("redirect").set("public_url", &other);
            },
        ),
        row("another token", &["gateway.token"], NOTHING, "does not take", |_, case| {
            let path = case.file("token", "another-token-0123456789-0123456789-abc");
            case.set("admin_token_file", &quoted(&path));
        }),
        row(
            "a configuration that was refused",
            &["gateway.configuration"],
            NOTHING,
            "refused its last",
            |world, case| {
                case.configuration(&world.stale.text).through(world.sites.at("before-stale"));
            },
        ),
        row(
            "keys that are not kept",
            &["gateway.keys"],
            &["config.warnings"],
            "not kept",
            |world, case| {
                case.configuration(&world.shared.text).through(world.sites.at("before-shared"));
            },
        ),
        row(
            "the store of the gateway is away",
            &["gateway.store", "store.tcp"],
            &["config.warnings"],
            "store is away",
            |world, case| {
                case.configuration(&world.away.text).through(world.sites.at("before-away"));
            },
        ),
    ]
}

fn kit(world: &World, file: &str) -> std::path::PathBuf {
    world.simulator.kit().join(file)
}

pub(super) fn quoted(path: &std::path::Path) -> String {
    format!("\"{}\"", path.display())
}
