//! The options of `brama simulator` about its files, its records and its bad hours.

use std::path::{Path, PathBuf};

use crate::base::handed;
use crate::simulator::{Schedule, Settings, TlsFault};

#[derive(Debug, Clone, clap::Args)]
pub(super) struct More {
    /// A file of persons in TOML or JSON, beside those that come with it. It is read again when it
    /// changes.
    #[arg(long, value_name = "FILE")]
    persons: Option<PathBuf>,
    /// A file of service providers in TOML or JSON, in place of the one that the other options
    /// describe.
    #[arg(long, value_name = "FILE")]
    #[arg(conflicts_with_all = ["acs", "provider_name"])]
    #[arg(conflicts_with_all = ["service_certificate", "encryption_certificate"])]
    services: Option<PathBuf>,
    /// Records each login to a folder, at most a thousand of them.
    #[arg(long, value_name = "FOLDER")]
    record: Option<PathBuf>,
    /// Plays the recorded logins of a folder back, in order: the next login ends like the first,
    /// and nobody is asked. After the last one people are asked again.
    #[arg(long, value_name = "FOLDER")]
    replay: Option<PathBuf>,
    /// What is wrong with TLS of the SOAP listener: expired, wrong-name, wrong-authority,
    /// self-signed, client-certificate, version, cut, or slow=TIME.
    #[arg(long, value_name = "FAULT")]
    tls_fault: Option<TlsFault>,
    /// When artifacts can be resolved, such as "10s ok, 5s down, 5s slow=3s, repeat"; the
    /// conditions are ok, down, 503, slow=TIME and reset. @FILE reads it from a file.
    #[arg(long, value_name = "SCHEDULE", value_parser = schedule)]
    schedule: Option<Schedule>,
}

impl More {
    /// Whether the service providers come from a file.
    pub(super) fn has_services(&self) -> bool {
        self.services.is_some()
    }

    /// Adds the options to settings.
    pub(super) fn add_to(&self, settings: Settings) -> Settings {
        Settings {
            persons: self.persons.clone(),
            services_file: self.services.clone(),
            record: self.record.clone(),
            replay: self.replay.clone(),
            tls_fault: self.tls_fault,
            schedule: self.schedule.clone(),
            ..settings
        }
    }
}

fn schedule(text: &str) -> Result<Schedule, String> {
    match text.strip_prefix('@') {
        None => text.parse(),
        Some(file) => {
            let read = handed::read_all(Path::new(file)).map_err(|error| error.to_string());
            let read = read.and_then(|bytes| {
                String::from_utf8(bytes).map_err(|_| "it is no text in UTF-8".to_owned())
            });
            read.and_then(|text| text.parse()).map_err(|error| format!("{file}: {error}"))
        }
    }
}
