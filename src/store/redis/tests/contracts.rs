//! The contract on one server, in every dress.

use std::path::Path;

use super::super::settings::Tls;
use super::servers::{Program, free_port};
use super::*;

#[tokio::test]
async fn keeps_the_contract_of_stores_on_redis() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    until_watching(&store).await;
    contract::check(&store).await;
}

#[tokio::test]
async fn records_under_handles_keep_their_rules_on_redis() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    until_watching(&store).await;
    sealed::contract::check(Arc::new(store)).await;
}

#[tokio::test]
async fn keeps_the_contract_of_stores_on_valkey() {
    let Some(program) = Program::valkey() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    until_watching(&store).await;
    contract::check(&store).await;
}

#[tokio::test]
async fn keeps_the_contract_in_another_database_with_another_prefix() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = |database, prefix: &str| {
        let settings = patient(settings(&[&server.address]));
        Redis::connect(Settings { database, prefix: prefix.to_owned(), ..settings }).unwrap()
    };
    let mine = store(3, "portal/one:");
    until_watching(&mine).await;
    contract::check(&mine).await;
    // Others do not see what is mine.
    let (key, now) = (session(), contract::begin());
    mine.put(key, contract::record(b"x", now, 60)).await.unwrap();
    for other in [store(3, "portal/two:"), store(4, "portal/one:")] {
        assert_eq!(other.get(key, now).await.unwrap(), None);
    }
}

struct Dress {
    folder: tempfile::TempDir,
    server: Server,
}

impl Dress {
    fn start(program: &Program) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_certificates(folder.path());
        let (port, rights) = (free_port(), documented_rights(""));
        let file = |name: &str| folder.path().join(name).display().to_string();
        let lines = format!(
            "port 0\ntls-port {port}\ntls-cert-file {}\ntls-key-file {}\ntls-ca-cert-file {}\n\
             tls-auth-clients yes\nuser default off\nuser gate on >secret {rights}",
            file("server.pem"),
            file("server.key"),
            file("authority.pem"),
        );
        let server = Server::start_with(program, port, &lines, &[]);
        Self { folder, server }
    }

    fn settings(&self) -> Settings {
        let file = |name| self.folder.path().join(name);
        let tls = Tls {
            authorities: Some(file("authority.pem")),
            certificate: Some((file("client.pem"), file("client.key"))),
        };
        Settings {
            tls: Some(tls),
            credentials: credentials("gate", "secret"),
            ..settings(&[&self.server.address])
        }
    }
}

fn write_certificates(folder: &Path) {
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
    for name in ["authority", "other"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        write(&format!("{name}.pem"), params.self_signed(&key).unwrap().pem());
        let authority = rcgen::Issuer::new(params, key);
        for part in ["server", "client"].into_iter().filter(|_| name == "authority") {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, part);
            write(&format!("{part}.pem"), params.signed_by(&key, &authority).unwrap().pem());
            write(&format!("{part}.key"), key.serialize_pem());
        }
    }
}

#[tokio::test]
async fn keeps_the_contract_over_tls_as_a_user_with_the_documented_rights_only() {
    let Some(program) = Program::redis() else { return };
    let dress = Dress::start(&program);
    let store = Redis::connect(patient(dress.settings())).unwrap();
    until_watching(&store).await;
    contract::check(&store).await;
}

async fn is_refused(settings: Settings, with: &str) {
    let store = Redis::connect(settings).unwrap();
    let Unavailable(text) = store.get(session(), contract::begin()).await.unwrap_err();
    assert!(text.contains(with), "{text}");
    assert!(!store.is_watching());
}

#[tokio::test]
async fn is_let_in_by_nothing_less() {
    let Some(program) = Program::redis() else { return };
    let dress = Dress::start(&program);
    let good = || dress.settings();
    let tls = || good().tls.unwrap();
    is_refused(Settings { credentials: credentials("gate", "wrong"), ..good() }, "uthentication")
        .await;
    is_refused(Settings { credentials: credentials("other", "secret"), ..good() }, "uthentication")
        .await;
    is_refused(Settings { credentials: None, ..good() }, "NOAUTH").await;
    is_refused(Settings { prefix: "other:".to_owned(), ..good() }, "NOPERM").await;
    let other = Some(dress.folder.path().join("other.pem"));
    let tls_with_other = Tls { authorities: other, ..tls() };
    is_refused(Settings { tls: Some(tls_with_other), ..good() }, "certificate").await;
    let without = Tls { certificate: None, ..tls() };
    is_refused(Settings { tls: Some(without), ..good() }, &dress.server.address.to_string()).await;
    let mut by_name = good();
    by_name.addresses[0].host = "localhost".to_owned();
    is_refused(by_name, "certificate").await;
}

#[tokio::test]
async fn a_password_and_certificates_that_are_renewed_open_the_next_connection() {
    let Some(program) = Program::redis() else { return };
    let dress = Dress::start(&program);
    let good = || patient(dress.settings());
    let file = |name: &str| Some(dress.folder.path().join(name));
    let with_other = Tls { authorities: file("other.pem"), ..good().tls.unwrap() };
    let with_missing = Tls { authorities: file("missing.pem"), ..good().tls.unwrap() };
    for wrong in [
        Settings { tls: Some(with_other), ..good() },
        Settings { credentials: credentials("gate", "wrong"), ..good() },
    ] {
        let store = Redis::connect(wrong).unwrap();
        store.get(session(), contract::begin()).await.unwrap_err();
        store.renew(&good()).unwrap();
        until_watching(&store).await;
        store.get(session(), contract::begin()).await.unwrap();
        // What cannot be read changes nothing.
        let missing = Settings { tls: Some(with_missing.clone()), ..good() };
        assert!(matches!(store.renew(&missing), Err(ConnectError::File { .. })));
        store.get(session(), contract::begin()).await.unwrap();
    }
}

#[tokio::test]
async fn refuses_files_that_hold_no_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.pem");
    std::fs::write(&file, "nothing").unwrap();
    let address = "127.0.0.1:1".parse().unwrap();
    for file in [file, folder.path().join("missing.pem")] {
        let tls = Tls { authorities: Some(file), certificate: None };
        let settings = Settings { tls: Some(tls), ..settings(&[&address]) };
        assert!(matches!(Redis::connect(settings), Err(ConnectError::File { .. })));
    }
}
