//! What certificates are for.

use std::fmt;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// We sign with it.
    Signing,
    /// The node encrypts to it.
    Encryption,
    /// We show it to the node in TLS.
    ClientTls,
    /// The node signs with it.
    Node,
    /// An authority of the node's TLS.
    NodeAuthority,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signing => "our signatures",
            Self::Encryption => "what the node encrypts to us",
            Self::ClientTls => "TLS with the node",
            Self::Node => "the node's signatures",
            Self::NodeAuthority => "the authority of the node's TLS",
        })
    }
}
