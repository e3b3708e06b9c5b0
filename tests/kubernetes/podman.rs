//! Pods without a cluster: podman plays them, with its own storage and configuration, all gone at the end.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::tools::{root, skip};

/// What the image of the gateway is called here, and that of the portal beside it.
pub(crate) const IMAGE: &str = "localhost/brama:test";
pub(crate) const PORTAL: &str = "localhost/portal:test";

/// Where podman looks for its network.
const NETAVARK: [&str; 3] = [
    "/usr/lib/podman/netavark",
    "/usr/libexec/podman/netavark",
    "/usr/local/libexec/podman/netavark",
];

/// Podman and buildah, with nothing of the machine's own.
pub(crate) struct Podman {
    folder: TempDir,
    /// Networks of different storages would be given the same addresses: one test at a time.
    _turn: File,
}

impl Podman {
    /// Returns none where containers cannot run; says so then.
    pub(crate) fn new() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<_> = std::env::split_paths(&path).chain(["/usr/sbin".into()]).collect();
        for tool in ["podman", "buildah", "runc", "curl", "strip"] {
            if !folders.iter().any(|folder| folder.join(tool).is_file()) {
                skip(&format!("{tool} is not installed (tests/run installs it)"));
                return None;
            }
        }
        // The network of the containers; podman only suggests it.
        if !NETAVARK.iter().any(|path| Path::new(path).is_file()) {
            skip("netavark is not installed (tests/run installs it)");
            return None;
        }
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            eprintln!("SKIPPED: containers of tests are run by root");
            return None;
        }
        if let Some(obstacle) = obstacle() {
            eprintln!("SKIPPED: no containers on this machine: {obstacle}");
            return None;
        }
        let turn = File::create(std::env::temp_dir().join("brama-test-containers.lock")).unwrap();
        turn.lock().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        // Podman gives more descriptors and processes than a machine may allow unless it is told how many.
        // Its locks are shared with every other podman of the user, unless they are files.
        let configuration = format!(
            "[containers]\ndefault_ulimits = [\"nofile=16384:16384\", \"nproc=4096:4096\"]\n\
             [network]\nnetwork_backend = \"netavark\"\nnetwork_config_dir = \"{path}/networks\"\n\
             [engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\n\
             events_logger = \"file\"\ntmp_dir = \"{path}/engine\"\n\
             lock_type = \"file\"\n"
        );
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{path}/storage\"\nrunroot = \"{path}/running\"\n"
        );
        fs::create_dir(folder.path().join("networks")).unwrap();
        fs::write(folder.path().join("containers.conf"), configuration).unwrap();
        fs::write(folder.path().join("storage.conf"), storage).unwrap();
        Some(Self { folder, _turn: turn })
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &str, words: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.env("CONTAINERS_CONF", self.file("containers.conf"));
        command.env("CONTAINERS_STORAGE_CONF", self.file("storage.conf"));
        command.current_dir(self.folder.path()).args(words).output().unwrap()
    }

    /// Has podman do something, and returns what it prints.
    pub(crate) fn does(&self, words: &[&str]) -> String {
        well("podman", &self.run("podman", words))
    }

    /// Returns what a container has said.
    pub(crate) fn logs(&self, name: &str) -> String {
        let said = self.run("podman", &["logs", name]);
        String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned()
    }

    /// Makes the image of the gateway, of the program that was built for the tests and its libraries.
    pub(crate) fn make_image(&self) {
        let (program, context) = (self.file("program"), self.file("context"));
        let strip =
            Command::new("strip").arg("-o").arg(&program).arg(env!("CARGO_BIN_EXE_brama")).output();
        well("strip", &strip.unwrap());
        let container = root().join("deploy/container");
        let laid = Command::new(container.join("context")).arg(&program).arg(&context).output();
        well("deploy/container/context", &laid.unwrap());
        add_libraries(&program, &context.join("root"));
        self.build(&container.join("Containerfile"), IMAGE);
    }

    /// Makes an image in which the program has other words.
    pub(crate) fn make_portal(&self, words: &[&str]) {
        let words = serde_json::to_string(&[&["/usr/bin/brama"], words].concat()).unwrap();
        let file = self.file("Containerfile.portal");
        fs::write(&file, format!("FROM {IMAGE}\nENTRYPOINT {words}\nCMD []\n")).unwrap();
        self.build(&file, PORTAL);
    }

    fn build(&self, containerfile: &Path, name: &str) {
        let words =
            ["build", "--quiet", "--isolation", "chroot", "--format", "docker", "--tag", name];
        let (file, context) = (containerfile.to_str().unwrap(), self.file("context"));
        let words = [&words[..], &["--file", file, context.to_str().unwrap()]].concat();
        well("buildah", &self.run("buildah", &words));
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.run("podman", &["pod", "rm", "--all", "--force", "--time", "0"]);
        self.run("podman", &["rm", "--all", "--force", "--time", "0", "--volumes"]);
        self.run("podman", &["network", "prune", "--force"]);
        // The storage is mounted on itself, and the folder would stay.
        let _ = Command::new("umount").arg("--lazy").arg(self.file("storage/overlay")).output();
    }
}

/// Says why this machine lets root have no spaces of processes, mounts and networks, or no groups of processes: in a
/// container without rights there are none.
fn obstacle() -> Option<String> {
    let spaces = ["--mount", "--net", "--pid", "--fork", "--mount-proc"];
    // Of cgroups v1 each controller is a mount of its own.
    let groups = "test -w /sys/fs/cgroup/memory || test -w /sys/fs/cgroup/cgroup.procs";
    let told = Command::new("unshare").args(spaces).args(["sh", "-c", groups]).output().unwrap();
    let why = String::from_utf8_lossy(&told.stderr).trim().to_owned();
    let why = if why.is_empty() { "/sys/fs/cgroup cannot be written".to_owned() } else { why };
    (!told.status.success()).then_some(why)
}

fn well(what: &str, output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    assert!(output.status.success(), "{what}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Copies a program's libraries, and what loads them, to where it looks for them.
fn add_libraries(program: &Path, root: &Path) {
    let told = Command::new("ldd").arg(program).output().unwrap();
    // A static program has none, and ldd says so by its status.
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    for path in told.split_whitespace().filter(|word| word.starts_with('/')) {
        let to = root.join(&path[1..]);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
}
