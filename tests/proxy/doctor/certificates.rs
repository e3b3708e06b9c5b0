//! Certificates: of an authority that clients are told of, and as they should not be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

/// An authority, and what it issued, in a folder.
pub(super) struct Certificates {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// When a certificate ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    InTwoYears,
    InThreeDays,
    LastYear,
}

impl Certificates {
    /// Makes the authority, and what servers show in this world: `good`, `ended`, `soon`, `other`
    /// (for another name), and `lonely` (whose chain is not sent whole).
    pub(super) fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (issuer, text) = authority("doctor's authority", None);
        fs::write(folder.path().join("ca.pem"), text).unwrap();
        let made = Self { folder, issuer };
        let names = ["localhost", "127.0.0.1", "node.test"];
        made.issue("good", &names, Ends::InTwoYears);
        made.issue("ended", &names, Ends::LastYear);
        made.issue("soon", &names, Ends::InThreeDays);
        made.issue("other", &["elsewhere.test"], Ends::InTwoYears);
        let (between, _) = authority("between", Some(&made.issuer));
        let key = KeyPair::generate().unwrap();
        let lonely = params(&names, "lonely", Ends::InTwoYears).signed_by(&key, &between).unwrap();
        made.write("lonely", &lonely.pem(), &key);
        made
    }

    /// Returns the file of the authority.
    pub(super) fn authority(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Returns a file of the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, file: &str, names: &[&str], ends: Ends) {
        let key = KeyPair::generate().unwrap();
        let made = params(names, file, ends).signed_by(&key, &self.issuer).unwrap();
        self.write(file, &made.pem(), &key);
    }

    fn write(&self, file: &str, certificate: &str, key: &KeyPair) {
        fs::write(self.file(&format!("{file}.pem")), certificate).unwrap();
        let path = self.file(&format!("{file}.key"));
        brama::base::private::write(&path, key.serialize_pem().as_bytes()).unwrap();
    }
}

fn authority(
    name: &str,
    by: Option<&Issuer<'static, KeyPair>>,
) -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let made = match by {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    let text = made.unwrap().pem();
    (Issuer::new(params, key), text)
}

fn params(names: &[&str], name: &str, ends: Ends) -> CertificateParams {
    let names: Vec<_> = names.iter().copied().map(str::to_owned).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = jiff::Timestamp::from_second(seconds()).unwrap();
    let year = now.strftime("%Y").to_string().parse::<i32>().unwrap();
    params.not_before = rcgen::date_time_ymd(year - 3, 1, 1);
    params.not_after = match ends {
        Ends::InTwoYears => rcgen::date_time_ymd(year + 2, 1, 1),
        Ends::LastYear => rcgen::date_time_ymd(year - 1, 1, 1),
        Ends::InThreeDays => {
            let day = now + jiff::SignedDuration::from_hours(72);
            let part = |format: &str| day.strftime(format).to_string().parse::<u8>().unwrap();
            let year = day.strftime("%Y").to_string().parse().unwrap();
            rcgen::date_time_ymd(year, part("%m"), part("%d"))
        }
    };
    params
}

/// The present, in seconds since the epoch.
pub(super) fn seconds() -> i64 {
    use brama::base::clock::{Clock, SystemClock};
    SystemClock.now().as_second()
}

/// Makes another certificate of a key: for the same name, with another end. Returns its text.
pub(super) fn again(key: &Path, name: &str, ends: Ends) -> String {
    let key = KeyPair::from_pem(&fs::read_to_string(key).unwrap()).unwrap();
    let mut params = params(&[], name, ends);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.self_signed(&key).unwrap().pem()
}

/// Has the simulator's own authority issue another client certificate, 400 days ago and for 30 days.
/// Returns certificate and key.
pub(super) fn ended_client(kit: &Path) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let script = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=client \
                  -keyout client.key -out client.csr && printf 'keyUsage=digitalSignature\n' >ext && \
                  faketime -f -400d openssl x509 -req -in client.csr -CA \"$1/ca.crt.pem\" \
                  -CAkey \"$1/ca.key.pem\" -set_serial 7 -days 30 -extfile ext -out client.pem";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(kit).current_dir(folder.path());
    let made = shell.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    (read("client.pem"), read("client.key"))
}
