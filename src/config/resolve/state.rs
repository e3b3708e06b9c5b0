//! What the program itself keeps: the rights of the state folder, and of a store in a file.

use std::path::Path;

use rustix::fs::Access;

use super::context::Context;
use crate::app::state::{beside, files};
use crate::base::rights::{self, folder_of};
use crate::config::file::StoreKind;

/// Reports what others could read or write. What is not there yet is made for the owner only.
pub(super) fn check(context: &mut Context<'_>) {
    let file = context.file();
    if let Some(folder) = &file.portal.state_directory {
        let key = key!(portal.state_directory);
        folder_of_ours(context, key, folder);
        for name in files() {
            context.forbid(key, &folder.join(name), rights::of_secret);
        }
    }
    if file.store.kind == StoreKind::File
        && let Some(path) = &file.store.file.path
    {
        let key = key!(store.file.path);
        folder_of_ours(context, key, folder_of(path));
        for path in [path, &beside(path)] {
            context.forbid(key, path, rights::of_secret);
        }
    }
}

/// Warns when nothing is kept from one run to the next.
pub(super) fn check_given(context: &mut Context<'_>) {
    let file = context.file();
    if file.portal.state_directory.is_none() {
        let what = if file.store.kind == StoreKind::Redis {
            "no folder is given, so there is no copy of the keys and of the secret behind sub that \
             replicas share in the store"
        } else {
            "no folder is given, so the keys of signed identities and the pseudonyms of citizens \
             change with every restart"
        };
        let advice = "name a folder that outlives a restart";
        context.warn(key!(portal.state_directory), what, advice);
    }
}

/// Warns of folders that this user cannot write to: where there is none yet, of that in which it
/// would be made. Another user may check than the one that runs the gateway.
pub(super) fn check_writable(context: &mut Context<'_>) {
    let file = context.file();
    if let Some(folder) = &file.portal.state_directory {
        writable(context, key!(portal.state_directory), folder);
    }
    if file.store.kind == StoreKind::File
        && let Some(path) = &file.store.file.path
    {
        let key = key!(store.file.path);
        if context.resolve(path).is_dir() {
            let what = format!("{} is a folder", context.resolve(path).display());
            context.error(key, what, "give the path of a file, which is made when it is not there");
            return;
        }
        writable(context, key, folder_of(path));
        if context.resolve(path).exists() {
            writable(context, key, path);
        }
    }
}

fn writable(context: &mut Context<'_>, key: &str, path: &Path) {
    let path = context.resolve(path);
    let there = path.ancestors().map(or_here).find(|path| path.exists());
    let Some(there) = there else { return };
    if there != path && !there.is_dir() {
        let what = format!("{} is no folder", there.display());
        return context.error(key, what, "give a folder that is there, or can be made");
    }
    let rights = if there.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
    if let Err(error) = rustix::fs::access(there, rights) {
        let user = rustix::process::geteuid().as_raw();
        let error = std::io::Error::from(error);
        let what = format!("user {user} cannot write to {}: {error}", there.display());
        let advice = "let the user of the service own it (chown), or check as that user";
        context.warn(key, what, advice);
    }
}

/// The parent of a bare name is the present folder.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Also in a folder that is sticky, another user could make a file first that we then take for
/// ours.
fn folder_of_ours(context: &mut Context<'_>, key: &str, folder: &Path) {
    context.forbid(key, folder, rights::of_believed);
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::base::clock::Time;
    use crate::config::load;

    /// Says what is wrong with a folder of this mode, in which the secret of the store has that
    /// one.
    fn told(folder_mode: u32, mode: u32, more: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        for name in ["store-secret", "s.db"] {
            fs::write(state.join(name), "secret").unwrap();
            fs::set_permissions(state.join(name), Permissions::from_mode(mode)).unwrap();
        }
        fs::set_permissions(&state, Permissions::from_mode(folder_mode)).unwrap();
        let path = folder.path().join("brama.toml");
        fs::write(&path, format!("[portal]\nstate_directory = \"state\"\n{more}")).unwrap();
        let loaded = load(&path, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
        check(&mut context);
        context.problems.to_string().replace(folder.path().to_str().unwrap(), "")
    }

    #[test]
    fn a_state_folder_is_not_for_everybody_and_neither_are_its_files() {
        for (folder, file) in [(0o700, 0o600), (0o755, 0o600), (0o2770, 0o640)] {
            assert!(told(folder, file, "").ends_with("0 errors, 0 warnings"));
        }
        for (folder, file, expected) in [
            (0o777, 0o600, "/state has mode 0777: everybody on this machine can write to it"),
            (0o1777, 0o600, "/state has mode 1777"),
            (0o700, 0o644, "/state/store-secret has mode 0644: everybody on this machine can read"),
            (0o700, 0o660, "/state/store-secret has mode 0660: its group can write to it"),
        ] {
            let told = told(folder, file, "");
            assert!(told.contains("brama.toml:2: portal.state_directory: "), "{told}");
            assert!(told.contains(expected) && told.contains("run: chmod "), "{told}");
        }
        // Only the gateway has the mount.
        let more = "private_mounts = [\"state\"]\n";
        assert!(told(0o777, 0o666, more).ends_with("0 errors, 0 warnings"));
        let more = "private_mounts = [\"other\", \"stat\"]\n";
        assert!(!told(0o777, 0o666, more).ends_with("0 errors, 0 warnings"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_warned_of_and_one_that_is_not_there_yet_is_not() {
        let told = |folder: &str, store: &str| {
            let text = format!(
                "[portal]\nstate_directory = \"{folder}\"\n[store]\nkind = \"file\"\nfile = {{ \
                 path = \"{store}\" }}\n"
            );
            let loaded = crate::config::load_text("brama.toml", &text, std::iter::empty()).unwrap();
            let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
            check_writable(&mut context);
            context.problems.to_string()
        };
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("not/there/yet");
        let store = folder.path().join("s.db");
        let (good, store) = (good.to_str().unwrap(), store.to_str().unwrap());
        assert!(told(good, store).ends_with("0 errors, 0 warnings"), "{}", told(good, store));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let said = told(file.join("state").to_str().unwrap(), store);
        assert!(said.contains("portal.state_directory: ") && said.contains("file is no folder"));
        // The superuser may write anywhere.
        if !rustix::process::geteuid().is_root() {
            let closed = folder.path().join("closed");
            fs::create_dir(&closed).unwrap();
            fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
            let closed = closed.join("state");
            let said = told(closed.to_str().unwrap(), closed.join("s.db").to_str().unwrap());
            assert!(said.contains("portal.state_directory: user "), "{said}");
            assert!(said.contains("store.file.path: user "), "{said}");
        }
        let said = told(good, folder.path().to_str().unwrap());
        assert!(said.contains("is a folder") && said.contains("1 error"), "{said}");
    }

    #[test]
    fn neither_is_a_store_in_a_file() {
        let more = "[store]\nkind = \"file\"\nfile = { path = \"state/s.db\" }\n";
        assert!(told(0o700, 0o600, more).ends_with("0 errors, 0 warnings"));
        let told = told(0o700, 0o604, more);
        assert!(told.contains("store.file.path: /state/s.db has mode 0604"), "{told}");
        assert!(told.contains("run: chmod 0600 /state/s.db"), "{told}");
    }
}
