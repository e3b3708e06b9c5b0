//! Containers of one test: its own storage, network and configuration, all gone at the end.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::tools::{self, Tool};

/// How long a container may take to be well.
const PATIENCE: Duration = Duration::from_secs(30);

/// Podman and buildah, with nothing of the machine's own.
pub(super) struct Podman {
    folder: TempDir,
    /// Networks of different storages would be given the same addresses: one test at a time.
    _turn: File,
}

impl Podman {
    /// Returns none where containers cannot run; the test has said so then.
    pub(super) fn new() -> Option<Self> {
        if !tools::has(&[Tool::Buildah, Tool::Podman, Tool::Runc, Tool::Netavark]) {
            return None;
        }
        if !can_contain() {
            return None;
        }
        let turn = File::create(std::env::temp_dir().join("brama-test-containers.lock")).unwrap();
        turn.lock().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let configuration = format!(
            // Podman gives more of both than a machine may allow unless it is told how many. Its locks are
            // shared with every other podman of the user, unless they are files.
            "[containers]\ndefault_ulimits = [\"nofile=16384:16384\", \"nproc=4096:4096\"]\n\
             [network]\nnetwork_backend = \"netavark\"\nnetwork_config_dir = \"{path}/networks\"\n\
             [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\n\
             events_logger = \"file\"\ntmp_dir = \"{path}/engine\"\n\
             lock_type = \"file\"\n"
        );
        fs::create_dir(folder.path().join("networks")).unwrap();
        fs::write(folder.path().join("containers.conf"), configuration).unwrap();
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{path}/storage\"\n\
             runroot = \"{path}/running\"\n"
        );
        fs::write(folder.path().join("storage.conf"), storage).unwrap();
        let podman = Self { folder, _turn: turn };
        podman.does(&["network", "create", "gate"]);
        Some(podman)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("CONTAINERS_CONF", self.file("containers.conf"));
        command.env("CONTAINERS_STORAGE_CONF", self.file("storage.conf"));
        command
    }

    pub(super) fn tries(&self, words: &[&str]) -> Output {
        self.command("podman").args(words).output().unwrap()
    }

    /// Has podman do something, and returns what it prints.
    pub(super) fn does(&self, words: &[&str]) -> String {
        well(&format!("podman {words:?}"), &self.tries(words))
    }

    /// Has podman-compose do something with files of `deploy/container`.
    pub(super) fn composes(&self, files: &[&str], words: &[&str], environment: &[(&str, &str)]) {
        let mut command = self.command("podman-compose");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/container");
        for file in files {
            command.arg("-f").arg(folder.join(file));
        }
        let output = command.args(words).envs(environment.iter().copied()).output().unwrap();
        well(&format!("podman-compose {words:?}"), &output);
    }

    /// Makes the image of the gateway of a laid out folder, has podman know it, and returns its digest.
    pub(super) fn gateway(&self, context: &Path, name: &str) -> String {
        self.image(context, "deploy/container/Containerfile", name)
    }

    /// Makes an image of a laid out folder as `deploy/container/image` does.
    pub(super) fn image(&self, context: &Path, containerfile: &str, name: &str) -> String {
        let file = self.file("image.tar");
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = self.command(source.join("deploy/container/image"));
        command.env("CONTAINERFILE", source.join(containerfile));
        command.env("SOURCE_DATE_EPOCH", "1").arg(context).arg(&file).arg(name);
        let digest = well("deploy/container/image", &command.output().unwrap());
        self.does(&["load", "--quiet", "--input", file.to_str().unwrap()]);
        let id = self.does(&["inspect", "--type", "image", "--format", "{{.Id}}", name]);
        assert_eq!(digest, format!("sha256:{id}"), "it is known by this");
        digest
    }

    /// Makes an image of another program.
    pub(super) fn build(&self, containerfile: &Path, context: &Path, name: &str) {
        let mut command = self.command("buildah");
        command.args(["build", "--quiet", "--isolation", "chroot", "--tag", name]);
        command.arg("--file").arg(containerfile).arg(context);
        well("buildah build", &command.output().unwrap());
    }

    /// Starts a container of the network with as few rights as there are.
    pub(super) fn start(&self, name: &str, options: &[&str], image: &str, words: &[&str]) {
        let mut all = vec!["run", "--detach", "--name", name, "--network", "gate"];
        all.extend(HARDENED);
        all.extend(options);
        all.push(image);
        all.extend(words);
        self.does(&all);
    }

    /// Waits until its `HEALTHCHECK` says that a container is well.
    pub(super) fn until_healthy(&self, name: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let told = self.tries(&["healthcheck", "run", name]);
            if told.status.success() {
                return;
            }
            assert!(Instant::now() < deadline, "{name}: {told:?}\n{}", self.logs(name));
            sleep(Duration::from_millis(100));
        }
    }

    /// Returns what a container has said.
    pub(super) fn logs(&self, name: &str) -> String {
        let told = self.tries(&["logs", name]);
        [told.stdout, told.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat()
    }

    /// Waits until a container has said something.
    pub(super) fn until_said(&self, name: &str, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.logs(name).contains(words) {
            assert!(Instant::now() < deadline, "{name} never says {words:?}: {}", self.logs(name));
            sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.tries(&["rm", "--all", "--force", "--time", "0", "--volumes"]);
        let _ = self.tries(&["network", "rm", "--force", "gate"]);
        // The storage is mounted on itself, and the folder would stay.
        let storage = self.file("storage/overlay");
        let _ = Command::new("umount").arg("--lazy").arg(storage).output();
    }
}

/// Tells whether this machine lets its user have spaces of processes, mounts and networks, and groups of
/// processes: root in a container without rights has none. When not, it says so.
pub(super) fn can_contain() -> bool {
    static OBSTACLE: LazyLock<Option<String>> = LazyLock::new(|| {
        if !rustix::process::geteuid().is_root() {
            return Some("containers of tests are run by root".to_owned());
        }
        let spaces = ["--mount", "--net", "--pid", "--fork", "--mount-proc"];
        // Of cgroups v1 each controller is a mount of its own.
        let groups = "test -w /sys/fs/cgroup/memory || test -w /sys/fs/cgroup/cgroup.procs";
        let told =
            Command::new("unshare").args(spaces).args(["sh", "-c", groups]).output().unwrap();
        let why = String::from_utf8_lossy(&told.stderr).trim().to_owned();
        let why = if why.is_empty() { "/sys/fs/cgroup cannot be written".to_owned() } else { why };
        (!told.status.success()).then(|| format!("no containers on this machine: {why}"))
    });
    if let Some(obstacle) = &*OBSTACLE {
        eprintln!("SKIPPED: {obstacle}");
    }
    OBSTACLE.is_none()
}

/// The rights of every container: read-only, no capability, nothing gained by a program. Its user is
/// that of the image.
const HARDENED: [&str; 4] = [
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
];

fn well(what: &str, output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{what}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Copies a program's libraries, and what loads them, to where it looks for them.
pub(super) fn add_libraries(program: &Path, root: &Path) {
    let told = Command::new("ldd").arg(program).output().unwrap();
    // A static program has none, and ldd says so by its status.
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    for path in told.split_whitespace().filter(|word| word.starts_with('/')) {
        let to = root.join(&path[1..]);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
}
