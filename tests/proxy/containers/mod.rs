//! The container image: made, and run as a cluster would, each part in a container of its own.
//!
//! The program in it is the one that was built for the tests, with its libraries beside it, because
//! to build everything once more for a static one would cost minutes. `BRAMA_IMAGE_PROGRAM` names
//! another one, and `BRAMA_GATEWAY_PROGRAM` one that is the gateway alone: `deploy/release/try` runs these
//! tests with what is released.

mod alone;
mod compose;
mod podman;
mod simulator;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use self::podman::{Podman, add_libraries, can_contain};
use crate::harness::tools::{self, Tool};
use crate::harness::{Citizen, PATIENCE, Program, Wire, free_address};

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn given(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// Lays out what the image has, with the program of the tests. Where it is given, it is as it is.
fn context(folder: &Path) {
    context_of(given("BRAMA_IMAGE_PROGRAM"), folder);
}

/// The same for the gateway in production.
fn gateway_context(folder: &Path) {
    context_of(given("BRAMA_GATEWAY_PROGRAM").or_else(|| given("BRAMA_IMAGE_PROGRAM")), folder);
}

fn context_of(given: Option<PathBuf>, folder: &Path) {
    let program = given.unwrap_or_else(|| {
        let stripped = folder.with_extension("program");
        let built = env!("CARGO_BIN_EXE_brama");
        let done = Command::new("strip").arg("-o").arg(&stripped).arg(built).status();
        assert!(done.unwrap().success());
        stripped
    });
    let laid = Command::new(source("deploy/container/context")).arg(&program).arg(folder).status();
    assert!(laid.unwrap().success());
    add_libraries(&program, &folder.join("root"));
}

/// An image with Redis of this machine.
fn redis_image(podman: &Podman) {
    let folder = podman.file("redis");
    let program = Path::new("/usr/bin/redis-server");
    fs::create_dir_all(folder.join("usr/bin")).unwrap();
    fs::copy(program, folder.join("usr/bin/redis-server")).unwrap();
    add_libraries(program, &folder);
    let file = podman.file("Containerfile.redis");
    // As in the images that there are, the folder of its data is that of user 999.
    fs::create_dir(folder.join("data")).unwrap();
    chown(folder.join("data"), Some(999), Some(999)).unwrap();
    let text = "FROM scratch\nCOPY --chown=999:999 data /data\nCOPY usr /usr\nCOPY lib /lib\nCOPY lib64 /lib64\n\
                USER 65532:65532\nENTRYPOINT [\"/usr/bin/redis-server\"]\n";
    fs::write(&file, text).unwrap();
    podman.build(&file, &folder, REDIS);
}

const IMAGE: &str = "localhost/brama-tools:test";
const GATEWAY: &str = "localhost/brama:test";
const REDIS: &str = "localhost/redis:test";

#[test]
fn an_image_that_is_built_twice_is_the_same_and_has_one_program() {
    let Some(podman) = Podman::new() else { return };
    let (one, other) = (podman.file("one"), podman.file("other"));
    context(&one);
    context(&other);
    let digest = podman.gateway(&one, IMAGE);
    assert_eq!(podman.gateway(&other, IMAGE), digest);
    // One byte more is another one.
    fs::write(other.join("root/etc/brama/more"), "x").unwrap();
    assert_ne!(podman.gateway(&other, "localhost/brama:more"), digest);

    let seen =
        |format: &str| podman.does(&["inspect", "--type", "image", "--format", format, IMAGE]);
    assert_eq!(seen("{{.User}}"), "65532:65532");
    assert_eq!(seen("{{.Config.Entrypoint}} {{.Config.Cmd}}"), "[/usr/bin/brama] [run]");
    assert_eq!(seen("{{.HealthCheck.Test}}"), "[CMD /usr/bin/brama healthcheck]");
    assert!(seen("{{.Config.Env}}").contains("MIMALLOC_ALLOW_THP=0"));
    let version = seen("{{index .Labels \"org.opencontainers.image.licenses\"}}");
    assert_eq!(version, "Apache-2.0 OR MIT");
    let programs = fs::read_dir(one.join("root/usr/bin")).unwrap();
    let programs: Vec<_> = programs.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(programs, ["brama"], "and no shell");
    assert!(!one.join("root/bin").exists() && !one.join("root/sbin").exists());
    let mode = fs::metadata(one.join("state/brama")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// The containers of `deploy/container/compose.yaml`, at free ports of this machine.
struct Composed {
    podman: Podman,
    origin: String,
    host: String,
}

impl Composed {
    /// Starts all but the gateway.
    fn start() -> Option<Self> {
        if !tools::has(&[Tool::Redis]) {
            return None;
        }
        let podman = Podman::new()?;
        context(&podman.file("context"));
        podman.gateway(&podman.file("context"), IMAGE);
        gateway_context(&podman.file("gateway"));
        podman.gateway(&podman.file("gateway"), GATEWAY);
        let (gateway, pages) = (free_address().port(), free_address().port());
        let host = format!("localhost:{gateway}");
        let origin = format!("http://{host}");
        let state = "--volume=kit:/var/lib/brama";
        let made = ["--directory=/var/lib/brama/kit", "--public-soap=https://simulator:8082"];
        podman.does(&["run", "--rm", state, IMAGE, "simulator", "--keys-only", made[0], made[1]]);
        let publish = format!("--publish=127.0.0.1:{pages}:8081");
        let public = format!("--public-pages=http://127.0.0.1:{pages}");
        let acs = format!("--acs={origin}/.brama/acs");
        let listen = ["--allow-remote", "--pages=0.0.0.0:8081", "--soap=0.0.0.0:8082"];
        let words = [&["simulator"], &listen[..], &made, &[&public, &acs]].concat();
        podman.start("simulator", &[state, &publish], IMAGE, &words);
        let words = [
            "demo-portal",
            "--listen=0.0.0.0:8083",
            &format!("--issuer={origin}"),
            "--gateway=http://gateway:8080",
        ];
        podman.start("portal", &[], IMAGE, &words);
        let composed = Self { podman, origin, host };
        composed.start_gateway(pages, &[]);
        Some(composed)
    }

    fn start_gateway(&self, pages: u16, more: &[&str]) {
        let file = source("deploy/container/demo.toml");
        let file = format!("--volume={}:/etc/brama/brama.toml:ro", file.display());
        let port = self.host.rsplit(':').next().unwrap();
        let publish = format!("--publish=127.0.0.1:{port}:8080");
        let url = format!("--env=BRAMA__PORTAL__PUBLIC_URL={}", self.origin);
        let sso = format!(
            "--env=BRAMA__NODE__SSO_URL=http://127.0.0.1:{pages}/login/SingleSignOnService"
        );
        let volumes = ["--volume=kit:/kit:ro", "--volume=state:/var/lib/brama"];
        let options = [&[file.as_str(), &publish, &url, &sso], &volumes[..], more].concat();
        self.podman.start("gateway", &options, GATEWAY, &[]);
        self.podman.until_healthy("gateway");
    }

    /// Starts the gateway anew with its store in Redis, in a container that only it reaches.
    fn change_to_redis(&self) {
        redis_image(&self.podman);
        self.podman.start("redis", &[], REDIS, &["--save", "", "--protected-mode", "no"]);
        let pages = self.podman.does(&["port", "simulator", "8081"]);
        let pages = pages.rsplit(':').next().unwrap().parse().unwrap();
        self.podman.does(&["rm", "--force", "--time", "20", "gateway"]);
        let environment = [
            "--env=BRAMA__STORE__KIND=redis",
            "--env=BRAMA__STORE__REDIS__ADDRESSES=[\"redis:6379\"]",
        ];
        self.start_gateway(pages, &environment);
    }

    fn sign_in(&self) -> String {
        Citizen::at(&self.origin).sign_in("anna")
    }

    /// Opens the page that needs a login.
    fn account(&self, cookie: &str) -> (u16, String) {
        let address = self.host.replace("localhost", "127.0.0.1");
        let mut wire = Wire::connect(address.parse().unwrap());
        let head =
            format!("GET /account HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", self.host);
        wire.send(head.as_bytes());
        let answer = wire.answer("GET");
        (answer.status, answer.text())
    }

    fn is_signed_in(&self, cookie: &str) {
        let (status, text) = self.account(cookie);
        assert!(status == 200 && text.contains("Anna"), "{status} {text}");
        assert_eq!(self.account("brama=nobody").0, 401);
    }

    /// Has the kernel end the gateway, and starts its container again.
    fn kill_and_start(&self) {
        self.podman.does(&["kill", "--signal", "KILL", "gateway"]);
        self.podman.does(&["wait", "gateway"]);
        self.podman.does(&["start", "gateway"]);
        self.podman.until_healthy("gateway");
    }
}

#[test]
fn a_citizen_signs_in_between_containers_and_stays_so_when_the_gateway_is_killed() {
    let Some(composed) = Composed::start() else { return };
    let podman = &composed.podman;
    let anna = composed.sign_in();
    composed.is_signed_in(&anna);
    composed.kill_and_start();
    composed.is_signed_in(&anna);

    // Nobody but the gateway itself says that it is well.
    let asked = ["exec", "gateway", "/usr/bin/brama", "healthcheck", "--address", "127.0.0.1:1"];
    let told = podman.tries(&asked);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("cannot be asked"), "{told:?}");
    // As the first process it leaves to nobody, and goes on.
    podman.does(&["kill", "--signal", "USR2", "gateway"]);
    podman.until_said("gateway", "first process of its container");
    composed.is_signed_in(&anna);
    podman.does(&["stop", "--time", "20", "gateway"]);
    let code = podman.does(&["inspect", "--format", "{{.State.ExitCode}}", "gateway"]);
    assert_eq!(code, "0", "{}", podman.logs("gateway"));

    composed.change_to_redis();
    assert_eq!(composed.account(&anna).0, 401, "another store");
    let anna = composed.sign_in();
    composed.kill_and_start();
    composed.is_signed_in(&anna);
}

fn children(process: &str) -> String {
    fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default()
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_first_process_of_a_container_takes_leave_of_orphans() {
    if !can_contain() {
        return;
    }
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args([env!("CARGO_BIN_EXE_brama"), "simulator"]);
    command.args(["--pages", "127.0.0.1:0", "--soap", "127.0.0.1:0"]);
    let mut program = Program::start(&mut command);
    program.wait_for(|line| line.contains("Control").then_some(()));
    let first = children(&program.id().to_string()).trim().to_owned();
    assert_eq!(children(&first), "");
    // The shell leaves at once, and the kernel gives its child to the first process.
    let mut shell = Command::new("nsenter");
    shell.args(["--target", &first, "--pid", "--", "sh", "-c", "sleep 60 & exit"]);
    assert!(shell.status().unwrap().success());
    until("there is an orphan", || !children(&first).is_empty());
    let orphan = children(&first).trim().parse().unwrap();
    rustix::process::kill_process(Pid::from_raw(orphan).unwrap(), Signal::KILL).unwrap();
    until("the kernel keeps an orphan that ended", || children(&first).is_empty());
}
