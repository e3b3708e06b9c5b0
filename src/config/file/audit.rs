//! `[audit]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccessAddresses, HumanDuration, HumanSize};
use crate::config::field_order::keep_order;

/// The audit log: who was signed in, what was refused, what operators did, so that a change of it
/// shows. It has no name and no identifier of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Audit {
    /// Where records go: `off`, `file`, `stdout`, `syslog`, `journald`.
    ///
    /// Anything but `off` needs `portal.state_directory`, which keeps the keys.
    pub target: AuditTarget,
    /// With `target = "file"`: the file. Its folder must be there.
    ///
    /// After it was moved away, SIGUSR1 makes the program go on in a new one at once; otherwise it
    /// does so with the next record.
    #[schemars(example = &"/var/log/brama/audit.jsonl")]
    pub file: Option<PathBuf>,
    /// How large a file may become before it gets a name with its time and a new one begins. Zero is
    /// any size.
    pub file_maximum: HumanSize,
    /// Whether a new file begins with each day (UTC).
    pub daily: bool,
    /// When it is made sure that records are on the disk: after each `batch` (some milliseconds of
    /// records), `within` the time of `sync_within`, or `never`, which leaves it to the system.
    pub sync: AuditSync,
    /// With `sync = "within"`: how long after a record at the latest.
    pub sync_within: HumanDuration,
    /// With `target = "syslog"`: where it listens, on this machine: `"unix:PATH"`,
    /// `"udp:ADDRESS:PORT"` or `"tcp:ADDRESS:PORT"`. Messages are those of RFC 5424.
    pub syslog: String,
    /// With `target = "syslog"`: the facility, 0 to 23. 10 is that of sign-ins (`authpriv`).
    pub syslog_facility: u8,
    /// Whether no login begins, and none comes to its end, while records cannot be written: the
    /// citizen gets a page that says so (`login.audit_unavailable`).
    ///
    /// Otherwise records wait, and are lost when there is no more room. The log, a metric and a
    /// record of its own say how many.
    pub required: bool,
    /// How much of the client's address is in a record.
    pub addresses: AccessAddresses,
    /// What records may take in memory while they wait to be written; 64 KiB at least.
    pub queue: HumanSize,
    /// What this replica is called in its records; left out, the name of the machine.
    #[schemars(example = &"gate-1")]
    pub instance: Option<String>,
    /// A signature follows after so many records at the latest.
    pub checkpoint_records: u64,
    /// A signature follows so long after a record at the latest.
    pub checkpoint_within: HumanDuration,
    /// Files with the keys that pseudonyms of persons are made with, 32 random bytes or more each:
    /// the first one makes them, the others find old ones. Replicas with the same first one have the
    /// same pseudonyms.
    ///
    /// Left out, one is made and kept in `portal.state_directory`.
    #[schemars(example = vec!["audit/person.key"])]
    pub person_key_files: Vec<PathBuf>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            target: AuditTarget::Off,
            file: None,
            file_maximum: HumanSize::from_kib(100 * 1024),
            daily: true,
            sync: AuditSync::Batch,
            sync_within: HumanDuration::from_secs(1),
            syslog: "unix:/dev/log".to_owned(),
            syslog_facility: 10,
            required: false,
            addresses: AccessAddresses::Masked,
            queue: HumanSize::from_kib(4 * 1024),
            instance: None,
            checkpoint_records: 1000,
            checkpoint_within: HumanDuration::from_secs(10),
            person_key_files: Vec::new(),
        }
    }
}

/// Where records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditTarget {
    /// There is no audit log.
    Off,
    /// A file.
    File,
    /// Standard output, between the lines of the program's log.
    Stdout,
    /// The log of the system.
    Syslog,
    /// The journal of systemd.
    Journald,
}

/// When it is made sure that records are on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditSync {
    /// After each batch of records.
    Batch,
    /// Within a time.
    Within,
    /// When the system does it by itself.
    Never,
}
