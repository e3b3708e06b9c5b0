//! What a running gateway can be told.

use tokio::sync::oneshot;

use super::renewal::ReloadError;
use super::settings::Settings;

/// What a running gateway can be told.
pub enum Command {
    /// Serve by new settings from the next request on; the answer says whether that was possible.
    Apply(Box<Settings>, oneshot::Sender<Result<(), ReloadError>>),
    /// A new configuration was found to be wrong, so nothing of it is applied. What is new is told in
    /// the metrics.
    Refused {
        /// Whether something else is wrong than before.
        is_news: bool,
    },
    /// Go on in a new file of the access log: the old one was moved away.
    ReopenLogs,
    /// Start this program with the same sockets, and leave when it is ready.
    Succeed(Box<std::process::Command>),
}
