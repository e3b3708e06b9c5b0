//! No report holds a secret: neither as it is in its file, nor in another way to write it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use brama::base::encoding::{base64, base64url, from_base64, hex_lower, hex_upper};

use super::world::World;
use crate::harness::TOKEN;

/// Every way in which a secret of this world could be written.
pub(super) struct Secrets(BTreeSet<String>);

/// Parts of a secret of this length are looked for.
const PART: usize = 24;

impl Secrets {
    pub(super) fn of(world: &World) -> Self {
        let mut secrets = Self(BTreeSet::new());
        for folder in world.folders() {
            secrets.read(&folder);
        }
        secrets.bytes(TOKEN.as_bytes());
        secrets.bytes(super::world::PASSWORD.as_bytes());
        assert!(secrets.0.len() > 50, "secrets were found");
        secrets
    }

    /// Takes what lies in a folder and is for its owner only.
    fn read(&mut self, folder: &Path) {
        use std::os::unix::fs::MetadataExt;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let found = fs::metadata(&path).unwrap();
            if found.is_dir() {
                self.read(&path);
            } else if found.mode() & 0o077 == 0 && found.len() > 0 && found.len() < 1 << 20 {
                self.file(&fs::read(&path).unwrap());
            }
        }
    }

    fn file(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("PRIVATE KEY") {
            let lines = text.lines().filter(|line| !line.starts_with("-----"));
            let lines: Vec<_> = lines.collect();
            // The key itself, and not what all keys of a kind begin with.
            let der = from_base64(&lines.concat()).unwrap();
            self.bytes(&der[36.min(der.len() / 2)..68.min(der.len())]);
            lines.iter().skip(1).for_each(|line| self.text(line));
        } else if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
            self.json(&value);
        } else if !text.starts_with("-----BEGIN CERTIFICATE") {
            self.bytes(bytes.trim_ascii());
        }
    }

    /// Private parts of keys that are kept as JSON.
    fn json(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) if text.len() > 60 => self.text(text),
            serde_json::Value::Array(list) => list.iter().for_each(|one| self.json(one)),
            serde_json::Value::Object(all) => all.values().for_each(|one| self.json(one)),
            _ => {}
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() < 8 {
            return;
        }
        let bytes = &bytes[..bytes.len().min(48)];
        self.text(&String::from_utf8_lossy(bytes));
        for offset in 0..3.min(bytes.len()) {
            self.text(&base64(&bytes[offset..]));
            self.text(&base64url(&bytes[offset..]));
        }
        self.text(&hex_lower(bytes));
        self.text(&hex_upper(bytes));
        let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
        self.text(&percent);
    }

    fn text(&mut self, text: &str) {
        let letters: Vec<_> = text.chars().take(PART).collect();
        if letters.len() >= 8 {
            self.0.insert(letters.into_iter().collect());
        }
    }

    /// Says which one is in a text.
    pub(super) fn are_not_in(&self, text: &str) -> Result<(), String> {
        match self.0.iter().find(|secret| text.contains(&**secret)) {
            Some(secret) => Err(format!("a secret is told: {secret}")),
            None if text.contains("SAMLRequest=") || text.contains("eyJ") => {
                Err("a message or a token is told".to_owned())
            }
            None => Ok(()),
        }
    }
}
