//! `[store]`: where records are kept.

use std::path::{Path, PathBuf};

use super::Context;
use crate::app::inventory::Use;
use crate::app::settings::{self, Store};
use crate::base::causes::in_one_line;
use crate::base::files;
use crate::base::rights;
use crate::base::secret::Secret;
use crate::config::file::{File, RedisMode, RedisStore, StoreKind};
use crate::flow::room::Rooms;
use crate::store::file::Options;
use crate::store::redis;
use crate::store::redis::settings::{Address, ConnectError, Credentials, Mode, Settings, Tls};
use crate::store::seal::Sealer;

pub(super) fn store(context: &mut Context<'_>) -> Option<Store> {
    let file = context.file().store.clone();
    let mut secrets = Vec::new();
    for path in &file.secret_files {
        let key = key!(store.secret_files);
        let bytes = context.read_secret(key, path)?;
        if bytes.len() < Sealer::LEAST {
            context.error(
                key,
                format!("{} has fewer than {} bytes", path.display(), Sealer::LEAST),
                "make one with: (umask 077; head -c 32 /dev/urandom > FILE)",
            );
        }
        secrets.push(Secret::new(bytes));
    }
    let kind = match file.kind {
        StoreKind::Memory => settings::StoreKind::Memory,
        StoreKind::File => {
            let advice = "name a file in a folder of its own, with mode 0700";
            let path =
                context.required(key!(store.file.path), file.file.path.as_deref(), advice)?;
            let maximum_bytes = file.file.maximum_size.bytes();
            if maximum_bytes < Options::SMALLEST {
                context.error(
                    key!(store.file.maximum_size),
                    "is too small",
                    "give at least \"16 MiB\"",
                );
            }
            settings::StoreKind::File { path: context.resolve(path), maximum_bytes }
        }
        StoreKind::Redis => settings::StoreKind::Redis(Box::new(of_redis(context, &file.redis)?)),
    };
    let given = context.file();
    let is_kept =
        given.identity.pairwise_secret_file.is_some() || given.portal.state_directory.is_some();
    if file.kind == StoreKind::File && !is_kept {
        context.warn(
            key!(identity.pairwise_secret_file),
            "is missing, so a restart without state_directory changes who sessions belong to",
            "give one, or a state_directory",
        );
    }
    if file.kind == StoreKind::Redis && file.secret_files.is_empty() {
        let key = key!(store.secret_files);
        let advice = "make one with: (umask 077; head -c 32 /dev/urandom > FILE), and give the same to each replica";
        match &context.file().portal.state_directory {
            Some(folder) => {
                let path = context.resolve(folder).join("store-secret");
                let what = format!("is missing, so a secret is made in {}", path.display());
                context.warn(key, what, "with several replicas, give the same to each");
            }
            None => context.error(key, "is missing, and no state_directory to keep one in", advice),
        }
    }
    let sealer = (!secrets.is_empty()).then(|| Sealer::new(secrets));
    Some(Store { kind, sealer })
}

/// Returns how much of what strangers begin there is room for where records are kept.
pub(super) fn rooms(file: &File) -> Rooms {
    let rooms = Rooms::default();
    match file.store.kind {
        StoreKind::Memory | StoreKind::Redis => rooms,
        StoreKind::File => {
            let most = file.store.file.maximum_size.bytes();
            rooms.within(Options::room_for_begun(most), Options::room_for_forms(most))
        }
    }
}

fn of_redis(context: &mut Context<'_>, file: &RedisStore) -> Option<Settings> {
    let mut addresses = Vec::new();
    for text in &file.addresses {
        match text.parse::<Address>() {
            Ok(address) => addresses.push(address),
            Err(error) => {
                let advice = "give host and port, such as \"redis.example:6379\"";
                context.error(key!(store.redis.addresses), error.to_string(), advice);
            }
        }
    }
    if file.addresses.is_empty() {
        let advice = "give the server, the sentinels or some nodes of the cluster";
        context.error(key!(store.redis.addresses), "is missing", advice);
    }
    let credentials = credentials(
        context,
        key!(store.redis.password_file),
        (file.user.as_ref(), file.password_file.as_deref()),
    );
    let mode = match file.mode {
        RedisMode::Single => Mode::Single,
        RedisMode::Cluster => Mode::Cluster,
        RedisMode::Sentinel => {
            let advice = "give the name that the sentinels know the master by";
            let master =
                context.required(key!(store.redis.master), file.master.as_deref(), advice)?;
            let credentials = self::credentials(
                context,
                key!(store.redis.sentinel_password_file),
                (file.sentinel_user.as_ref(), file.sentinel_password_file.as_deref()),
            );
            Mode::Sentinel { master: master.to_owned(), credentials }
        }
    };
    let tls = tls(context, file);
    let settings = Settings {
        tls,
        credentials,
        database: file.database,
        prefix: file.prefix.clone(),
        connect_timeout: file.connect_timeout.get(),
        command_timeout: file.command_timeout.get(),
        pool: file.pool,
        ..Settings::new(mode, addresses)
    };
    Some(settings)
}

fn tls(context: &mut Context<'_>, file: &RedisStore) -> Option<Tls> {
    let certificate = match (&file.client_certificate, &file.client_key) {
        (Some(certificate), Some(key)) => {
            context.forbid(key!(store.redis.client_key), key, rights::of_secret);
            Some((context.resolve(certificate), context.resolve(key)))
        }
        (None, None) => None,
        _ => {
            let advice = "give both client_certificate and client_key, or neither";
            context.error(key!(store.redis.client_certificate), "goes with its key", advice);
            None
        }
    };
    let authorities = file.ca_file.as_deref().map(|path| context.resolve(path));
    if !file.tls && (certificate.is_some() || authorities.is_some()) {
        let advice = "set store.redis.tls = true";
        context.error(key!(store.redis.ca_file), "is of no use without TLS", advice);
    }
    if !file.tls {
        context.warn(
            key!(store.redis.tls),
            "is off: who can listen on the network learns the password and when somebody signs in",
            "set it to true, unless the servers are on this machine",
        );
    }
    if file.tls {
        note(context, file);
    }
    let tls = file.tls.then_some(Tls { authorities, certificate });
    if let Some(Err(error)) = tls.as_ref().map(redis::tls::check) {
        let key = match &error {
            ConnectError::File { file: at, .. } => {
                let is = |path: &Option<PathBuf>| {
                    path.as_deref().is_some_and(|path| context.resolve(path) == *at)
                };
                match () {
                    () if is(&file.client_certificate) => key!(store.redis.client_certificate),
                    () if is(&file.client_key) => key!(store.redis.client_key),
                    () => key!(store.redis.ca_file),
                }
            }
            _ if file.client_certificate.is_some() => key!(store.redis.client_certificate),
            _ => key!(store.redis.tls),
        };
        context.error(key, in_one_line(&error), "give PEM files that belong together");
    }
    tls
}

/// Notes the certificates on the way to the servers. What cannot be read is reported below.
fn note(context: &mut Context<'_>, file: &RedisStore) {
    let read = |context: &Context<'_>, path: &Path| {
        files::read(&context.resolve(path), files::MOST).unwrap_or_default()
    };
    if let Some(path) = file.ca_file.as_deref() {
        let bytes = read(context, path);
        context.note_all(Use::RedisCa, key!(store.redis.ca_file), path, &bytes);
    }
    if let Some(path) = file.client_certificate.as_deref() {
        let bytes = read(context, path);
        context.note_first(Use::RedisClient, key!(store.redis.client_certificate), path, &bytes);
    }
}

fn credentials(
    context: &mut Context<'_>,
    key: &str,
    (user, password_file): (Option<&String>, Option<&Path>),
) -> Option<Credentials> {
    let bytes = context.read_secret(key, password_file?)?;
    let password = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
    Some(Credentials { user: user.cloned(), password: Secret::new(password) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::config::load;

    /// Resolves lines of `[store]` in a folder with some files, and says what is wrong.
    fn resolved(portal: &str, store: &str) -> (Option<Store>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("brama.toml");
        for (name, bytes) in [("secret", &[7; 32][..]), ("short", &[7; 31])] {
            crate::base::private::write(&folder.path().join(name), bytes).unwrap();
        }
        let text = format!(
            "[portal]\n{portal}\n[identity]\npairwise_secret_file = \"secret\"\n\
             [store]\n{store}\nfile = {{ path = \"s.db\" }}\n\
             redis = {{ addresses = [\"r:1\"], tls = true }}\n"
        );
        std::fs::write(&path, text).unwrap();
        let loaded = load(&path, std::iter::empty()).unwrap();
        assert!(loaded.problems.is_empty(), "{}", loaded.problems);
        let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
        let store = super::store(&mut context);
        (store, context.problems.to_string())
    }

    #[test]
    fn replicas_are_given_a_secret_or_keep_one_and_are_told() {
        let (_, told) = resolved("", "kind = \"redis\"");
        assert!(
            told.contains("error: ") && told.contains("store.secret_files: is missing"),
            "{told}"
        );
        assert!(told.contains("(umask 077; head -c 32 /dev/urandom > FILE)"), "{told}");
        let (store, told) = resolved("state_directory = \"state\"", "kind = \"redis\"");
        assert!(told.contains("warning: ") && told.contains("state/store-secret"), "{told}");
        assert!(told.ends_with("0 errors, 1 warning") && store.unwrap().sealer.is_none());
        let given = "kind = \"redis\"\nsecret_files = [\"secret\"]";
        let (store, told) = resolved("", given);
        assert!(told.ends_with("0 errors, 0 warnings"), "{told}");
        assert!(store.unwrap().sealer.is_some());
    }

    #[test]
    fn one_process_keeps_its_own_secret_and_a_short_one_is_refused() {
        for kind in ["memory", "file"] {
            let (store, told) = resolved("", &format!("kind = \"{kind}\""));
            assert!(told.ends_with("0 errors, 0 warnings"), "{told}");
            assert!(store.unwrap().sealer.is_none());
        }
        let (_, told) = resolved("", "kind = \"file\"\nsecret_files = [\"short\"]");
        assert!(told.contains("short has fewer than 32 bytes"), "{told}");
    }
}
