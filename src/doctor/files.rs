//! Files and folders beside the configuration: whose they are, and whether there is room.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::check::Check;
use super::finding::Findings;
use crate::app::Settings;
use crate::app::settings::StoreKind;

/// With less room than this, writing fails soon.
const LITTLE: u64 = 64 << 20;
/// With less than this, it fails now.
const NONE: u64 = 1 << 20;
/// How many files of a folder are looked at.
const MOST: usize = 1000;

pub(super) fn examine(settings: &Settings, findings: &mut Findings) {
    match &settings.state_directory {
        Some(folder) => owners(folder, findings),
        None => findings.not_examined(
            Check::FilesOwner,
            "",
            "portal.state_directory is not given: keys are made anew at each start",
        ),
    }
    let store = match &settings.store.kind {
        StoreKind::File { path, .. } => path.parent().map(Path::to_owned),
        StoreKind::Memory | StoreKind::Redis(_) => None,
    };
    let mut folders: Vec<PathBuf> = settings.state_directory.iter().cloned().chain(store).collect();
    folders.dedup();
    if folders.is_empty() {
        findings.not_examined(Check::FilesSpace, "", "nothing is written to a disk");
    }
    for folder in folders {
        space(&folder, findings);
    }
}

/// What root left in the folder of the service's user cannot be read by the service.
fn owners(folder: &Path, findings: &mut Findings) {
    let about = folder.display().to_string();
    let (owner, strangers) = match strangers(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let why = "it is not there yet: the gateway makes it";
            return findings.not_examined(Check::FilesOwner, &about, why);
        }
        Err(error) => {
            let advice = "run this as the user of the gateway, or as root";
            return findings.problem(Check::FilesOwner, &about, error.to_string(), advice);
        }
    };
    if strangers.is_empty() {
        let seen = format!("everything in it belongs to user {owner}, as the folder does");
        return findings.ok(Check::FilesOwner, &about, seen);
    }
    let named = strangers.iter().take(8).map(|(name, user)| format!("{name} (user {user})"));
    let named = named.collect::<Vec<_>>().join(", ");
    findings.problem(
        Check::FilesOwner,
        &about,
        format!("the folder belongs to user {owner}, and not so: {named}"),
        format!("somebody ran the gateway as another user; run: chown -h {owner} '{about}'/*"),
    );
}

fn strangers(folder: &Path) -> io::Result<(u32, Vec<(String, u32)>)> {
    let owner = fs::metadata(folder)?.uid();
    let mut strangers = Vec::new();
    for entry in fs::read_dir(folder)?.take(MOST) {
        let entry = entry?;
        let user = entry.metadata()?.uid();
        if user != owner {
            strangers.push((entry.file_name().to_string_lossy().into_owned(), user));
        }
    }
    strangers.sort();
    Ok((owner, strangers))
}

fn space(folder: &Path, findings: &mut Findings) {
    let about = folder.display().to_string();
    let Ok(disk) = rustix::fs::statvfs(folder) else {
        let why = "the folder cannot be looked at";
        return findings.not_examined(Check::FilesSpace, &about, why);
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let seen = match free >> 20 {
        0..1024 => format!("{} MiB are free", free >> 20),
        more => format!("{} GiB are free", more >> 10),
    };
    let advice = "make room on this disk, or name a folder on another";
    if free < NONE {
        findings.problem(Check::FilesSpace, &about, seen, advice);
    } else if free < LITTLE {
        findings.warning(Check::FilesSpace, &about, seen, advice);
    } else {
        findings.ok(Check::FilesSpace, &about, seen);
    }
}
