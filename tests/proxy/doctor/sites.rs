//! nginx in the place of proxies in front, backends and nodes: one program, with a server block for
//! each way to be broken.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use super::certificates::Certificates;
use crate::harness::{Nginx, free_address};

/// What a good proxy says of its clients, as `deploy/nginx/brama.conf` has it; but for the port of
/// the host, which is a special one here.
pub(super) const GOOD: &str = "proxy_set_header Host $http_host; \
     proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; \
     proxy_set_header X-Forwarded-Host \"\"; proxy_set_header Forwarded \"\"; \
     proxy_set_header X-Request-Id \"\";";

/// Server blocks that are to be.
#[derive(Default)]
pub(super) struct Plan {
    blocks: String,
    addresses: BTreeMap<&'static str, SocketAddr>,
}

/// Server blocks that are served.
pub(super) struct Sites {
    addresses: BTreeMap<&'static str, SocketAddr>,
    _nginx: Nginx,
}

impl Plan {
    /// Adds a server without TLS.
    pub(super) fn plain(&mut self, name: &'static str, lines: &str) -> SocketAddr {
        self.add(name, "", lines)
    }

    /// Adds a server with TLS, and the certificate of that name.
    pub(super) fn tls(
        &mut self,
        name: &'static str,
        certificates: &Certificates,
        certificate: &str,
        lines: &str,
    ) -> SocketAddr {
        let file = |end: &str| certificates.file(&format!("{certificate}.{end}"));
        let (pem, key) = (file("pem"), file("key"));
        let tls = format!(
            "ssl_certificate {}; ssl_certificate_key {};\n{lines}",
            pem.display(),
            key.display()
        );
        self.add(name, " ssl", &tls)
    }

    fn add(&mut self, name: &'static str, tls: &str, lines: &str) -> SocketAddr {
        let address = free_address();
        let _ = writeln!(self.blocks, "server {{ listen {address}{tls};\n{lines}\n}}");
        assert!(self.addresses.insert(name, address).is_none(), "{name} is there twice");
        address
    }

    pub(super) fn start(self) -> Sites {
        Sites { addresses: self.addresses, _nginx: Nginx::start_with(&self.blocks, "") }
    }
}

impl Sites {
    pub(super) fn at(&self, name: &str) -> SocketAddr {
        *self.addresses.get(name).unwrap_or_else(|| panic!("{name} is a site"))
    }
}

/// The location of a proxy that passes everything on.
pub(super) fn to(gateway: SocketAddr, lines: &str) -> String {
    format!("location / {{ proxy_pass http://{gateway}; proxy_http_version 1.1; {lines} }}")
}
