//! `[audit]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::context::Context;
use crate::app::settings::Audit;
use crate::audit::keys::PersonKey;
use crate::audit::{self, File, Settings, Stream, Sync, Syslog, Target};
use crate::base::rights::folder_of;
use crate::base::secret::Secret;
use crate::config::file::{AccessAddresses, AuditSync, AuditTarget};
use crate::observe::access::Addresses;

/// Resolves where records go; none when there is no audit log.
pub(super) fn resolve(context: &mut Context<'_>) -> Option<Audit> {
    let file = &context.file().audit;
    let persons = person_keys(context);
    if file.target == AuditTarget::Off {
        return None;
    }
    if context.file().portal.state_directory.is_none() {
        context.error(
            key!(audit.target),
            "the keys of the audit log are kept in portal.state_directory, which is not given",
            "name a folder that outlives a restart there, or write target = \"off\"",
        );
    }
    bounds(context);
    let target = target(context)?;
    let addresses = match file.addresses {
        AccessAddresses::Full => Addresses::Full,
        AccessAddresses::Masked => Addresses::Masked,
        AccessAddresses::Off => Addresses::Off,
    };
    let settings = Settings {
        target,
        required: file.required,
        addresses,
        queue_bytes: usize::try_from(file.queue.bytes()).unwrap_or(usize::MAX),
        instance: file.instance.clone().unwrap_or_else(audit::host_name),
        checkpoint_records: file.checkpoint_records,
        checkpoint_every: file.checkpoint_within.get(),
        // Where the state folder is, the assembly knows.
        head: None,
    };
    Some(Audit { settings, persons })
}

/// What makes no sense as a number.
fn bounds(context: &mut Context<'_>) {
    let file = &context.file().audit;
    if file.queue.bytes() < 64 * 1024 {
        context.error(
            key!(audit.queue),
            "has no room for the records of a moment",
            "give \"64 KiB\" or more",
        );
    }
    if file.checkpoint_records == 0 || file.checkpoint_within.get().is_zero() {
        let key = if file.checkpoint_records == 0 {
            key!(audit.checkpoint_records)
        } else {
            key!(audit.checkpoint_within)
        };
        context.error(key, "is zero: each record would need a signature", "leave it out");
    }
    if file.syslog_facility > 23 {
        context.error(
            key!(audit.syslog_facility),
            "is no facility (RFC 5424 6.2.1)",
            "give a number from 0 to 23; 10 is authpriv",
        );
    }
}

fn target(context: &mut Context<'_>) -> Option<Target> {
    let file = &context.file().audit;
    match file.target {
        AuditTarget::Off => None,
        AuditTarget::Stdout => Some(Target::Stream(Stream::Stdout)),
        AuditTarget::Journald => Some(Target::Stream(Stream::Journald(PathBuf::from(JOURNAL)))),
        AuditTarget::Syslog => {
            let at = syslog(&file.syslog);
            if at.is_none() {
                context.error(
                    key!(audit.syslog),
                    format!("\"{}\" is no log of this machine", file.syslog),
                    "write \"unix:/dev/log\", \"udp:127.0.0.1:514\" or \"tcp:[::1]:601\"",
                );
            }
            Some(Target::Stream(Stream::Syslog { at: at?, facility: file.syslog_facility }))
        }
        AuditTarget::File => {
            let advice = "give the path of a file, such as \"/var/log/brama/audit.jsonl\"";
            let path = context.required(key!(audit.file), file.file.as_deref(), advice)?;
            let path = context.resolve(path);
            if !folder_of(&path).is_dir() || path.is_dir() {
                let what = format!("{} is not in a folder that is there", path.display());
                context.error(key!(audit.file), what, advice);
            }
            context.forbid(key!(audit.file), folder_of(&path), crate::base::rights::of_believed);
            let sync = match file.sync {
                AuditSync::Batch => Sync::Batch,
                AuditSync::Within => Sync::Within(file.sync_within.get()),
                AuditSync::Never => Sync::Never,
            };
            let maximum = file.file_maximum.bytes();
            Some(Target::File(File { path, maximum, daily: file.daily, sync }))
        }
    }
}

/// Reads where a log listens: records are not sent over a network, where anybody reads them.
fn syslog(text: &str) -> Option<Syslog> {
    let (kind, rest) = text.split_once(':')?;
    let address = || rest.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback());
    match kind {
        "unix" if rest.starts_with('/') => Some(Syslog::Unix(rest.into())),
        "udp" => address().map(Syslog::Udp),
        "tcp" => address().map(Syslog::Tcp),
        _ => None,
    }
}

fn person_keys(context: &mut Context<'_>) -> Vec<PersonKey> {
    let mut keys = Vec::new();
    for (index, path) in context.file().audit.person_key_files.iter().enumerate() {
        let key = format!("{}[{index}]", key!(audit.person_key_files));
        let Some(bytes) = context.read_secret(&key, path) else { continue };
        match PersonKey::new(Secret::new(bytes)) {
            Some(found) => keys.push(found),
            None => context.error(
                &key,
                "has fewer than 32 bytes",
                "make one with: (umask 077; head -c 32 /dev/urandom > FILE)",
            ),
        }
    }
    keys
}

/// Where the journal of systemd listens (`systemd-journald.service(8)`).
const JOURNAL: &str = "/run/systemd/journal/socket";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;

    /// Says what is wrong with lines of `[audit]`, in a folder that has `logs` and `short`.
    fn told(audit: &str) -> (Option<Audit>, String) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        std::fs::write(folder.path().join("short"), "short").unwrap();
        std::fs::write(folder.path().join("long"), [7; 32]).unwrap();
        use std::os::unix::fs::PermissionsExt;
        for name in ["short", "long"] {
            let mode = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(folder.path().join(name), mode).unwrap();
        }
        let path = folder.path().join("brama.toml");
        let state = if audit.contains("# no state") { "" } else { "state_directory = \"state\"" };
        std::fs::write(&path, format!("[portal]\n{state}\n[audit]\n{audit}\n")).unwrap();
        let loaded = crate::config::load(&path, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
        let audit = resolve(&mut context);
        (audit, context.problems.to_string())
    }

    #[test]
    fn each_target_is_taken_with_what_it_needs_and_refused_without() {
        for good in [
            "target = \"file\"\nfile = \"logs/audit.log\"",
            "target = \"stdout\"",
            "target = \"journald\"",
            "target = \"syslog\"",
            "target = \"syslog\"\nsyslog = \"udp:127.0.0.1:514\"",
            "target = \"syslog\"\nsyslog = \"tcp:[::1]:601\"",
            "target = \"stdout\"\nperson_key_files = [\"long\"]",
        ] {
            let (audit, said) = told(good);
            assert!(audit.is_some() && said.ends_with("0 errors, 0 warnings"), "{good}: {said}");
        }
        for (wrong, expected) in [
            ("target = \"file\"", "audit.file"),
            ("target = \"file\"\nfile = \"none/audit.log\"", "is not in a folder"),
            ("target = \"file\"\nfile = \"logs\"", "is not in a folder"),
            ("target = \"syslog\"\nsyslog = \"udp:192.0.2.1:514\"", "is no log of this machine"),
            ("target = \"syslog\"\nsyslog = \"/dev/log\"", "is no log of this machine"),
            ("target = \"syslog\"\nsyslog_facility = 24", "is no facility"),
            ("target = \"stdout\"\nqueue = \"63 KiB\"", "has no room"),
            ("target = \"stdout\"\ncheckpoint_records = 0", "is zero"),
            ("target = \"stdout\"\ncheckpoint_within = \"0s\"", "is zero"),
            ("target = \"stdout\"\nperson_key_files = [\"short\"]", "has fewer than 32 bytes"),
            ("target = \"stdout\" # no state", "state_directory, which is not given"),
        ] {
            let (_, said) = told(wrong);
            assert!(said.contains(expected) && said.contains("1 error"), "{wrong}: {said}");
        }
        assert!(told("").0.is_none());
    }
}
