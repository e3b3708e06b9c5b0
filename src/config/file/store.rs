//! `[store]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HumanDuration, HumanSize};
use crate::config::field_order::keep_order;

/// Where sessions, what became of logins, forms, and what must not be used twice are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Store {
    /// `memory`: gone when the process ends. `file`: on the disk of one machine, for one process.
    /// `redis`: for several replicas.
    pub kind: StoreKind,
    /// Files with the secrets that sealed records need besides the cookie, 32 random bytes or more
    /// each. The first seals, all of them open. To rotate: give the new one behind the old one to
    /// every replica, then put it first, and take the old one away when `session.absolute` has
    /// passed.
    ///
    /// Left out, one is made and kept: `store-secret` in `portal.state_directory`, or without that,
    /// with `kind = "file"`, beside the file as `PATH.secret`. With `kind = "redis"` one of both is
    /// required, and every replica needs the same: one that has none in common with those that run
    /// does not start.
    #[schemars(example = vec!["store/secret"])]
    pub secret_files: Vec<PathBuf>,
    /// With `kind = "file"`.
    pub file: FileStore,
    /// With `kind = "redis"`: Redis or Valkey.
    pub redis: RedisStore,
}

/// Where records are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// In the memory of the process.
    #[default]
    Memory,
    /// In a file.
    File,
    /// In Redis or Valkey.
    Redis,
}

/// A file for records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct FileStore {
    /// The file, in a folder that no other user can write to. Required for this kind.
    #[schemars(example = &"sessions.db")]
    pub path: Option<PathBuf>,
    /// Bytes that the file may have.
    pub maximum_size: HumanSize,
}

impl Default for FileStore {
    fn default() -> Self {
        Self { path: None, maximum_size: HumanSize::from_bytes(4 * 1024 * 1024 * 1024) }
    }
}

/// The `[store.redis]` table: servers of Redis or Valkey for records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct RedisStore {
    /// `single`: one server. `sentinel`: sentinels that know the master. `cluster`: nodes of a
    /// cluster.
    pub mode: RedisMode,
    /// The server, the sentinels or some nodes. Required for this kind.
    #[schemars(example = vec!["redis.example:6379"])]
    pub addresses: Vec<String>,
    /// With `mode = "sentinel"`: the name of the master.
    #[schemars(example = &"brama")]
    pub master: Option<String>,
    /// The ACL user; left out, the default user.
    #[schemars(example = &"brama")]
    pub user: Option<String>,
    /// File with the password.
    #[schemars(example = &"store/redis-password")]
    pub password_file: Option<PathBuf>,
    /// With `mode = "sentinel"`: the ACL user at the sentinels.
    #[schemars(example = &"brama")]
    pub sentinel_user: Option<String>,
    /// With `mode = "sentinel"`: file with the password at the sentinels.
    #[schemars(example = &"store/sentinel-password")]
    pub sentinel_password_file: Option<PathBuf>,
    /// Whether connections are encrypted.
    pub tls: bool,
    /// PEM file with the authorities that servers are trusted by; left out, those of the system.
    #[schemars(example = &"store/redis-ca.pem")]
    pub ca_file: Option<PathBuf>,
    /// PEM file with our certificate, if servers ask for one.
    #[schemars(example = &"store/redis-client.pem")]
    pub client_certificate: Option<PathBuf>,
    /// PEM file with its key.
    #[schemars(example = &"store/redis-client.key")]
    pub client_key: Option<PathBuf>,
    /// The number of the database; 0 with a cluster.
    pub database: u16,
    /// What every key begins with.
    pub prefix: String,
    /// Time in which a connection must be ready.
    pub connect_timeout: HumanDuration,
    /// Time in which a command must be answered; after that the store counts as away.
    pub command_timeout: HumanDuration,
    /// Connections to each server. They carry many commands at once.
    pub pool: usize,
}

/// What is at the addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RedisMode {
    /// One server.
    #[default]
    Single,
    /// Sentinels.
    Sentinel,
    /// Nodes of a cluster.
    Cluster,
}

impl Default for RedisStore {
    fn default() -> Self {
        Self {
            mode: RedisMode::Single,
            addresses: Vec::new(),
            master: None,
            user: None,
            password_file: None,
            sentinel_user: None,
            sentinel_password_file: None,
            tls: false,
            ca_file: None,
            client_certificate: None,
            client_key: None,
            database: 0,
            prefix: "brama:".to_owned(),
            connect_timeout: HumanDuration::from_secs(2),
            command_timeout: HumanDuration::from_millis(500),
            pool: 2,
        }
    }
}
