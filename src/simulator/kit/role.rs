//! What each pair of a kit is for.

/// A pair of a [`Kit`](super::Kit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The authority that issued all the others.
    Authority,
    /// The node's message signatures.
    NodeSigning,
    /// The TLS of the SOAP listener.
    NodeTls,
    /// The service provider's message signatures.
    ServiceSignature,
    /// What assertions are encrypted to.
    ServiceEncryption,
    /// The service provider as a TLS client.
    ServiceTlsClient,
}

impl Role {
    /// Every role, in the order of a kit's pairs.
    pub const ALL: [Self; 6] = [
        Self::Authority,
        Self::NodeSigning,
        Self::NodeTls,
        Self::ServiceSignature,
        Self::ServiceEncryption,
        Self::ServiceTlsClient,
    ];

    /// Returns what the names of the pair's files begin with.
    #[must_use]
    pub fn file_stem(self) -> &'static str {
        match self {
            Self::Authority => "ca",
            Self::NodeSigning => "node-signing",
            Self::NodeTls => "node-tls",
            Self::ServiceSignature => "service-sig",
            Self::ServiceEncryption => "service-enc",
            Self::ServiceTlsClient => "service-tls-client",
        }
    }
}
