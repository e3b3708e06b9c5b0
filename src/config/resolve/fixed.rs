//! What becomes of each key when the configuration changes while the program runs.
//!
//! 1. Every table of the file is taken apart here without `..`. A new key does not compile until it
//!    is named in one of three lists.
//! 2. `fixed`: sockets and their bounds, the place and the bounds of what is kept, the name of the
//!    cookies, the log. It needs a new process. A reload that changes it is refused and names it.
//! 3. `live`: it holds from the next request on. [`Renewal`] takes the settings apart in the same
//!    way.
//! 4. `both`: a table with keys of both kinds, which says it of its own keys.
//!
//! [`Renewal`]: crate::app

use crate::app::settings::{Fixed, Listen as Settings};
use crate::config::file::{
    Acme, Alarms, Audit, Certificate, Companion, File, FileStore, Identity, Limits, Listen, Log,
    Node, Operations, OutageMessage, P12, Portal, RedisStore, Service, Session, Store, Traces,
};

/// Notes every key that needs a new process, and the authorities of clients, which are read at the
/// start: one that is gone from their file would be believed on.
pub(super) fn resolve(file: &File, listen: &Settings) -> Fixed {
    let mut noted = Fixed::default();
    file.note(&mut noted);
    let believed = listen.operations_tls.as_ref().and_then(|tls| tls.authorities.as_deref());
    noted.note_content(key!(operations.client_ca_file), believed);
    let tls = listen.companions.iter().filter_map(|companion| companion.tls.as_ref());
    let believed = tls.filter_map(|tls| tls.authorities.as_deref()).collect::<Vec<_>>().concat();
    noted.note_content("companion.client_ca_file", Some(&believed));
    noted
}

/// A table of the file.
trait Table {
    /// Notes those of its keys that are fixed.
    fn note(&self, noted: &mut Fixed);
}

/// Says of each key of a table whether it is fixed. The text is what stands before the keys.
macro_rules! table {
    ($before:literal, $table:ident {
        fixed: [$($fixed:ident),* $(,)?],
        live: [$($live:ident),* $(,)?],
        both: [$($both:ident),* $(,)?] $(,)?
    }) => {
        impl Table for $table {
            #[allow(unused_variables, reason = "a table may have no key of a kind")]
            fn note(&self, noted: &mut Fixed) {
                let Self { $($fixed,)* $($live: _,)* $($both,)* } = self;
                $(noted.note(concat!($before, stringify!($fixed)), $fixed);)*
                $($both.note(noted);)*
            }
        }
    };
}

mod pages;
mod routes;

table!(
    "",
    File {
        fixed: [companion],
        live: [pages, node, service, limits, alarms, upstreams, routes],
        both: [portal, listen, operations, session, store, identity, log, audit, traces],
    }
);

table!(
    "portal.",
    Portal {
        fixed: [public_url, state_directory],
        live: [
            name,
            other_urls,
            prefix,
            acs_path,
            private_mounts,
            maintenance,
            maintenance_retry_after,
            maintenance_allow,
            send_forwarded,
            clear_cookies_at_logout,
        ],
        both: [],
    }
);

table!(
    "listen.",
    Listen {
        fixed: [
            http,
            https,
            unix,
            unix_mode,
            redirect,
            certificate,
            key,
            ocsp_staple,
            tls_minimum,
            http2,
            proxy_protocol_from,
            workers,
            backlog,
            max_connections,
            max_connections_per_address,
            handshake_timeout,
            header_timeout,
            idle_timeout,
            stall_timeout,
            min_body_rate,
            drain_delay,
            drain_timeout,
            max_header,
            max_header_fields,
            max_target,
            max_body,
            http2_max_streams,
            http2_max_resets,
            http2_max_local_resets,
            certificates,
        ],
        live: [hsts, trusted_proxies, trusted_for],
        both: [acme],
    }
);

table!(
    "listen.acme.",
    Acme {
        fixed: [
            directory,
            agree_to_terms,
            contacts,
            profile,
            external_account,
            external_account_key_file,
            extra_ca_file,
        ],
        live: [names],
        both: [],
    }
);

// Noted as a whole, by `listen.certificates`: entries have no names.
table!(
    "listen.certificates.",
    Certificate { fixed: [certificate, key, ocsp_staple], live: [], both: [] }
);

table!(
    "operations.",
    Operations {
        fixed: [listen, hosts, certificate, key, client_ca_file],
        live: [admin_token_file, operators, ready_needs, login_history],
        both: []
    }
);

table!(
    "alarms.",
    Alarms { fixed: [], live: [clock_offset, node_failures, node_window, node_minimum], both: [] }
);

table!(
    "node.",
    Node {
        fixed: [],
        live: [
            environment,
            issuer,
            sso_url,
            sso_destination,
            resolve_url,
            logout_url,
            certificates,
            extra_ca_file,
            system_roots,
            client_certificate,
            client_key,
            client_p12,
            client_p12_password_file,
            timeout,
            max_concurrent,
            max_waiting,
            waiting_timeout,
            max_answer,
            expired_certificate,
            outage,
            outage_retry_after,
            outage_message,
        ],
        both: [],
    }
);

table!("node.outage_message.", OutageMessage { fixed: [], live: [pl, en, uk], both: [] });

table!(
    "service.",
    Service {
        fixed: [],
        live: [
            issuer,
            provider_name,
            kind,
            signing_certificate,
            signing_key,
            signing_p12,
            signing_p12_password_file,
            decryption_keys,
            decryption_p12,
            assurance,
            clock_skew,
            required_attributes,
            optional_attributes,
            force_authn,
        ],
        both: [],
    }
);

// `identity.signing_p12` is noted as a whole: entries have no names.
table!("service.decryption_p12.", P12 { fixed: [], live: [file, password_file], both: [] });

table!(
    "session.",
    Session {
        fixed: [idle, absolute, maximum, maximum_per_person, grace, login_timeout, maximum_pending,],
        live: [keep_forms, other_person],
        both: [],
    }
);

table!("store.", Store { fixed: [kind, secret_files], live: [], both: [file, redis] });

table!("store.file.", FileStore { fixed: [path, maximum_size], live: [], both: [] });

table!(
    "store.redis.",
    RedisStore {
        fixed: [
            mode,
            addresses,
            master,
            user,
            password_file,
            sentinel_user,
            sentinel_password_file,
            tls,
            ca_file,
            client_certificate,
            client_key,
            database,
            prefix,
            connect_timeout,
            command_timeout,
            pool,
        ],
        live: [],
        both: [],
    }
);

table!(
    "limits.",
    Limits {
        fixed: [],
        live: [
            login_starts,
            login_returns,
            login_failures,
            unknown_sessions,
            ipv4_prefix,
            ipv6_prefix,
            except,
            networks,
        ],
        both: [],
    }
);

table!(
    "identity.",
    Identity {
        fixed: [key_rotation, pairwise_secret_file, signing_key_files, signing_p12],
        live: [token_lifetime, ways, well_known, pass_headers],
        both: [],
    }
);

table!(
    "traces.",
    Traces {
        fixed: [
            propagate,
            endpoint,
            protocol,
            sample_one_in,
            headers_file,
            timeout,
            extra_ca_file,
            system_roots,
            resource,
        ],
        live: [],
        both: [],
    }
);

table!(
    "log.",
    Log {
        fixed: [format, access, access_file, access_addresses, access_query],
        live: [level],
        both: [],
    }
);

table!(
    "audit.",
    Audit {
        fixed: [
            target,
            file,
            file_maximum,
            daily,
            sync,
            sync_within,
            syslog,
            syslog_facility,
            required,
            addresses,
            queue,
            instance,
            checkpoint_records,
            checkpoint_within,
            person_key_files,
        ],
        live: [],
        both: [],
    }
);

// `companion` is noted as a whole: entries have no names.
table!(
    "companion.",
    Companion {
        fixed: [proxy, listen, unix, unix_mode, trusted, certificate, key, client_ca_file],
        live: [],
        both: [],
    }
);
