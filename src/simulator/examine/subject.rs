//! The service provider that is examined, as far as one from outside has to know it.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::case::Profile;

/// The service provider that is examined.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where a login begins.
    pub login: Url,
    /// A page that tells who is signed in from who is not.
    pub page: Url,
    /// By what it tells: all that is given must hold.
    pub signed_in: SignedIn,
    /// Where one signs out, if that is examined.
    pub logout: Option<Logout>,
    /// How long an answer may take.
    pub patience: Duration,
    /// How long to wait before each case, for services that limit how often one signs in.
    pub pause: Duration,
    /// Which cases are tried.
    pub profile: Profile,
    /// Names of cases and groups: only these are tried, and what they need. All when it is empty.
    pub only: Vec<String>,
    /// Names of cases and groups that are not tried.
    pub skip: Vec<String>,
    /// Names of cases that are known to fail: they do not count.
    pub known: Vec<String>,
    /// Whom to trust when it is reached by TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

/// What a page has that is shown to somebody who is signed in.
#[derive(Debug, Clone, Default)]
pub struct SignedIn {
    /// Its text has this in it.
    pub text: Option<String>,
    /// Its status is this one.
    pub status: Option<u16>,
    /// The browser has a cookie of this name.
    pub cookie: Option<String>,
}

/// How one signs out.
#[derive(Debug, Clone)]
pub struct Logout {
    /// The address.
    pub url: Url,
    /// By a form of the page that is shown to who is signed in, with what it has for fields. Otherwise
    /// by opening the address.
    pub by_post: bool,
}
