//! Why a browser gets no further.

use crate::base::body::ReadError;
use crate::base::foreign::Foreign;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an address of HTTP, or none.
    #[error("\"{0}\" is no address that a browser opens")]
    Address(Foreign),
    /// The name of the host leads nowhere.
    #[error("{host} is not found")]
    NotFound {
        /// The host.
        host: Foreign,
        /// What the resolver says, if it says anything.
        #[source]
        source: Option<std::io::Error>,
    },
    /// Nothing takes connections there.
    #[error("{host} cannot be reached")]
    Unreachable {
        /// The host with its port.
        host: Foreign,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// TLS is not agreed on.
    #[error("TLS with {host} failed")]
    Tls {
        /// The host with its port.
        host: Foreign,
        /// What TLS says.
        #[source]
        source: std::io::Error,
    },
    /// What came is not HTTP.
    #[error("the answer is no HTTP")]
    Http(#[source] hyper::Error),
    /// The request cannot be written.
    #[error("the request cannot be written")]
    Request(#[source] http::Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(std::time::Duration),
    /// The body cannot be read, or is too long.
    #[error("the body cannot be read")]
    Body(#[source] ReadError),
    /// One step led to the next too often.
    #[error("more than {0} redirects in a row")]
    TooManyRedirects(usize),
    /// All steps together were too many.
    #[error("more than {0} steps in all")]
    TooManySteps(usize),
    /// A form that its page's own policy forbids to send there.
    #[error("the page's Content-Security-Policy (form-action) forbids to send its form to {0}")]
    Blocked(Foreign),
    /// A form that is sent in a way that no sign-in needs.
    #[error("the form is multipart/form-data, which is not sent here")]
    Multipart,
    /// There is no such form in the page.
    #[error("the page has no such form")]
    NoForm,
}
