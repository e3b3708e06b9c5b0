//! `[portal]`

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HumanDuration, Network};
use crate::config::field_order::keep_order;

/// The portal as citizens see it from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Portal {
    /// Name of the portal on the pages that the gateway shows to citizens.
    pub name: String,
    /// Address of the portal in the browser: scheme, host, and the port if it is not the usual one.
    ///
    /// Required. No path and no trailing text. The address that the node sends citizens back to
    /// begins with it, so it must be the one registered with the operator. `https` except on a
    /// laptop.
    #[schemars(example = &"https://portal.example.gov.pl")]
    pub public_url: Option<String>,
    /// Addresses of further portals, on hosts of their own, where citizens sign in too.
    ///
    /// Their routes name the host. The node is told of none of them: citizens sign in at
    /// `public_url` and come back with a code that is good once. Each host needs a DNS name and a
    /// certificate that lead here.
    #[schemars(example = vec!["https://library.example.org"])]
    pub other_urls: Vec<String>,
    /// Path under which the gateway's own pages live; it begins and ends with `/`.
    ///
    /// Requests below it never reach an upstream. Change it only if the portal uses it already.
    pub prefix: String,
    /// Path that the node sends citizens back to (assertion consumer service).
    ///
    /// Left out, it is `prefix` followed by `acs`. Set it when another path is registered with the
    /// operator; it need not lie below `prefix`.
    #[schemars(example = &"/.brama/acs")]
    pub acs_path: Option<String>,
    /// Folder for keys that must outlive a restart.
    ///
    /// Left out, they are made anew at each start: tokens signed before the restart stop being
    /// valid. Only the gateway's own user should be able to read it.
    #[schemars(example = &"/var/lib/brama")]
    pub state_directory: Option<PathBuf>,
    /// Folders of which the modes of files say nothing, because only the gateway has them: mounts
    /// of a container.
    ///
    /// Elsewhere it is an error when everybody on the machine can read a secret or write to what is
    /// believed, and when a group can write to a secret. Kubernetes mounts secrets with mode 0644
    /// unless `defaultMode: 0440` is given, which needs no entry here.
    #[schemars(example = vec!["/run/secrets"])]
    pub private_mounts: Vec<PathBuf>,
    /// Whether the whole portal is closed: citizens see a page that says so, programs get 503.
    ///
    /// The gateway's own places go on, so that a login that is under way can end.
    pub maintenance: bool,
    /// Time after which clients are told to come back (`Retry-After`), here and on routes.
    pub maintenance_retry_after: HumanDuration,
    /// Networks that may pass meanwhile, for those who do the work and look at it.
    #[schemars(example = vec!["10.20.0.0/16"])]
    pub maintenance_allow: Vec<Network>,
    /// Whether upstreams get the header `Forwarded` (RFC 7239) beside `X-Forwarded-For`, `-Proto`
    /// and `-Host`.
    pub send_forwarded: bool,
    /// Cookies of the portal's own sessions, which browsers lose when a citizen signs out and when
    /// another person signs in.
    ///
    /// Each is a name, and perhaps where it is set: `"NAME; Path=/app; Domain=example.gov.pl"`.
    /// Without a path it goes from `/` and from the paths of all routes. A portal that begins a
    /// session of its own by the identity header must end it by that, too; this is for one that
    /// does not.
    #[schemars(example = vec!["JSESSIONID"])]
    pub clear_cookies_at_logout: Vec<String>,
}

impl Default for Portal {
    fn default() -> Self {
        Self {
            name: "Portal".to_owned(),
            public_url: None,
            other_urls: Vec::new(),
            prefix: "/.brama/".to_owned(),
            acs_path: None,
            state_directory: None,
            private_mounts: Vec::new(),
            maintenance: false,
            maintenance_retry_after: HumanDuration::from_secs(600),
            maintenance_allow: Vec::new(),
            send_forwarded: false,
            clear_cookies_at_logout: Vec::new(),
        }
    }
}
