//! What all rows share. The healthy part: a simulator, a gateway with TLS of its own, a proxy in
//! front of it and a backend behind. And what is broken, each in one way.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use tempfile::TempDir;

use super::certificates::{Certificates, Ends, again};
use super::sites::{GOOD, Plan, Sites, to};
use crate::harness::redis::Redis;
use crate::harness::{PATIENCE, Program, Simulator, TOKEN, Wire, free_address};

/// Settings of Redis for a machine that is busy.
pub(super) const PATIENT: &str = ", connect_timeout = \"4s\", command_timeout = \"4s\"";

/// The password of one of the servers of Redis.
pub(super) const PASSWORD: &str = "doctor-of-redis-0123456789";

pub(super) struct World {
    pub(super) simulator: Simulator,
    pub(super) certificates: Certificates,
    /// A file with the authority of the simulator and that of the certificates.
    pub(super) both_authorities: PathBuf,
    pub(super) sites: Sites,
    /// Healthy.
    pub(super) main: Running,
    /// Trusts no proxy.
    pub(super) untrusting: Running,
    /// Believes its proxy for everything.
    pub(super) careless: Running,
    /// Refused its last configuration.
    pub(super) stale: Running,
    /// Keeps sessions in Redis, where somebody spoilt the record of the keys of identities.
    pub(super) shared: Running,
    /// Kept sessions in a Redis that is gone.
    pub(super) away: Running,
    pub(super) redis: Servers,
    /// Takes connections and says nothing.
    pub(super) silent: SocketAddr,
    /// Nobody listens there.
    pub(super) closed: SocketAddr,
    /// Keys of another kit, which nobody here knows.
    pub(super) strangers: PathBuf,
    folder: TempDir,
}

/// Servers of Redis, each in another state.
pub(super) struct Servers {
    pub(super) good: Redis,
    pub(super) locked: Redis,
    pub(super) replica: Redis,
    pub(super) evicting: Redis,
    pub(super) full: Redis,
}

/// A gateway that runs, and its configuration.
pub(super) struct Running {
    pub(super) text: String,
    pub(super) folder: TempDir,
    operations: SocketAddr,
    program: Program,
}

/// Where gateways listen, before there are any.
struct Addresses {
    main: SocketAddr,
    untrusting: SocketAddr,
    careless: SocketAddr,
    stale: SocketAddr,
    shared: SocketAddr,
    away: SocketAddr,
    closed: SocketAddr,
}

impl World {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::make();
        let at = Addresses {
            main: free_address(),
            untrusting: free_address(),
            careless: free_address(),
            stale: free_address(),
            shared: free_address(),
            away: free_address(),
            closed: free_address(),
        };
        let silent = silent();
        let mut plan = Plan::default();
        let good = plan.tls("good", &certificates, "good", &to(at.main, GOOD));
        let origin = format!("https://localhost:{}", good.port());
        let simulator = Simulator::start_knowing(&origin, |kit| {
            let key = kit.join("service-sig.key.pem");
            let made = [("ended.pem", Ends::LastYear), ("soon.pem", Ends::InThreeDays)];
            let made = made.map(|(name, ends)| {
                fs::write(kit.join(name), again(&key, "portal_sig_ec", ends)).unwrap();
                kit.join(name)
            });
            made.to_vec()
        });
        let strangers = strangers(folder.path());
        fronts(&mut plan, &certificates, &at);
        backends(&mut plan, &certificates);
        nodes(&mut plan, &certificates, &simulator, silent);
        let sites = plan.start();
        let both_authorities = folder.path().join("both.pem");
        let read = |path: PathBuf| fs::read_to_string(path).unwrap();
        let both = read(simulator.kit().join("ca.crt.pem")) + &read(certificates.authority());
        fs::write(&both_authorities, both).unwrap();
        let redis = Servers::start();
        let base = base(&simulator, good.port(), sites.at("backend-good"));
        let plain = |http| Running::start(&base, http, "");
        let trusting = "trusted_proxies = [\"127.0.0.1/32\"]\n";
        let main = Running::start(&base, at.main, &(edge(&certificates) + trusting));
        let untrusting = plain(at.untrusting);
        let careless = format!("{trusting}trusted_for = [\"address\", \"scheme\", \"host\"]\n");
        let passing = format!("{base}\n[identity]\npass_headers = [\"remote-user\"]\n");
        let careless = Running::start(&passing, at.careless, &careless);
        let stale = Running::start(&base, at.stale, trusting).refusing();
        let with_redis = |redis: &Redis| {
            let store = redis.store().replace("pairwise", "secret");
            let store = store.replace(" }", &format!("{PATIENT} }}"));
            format!("{base}\n[store]\n{store}\n")
        };
        let shared = Running::start(&with_redis(&redis.good), at.shared, trusting);
        spoil_keys(&redis.good);
        shared.until("/readyz", "keys of identities");
        let mut gone = Redis::start();
        let away = Running::start(&with_redis(&gone), at.away, trusting);
        gone.kill();
        away.until("/readyz", "store is away");
        Self {
            simulator,
            certificates,
            both_authorities,
            sites,
            main,
            untrusting,
            careless,
            stale,
            shared,
            away,
            redis,
            silent,
            closed: at.closed,
            strangers,
            folder,
        }
    }

    /// Where a site of the node's is, as `node.resolve_url` would have it.
    pub(super) fn node(&self, site: &str) -> String {
        format!("https://{}/resolve", self.sites.at(site))
    }

    /// Returns the folders with everything that is secret here.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let gateways = [&self.main, &self.careless, &self.shared];
        let gateways = gateways.into_iter().map(|running| running.folder.path());
        let others = [self.simulator.kit(), &self.strangers, self.folder.path()];
        let certificates = self.certificates.authority();
        gateways.chain(others).chain(certificates.parent()).map(Path::to_owned).collect()
    }
}

/// Makes the record unreadable in which replicas share the keys of identities.
fn spoil_keys(redis: &Redis) {
    let keys = redis.ask("KEYS *");
    // The marks of the secrets have a label.
    let is_it =
        |key: &&str| key.contains("{used:") && redis.ask(&format!("HSTRLEN {key} l")).trim() == "0";
    let record = keys.lines().find(is_it).expect("the keys are kept");
    redis.ask(&format!("HSET {record} s garbage"));
}

/// Takes connections, and never says anything.
fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            held.push(stream);
        }
    });
    address
}

fn strangers(folder: &Path) -> PathBuf {
    let kit = folder.join("strangers");
    let made = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(["simulator", "--keys-only", "--directory"])
        .arg(&kit)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    kit
}

/// The configuration that all gateways have in common, without `[listen]` and `[operations]`.
fn base(simulator: &Simulator, port: u16, backend: SocketAddr) -> String {
    let (kit, node) = (simulator.kit().display(), simulator.configuration());
    format!(
        r#"
[log]
format = "text"
level = "warn"

[node]
environment = "custom"
issuer = "symulator.brama.localhost"
{node}certificates = ["{kit}/node-signing.crt.pem"]
extra_ca_file = "{kit}/ca.crt.pem"
system_roots = false
timeout = "16s"
client_certificate = "{kit}/service-tls-client.crt.pem"
client_key = "{kit}/service-tls-client.key.pem"

[service]
issuer = "portal.brama.localhost"
provider_name = "Portal"
signing_certificate = "{kit}/service-sig.crt.pem"
signing_key = "{kit}/service-sig.key.pem"
decryption_keys = ["{kit}/service-enc.key.pem"]

[[upstream]]
name = "portal"
url = "http://{backend}"

[[route]]
path = "/"
upstream = "portal"
access = "required"

[[route]]
path = "/open"
upstream = "portal"
access = "public"

[portal]
public_url = "https://localhost:{port}"
"#
    )
}

/// TLS of the gateway's own, and plain HTTP that leads there.
fn edge(certificates: &Certificates) -> String {
    let file = |name: &str| certificates.file(name).display().to_string();
    format!(
        "https = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\nredirect = \"{}\"\n",
        free_address(),
        file("good.pem"),
        file("good.key"),
        free_address()
    )
}

impl Running {
    fn start(base: &str, http: SocketAddr, listen: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let operations = free_address();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        let private = |name: &str, text: &str| {
            let path = folder.path().join(name);
            brama::base::private::write(&path, text.as_bytes()).unwrap();
            path.display().to_string()
        };
        let (token, secret) = (private("token", TOKEN), private("secret", &"s3cret".repeat(8)));
        let base = base.replace("\"secret\"", &format!("\"{secret}\""));
        let text = format!(
            "{base}state_directory = \"{}\"\n\n[listen]\nhttp = \"{http}\"\nhsts = \"1h\"\n{listen}\n\
             [operations]\nlisten = \"{operations}\"\nadmin_token_file = \"{token}\"\n",
            state.display(),
        );
        // What was added behind `[portal]` stands before the state folder otherwise.
        let text = in_order(&text);
        let file = folder.path().join("brama.toml");
        fs::write(&file, &text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        let program = Program::start(command.arg("run").arg("--config").arg(&file));
        let running = Self { text, folder, operations, program };
        running.until("/readyz", "ready");
        running
    }

    /// Has it refuse a configuration.
    fn refusing(self) -> Self {
        let file = self.folder.path().join("brama.toml");
        fs::write(&file, self.text.replace("access = \"public\"", "access = \"perhaps\"")).unwrap();
        let reload = ["reload", "--pid", &self.program.id().to_string()];
        let output = Command::new(env!("CARGO_BIN_EXE_brama")).args(reload).output().unwrap();
        assert!(!output.status.success(), "it is refused");
        self
    }

    /// Asks the operations listener until the answer has this in it.
    fn until(&self, path: &str, wanted: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.asked(path).contains(wanted) {
            assert!(Instant::now() < deadline, "{path} never says {wanted}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn asked(&self, path: &str) -> String {
        match std::net::TcpStream::connect(self.operations) {
            Ok(stream) => Wire::over(stream).get("localhost", path).text(),
            Err(_) => String::new(),
        }
    }

    /// Returns the keys that it signs with.
    pub(super) fn keys(&self) -> JwkSet {
        let http = self.text.lines().find_map(|line| line.strip_prefix("http = \""));
        let address = http.unwrap().trim_end_matches('"').parse().unwrap();
        let answer = Wire::connect(address).get("localhost", "/.brama/jwks.json");
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// Returns its numbers.
    pub(super) fn metrics(&self) -> String {
        self.asked("/metrics")
    }
}

/// Puts `state_directory` into `[portal]`, wherever that was written.
fn in_order(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("state_directory = ")).unwrap().to_owned();
    let text = text.replace(&format!("{line}\n"), "");
    text.replace("[portal]\n", &format!("[portal]\n{line}\n"))
}

impl Servers {
    fn start() -> Self {
        let plain = ["--save", "", "--appendonly", "no"];
        let with = |words: &[&str]| Redis::start_with(&[&plain[..], words].concat());
        let good = Redis::start();
        let port = good.address.port().to_string();
        let replica = with(&["--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1", &port]);
        replica.ask_until("INFO replication", "master_link_status:up");
        Self {
            good,
            locked: with(&["--requirepass", PASSWORD]),
            replica,
            evicting: with(&["--maxmemory-policy", "allkeys-lru"]),
            full: with(&["--maxmemory", "1"]),
        }
    }
}

/// Proxies in front.
fn fronts(plan: &mut Plan, certificates: &Certificates, at: &Addresses) {
    let mut front = |name, gateway, lines: &str| {
        plan.tls(name, certificates, "good", &to(gateway, lines));
    };
    let without = |part: &str| {
        assert!(GOOD.contains(part), "{part}");
        GOOD.replace(part, "")
    };
    let also = |lines: &str| format!("{GOOD} {lines}");
    front("before-untrusting", at.untrusting, GOOD);
    front("before-stale", at.stale, GOOD);
    front("before-shared", at.shared, GOOD);
    front("before-away", at.away, GOOD);
    front("before-nobody", at.closed, GOOD);
    front("eats-cookies", at.main, &also("proxy_hide_header Set-Cookie;"));
    front("careless-cookies", at.main, &also("proxy_cookie_flags ~ nosecure nosamesite;"));
    front("cookie-of-a-domain", at.main, &also("proxy_cookie_path / \"/; Domain=localhost\";"));
    front("cookie-of-a-path", at.main, &also("proxy_cookie_path / /app;"));
    front("scripts-read-cookies", at.main, &also("proxy_cookie_flags ~ nohttponly;"));
    let hidden = also("proxy_hide_header Content-Security-Policy;");
    front("no-policy", at.main, &hidden);
    let twice = also("add_header Content-Security-Policy \"default-src 'self'\" always;");
    front("two-policies", at.main, &twice);
    let kept = also("proxy_hide_header Cache-Control; add_header Cache-Control \"max-age=600\";");
    front("has-pages-kept", at.main, &kept);
    front("from-a-cache", at.main, &also("add_header Age 30;"));
    let host = GOOD.replace("Host $http_host", "Host $proxy_host");
    front("another-host", at.main, &host);
    front("no-port", at.main, &GOOD.replace("Host $http_host", "Host $host"));
    let scheme = GOOD.replace("X-Forwarded-Proto $scheme", "X-Forwarded-Proto http");
    front("another-scheme", at.main, &scheme);
    let scheme = GOOD.replace("X-Forwarded-Proto $scheme", "X-Forwarded-Proto \"https, http\"");
    front("two-schemes", at.main, &scheme);
    let silent = GOOD.replace("X-Forwarded-For $remote_addr", "X-Forwarded-For \"\"");
    front("no-address", at.main, &silent);
    front("passes-addresses", at.main, &without("proxy_set_header X-Forwarded-For $remote_addr;"));
    front("passes-forwarded", at.main, &without("proxy_set_header Forwarded \"\";"));
    let passes = without("proxy_set_header X-Forwarded-Host \"\";");
    front("passes-hosts", at.careless, &format!("{passes} proxy_set_header Remote-User \"\";"));
    let own = GOOD.replace("X-Forwarded-Host \"\"", "X-Forwarded-Host $http_host");
    front("passes-names", at.careless, &own);
    front("eats-requests-cookies", at.main, &also("proxy_set_header Cookie \"\";"));
    front("eats-probes", at.main, &also("proxy_set_header X-Brama-Probe \"\";"));
    // nginx writes the path anew where the address of the other side has one.
    let decoding =
        format!("location / {{ proxy_pass http://{}/; proxy_http_version 1.1; {GOOD} }}", at.main);
    plan.tls("decodes", certificates, "good", &decoding);
    let no_query = format!("location / {{ proxy_pass http://{}$uri; {GOOD} }}", at.main);
    plan.tls("drops-queries", certificates, "good", &no_query);
    let no_post = format!("if ($request_method = POST) {{ return 403; }} {}", to(at.main, GOOD));
    plan.tls("refuses-forms", certificates, "good", &no_post);
    let no_acs = format!("location = /.brama/acs {{ return 404; }} {}", to(at.main, GOOD));
    plan.tls("no-acs", certificates, "good", &no_acs);
    let no_login = format!("location = /.brama/login {{ return 404; }} {}", to(at.main, GOOD));
    plan.tls("no-login", certificates, "good", &no_login);
    plan.tls("another-site", certificates, "good", "location / { return 404; }");
    plan.tls("shop", certificates, "good", "location / { return 200 \"a shop\"; }");
    for (name, certificate) in
        [("ended", "ended"), ("soon", "soon"), ("other-name", "other"), ("half-a-chain", "lonely")]
    {
        plan.tls(name, certificates, certificate, &to(at.main, GOOD));
    }
    plan.plain("no-tls", &to(at.main, GOOD));
    let mutual = format!(
        "ssl_verify_client on; ssl_client_certificate {}; {}",
        certificates.authority().display(),
        to(at.main, GOOD)
    );
    plan.tls("wants-certificates", certificates, "good", &mutual);
}

/// Backends.
fn backends(plan: &mut Plan, certificates: &Certificates) {
    plan.plain("backend-good", "location / { return 401 \"who are you?\"; }");
    plan.plain("backend-redirects", "location / { return 302 /.brama/login; }");
    let slash = "location = /app { return 301 /app/; } location / { return 200 \"an account\"; }";
    plan.plain("backend-adds-a-slash", slash);
    plan.plain("backend-open", "location / { return 200 \"an account\"; }");
    let any_token = "location / { if ($http_x_brama_assertion = \"\") { return 401; } return 200 \"an account\"; }";
    plan.plain("backend-any-token", any_token);
    let by_name = "location / { if ($http_remote_user = \"\") { return 401; } return 200 \"Witaj, $http_remote_user\"; }";
    plan.plain("backend-by-name", by_name);
    let greets = "location / { return 200 \"Witaj, $http_remote_user\"; }";
    plan.plain("backend-greets", greets);
    plan.plain("backend-502", "location / { return 502; }");
    plan.plain("backend-500", "location / { return 500; }");
    let ill = "location = /health { return 503; } location / { return 401; }";
    plan.plain("backend-ill", ill);
    let lines = "location / { return 401; }";
    plan.tls("backend-tls", certificates, "good", lines);
    plan.tls("backend-other-name", certificates, "other", lines);
    plan.tls("backend-ended", certificates, "ended", lines);
}

/// Nodes that do not answer as the node does.
fn nodes(plan: &mut Plan, certificates: &Certificates, simulator: &Simulator, silent: SocketAddr) {
    let kit = simulator.kit().display().to_string();
    let resolve = simulator.configuration();
    let resolve = resolve.lines().find_map(|line| line.strip_prefix("resolve_url = \""));
    let resolve = resolve.unwrap().trim_end_matches('"').to_owned();
    let through = format!(
        "location = /resolve {{ proxy_pass {resolve}; proxy_ssl_certificate {kit}/service-tls-client.crt.pem; \
         proxy_ssl_certificate_key {kit}/service-tls-client.key.pem; }}"
    );
    for (name, certificate) in [
        ("node-named", "good"),
        ("node-ended", "ended"),
        ("node-soon", "soon"),
        ("node-other-name", "other"),
    ] {
        plan.tls(name, certificates, certificate, &through);
    }
    plan.plain("node-without-tls", "location / { return 200; }");
    let old = "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0; location / { return 200; }";
    plan.tls("node-old-tls", certificates, "good", old);
    let mutual = format!(
        "ssl_verify_client on; ssl_client_certificate {}; location / {{ return 200; }}",
        certificates.authority().display()
    );
    plan.tls("node-page-of-certificates", certificates, "good", &mutual);
    let xml = "default_type text/xml;";
    let fault = "<soap:Envelope xmlns:soap='http://schemas.xmlsoap.org/soap/envelope/'><soap:Body>\
                 <soap:Fault><faultcode>soap:Server</faultcode><faultstring>no entry</faultstring>\
                 </soap:Fault></soap:Body></soap:Envelope>";
    for (name, lines) in [
        ("node-404", "location / { return 404; }".to_owned()),
        ("node-403", "location / { return 403; }".to_owned()),
        ("node-503", "location / { return 503; }".to_owned()),
        ("node-page", "location / { return 200 \"<html><p>Przerwa</p></html>\"; }".to_owned()),
        ("node-empty", "location / { return 200 \"\"; }".to_owned()),
        ("node-coded", "location / { add_header Content-Encoding gzip; return 200 x; }".to_owned()),
        ("node-fault", format!("location / {{ {xml} return 500 \"{fault}\"; }}")),
        ("node-slow", format!("location / {{ proxy_pass http://{silent}; }}")),
        ("node-cuts", "location / { return 444; }".to_owned()),
    ] {
        plan.tls(name, certificates, "good", &lines);
    }
}
