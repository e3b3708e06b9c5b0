//! Addresses, as they are given to proxies.

/// An address, as it is given to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint<'e> {
    /// A socket of the file system.
    Unix(&'e str),
    /// A host, without brackets, and a port.
    Port(&'e str, u16),
}

impl<'e> Endpoint<'e> {
    /// Reads one. Without a port it is 80.
    pub(super) fn read(address: &'e str) -> Self {
        if let Some(path) = address.strip_prefix("unix:") {
            return Self::Unix(path);
        }
        let parts = address.rsplit_once(':').map(|(host, port)| (host, port.parse()));
        let (host, port) = match parts {
            Some((host, Ok(port))) => (host, port),
            _ => (address, 80),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Self::Port(bare.unwrap_or(host), port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_they_are_given() {
        for (address, endpoint) in [
            ("127.0.0.1:9080", Endpoint::Port("127.0.0.1", 9080)),
            ("[::1]:9080", Endpoint::Port("::1", 9080)),
            ("portal.internal", Endpoint::Port("portal.internal", 80)),
            ("portal.internal:8080", Endpoint::Port("portal.internal", 8080)),
            ("unix:/run/brama.sock", Endpoint::Unix("/run/brama.sock")),
        ] {
            assert_eq!(Endpoint::read(address), endpoint);
        }
    }
}
