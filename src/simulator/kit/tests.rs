use std::time::Duration;

use super::*;
use crate::base::clock::{Time, earlier, later};
use crate::xml::keys::KeyKind;

const NAMES: Names<'_> =
    Names { node: "node.localhost", service: "https://portal.example", hosts: &[] };

fn now() -> Time {
    "2031-03-04T10:20:30Z".parse().unwrap()
}

#[test]
fn certificates_carry_the_names_and_times_of_the_profile() {
    let kit = Kit::make(NAMES, now()).unwrap();
    for (role, name) in [
        (Role::NodeSigning, "CN=WK_SIG_EC"),
        (Role::ServiceSignature, "CN=https://portal.example_sig_ec"),
        (Role::ServiceEncryption, "CN=https://portal.example_enc_ec"),
    ] {
        let pair = kit.pair(role);
        assert!(pair.certificate().subject().contains(name), "{:?}", pair.certificate());
        assert_eq!(pair.key().kind(), KeyKind::P256);
        assert_eq!(pair.certificate().not_before(), earlier(now(), Duration::from_secs(3600)));
        assert!(pair.certificate().not_after() > later(now(), Duration::from_secs(700 * 86_400)));
    }
    let shown = format!("{kit:?}");
    assert!(shown.contains("[secret]") && !shown.contains("PRIVATE"), "{shown}");
}

#[test]
fn a_directory_keeps_the_keys_and_shows_them_to_their_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kit");
    let made = Kit::load_or_make(&path, NAMES, now()).unwrap();
    let read = Kit::load_or_make(&path, NAMES, now()).unwrap();
    for role in Role::ALL {
        assert_eq!(made.pair(role).certificate_pem(), read.pair(role).certificate_pem());
        assert_eq!(made.pair(role).key_pem().expose(), read.pair(role).key_pem().expose());
    }
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert!(mode & 0o077 == 0 || !name.contains(".key."), "{name} {mode:o}");
        }
        names.push(name);
    }
    assert_eq!(names.len(), 12, "{names:?}");
}

#[test]
fn refuses_a_directory_that_is_incomplete_mixed_or_expired() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    Kit::load_or_make(path, NAMES, now()).unwrap();
    let late = later(now(), Duration::from_secs(3 * 365 * 86_400));
    assert!(matches!(Kit::load_or_make(path, NAMES, late), Err(Error::Expired { .. })));
    std::fs::copy(path.join("ca.key.pem"), path.join("node-tls.key.pem")).unwrap();
    assert!(matches!(Kit::load_or_make(path, NAMES, now()), Err(Error::Content { .. })));
    std::fs::remove_file(path.join("node-tls.key.pem")).unwrap();
    assert!(matches!(Kit::load_or_make(path, NAMES, now()), Err(Error::File { .. })));
}
