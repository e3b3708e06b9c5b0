//! A gateway that is told of new configurations, and what can be seen of it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use toml::{Table, Value};

use super::values::Row;
use super::{Outcome, SAME};
use crate::app::current::Current;
use crate::app::keys::Keeper;
use crate::app::renewal::{ReloadError, Renewal, Renewed};
use crate::app::settings::StoreKind;
use crate::app::{App, Settings};
use crate::base::clock::{Clock, SystemClock};
use crate::base::encoding::sha256;
use crate::base::private;
use crate::config::file::{HumanDuration, HumanSize};
use crate::config::shape::Shape;
use crate::config::{self, Loaded};
use crate::gateway::Worker;
use crate::identity::claims::PairwiseSecret;
use crate::operations::operators::{CertificateName, Operator, Role};
use crate::simulator::kit::{Kit, Names};
use crate::store::redis::Redis;
use crate::store::seal::Sealer;

/// The configuration before a change, as far as it is not the default.
const BASE: &str = r#"
[portal]
public_url = "https://portal.test"
state_directory = "state"
[listen]
http = "127.0.0.1:0"
https = "127.0.0.2:0"
redirect = "127.0.0.3:0"
certificate = "node-tls.crt.pem"
key = "node-tls.key.pem"
workers = 1
[[listen.certificates]]
certificate = "node-tls.crt.pem"
key = "node-tls.key.pem"
[operations]
listen = "127.0.0.4:0"
certificate = "node-tls.crt.pem"
key = "node-tls.key.pem"
client_ca_file = "ca.crt.pem"
admin_token_file = "token"
[[operations.operators]]
name = "anna"
token_file = "anna"
certificate_name = "anna@office.test"
[node]
environment = "custom"
issuer = "node.test"
sso_url = "https://node.test/sso"
resolve_url = "https://node.test/resolve"
logout_url = "https://node.test/logout"
certificates = ["node-signing.crt.pem"]
system_roots = false
extra_ca_file = "ca.crt.pem"
client_certificate = "service-tls-client.crt.pem"
client_key = "service-tls-client.key.pem"
[service]
issuer = "portal.test"
provider_name = "Portal"
signing_certificate = "service-sig.crt.pem"
signing_key = "service-sig.key.pem"
decryption_keys = ["service-enc.key.pem"]
[[service.decryption_p12]]
file = "enc.p12"
password_file = "password"
[identity]
pairwise_secret_file = "secret"
[log]
access = "off"
[[companion]]
proxy = "nginx"
listen = "127.0.0.1:0"

[[upstream]]
name = "portal"
url = "http://127.0.0.1:9"
[upstream.health]
path = "/health"
[[upstream]]
name = "secure"
url = "https://127.0.0.1:9"
tls_ca_file = "ca.crt.pem"
tls_system_roots = false
tls_client_certificate = "service-tls-client.crt.pem"
tls_client_key = "service-tls-client.key.pem"
[[upstream]]
name = "several"
servers = [{ address = "http://127.0.0.1:9" }, { address = "http://127.0.0.2:9" }]
[[route]]
path = "/"
upstream = "portal"
[[route]]
path = "/old"
access = "public"
redirect = { to = "https://new.test{path}" }
[[route]]
path = "/gone"
access = "public"
respond = { status = 410, body = "gone" }
"#;

/// A gateway, bound and not running, with the files that its configuration names.
pub(super) struct World {
    folder: TempDir,
    app: App,
    workers: [Arc<Current>; 1],
}

impl World {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path());
        let app = bind(resolved(&folder, &[])).await;
        let workers = [Current::new(Worker::new(&app.shared, &app.groups))];
        Self { folder, app, workers }
    }

    /// Reads one of its files.
    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join(name)).unwrap()
    }

    /// Writes a file with a secret.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        private::write(&self.folder.path().join(name), bytes).unwrap();
    }

    /// Finds another value of a key whose kind says enough of it.
    pub(super) fn another_value(&self, key: &str) -> Option<Row> {
        let mut shape = Shape::root();
        let mut value = &Value::try_from(load(&self.folder, &[]).file).unwrap();
        let mut path = String::new();
        for name in key.split('.') {
            shape = shape.field(name)?;
            value = value.get(name)?;
            path.push_str(name);
            if let (Some(item), Some(first)) = (shape.item(), value.get(0)) {
                (shape, value) = (item, first);
                path.push_str("[0]");
            }
            path.push('.');
        }
        let path = path.trim_end_matches('.');
        let chosen = shape.choices();
        let other = match value {
            Value::Boolean(is_on) => Value::Boolean(!is_on),
            Value::Integer(number) => Value::Integer(number + 1),
            Value::String(text) if !chosen.is_empty() => {
                let others = chosen.iter().filter(|(choice, _)| choice != text);
                let can_be = |choice: &str| {
                    let value = Value::from(choice).to_string();
                    self.settings(&[(path, &value)]).is_ok()
                };
                others.map(|(choice, _)| *choice).find(|choice| can_be(choice))?.into()
            }
            Value::String(text) => {
                if let Ok(time) = text.parse::<HumanDuration>() {
                    HumanDuration::from_secs(time.get().as_secs() + 1).to_string().into()
                } else {
                    let size = text.parse::<HumanSize>().ok()?;
                    HumanSize::from_bytes(size.bytes() + 1024).to_string().into()
                }
            }
            _ => return None,
        };
        Some(Row::new(path, &other.to_string()))
    }

    /// Has the gateway told of a change, and compares it with one that never was otherwise.
    pub(super) async fn change(&self, row: &Row) -> Result<Outcome, String> {
        Box::pin(self.changed(row)).await
    }

    async fn changed(&self, row: &Row) -> Result<Outcome, String> {
        let before: Vec<_> = row.settled().collect();
        let after: Vec<_> = row.settled().chain(row.changes()).collect();
        if row.is_judged() {
            // What is only asked while files are read: what is said of them is another thing.
            let said = |changes| config::resolve(load(&self.folder, changes), SystemClock.now()).1;
            let is_told = said(&before).to_string() != said(&after).to_string();
            return is_told.then_some(Outcome::Applied).ok_or_else(|| SAME.to_owned());
        }
        let (old, new) = (self.settings(&before)?, self.settings(&after)?);
        let renewal = renewal(&old);
        let fixed = old.fixed.differences(&new.fixed);
        if !fixed.is_empty() {
            let told = self.told();
            let refused = renewal.apply(new, &self.app.admission, &self.workers).await;
            let key = row.key();
            return match refused {
                Ok(_) => Err("fixed, and applied".to_owned()),
                Err(ReloadError::Fixed(keys)) if !keys.iter().all(|named| is_at(&key, named)) => {
                    Err(format!("the refusal names {keys:?}"))
                }
                Err(ReloadError::Redis(error)) => Err(error.to_string()),
                Err(_) if self.told() != told => Err("refused, and applied".to_owned()),
                Err(_) => Ok(Outcome::Refused),
            };
        }
        let tls = [&old, &new].map(|settings| format!("{:?}", settings.node_tls));
        let apply = async |settings| {
            let applied = renewal.apply(settings, &self.app.admission, &self.workers).await;
            let told = |applied: Renewed| {
                let Renewed { groups: _, level, ordered, watch, operators } = applied;
                format!("{}{level:?}{ordered:?}{watch:?}{:?}", self.told(), marks(&operators))
            };
            applied.map(told).map_err(|error| error.to_string())
        };
        let (before, renewed) = (apply(old).await?, apply(new).await?);
        if renewed == before && tls[0] == tls[1] {
            return Err(SAME.to_owned());
        }
        // The state folder is that of the other one, as long as it is there.
        let fresh = Settings { state_directory: None, ..resolved(&self.folder, &after) };
        let fresh = bind(fresh).await;
        let fresh = told(&Worker::new(&fresh.shared, &fresh.groups), &fresh);
        let settings = self.settings(&after)?;
        let ordered = settings.listen.https.and_then(|https| https.acme).map(|acme| acme.names);
        let (level, watch) = (&settings.log.level, &settings.watch);
        let operators = marks(&settings.operators);
        let fresh = format!("{fresh}{level:?}{ordered:?}{watch:?}{operators:?}");
        match difference(&renewed, &fresh) {
            None => Ok(Outcome::Applied),
            Some(lines) => Err(format!("renewed and begun anew are not the same: {lines}")),
        }
    }

    /// Tells of changes that must be refused, and returns the keys that the refusal names.
    pub(super) async fn refused(&self, changes: &[(&str, &str)]) -> Vec<&'static str> {
        let settings = self.settings(changes).unwrap();
        let told = self.told();
        let applied = self.app.renewal.apply(settings, &self.app.admission, &self.workers).await;
        assert_eq!(self.told(), told);
        match applied {
            Err(ReloadError::Fixed(keys)) => keys,
            other => panic!("it is refused for its keys, not {other:?}"),
        }
    }

    /// Tells a gateway whose records are in Redis of a change, after a file that its configuration
    /// names has gone or not.
    pub(super) async fn change_with_redis(
        &self,
        (before, change): (&[(&str, &str)], (&str, &str)),
        gone: Option<&str>,
    ) -> Result<(), ReloadError> {
        let old = self.settings(before).unwrap();
        let new = self.settings(&[before, &[change]].concat()).unwrap();
        let StoreKind::Redis(redis) = &old.store.kind else { panic!("{:?}", old.store.kind) };
        let redis = Arc::new(Redis::connect(redis.as_ref().clone()).unwrap());
        let renewal = renewal_with(&old, Some(redis));
        let told = self.told();
        if let Some(gone) = gone {
            fs::remove_file(self.folder.path().join(gone)).unwrap();
        }
        let applied = renewal.apply(new, &self.app.admission, &self.workers).await;
        assert_eq!(self.told() == told, applied.is_err());
        applied.map(drop)
    }

    /// Returns what tells the operators apart that the files have now.
    pub(super) fn operators(&self) -> Vec<Mark> {
        marks(&self.settings(&[]).unwrap().operators)
    }

    fn told(&self) -> String {
        told(&self.workers[0].worker(), &self.app)
    }

    fn settings(&self, changes: &[(&str, &str)]) -> Result<Settings, String> {
        let loaded = load(&self.folder, changes);
        let (settings, problems) = config::resolve(loaded, SystemClock.now());
        settings.ok_or_else(|| problems.to_string())
    }
}

/// All that a gateway was told and that can change.
fn told(worker: &Worker, app: &App) -> String {
    let shared = &worker.shared;
    let groups: Vec<_> = worker.proxy.upstreams.groups().map(|group| group.settings()).collect();
    format!(
        "{:#?}",
        (
            &shared.settings,
            &shared.flows.settings,
            shared.flows.node.settings(),
            &shared.rules.policy,
            (shared.minter.lifetime(), shared.minter.ways()),
            groups,
            &app.admission,
        )
    )
}

/// What tells operators apart.
pub(super) type Mark = (String, Role, Option<[u8; 32]>, Option<CertificateName>);

/// Returns that.
fn marks(operators: &[Operator]) -> Vec<Mark> {
    let mark = |one: &Operator| {
        let token = one.token.as_ref().map(|token| sha256(token.expose()));
        (one.name.clone(), one.role, token, one.certificate_name.clone())
    };
    operators.iter().map(mark).collect()
}

fn difference(one: &str, other: &str) -> Option<String> {
    let pairs = one.lines().zip(other.lines());
    let first = pairs.into_iter().find(|(one, other)| one != other);
    first.map(|(one, other)| format!("{one} / {other}"))
}

fn renewal(settings: &Settings) -> Renewal {
    renewal_with(settings, None)
}

fn renewal_with(settings: &Settings, redis: Option<Arc<Redis>>) -> Renewal {
    let secret = settings.pairwise_secret.clone().unwrap_or_else(PairwiseSecret::generate);
    let store_secrets = settings.store.sealer.as_ref().map(Sealer::marks);
    let keeper = Keeper::nowhere(secret.clone(), Arc::new(SystemClock));
    Renewal::new(settings.fixed.clone(), (secret, keeper), store_secrets, redis, 1000)
}

fn resolved(folder: &TempDir, changes: &[(&str, &str)]) -> Settings {
    let (settings, problems) = config::resolve(load(folder, changes), SystemClock.now());
    settings.unwrap_or_else(|| panic!("{problems}"))
}

async fn bind(settings: Settings) -> App {
    Box::pin(App::bind(settings, Arc::new(SystemClock))).await.unwrap()
}

/// Reads the base with values set: a path and a value of TOML each, no value takes it out.
fn load(folder: &TempDir, changes: &[(&str, &str)]) -> Loaded {
    let mut tree: Table = BASE.parse().unwrap();
    for (path, value) in changes {
        let value = (!value.is_empty()).then(|| {
            let document: Table = format!("value = {value}").parse().unwrap();
            document["value"].clone()
        });
        set(&mut tree, path, value);
    }
    let path = folder.path().join("brama.toml");
    fs::write(&path, tree.to_string()).unwrap();
    config::load(&path, std::iter::empty()).unwrap()
}

fn set(table: &mut Table, path: &str, value: Option<Value>) {
    let Some((first, rest)) = path.split_once('.') else {
        match value {
            Some(value) => table.insert(path.to_owned(), value),
            None => table.remove(path),
        };
        return;
    };
    let inner = match first.split_once('[') {
        None => table.entry(first).or_insert_with(|| Table::new().into()),
        Some((name, number)) => {
            let number: usize = number.trim_end_matches(']').parse().unwrap();
            let list = table[name].as_array_mut().unwrap();
            if list.len() == number {
                list.push(Table::new().into());
            }
            &mut list[number]
        }
    };
    set(inner.as_table_mut().unwrap(), rest, value);
}

/// Tells whether a key is the other one or lies in it.
fn is_at(key: &str, other: &str) -> bool {
    key.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Writes what the configurations name: two sets of keys, and secrets.
fn fill(folder: &Path) {
    let names = Names { node: "node.test", service: "portal.test", hosts: &[] };
    let now = SystemClock.now();
    Kit::load_or_make(folder, names, now).unwrap();
    let other = folder.join("other");
    for folder in [&other, &folder.join("open")] {
        private::make_folder(folder).unwrap();
    }
    let names = Names { service: "other.test", ..names };
    Kit::load_or_make(&other, names, now).unwrap();
    let file = |name: &str, bytes: &[u8]| private::write(&folder.join(name), bytes).unwrap();
    for (name, byte) in [("secret", 7), ("other/secret", 8)] {
        file(name, &[byte; 32]);
    }
    for name in ["account", "copy-account"] {
        file(name, b"c2VjcmV0");
    }
    file("token", b"token-0123456789-0123456789-abcdef");
    file("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>");
    private::make_folder(&folder.join("texts")).unwrap();
    file("texts/pl.toml", "[\"login.cancelled\"]\ntitle = \"Przerwane\"\n".as_bytes());
    file("other/token", b"other-0123456789-0123456789-abcdef");
    file("anna", b"anna-0123456789-0123456789-abcdef");
    file("password", b"first");
    file("other/password", b"second");
    for name in ["node-tls.key.pem", "service-sig.key.pem", "service-tls-client.key.pem"] {
        let bytes = fs::read(folder.join(name)).unwrap();
        file(&format!("copy-{name}"), &bytes);
    }
    let key = fs::read(folder.join("service-sig.key.pem")).unwrap();
    fs::write(folder.join("open/service-sig.key.pem"), key).unwrap();
    for name in ["node-tls.crt.pem", "service-tls-client.crt.pem"] {
        fs::copy(folder.join(name), folder.join(format!("copy-{name}"))).unwrap();
    }
    // What is stapled is only looked at from outside.
    fs::write(folder.join("a.ocsp"), [0x30, 7, 0x0a, 1, 0, 0xa0, 2, 5, 0]).unwrap();
    let authorities = ["ca.crt.pem", "other/ca.crt.pem"];
    let authorities = authorities.map(|name| fs::read_to_string(folder.join(name)).unwrap());
    fs::write(folder.join("other/two.pem"), authorities.concat()).unwrap();
    fs::write(folder.join("expired.pem"), expired()).unwrap();
    p12(folder, ("enc", "P-256"), "first", "enc.p12");
    p12(folder, ("enc", "P-384"), "first", "other/enc.p12");
    p12(folder, ("enc", "P-384"), "second", "other/second.p12");
    p12(folder, ("first", "P-256"), "first", "sig.p12");
    p12(folder, ("second", "P-256"), "first", "other/sig.p12");
    p12(folder, ("second", "P-256"), "second", "other/second-sig.p12");
}

/// A certificate that the node had long ago.
fn expired() -> String {
    let mut of_old = rcgen::CertificateParams::default();
    of_old.not_before = rcgen::date_time_ymd(2020, 1, 1);
    of_old.not_after = rcgen::date_time_ymd(2021, 1, 1);
    of_old.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

/// Makes a key and writes it as the operator hands keys over.
fn p12(folder: &Path, (owner, curve): (&str, &str), password: &str, name: &str) {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (owner, curve) = (format!("/CN={owner}"), format!("ec_paramgen_curve:{curve}"));
    openssl(&[
        "req", "-x509", "-newkey", "ec", "-pkeyopt", &curve, "-nodes", "-subj", &owner, "-days",
        "30", "-keyout", "made.key", "-out", "made.pem",
    ]);
    let password = format!("pass:{password}");
    openssl(&[
        "pkcs12", "-export", "-iter", "1", "-passout", &password, "-inkey", "made.key", "-in",
        "made.pem", "-out", name,
    ]);
    let bytes = fs::read(folder.join(name)).unwrap();
    fs::remove_file(folder.join(name)).unwrap();
    private::write(&folder.join(name), &bytes).unwrap();
}
