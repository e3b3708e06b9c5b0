//! What of the configuration cannot change while the program runs.

use crate::app::settings::Fixed;
use crate::config::file::File;

/// Notes every key that needs a new process: sockets and their bounds, the place and the bounds of
/// what is kept, the name of the cookies, the log.
pub(super) fn raise(file: &File) -> Fixed {
    let (listen, session) = (&file.listen, &file.session);
    let mut fixed = Fixed::default();
    fixed.note("portal.public_url", &file.portal.public_url);
    fixed.note("portal.state_directory", &file.portal.state_directory);
    fixed.note("operations.listen", file.operations.listen);
    fixed.note("listen.http", listen.http);
    fixed.note("listen.https", listen.https);
    fixed.note("listen.unix", &listen.unix);
    fixed.note("listen.unix_mode", &listen.unix_mode);
    fixed.note("listen.redirect", listen.redirect);
    fixed.note("listen.certificate", &listen.certificate);
    fixed.note("listen.key", &listen.key);
    fixed.note("listen.ocsp_staple", &listen.ocsp_staple);
    fixed.note("listen.tls_minimum", listen.tls_minimum);
    fixed.note("listen.http2", listen.http2);
    fixed.note("listen.proxy_protocol_from", &listen.proxy_protocol_from);
    fixed.note("listen.workers", listen.workers);
    fixed.note("listen.backlog", listen.backlog);
    fixed.note("listen.max_connections", listen.max_connections);
    fixed.note("listen.max_connections_per_address", listen.max_connections_per_address);
    fixed.note("listen.handshake_timeout", listen.handshake_timeout);
    fixed.note("listen.header_timeout", listen.header_timeout);
    fixed.note("listen.idle_timeout", listen.idle_timeout);
    fixed.note("listen.stall_timeout", listen.stall_timeout);
    fixed.note("listen.drain_delay", listen.drain_delay);
    fixed.note("listen.drain_timeout", listen.drain_timeout);
    fixed.note("listen.max_header", listen.max_header);
    fixed.note("listen.max_header_fields", listen.max_header_fields);
    fixed.note("listen.max_target", listen.max_target);
    fixed.note("listen.max_body", listen.max_body);
    fixed.note("listen.http2_max_streams", listen.http2_max_streams);
    fixed.note("listen.http2_max_resets", listen.http2_max_resets);
    fixed.note("listen.http2_max_local_resets", listen.http2_max_local_resets);
    fixed.note("listen.certificates", &listen.certificates);
    fixed.note("operations.admin_token_file", &file.operations.admin_token_file);
    fixed.note("store", &file.store);
    fixed.note("session.idle", session.idle);
    fixed.note("session.absolute", session.absolute);
    fixed.note("session.maximum", session.maximum);
    fixed.note("session.maximum_per_person", session.maximum_per_person);
    fixed.note("session.grace", session.grace);
    fixed.note("session.login_timeout", session.login_timeout);
    fixed.note("session.maximum_pending", session.maximum_pending);
    fixed.note("identity.key_rotation", file.identity.key_rotation);
    fixed.note("log.format", file.log.format);
    fixed.note("log.level", &file.log.level);
    fixed.note("log.access", file.log.access);
    fixed.note("log.access_file", &file.log.access_file);
    fixed.note("log.access_addresses", file.log.access_addresses);
    fixed.note("log.access_query", file.log.access_query);
    fixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_running_process_does_not_heed_is_named_and_what_it_heeds_is_not() {
        let fixed = |text: &str| raise(&toml::from_str(text).unwrap());
        let before = fixed("");
        for (text, expected) in [
            ("[log]\naccess = \"off\"", &["log.access"][..]),
            ("[log]\naccess_file = \"/var/log/brama/access.log\"", &["log.access_file"]),
            ("[log]\naccess_query = true", &["log.access_query"]),
            ("[session]\nidle = \"5m\"\nkeep_forms = \"1 KiB\"", &["session.idle"]),
            ("[store]\nkind = \"file\"", &["store"]),
            ("[listen]\nhsts = \"1h\"\ntrusted_proxies = [\"10.0.0.0/8\"]", &[]),
            ("[node]\ncertificates = [\"new.pem\"]\nclient_key = \"new.key\"", &[]),
            ("[service]\nsigning_key = \"new\"\ndecryption_keys = [\"old\", \"new\"]", &[]),
            ("[portal]\nother_urls = [\"https://library.example.org\"]", &[]),
            ("[limits]\nlogin_starts = 7", &[]),
        ] {
            assert_eq!(before.differences(&fixed(text)), expected, "{text}");
        }
    }
}
