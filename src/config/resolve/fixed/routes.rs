//! The tables of upstreams and routes.

use super::Table;
use crate::app::settings::Fixed;
use crate::config::file::{
    Headers, Health, IdentityHeaders, IdentitySignature, Redirect, Respond, Route, Upstream,
    UpstreamServer,
};

table!(
    "upstream.",
    Upstream {
        fixed: [],
        live: [
            name,
            url,
            ignores_case,
            protocol,
            tls_ca_file,
            tls_system_roots,
            tls_server_name,
            tls_client_certificate,
            tls_client_key,
            connect_timeout,
            response_timeout,
            idle_timeout,
            keep_alive,
            max_idle_connections,
            max_requests,
            max_requests_per_client,
            max_pending,
            pending_timeout,
            max_fails,
            fail_timeout,
            slow_start,
            dns_refresh,
            health,
            servers,
        ],
        both: [],
    }
);

table!(
    "upstream.health.",
    Health {
        fixed: [],
        live: [path, host, interval, timeout, healthy, unhealthy, statuses],
        both: [],
    }
);

table!("upstream.servers.", UpstreamServer { fixed: [], live: [address, weight], both: [] });

table!(
    "route.",
    Route {
        fixed: [],
        live: [
            host,
            path,
            methods,
            upstream,
            access,
            assurance,
            max_age,
            authorities,
            require,
            audience,
            token_algorithm,
            claims,
            identity,
            identity_jwe_key_file,
            strip_prefix,
            add_prefix,
            lenient_paths,
            rewrite_responses,
            host_header,
            response_timeout,
            idle_timeout,
            max_body,
            upgrade,
            upgrade_origins,
            cors_preflight,
            outlives_session,
            maintenance,
            redirect,
            respond,
            identity_headers,
            identity_signature,
            request_headers,
            response_headers,
        ],
        both: [],
    }
);

table!("route.redirect.", Redirect { fixed: [], live: [to, status], both: [] });

table!("route.respond.", Respond { fixed: [], live: [status, content_type, body], both: [] });

table!(
    "route.identity_headers.",
    IdentityHeaders { fixed: [], live: [preset, fields, encoding], both: [] }
);

table!(
    "route.identity_signature.",
    IdentitySignature { fixed: [], live: [algorithm, secret_file, key_id, lifetime], both: [] }
);

table!("route.headers.", Headers { fixed: [], live: [set, add, remove], both: [] });
