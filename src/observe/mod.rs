//! What the program tells its operators.
//!
//! Log lines are events with fields. None holds a name, an identifier of a person, a token or a
//! key; types that could print one print `[personal]` or `[secret]` instead.

pub mod access;
pub mod incident;
pub mod metrics;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// The filter for logs is malformed.
#[derive(Debug, thiserror::Error)]
#[error("log level \"{0}\" is none; write \"info\" or \"brama=debug\"")]
pub struct BadLevel(String);

/// Starts logging to standard output. A second call changes nothing.
///
/// # Errors
/// When the level is malformed.
pub fn start(json: bool, level: &str) -> Result<(), BadLevel> {
    let filter = EnvFilter::try_new(level).map_err(|_| BadLevel(level.to_owned()))?;
    if json {
        let builder = fmt().with_env_filter(filter).json().flatten_event(true);
        let _ = builder.with_current_span(false).with_span_list(false).try_init();
    } else {
        let ansi = std::io::stdout().is_terminal();
        let builder = fmt().with_env_filter(filter).with_ansi(ansi);
        let _ = builder.compact().with_target(false).try_init();
    }
    Ok(())
}
