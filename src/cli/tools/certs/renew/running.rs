//! Whether a running gateway has what its configuration names by now.
//!
//! It is asked at its operations listener (`/metrics`). Of signatures, of the node and of citizens it
//! says which certificates it has; of keys that have no certificate there, when it last took the
//! configuration with all files that it names.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use http::Method;

use super::kind::{InUse, Kind};
use crate::cli::tools::certs::facts;
use crate::config::Loaded;
use crate::operations::client::Client;

/// What a running gateway says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Running {
    /// It has what the configuration names.
    Loaded,
    /// It does not, and why that is thought.
    NotLoaded(String),
    /// None answers.
    NotThere(String),
}

/// Asks the gateway of a configuration.
pub(super) fn ask(kind: Kind, loaded: &Loaded, configuration: &Path, in_use: &InUse) -> Running {
    let operations = &loaded.file.operations;
    let certificate = operations.certificate.as_deref().map(|file| loaded.resolve(file));
    let client = match Client::new(operations.listen).pinned(certificate.as_deref()) {
        Ok(client) => client,
        Err(error) => return Running::NotThere(error),
    };
    let address = client.address();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let answer = match runtime {
        Ok(runtime) => runtime.block_on(client.ask(Method::GET, "/metrics", None)),
        Err(error) => return Running::NotThere(error.to_string()),
    };
    match answer {
        Ok(answer) if answer.status.is_success() => {
            judge(kind, &Metrics(&answer.text()), configuration, in_use)
        }
        Ok(answer) => Running::NotThere(format!("{address}: /metrics says {}", answer.status)),
        Err(none) => Running::NotThere(format!("{address}: {none}")),
    }
}

fn judge(kind: Kind, metrics: &Metrics<'_>, configuration: &Path, in_use: &InUse) -> Running {
    // 1. A configuration that was refused is not in use, whatever it names.
    if metrics.value("brama_config_last_reload_successful") == Some(0.0) {
        return Running::NotLoaded("it refused the configuration; its log says why".to_owned());
    }
    // 2. The very certificates, where it says which it has.
    let has = |usage: &str, end: f64| metrics.expiries(usage).contains(&end);
    let ends = in_use.all.iter().filter_map(|der| facts::read(der).ok());
    let ends = ends.map(|facts| facts.not_after.as_second() as f64);
    let usage = match kind {
        Kind::Signing => Some("signing"),
        Kind::Node => Some("node"),
        Kind::Listener => Some("citizens"),
        Kind::Decryption | Kind::ClientTls => None,
    };
    if let Some(usage) = usage {
        // The certificate itself, not those of authorities behind it; of the node the newest.
        let newest = in_use.certificate.as_ref().map(|(_, facts)| facts.not_after);
        let end = match kind {
            Kind::Node => newest.map(|end| end.as_second() as f64),
            _ => ends.into_iter().next(),
        };
        return match end {
            Some(end) if has(usage, end) => Running::Loaded,
            _ => Running::NotLoaded("it has another certificate".to_owned()),
        };
    }
    // 3. Otherwise it must have read everything after the last change.
    let Some(taken) = metrics.value("brama_config_last_reload_success_timestamp_seconds") else {
        return Running::NotLoaded("it does not say when it took its configuration".to_owned());
    };
    let configuration = [configuration.to_owned()];
    let files = in_use.files.iter().chain(&configuration);
    let changed = files.filter_map(changed).fold(0.0, f64::max);
    match taken >= changed.floor() {
        true => Running::Loaded,
        false => {
            Running::NotLoaded("a file has changed since it took its configuration".to_owned())
        }
    }
}

/// When a file was changed, in seconds since the epoch.
fn changed(file: &PathBuf) -> Option<f64> {
    let modified = std::fs::metadata(file).ok()?.modified().ok()?;
    Some(modified.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}

/// Metrics as text (OpenMetrics).
struct Metrics<'m>(&'m str);

impl Metrics<'_> {
    /// Returns the value of a metric without labels.
    fn value(&self, name: &str) -> Option<f64> {
        let mut rows = self.0.lines().filter_map(|line| line.split_once(' '));
        rows.find(|(found, _)| *found == name)?.1.trim().parse().ok()
    }

    /// Returns when the certificates of a use end.
    fn expiries(&self, usage: &str) -> Vec<f64> {
        let start = format!("brama_certificate_expiry_timestamp_seconds{{use=\"{usage}\"");
        let rows = self.0.lines().filter(|line| line.starts_with(&start));
        rows.filter_map(|line| line.rsplit_once("} ")?.1.trim().parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_as_the_gateway_writes_them() {
        let text = "# TYPE a gauge\nbrama_config_last_reload_successful 1.0\n\
                    brama_certificate_expiry_timestamp_seconds{use=\"signing\",name=\"CN=a\",file=\"\"} 1799999999.0\n\
                    brama_certificate_expiry_timestamp_seconds{use=\"node\",name=\"CN=} 5\",file=\"\"} 1.8e9\n";
        let metrics = Metrics(text);
        assert_eq!(metrics.value("brama_config_last_reload_successful"), Some(1.0));
        assert_eq!(metrics.expiries("signing"), [1_799_999_999.0]);
        assert_eq!(metrics.expiries("node"), [1.8e9]);
        assert_eq!(metrics.value("nothing"), None);
    }
}
