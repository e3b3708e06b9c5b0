//! Prometheus, which asks gateways for their numbers, and its tool.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::ports::free_address;
use super::program::{PATIENCE, Program};
use super::wire::Wire;

/// A server of Prometheus that asks each second.
pub(crate) struct Prometheus {
    address: SocketAddr,
    _program: Program,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it, and has it ask there and go by these rules. It knows all of them as `brama`.
    pub(crate) fn start(targets: &[SocketAddr], rules: &str) -> Self {
        let (address, folder) = (free_address(), tempfile::tempdir().unwrap());
        let targets: Vec<_> = targets.iter().map(|target| format!("\"{target}\"")).collect();
        let configuration = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
             rule_files: [rules.yaml]\n\
             scrape_configs:\n- job_name: brama\n  static_configs: [{{ targets: [{}] }}]\n",
            targets.join(", ")
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, configuration).unwrap();
        fs::write(folder.path().join("rules.yaml"), rules).unwrap();
        let mut command = Command::new("prometheus");
        command.arg("--config.file").arg(file);
        command.arg("--storage.tsdb.path").arg(folder.path().join("data"));
        command.args(["--web.listen-address", &address.to_string()]);
        let mut program = Program::start(&mut command);
        program.wait_for(|line| line.contains("Server is ready to receive").then_some(()));
        Self { address, _program: program, _folder: folder }
    }

    /// Asks its interface for programs; returns the data, or what it has against the question.
    pub(crate) fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let mut words = url::form_urlencoded::Serializer::new(String::new());
        let query = words.extend_pairs(query).finish();
        let host = self.address.to_string();
        let answer = Wire::connect(self.address).get(&host, &format!("/api/v1/{path}?{query}"));
        let mut answer = answer.json();
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].take()),
            _ => Err(answer["error"].to_string()),
        }
    }

    /// Works out an expression; returns the series.
    pub(crate) fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        let data = self.ask("query", &[("query", expression)])?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// Returns the alerts that fire.
    pub(crate) fn firing(&self) -> BTreeSet<String> {
        let alerts = self.ask("alerts", &[]).unwrap();
        let alerts = alerts["alerts"].as_array().unwrap().iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing");
        firing.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        // It must ask, work out, wait and alert, a second each.
        let deadline = Instant::now() + 4 * PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < deadline, "{what}; firing: {:?}", self.firing());
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Runs `promtool` in a folder, with a text for its input; says whether that went well, and what it
/// said.
pub(crate) fn promtool(folder: &Path, words: &[&str], input: &str) -> (bool, String) {
    let given = folder.join("promtool.input");
    let input = if input.is_empty() {
        Stdio::null()
    } else {
        fs::write(&given, input).unwrap();
        fs::File::open(given).unwrap().into()
    };
    let mut command = Command::new("promtool");
    let said = command.args(words).current_dir(folder).stdin(input).output().unwrap();
    let text = [said.stdout, said.stderr].concat();
    (said.status.success(), String::from_utf8(text).unwrap())
}

/// Returns a file of `deploy/monitoring`.
pub(crate) fn of_monitoring(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring").join(name)
}
