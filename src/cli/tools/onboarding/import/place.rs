//! Where each of them is put, and the lines of the configuration that name it. Nothing is written
//! before everything is planned, and no file that is there is touched but the configuration.

use std::fs;
use std::path::{Path, PathBuf};

use super::gather::{Found, Ours};
use super::sort::{Pair, Sorted};
use crate::base::private::{self, Owner};
use crate::base::secret::Secret;
use crate::cli::tools::certs::current::{self, Current};
use crate::cli::tools::certs::encrypted;
use crate::cli::tools::certs::material::shown_path;
use crate::cli::tools::lines::{Lines, write_configuration};
use crate::cli::tools::onboarding::stage::KEYS;
use crate::cli::tools::onboarding::templates::{self, NODE_FILE};
use crate::config::Loaded;
use crate::xml::keys::pem;

/// What is there, and how keys are kept.
pub(super) struct Place<'p> {
    pub(super) loaded: &'p Loaded,
    pub(super) issuer: &'p str,
    /// The folder of the keys.
    pub(super) keys: PathBuf,
    pub(super) ours: &'p Ours,
    /// The password by which keys are encrypted, and its file as the configuration names it.
    pub(super) password: Option<(Secret<String>, String)>,
    /// Whether what is in place may be followed by another one.
    pub(super) may_replace: bool,
}

/// What is to be written.
#[derive(Debug)]
pub(super) struct Plan {
    files: Vec<(PathBuf, Secret<Vec<u8>>)>,
    pub(super) lines: Lines,
    /// What goes where, a line each.
    pub(super) placed: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) problems: Vec<String>,
}

/// Plans where everything goes.
pub(super) fn plan(place: &Place<'_>, sorted: &Sorted, lines: Lines) -> Plan {
    let (signing, encryption) = templates::stems(place.issuer);
    let notes = sorted.notes.clone();
    let (files, placed, problems) = (Vec::new(), Vec::new(), Vec::new());
    let mut plan = Plan { files, lines, placed, notes, problems };
    if let Some(pair) = &sorted.signing {
        let names =
            ["signing_certificate", "signing_key", "signing_p12", "signing_p12_password_file"];
        let current = current::signing(place.loaded);
        plan.pair(place, pair, &current, &signing, ("service", names), "our signatures");
    }
    if let Some(pair) = &sorted.encryption {
        plan.encryption(place, pair, &encryption);
    }
    if let Some(pair) = &sorted.client_tls {
        let names = ["client_certificate", "client_key", "client_p12", "client_p12_password_file"];
        let current = current::client(place.loaded);
        plan.pair(place, pair, &current, "tls-client", ("node", names), "TLS with the node");
    }
    let pairs = [(&sorted.signing, &signing), (&sorted.encryption, &encryption)];
    plan.notes.extend(pairs.into_iter().filter_map(|(pair, stem)| {
        let file = key_of_init(place, pair.as_ref()?, stem)?;
        Some(format!(
            "{file} and its request ({stem}.csr), which init made, are not used now: this \
             certificate has a key of its own; they may be removed when no certificate of that \
             request is to come"
        ))
    }));
    plan.node(place, &sorted.node);
    plan.node_authorities(place, &sorted.node_authorities);
    plan
}

impl Plan {
    /// Plans a pair that two keys name, or two others when it is encrypted.
    fn pair(
        &mut self,
        place: &Place<'_>,
        pair: &Pair,
        current: &Current,
        stem: &str,
        (table, [certificate, key, p12, password_file]): (&str, [&str; 4]),
        what: &str,
    ) {
        if current.certificates.first() == Some(&pair.certificate.der) && !current.keys.is_empty() {
            return self
                .placed
                .push(format!("{}: in place already, for {what}", pair.certificate.file));
        }
        if !current.certificates.is_empty() && !place.may_replace {
            return self.problems.push(in_the_way(&pair.certificate, what));
        }
        match &place.password {
            None => {
                let (file, key_file) =
                    (self.certificate(place, pair, stem), self.key(place, pair, stem));
                self.placed.push(format!("{}: for {what}, in {file}", pair.certificate.file));
                self.lines.set(table, certificate, &file);
                self.lines.set(table, key, &key_file);
                self.lines.remove(table, p12);
                self.lines.remove(table, password_file);
            }
            Some((password, named)) => {
                let Some(file) = self.pkcs12(place, pair, stem, password) else { return };
                self.placed.push(format!("{}: for {what}, in {file}", pair.certificate.file));
                self.lines.remove(table, certificate);
                self.lines.remove(table, key);
                self.lines.set(table, p12, &file);
                self.lines.set(table, password_file, named);
            }
        }
    }

    /// Plans what the node encrypts to. The configuration names the key of it, and may name several.
    fn encryption(&mut self, place: &Place<'_>, pair: &Pair, stem: &str) {
        let what = "what the node encrypts to us";
        let public = &pair.certificate.public;
        let is_known = place.ours.certificates.iter().any(|one| one.der == pair.certificate.der);
        let named = current::decryption(place.loaded);
        let is_named = named.iter().any(|one| one.publics.iter().any(|other| other == public));
        if is_known && is_named {
            return self
                .placed
                .push(format!("{}: in place already, for {what}", pair.certificate.file));
        }
        // A key that no certificate was ever for, such as that of `init`, makes room.
        let has_certificate =
            |public: &Vec<u8>| place.ours.certificates.iter().any(|one| one.public == *public);
        let in_use = named.iter().filter(|one| {
            !one.publics.is_empty()
                && (!one.path.starts_with(&place.keys) || one.publics.iter().any(has_certificate))
        });
        let in_use: Vec<_> = in_use.collect();
        if !in_use.is_empty() && !is_named {
            if !place.may_replace {
                return self.problems.push(in_the_way(&pair.certificate, what));
            }
            let what = "the key that was there stays in the configuration: take it out a day \
                        after the \
                        operator uses the new certificate";
            self.notes.push(what.to_owned());
        }
        let old = |is_p12: bool| in_use.iter().filter(move |one| one.password.is_some() == is_p12);
        match &place.password {
            None => {
                let file = self.certificate(place, pair, stem);
                self.placed.push(format!("{}: for {what}, in {file}", pair.certificate.file));
                if !is_named {
                    let key_file = self.key(place, pair, stem);
                    let mut all = vec![key_file];
                    all.extend(old(false).map(|one| one.written.clone()));
                    self.lines.set_list("service", "decryption_keys", &all);
                }
            }
            Some((password, named)) => {
                let Some(file) = self.pkcs12(place, pair, stem, password) else { return };
                self.placed.push(format!("{}: for {what}, in {file}", pair.certificate.file));
                let others =
                    old(true).filter_map(|one| Some((one.written.clone(), one.password.clone()?)));
                let others: Vec<_> = others.filter(|(other, _)| *other != file).collect();
                let all = [vec![(file, named.clone())], others].concat();
                self.lines.set_decryption_p12(&all);
            }
        }
    }

    fn node(&mut self, place: &Place<'_>, all: &[Found]) {
        let named = &place.loaded.file.node.certificates;
        let current = current::node(place.loaded);
        let new: Vec<_> = all.iter().filter(|one| !current.contains(&one.der)).collect();
        for one in all.iter().filter(|one| current.contains(&one.der)) {
            self.placed.push(format!("{}: in place already, for the node's signatures", one.file));
        }
        if new.is_empty() {
            return;
        }
        let text: String = new.iter().map(|one| pem("CERTIFICATE", &one.der)).collect();
        let file = self.file(place, "node-signing", "pem", text.into_bytes());
        // What the template names is only to come.
        let is_there =
            |path: &PathBuf| *path != Path::new(NODE_FILE) || place.loaded.resolve(path).exists();
        let mut files: Vec<String> = named
            .iter()
            .filter(|path| is_there(path))
            .map(|path| path.display().to_string())
            .collect();
        if !files.is_empty() && !place.may_replace {
            // Whoever signs with it signs in as anybody.
            let what = "a certificate of the node is in place, and this one would be believed beside it: \
                        when the operator announced it, compare its SHA-256 and say --replace";
            return self.problems.extend(
                new.iter().map(|one| format!("{}: {what}: {}", one.file, one.facts.fingerprint)),
            );
        }
        if !files.is_empty() {
            let what = "the certificate of the node that was there stays beside it, until the \
                        node uses \
                        the new one alone";
            self.notes.push(what.to_owned());
        }
        files.push(file.clone());
        self.lines.set_list("node", "certificates", &files);
        for one in new {
            self.placed.push(format!(
                "{}: for the node's signatures, in {file}; compare with what the operator says: \
                 SHA-256 {}",
                one.file, one.facts.fingerprint
            ));
        }
    }

    fn node_authorities(&mut self, place: &Place<'_>, all: &[Found]) {
        if all.is_empty() {
            return;
        }
        let text: String = all.iter().map(|one| pem("CERTIFICATE", &one.der)).collect();
        let what = "the authority of the node's TLS";
        if let Some(old) = &place.loaded.file.node.extra_ca_file {
            let is_same =
                fs::read(place.loaded.resolve(old)).is_ok_and(|old| old == text.as_bytes());
            match (is_same, place.may_replace) {
                (true, _) => {
                    return self
                        .placed
                        .push(format!("{}: in place already, for {what}", all[0].file));
                }
                (false, false) => return self.problems.push(in_the_way(&all[0], what)),
                (false, true) => {}
            }
        }
        let file = self.file(place, "node-ca", "pem", text.into_bytes());
        self.placed.push(format!("{}: for {what}, in {file}", all[0].file));
        self.lines.set("node", "extra_ca_file", &file);
    }

    fn certificate(&mut self, place: &Place<'_>, pair: &Pair, stem: &str) -> String {
        let chain = std::iter::once(&pair.certificate.der).chain(&pair.chain);
        let text: String = chain.map(|der| pem("CERTIFICATE", der)).collect();
        self.file(place, stem, "pem", text.into_bytes())
    }

    /// Returns the file of a key: one of ours that has it already, or a new one.
    fn key(&mut self, place: &Place<'_>, pair: &Pair, stem: &str) -> String {
        match pair.key.plain.as_deref().and_then(Path::file_name) {
            Some(name) => format!("{KEYS}/{}", name.to_string_lossy()),
            None => self.file(place, stem, "key", pair.key.key.pem().expose().clone().into_bytes()),
        }
    }

    fn pkcs12(
        &mut self,
        place: &Place<'_>,
        pair: &Pair,
        stem: &str,
        password: &Secret<String>,
    ) -> Option<String> {
        let mut chain = vec![pair.certificate.der.clone()];
        chain.extend(pair.chain.iter().cloned());
        match encrypted::pkcs12(stem, &pair.key.key, &chain, password) {
            Ok(bytes) => Some(self.file(place, stem, "p12", bytes)),
            Err(why) => {
                self.problems.push(format!("{}: {why}", pair.certificate.file));
                None
            }
        }
    }

    /// Finds a name that is free, or a file that has the same in it already. Returns it as the
    /// configuration names it.
    fn file(&mut self, place: &Place<'_>, stem: &str, ending: &str, bytes: Vec<u8>) -> String {
        let names = std::iter::once(format!("{stem}.{ending}"))
            .chain((2u32..).map(|number| format!("{stem}-{number}.{ending}")));
        for name in names {
            let path = place.keys.join(&name);
            let is_planned = self.files.iter().any(|(other, _)| *other == path);
            if !is_planned && fs::symlink_metadata(&path).is_err() {
                self.files.push((path, Secret::new(bytes)));
                return format!("{KEYS}/{name}");
            }
            if fs::read(&path).is_ok_and(|old| old == bytes) {
                return format!("{KEYS}/{name}");
            }
        }
        format!("{KEYS}/{stem}.{ending}")
    }

    /// Writes the files, and then the configuration that names them. When one of them cannot be
    /// written, those before it are taken away again.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, configuration: &Path) -> Result<(), String> {
        let mut written: Vec<&Path> = Vec::new();
        let result = (|| {
            for (path, bytes) in &self.files {
                let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", shown_path(path));
                let folder = path.parent().unwrap_or(Path::new("."));
                private::make_folder(folder).map_err(|error| failed(&error))?;
                // What root makes in somebody's folder belongs to whom the folder belongs.
                let owner = Owner::like(folder).map_err(|error| failed(&error))?;
                match private::write_new_for(path, bytes.expose(), owner) {
                    Ok(true) => written.push(path),
                    Ok(false) => return Err(failed(&"another process made it just now")),
                    Err(error) => return Err(failed(&error)),
                }
            }
            if self.lines.changes().is_empty() {
                return Ok(());
            }
            write_configuration(configuration, &self.lines.text())
        })();
        if result.is_err() {
            for path in written {
                // What cannot be removed either is told by the error already.
                let _ = fs::remove_file(path);
            }
        }
        result
    }
}

/// Returns the key that `init` made for a certificate that has come with another key.
fn key_of_init(place: &Place<'_>, pair: &Pair, stem: &str) -> Option<String> {
    let given = pair.key.key.public_key();
    let mut ours = place.ours.keys.iter();
    if ours.clone().any(|key| key.key.public_key() == given) {
        return None;
    }
    let is_used = |public: &[u8]| place.ours.certificates.iter().any(|one| one.public == public);
    let path = shown_path(&place.keys.join(format!("{stem}.key")));
    let found = ours.find(|key| key.file == path && !is_used(key.key.public_key()));
    found.map(|key| key.file.clone())
}

fn in_the_way(one: &Found, what: &str) -> String {
    format!(
        "{}: another one is in place for {what}; with --replace this one follows it (the files \
         of the \
         old one stay)",
        one.file
    )
}
