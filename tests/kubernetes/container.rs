//! The container of the gateway without a cluster: its files as they would be mounted, and its variables.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::manifests::{gateway, items, of_kind, text};

/// What is mounted, by where it would be; and the file of the kit that stands for it.
pub(crate) const MOUNTED: [(&str, &str); 10] = [
    ("etc/brama/keys/node-signing.pem", "node-signing.crt.pem"),
    ("etc/brama/keys/authorities.pem", "ca.crt.pem"),
    ("etc/brama/keys/signing.pem", "service-sig.crt.pem"),
    ("etc/brama/keys/signing.key", "service-sig.key.pem"),
    ("etc/brama/keys/decryption.key", "service-enc.key.pem"),
    ("etc/brama/tls/tls.crt", "node-tls.crt.pem"),
    ("etc/brama/tls/tls.key", "node-tls.key.pem"),
    ("etc/brama/store/redis-ca.pem", "ca.crt.pem"),
    ("etc/brama/store/secret", "service-sig.key.pem"),
    ("etc/brama/store/redis-password", "service-sig.key.pem"),
];

/// The configuration in the container.
const CONFIG: &str = "etc/brama/config";

/// A container, in a folder that stands for its root.
pub(crate) struct Container {
    root: tempfile::TempDir,
    /// Its variables.
    pub(crate) environment: BTreeMap<String, String>,
}

impl Container {
    /// Lays out what the container of the gateway has.
    pub(crate) fn of(objects: &[Value]) -> Self {
        let mut own = Self { root: tempfile::tempdir().unwrap(), environment: BTreeMap::new() };
        let kit = own.make_kit("kit/made");
        for folder in ["etc/brama/keys", "etc/brama/tls", "etc/brama/store"] {
            own.mount_secret(folder, &kit);
        }
        let config = &of_kind(objects, "ConfigMap")[0]["data"]["brama.toml"];
        own.mount_config(text(config));
        for one in items(&gateway(objects)["env"]) {
            let value = own.moved(text(&one["value"]));
            own.environment.insert(text(&one["name"]).to_owned(), value);
        }
        own
    }

    /// Has the simulator make keys and certificates in a folder of the container.
    pub(crate) fn make_kit(&self, folder: &str) -> PathBuf {
        let kit = self.path(folder);
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(["simulator", "--keys-only", "--directory"]).arg(&kit);
        assert!(command.output().unwrap().status.success());
        kit
    }

    /// Mounts the files of a Secret, or has them change, as a kit has them.
    pub(crate) fn mount_secret(&self, folder: &str, kit: &Path) {
        let of_folder =
            |place: &&(&str, &str)| Path::new(place.0).parent() == Some(Path::new(folder));
        let files = MOUNTED.iter().filter(of_folder);
        let files = files.map(|(place, original)| {
            let name = Path::new(place).file_name().unwrap().to_str().unwrap();
            (name, fs::read(kit.join(original)).unwrap())
        });
        mount(&self.path(folder), &files.collect::<Vec<_>>(), 0o440);
    }

    /// Mounts the configuration, or has it change.
    pub(crate) fn mount_config(&self, text: &str) {
        let text = self.moved(text).into_bytes();
        mount(&self.path(CONFIG), &[("brama.toml", text)], 0o644);
    }

    /// A text in which paths of the container lead into the folder.
    fn moved(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for place in ["/etc/brama/", "/var/lib/brama/", "/kit/"] {
            let there = format!("{}{place}", self.root.path().display());
            text = text.replace(&format!("\"{place}"), &format!("\"{there}"));
            if text.starts_with(place) {
                text = text.replacen(place, &there, 1);
            }
        }
        text
    }

    /// Returns where something of the container is.
    pub(crate) fn path(&self, place: &str) -> PathBuf {
        self.root.path().join(place)
    }

    /// Returns a command of the gateway, with the variables of the container and no others.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.arg(name).arg("--config").arg(self.path(CONFIG).join("brama.toml"));
        command.env_clear().envs(&self.environment);
        command
    }

    /// Runs a command of the gateway as `kubectl exec` would: paths of the container lead into the folder.
    pub(crate) fn exec(&self, words: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
        command.args(words.iter().map(|word| self.moved(word)));
        let said = command.env_clear().envs(&self.environment).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    /// Checks the configuration: what was said, and whether it went well.
    pub(crate) fn check(&self) -> Result<String, String> {
        let Output { status, stdout, stderr } = self.command("check").output().unwrap();
        let said = String::from_utf8([stdout, stderr].concat()).unwrap();
        if status.success() { Ok(said) } else { Err(said) }
    }
}

/// Puts files where they are mounted, as the kubelet does: in a folder of their own behind a link, which is
/// exchanged when they change, so that all change at once.
fn mount(folder: &Path, files: &[(&str, Vec<u8>)], mode: u32) {
    let data = folder.join("..data");
    let before = fs::read_link(&data).ok();
    let turn = before.as_ref().map_or(0, |name| {
        let number = name.to_str().unwrap().rsplit('_').next().unwrap();
        number.parse::<u32>().unwrap() + 1
    });
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o3777)).unwrap();
    let own = format!("..2026_11_30_{turn}");
    fs::create_dir(folder.join(&own)).unwrap();
    for (name, bytes) in files {
        let file = folder.join(&own).join(name);
        fs::write(&file, bytes).unwrap();
        fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
        if before.is_none() {
            symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
        }
    }
    symlink(&own, folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), &data).unwrap();
    if let Some(before) = before {
        fs::remove_dir_all(folder.join(before)).unwrap();
    }
}
