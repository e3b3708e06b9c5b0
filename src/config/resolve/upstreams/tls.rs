//! How the servers of an upstream are verified, and what they are shown.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;

use super::key::{Key, protocol};
use crate::app::inventory::Use;
use crate::base::encoding::sha256;
use crate::base::files;
use crate::config::file;
use crate::config::resolve::context::Context;
use crate::proxy::upstream::Tls;
use crate::server::tls::Identity;

/// Resolves the settings of TLS: `Some(None)` without, `None` when something is wrong.
pub(super) fn resolve(
    context: &mut Context<'_>,
    key: &Key<'_>,
    upstream: &file::Upstream,
    encrypted: bool,
) -> Option<Option<Tls>> {
    let (certificate, private) = (&upstream.tls_client_certificate, &upstream.tls_client_key);
    if !encrypted {
        for (name, is_given) in [
            ("tls_ca_file", upstream.tls_ca_file.is_some()),
            ("tls_system_roots", upstream.tls_system_roots.is_some()),
            ("tls_server_name", upstream.tls_server_name.is_some()),
            ("tls_client_certificate", certificate.is_some()),
            ("tls_client_key", private.is_some()),
        ] {
            if is_given {
                context.warn(&key(name), "is not used without https://", "leave it out");
            }
        }
        return Some(None);
    }
    let system_roots = upstream.tls_system_roots.unwrap_or(upstream.tls_ca_file.is_none());
    if !system_roots && upstream.tls_ca_file.is_none() {
        context.error(
            &key(key!(Upstream: tls_system_roots)),
            "is false and tls_ca_file is missing, so no server could be verified",
            "name the file of the authorities",
        );
        return None;
    }
    let (certificate_key, private_key) =
        (key(key!(Upstream: tls_client_certificate)), key(key!(Upstream: tls_client_key)));
    let identity = match (certificate, private) {
        (None, None) => Some(None),
        (Some(certificate), Some(private)) => {
            let shown = context.read_own(Use::UpstreamClient, &certificate_key, certificate);
            let private = context.read_secret(&private_key, private);
            shown.zip(private).map(Some)
        }
        (Some(_), None) => {
            context.error(&private_key, "is missing", "it goes with tls_client_certificate");
            None
        }
        (None, Some(_)) => {
            context.error(&certificate_key, "is missing", "it goes with tls_client_key");
            None
        }
    };
    let server_name = match &upstream.tls_server_name {
        None => Some(None),
        Some(name) => {
            let parsed = ServerName::try_from(name.clone()).ok();
            if parsed.is_none() {
                let advice = "give a host name or an IP address, without a port";
                context.error(
                    &key(key!(Upstream: tls_server_name)),
                    "is not the name of a server",
                    advice,
                );
            }
            parsed.map(Some)
        }
    };
    let (ca_key, roots_key) =
        (key(key!(Upstream: tls_ca_file)), key(key!(Upstream: tls_system_roots)));
    let ca_file = upstream.tls_ca_file.as_deref();
    let identity = identity?;
    let shown = identity.as_ref().map(|(certificate, key)| Identity { certificate, key });
    let config = context.client_tls(
        &roots_key,
        system_roots,
        ca_file.map(|path| (ca_key.as_str(), path, Use::UpstreamCa)),
        shown.map(|identity| (certificate_key.as_str(), identity)),
    );
    let made_from = digest(context, upstream, ca_file, identity.as_ref());
    let (mut config, server_name) = (config?, server_name?);
    config.alpn_protocols = protocol(upstream.protocol).alpn();
    Some(Some(Tls { config: Arc::new(config), server_name, made_from }))
}

/// Tells two settings apart by the contents of the files, so that a new certificate under an old
/// name is a change. The authorities of the system count as the same.
fn digest(
    context: &Context<'_>,
    upstream: &file::Upstream,
    ca_file: Option<&Path>,
    identity: Option<&(Vec<u8>, Vec<u8>)>,
) -> [u8; 32] {
    // What cannot be read has been reported, and then there are no settings.
    let authorities =
        ca_file.and_then(|path| files::read(&context.resolve(path), files::MOST).ok());
    let (certificate, key) = identity.map(|(one, other)| (&one[..], &other[..])).unzip();
    let parts = [
        Some(&[u8::from(upstream.tls_system_roots.unwrap_or(ca_file.is_none()))][..]),
        authorities.as_deref(),
        certificate,
        key,
    ];
    let digests: Vec<u8> = parts.into_iter().flat_map(|part| sha256(part.unwrap_or(&[]))).collect();
    sha256(&digests)
}
