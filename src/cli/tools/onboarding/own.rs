//! What `promote` leaves with its environment: keys and what opens them, names and addresses at the
//! node, listeners, lists of networks, state, and what is switched on for a while. Everything else was
//! tried, and goes on.
//!
//! Every table is taken apart here without `..`. A new key does not compile until it is named in one of
//! both lists.

use crate::config::file::{
    Audit, File, Identity, Limits, Listen, Log, Node, Operations, Portal, Service, Session, Store,
    Traces,
};

/// Says of each key of a table whether it stays with its environment.
macro_rules! table {
    ($name:ident, $text:literal, $table:ident {
        own: [$($own:ident),* $(,)?],
        tried: [$($tried:ident),* $(,)?] $(,)?
    }) => {
        const $name: (&str, &[&str]) = ($text, &[$(stringify!($own)),*]);
        const _: fn(&$table) = |table| {
            let $table { $($own: _,)* $($tried: _,)* } = table;
        };
    };
}

/// Keys that belong to an environment, by their table. Those of the file itself are in a table without
/// a name.
pub(super) const OWN: [(&str, &[&str]); 13] = [
    FILE, PORTAL, LISTEN, OPERATIONS, NODE, SERVICE, SESSION, STORE, LIMITS, IDENTITY, LOG, AUDIT,
    TRACES,
];

// `companion` is a list of listeners. Of upstreams and routes it is told what is to be looked at.
table!(
    FILE,
    "",
    File {
        own: [companion],
        tried: [
            portal, pages, listen, operations, node, service, session, store, limits, identity,
            log, audit, traces, alarms, upstreams, routes,
        ],
    }
);

table!(
    PORTAL,
    "portal",
    Portal {
        own: [
            public_url,
            other_urls,
            state_directory,
            private_mounts,
            maintenance,
            maintenance_allow,
        ],
        tried: [
            name,
            prefix,
            acs_path,
            maintenance_retry_after,
            send_forwarded,
            clear_cookies_at_logout,
        ],
    }
);

table!(
    LISTEN,
    "listen",
    Listen {
        own: [
            http,
            https,
            unix,
            unix_mode,
            redirect,
            certificate,
            key,
            ocsp_staple,
            certificates,
            acme,
            proxy_protocol_from,
            trusted_proxies,
            trusted_for,
        ],
        tried: [
            tls_minimum,
            http2,
            hsts,
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
        ],
    }
);

table!(
    OPERATIONS,
    "operations",
    Operations {
        own: [listen, hosts, certificate, key, client_ca_file, admin_token_file, operators],
        tried: [ready_needs, login_history],
    }
);

table!(
    NODE,
    "node",
    Node {
        own: [
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
            outage,
        ],
        tried: [
            timeout,
            max_concurrent,
            max_waiting,
            waiting_timeout,
            max_answer,
            expired_certificate,
            outage_retry_after,
            outage_message,
        ],
    }
);

table!(
    SERVICE,
    "service",
    Service {
        own: [
            issuer,
            provider_name,
            kind,
            signing_certificate,
            signing_key,
            signing_p12,
            signing_p12_password_file,
            decryption_keys,
            decryption_p12,
        ],
        tried: [assurance, clock_skew, required_attributes, optional_attributes, force_authn],
    }
);

table!(
    SESSION,
    "session",
    Session {
        own: [],
        tried: [
            idle,
            absolute,
            maximum,
            maximum_per_person,
            grace,
            login_timeout,
            maximum_pending,
            keep_forms,
            other_person,
        ],
    }
);

table!(STORE, "store", Store { own: [kind, secret_files, file, redis], tried: [] });

table!(
    LIMITS,
    "limits",
    Limits {
        own: [except],
        tried: [
            login_starts,
            login_returns,
            login_failures,
            unknown_sessions,
            ipv4_prefix,
            ipv6_prefix,
            networks,
        ],
    }
);

table!(
    IDENTITY,
    "identity",
    Identity {
        own: [signing_key_files, signing_p12, pairwise_secret_file],
        tried: [token_lifetime, key_rotation, ways, well_known, pass_headers],
    }
);

table!(
    TRACES,
    "traces",
    Traces {
        own: [endpoint, headers_file, extra_ca_file, resource],
        tried: [propagate, protocol, sample_one_in, timeout, system_roots],
    }
);

table!(
    LOG,
    "log",
    Log { own: [access_file], tried: [format, level, access, access_addresses, access_query] }
);

table!(
    AUDIT,
    "audit",
    Audit {
        own: [target, file, syslog, instance, person_key_files],
        tried: [
            file_maximum,
            daily,
            sync,
            sync_within,
            syslog_facility,
            required,
            addresses,
            queue,
            checkpoint_records,
            checkpoint_within,
        ],
    }
);
