//! `[limits]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Network;
use crate::config::field_order::keep_order;
use crate::gateway::limits;

/// How often one network may try to sign in, or to guess who is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(transform = keep_order::<Self>)]
pub struct Limits {
    /// Logins that one network may begin in a minute.
    ///
    /// Offices and mobile networks share one address among thousands, so this is generous.
    pub login_starts: u32,
    /// Returns from the node that one network may make in a minute.
    pub login_returns: u32,
    /// Logins of one network that may be refused in a minute. After more, it waits for a moment
    /// before it may finish another login. What the node or we do wrong is not counted.
    pub login_failures: u32,
    /// Sessions that one network may name in a minute although the store does not know them. After
    /// more, its requests wait for a moment if only the store could know their session: those of
    /// citizens behind the same address too who come to this replica for the first time. Citizens
    /// who were here before are known and not affected. An invented cookie, which has no mark of
    /// ours, is not counted.
    pub unknown_sessions: u32,
    /// Length of the prefix that makes a network of IPv4: 32 is each address by itself.
    pub ipv4_prefix: u8,
    /// Length of the prefix that makes a network of IPv6. A line is usually given a /56, so its
    /// owner has 256 networks of /64 and could count as so many clients. Some lines have a /48
    /// (shorten it under attack), few only a /64, of which neighbours then share a count, as they
    /// do behind one address of IPv4.
    pub ipv6_prefix: u8,
    /// Networks that are not counted, such as that of a monitoring or of an own office.
    #[schemars(example = vec!["10.20.0.0/16"])]
    pub except: Vec<Network>,
    /// Networks that are remembered, some 400 bytes each. With more, the one that was heard of
    /// longest ago begins anew.
    pub networks: usize,
}

impl Default for Limits {
    /// What the doors do without a file.
    fn default() -> Self {
        let limits::Settings {
            starts,
            returns,
            failures,
            unknown_sessions,
            ipv4_prefix,
            ipv6_prefix,
            except: _,
            networks,
        } = limits::Settings::default();
        let number = |number: Option<NonZeroU32>| number.map_or(0, NonZeroU32::get);
        Self {
            login_starts: number(starts),
            login_returns: number(returns),
            login_failures: number(failures),
            unknown_sessions: number(unknown_sessions),
            ipv4_prefix,
            ipv6_prefix,
            except: Vec::new(),
            networks: usize::try_from(networks).unwrap_or(usize::MAX),
        }
    }
}
