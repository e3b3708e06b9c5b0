//! Where sessions are kept: a file, or servers of Redis. A file is looked at from outside, since a
//! gateway has it; servers are asked as a gateway asks them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::check::{Check, Group};
use super::finding::Findings;
use super::gateway::Running;
use super::network::{self, Place};
use super::options::Options;
use crate::app::Settings;
use crate::app::settings::{Store, StoreKind};
use crate::base::clock::{Clock, SystemClock};
use crate::store::RecordStore;
use crate::store::agreement::{Agreement, Disagreement};
use crate::store::redis::Redis;
use crate::store::redis::settings::Settings as RedisSettings;

/// What every file of the database begins with.
const MAGIC: &[u8] = b"redb";

pub(super) async fn examine(
    options: &Options,
    settings: &Settings,
    running: &Running,
    findings: &mut Findings,
) {
    match &settings.store.kind {
        StoreKind::Memory => {
            let why = "sessions are kept in memory (store.kind), and end with the process";
            findings.fill(&[Group::Store], why);
        }
        StoreKind::File { path, .. } => {
            file(path, running, findings);
            findings.fill(&[Group::Store], "sessions are kept in a file");
        }
        StoreKind::Redis(redis) => {
            findings.not_examined(Check::StoreFile, "", "sessions are kept in Redis");
            servers(options, redis, &settings.store, findings).await;
            findings.fill(&[Group::Store], "the servers of Redis are not reached");
        }
    }
}

fn file(path: &Path, running: &Running, findings: &mut Findings) {
    let (check, about) = (Check::StoreFile, path.display().to_string());
    let Ok(found) = fs::symlink_metadata(path) else {
        let why = "it is not there yet: the gateway makes it";
        return findings.not_examined(check, &about, why);
    };
    if !found.is_file() {
        let advice = "name another file in store.file.path";
        return findings.problem(check, &about, "it is no plain file", advice);
    }
    match begins(path) {
        Err(error) => {
            let advice = "run this as the user of the gateway, or as root";
            findings.problem(check, &about, error.to_string(), advice);
        }
        Ok(false) => {
            let advice = "name another file in store.file.path, or move this one away";
            findings.problem(check, &about, "it is a file of something else", advice);
        }
        Ok(true) if is_locked(&found) && !running.is_there() => {
            let advice = "look which (fuser FILE): a gateway that is started now does not get it";
            findings.warning(
                check,
                &about,
                "no gateway answers, and a process has it open",
                advice,
            );
        }
        Ok(true) => {
            findings.ok(check, &about, format!("it has {} KiB", found.len() >> 10));
        }
    }
}

/// Tells whether it begins as a store does; an empty one is about to.
fn begins(path: &Path) -> std::io::Result<bool> {
    use std::io::Read;
    let mut first = Vec::new();
    fs::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut first)?;
    Ok(first.is_empty() || first == MAGIC)
}

/// Tells whether a process holds a lock of the file: read, so that none is taken even for a moment.
fn is_locked(found: &fs::Metadata) -> bool {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let device = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    has_lock(&locks, &mounts, device, found.ino())
}

/// Looks for a file in `/proc/locks`, by device and number. Some file systems (btrfs) say another
/// device of a file than of their mount, which is the one of locks: then the number has to do.
fn has_lock(locks: &str, mounts: &str, (major, minor): (u32, u32), number: u64) -> bool {
    let (mounted, file) = (format!("{major}:{minor}"), format!("{major:02x}:{minor:02x}:{number}"));
    let is_known = mounts.lines().any(|line| line.split(' ').nth(2) == Some(&*mounted));
    let end = format!(":{number}");
    let mut fields = locks.split_whitespace();
    fields.any(|field| if is_known { field == file } else { field.ends_with(&end) })
}

async fn servers(options: &Options, redis: &RedisSettings, store: &Store, findings: &mut Findings) {
    let time = options.timeout.min(redis.connect_timeout.max(redis.command_timeout));
    let mut is_reached = false;
    for address in &redis.addresses {
        let about = address.to_string();
        let place = Place { about: &about, host: &address.host, port: address.port };
        let Some(found) = network::resolve(Check::StoreDns, place, time, findings).await else {
            continue;
        };
        let reached = network::connect(Check::StoreTcp, &about, &found, time, findings).await;
        is_reached |= reached.is_some();
    }
    if !is_reached {
        return;
    }
    let about = redis.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let client = match Redis::connect(redis.clone()) {
        Ok(client) => Arc::new(client),
        Err(error) => {
            let seen = crate::base::causes::in_one_line(&error);
            return findings.problem(Check::StoreRedis, &about, seen, REDIS);
        }
    };
    // The first connection takes longer than a command may.
    let until = Instant::now() + options.timeout.min(redis.connect_timeout * 2);
    let checked = loop {
        match timeout(options.timeout, client.check()).await {
            Ok(Err(_)) if Instant::now() < until => tokio::time::sleep(time / 10).await,
            Ok(checked) => break checked.map_err(|away| away.to_string()),
            Err(_) => break Err(format!("no answer within {:?}", options.timeout)),
        }
    };
    if let Err(seen) = checked {
        findings.problem(Check::StoreRedis, &about, seen, REDIS);
        return findings.fill(&[Group::Store], "the servers do not take records");
    }
    let seen = "the servers take our password, if there is one, and records";
    findings.ok(Check::StoreRedis, &about, seen);
    policy(&client, &about, findings).await;
    secret(client, store, &about, findings).await;
}

async fn policy(client: &Redis, about: &str, findings: &mut Findings) {
    match client.evicting().await {
        Ok(found) if found.is_empty() => {
            findings.ok(Check::StorePolicy, about, "maxmemory-policy is noeviction");
        }
        Ok(found) => {
            let found = found.iter().map(|(server, policy)| format!("{server} has {policy}"));
            let seen = found.collect::<Vec<_>>().join(", ");
            let advice = "set maxmemory-policy noeviction: otherwise sessions end early, and what was \
                          used once can be used again";
            findings.problem(Check::StorePolicy, about, seen, advice);
        }
        Err(away) => findings.not_examined(
            Check::StorePolicy,
            about,
            format!("it is not told ({away}); it must be noeviction"),
        ),
    }
}

async fn secret(client: Arc<Redis>, store: &Store, about: &str, findings: &mut Findings) {
    let check = Check::StoreSecret;
    let Some(sealer) = &store.sealer else {
        let why = "store.secret_files is not given: each replica has a secret in its state folder";
        return findings.not_examined(check, about, why);
    };
    let agreement = Agreement::new(client, sealer, "this one", "store.secret_files");
    match agreement.compare(SystemClock.now()).await {
        Ok(None) => findings.ok(check, about, "nobody who is there has another secret"),
        Ok(Some(found @ Disagreement::NothingInCommon { .. })) => {
            let advice = "give the same store.secret_files to each replica";
            findings.problem(check, about, found.to_string(), advice);
        }
        Ok(Some(found @ Disagreement::Unknown { .. })) => {
            let advice = "add that secret to store.secret_files here";
            findings.warning(check, about, found.to_string(), advice);
        }
        Err(away) => findings.not_examined(check, about, away.to_string()),
    }
}

const REDIS: &str = "look at store.redis: password_file and user, mode (single, sentinel, cluster), TLS; \
                     and at the log of Redis. Its user needs the commands of docs/sessions.md";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_of_one_file_on_one_device() {
        let locks = "1: FLOCK  ADVISORY  WRITE 4125 fe:00:99779 0 EOF\n";
        let mounts =
            "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 1 254:1 / /var rw - ext4 /dev/vdb rw\n";
        for (device, number, expected) in [
            ((254, 0), 99779, true),
            ((254, 1), 99779, false),
            ((254, 0), 9779, false),
            ((0, 41), 99779, true),
            ((0, 41), 9779, false),
        ] {
            assert_eq!(has_lock(locks, mounts, device, number), expected, "{device:?} {number}");
        }
    }
}
