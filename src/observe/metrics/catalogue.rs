//! Every metric: its name, its kind, its labels, and what it says. A name is never given another
//! meaning.

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from zero at the start of the process.
    Counter,
    /// It is as it is at the moment.
    Gauge,
    /// How values are spread.
    Histogram,
    /// Always 1; the labels are what matters.
    Info,
}

impl Kind {
    /// Returns its name in the manual.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// What a scrape says of a metric before its rows.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, without what its kind puts behind it.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, as the `HELP` line of the text.
    pub help: &'static str,
}

impl Metric {
    /// Returns its name as queries write it.
    #[must_use]
    pub fn full_name(&self) -> String {
        let behind = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{behind}", self.name)
    }
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident, $labels:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub static $constant: Metric =
                Metric { name: $name, kind: Kind::$kind, labels: &$labels, help: $help };
        )*

        /// Every metric, in the order in which they are written.
        pub static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    BUILD = "brama_build", Info, ["version", "commit", "rust"],
        "which program this is, and what it was built from and with";
    PROCESS_START = "process_start_time_seconds", Gauge, [],
        "when the process began, in seconds since the epoch";
    PROCESS_CPU = "process_cpu_seconds", Counter, [],
        "time that the process had of the processors";
    PROCESS_RESIDENT = "process_resident_memory_bytes", Gauge, [],
        "memory that is resident";
    PROCESS_OPEN_FDS = "process_open_fds", Gauge, [],
        "open file descriptors";
    PROCESS_MAX_FDS = "process_max_fds", Gauge, [],
        "how many file descriptors may be open";
    PROCESS_THREADS = "process_threads", Gauge, [],
        "threads of the operating system";
    WORKERS = "brama_workers", Gauge, [],
        "workers that serve citizens";
    LEAVING = "brama_leaving", Gauge, [],
        "1 from the moment that the process was told to stop or has a successor";
    SUCCESSIONS = "brama_successions", Counter, ["result"],
        "attempts to start a successor (SIGUSR2)";
    CONFIG_RELOADS = "brama_config_reloads", Counter, ["result"],
        "attempts to apply a new configuration";
    CONFIG_OK = "brama_config_last_reload_successful", Gauge, [],
        "1 when the configuration that was read last is the one in use";
    CONFIG_TIME = "brama_config_last_reload_success_timestamp_seconds", Gauge, [],
        "when the configuration in use was applied";
    REQUESTS = "brama_requests", Counter, ["class"],
        "answers to clients, by class of status";
    REQUEST_DURATION = "brama_request_duration_seconds", Histogram, ["upstream", "class"],
        "time that requests took, with their turn at the upstream and to the end of its answer";
    REQUESTS_CUT = "brama_requests_cut", Counter, ["ended"],
        "requests whose answer did not come to its end, by what ended them";
    REFUSALS = "brama_refusals", Counter, ["code"],
        "requests and logins that were refused, by reason code";
    CONNECTIONS = "brama_connections", Gauge, [],
        "connections of clients that are open";
    CONNECTIONS_MAXIMUM = "brama_connections_maximum", Gauge, [],
        "how many may be open";
    CONNECTIONS_ACCEPTED = "brama_connections_accepted", Counter, [],
        "connections of clients that were accepted";
    CONNECTIONS_REFUSED = "brama_connections_refused", Counter, ["reason"],
        "connections that ended before they spoke HTTP";
    ACCEPT_ERRORS = "brama_accept_errors", Counter, [],
        "connections that the system would not hand over";
    HTTP2_CUT = "brama_http2_connections_cut", Counter, ["reason"],
        "HTTP/2 connections that were cut because of what their client did";
    HTTP2_UNSEEN = "brama_http2_requests_unseen", Counter, [],
        "requests over HTTP/2 that were refused, or reset by their client, before they were read";
    IDENTITIES_TOLD = "brama_identity_headers_removed", Counter, [],
        "requests in which a client told an identity as other gateways do, which was removed";
    SPOOFS = "brama_spoof_attempts", Counter, ["kind"],
        "attempts to be taken for another, which were removed or refused";
    LOGINS_BEGUN = "brama_logins_begun", Counter, [],
        "browsers that were sent to the node";
    LOGINS_FINISHED = "brama_logins_finished", Counter, ["assurance"],
        "citizens who came back and were signed in";
    LOGINS = "brama_logins", Counter, ["result", "reason", "way_in", "assurance"],
        "logins that ended, by how";
    LOGINS_OF_OTHER_BROWSERS = "brama_logins_of_other_browsers", Counter, [],
        "logins that ended because their answer came to another browser than the one that began them";
    STEP_UPS = "brama_step_ups", Counter, [],
        "requests of signed-in citizens that needed a surer or a newer login";
    LOGOUTS = "brama_logouts", Counter, ["outcome"],
        "sign-outs";
    DECISIONS = "brama_companion_decisions", Counter, ["outcome"],
        "answers to proxies in front that ask whether a request may pass";
    SESSIONS = "brama_sessions", Gauge, [],
        "sessions that this process knows";
    SESSIONS_MAXIMUM = "brama_sessions_maximum", Gauge, [],
        "how many it can know";
    SESSIONS_ENDED = "brama_sessions_ended", Counter, ["cause"],
        "sessions that were ended here before their time";
    SESSIONS_OWED = "brama_sessions_ended_not_written", Gauge, [],
        "sessions that have ended and that the store still has, because it cannot be written";
    FORMS = "brama_forms", Gauge, [],
        "forms that this process keeps across logins";
    FORMS_BYTES = "brama_forms_bytes", Gauge, [],
        "their bytes";
    FORMS_BYTES_MAXIMUM = "brama_forms_bytes_maximum", Gauge, [],
        "how many bytes they may have";
    FORMS_KEPT = "brama_forms_kept", Counter, [],
        "forms that were kept across a login";
    HISTORIES = "brama_login_histories", Gauge, [],
        "records of logins that this process keeps for operators";
    HISTORIES_LOST = "brama_login_histories_lost", Counter, [],
        "histories of logins for which there was no room";
    LIMIT_NETWORKS = "brama_limit_networks", Gauge, [],
        "networks whose attempts to sign in are remembered";
    LIMIT_NETWORKS_MAXIMUM = "brama_limit_networks_maximum", Gauge, [],
        "how many can be remembered";
    NODE_DURATION = "brama_node_exchange_duration_seconds", Histogram, ["purpose", "result"],
        "time that exchanges with the node took, by what came of them: ok, or the reason code";
    NODE_EXCHANGES = "brama_node_exchanges", Counter, ["purpose", "result"],
        "exchanges with the node: ok, or the reason code";
    NODE_UNDER_WAY = "brama_node_exchanges_under_way", Gauge, [],
        "exchanges with the node that are under way";
    NODE_MAXIMUM = "brama_node_exchanges_maximum", Gauge, [],
        "how many may be under way";
    NODE_TURNED_AWAY = "brama_node_turned_away", Counter, [],
        "exchanges that found no turn in time";
    NODE_EXTENSIONS = "brama_node_answers_with_extensions", Counter, [],
        "signed answers of the node that held what is not read, in places for extensions";
    NODE_CLOCK_OFFSET = "brama_node_clock_offset_seconds", Gauge, ["witness"],
        "by how much the node's clock is ahead of ours; 0 before it was measured";
    NODE_CLOCK_ERROR = "brama_node_clock_offset_error_seconds", Gauge, ["witness"],
        "by how much the true difference may be more or less";
    NODE_CLOCK_TIME = "brama_node_clock_offset_timestamp_seconds", Gauge, ["witness"],
        "when the node's clock was measured; 0 before";
    STORE_UP = "brama_store_up", Gauge, ["place"],
        "1 when the store answered last time";
    STORE_EVENTS_UP = "brama_store_events_up", Gauge, [],
        "1 when this process hears of ends at other replicas at once";
    REPLICAS = "brama_replicas", Gauge, [],
        "gateways that share the store, as the store knows them; 0 while that is not known";
    STORE_AWAY = "brama_store_away_seconds", Gauge, [],
        "how long the store has been away; 0 when it is not";
    STORE_LAST_SUCCESS = "brama_store_last_success_timestamp_seconds", Gauge, [],
        "when the store last did what it was asked for";
    STORE_DURATION = "brama_store_operation_duration_seconds", Histogram, ["operation"],
        "time that the store took, errors included";
    STORE_ERRORS = "brama_store_errors", Counter, ["operation"],
        "operations that the store could not do";
    KEYS_KEPT = "brama_identity_keys_kept", Gauge, [],
        "1 when the keys of identities here are those that replicas share, and can be changed";
    CERTIFICATE_EXPIRY = "brama_certificate_expiry_timestamp_seconds", Gauge, ["use", "name", "file"],
        "when a certificate ends, in seconds since the epoch";
    ALARMS = "brama_alarm", Gauge, ["alarm"],
        "1 while an alarm of the log goes on";
    CERTIFICATE_ORDERS = "brama_certificate_orders", Counter, ["result"],
        "orders at the authority of listen.acme that brought a certificate, or failed";
    CERTIFICATE_ORDERS_WELL = "brama_certificate_orders_well", Gauge, [],
        "1 when the certificate that is wanted of the authority is there, or none is ordered, and no order failed last";
    CERTIFICATE_RELOADS = "brama_certificate_reloads", Counter, ["result"],
        "changed certificates for citizens that were taken, or could not be used";
    CERTIFICATE_FAILED = "brama_certificate_reload_failed", Gauge, ["file"],
        "1 when the files changed last could not be used and the pair before them stays";
    UPSTREAM_FIRST_BYTE = "brama_upstream_first_byte_duration_seconds", Histogram, ["upstream"],
        "time that an upstream took until the head of its answer was there";
    UPSTREAM_REQUESTS = "brama_upstream_requests", Gauge, ["upstream"],
        "requests under way";
    UPSTREAM_REQUESTS_MAXIMUM = "brama_upstream_requests_maximum", Gauge, ["upstream"],
        "how many may be under way";
    UPSTREAM_PENDING = "brama_upstream_pending", Gauge, ["upstream"],
        "requests that wait for their turn";
    UPSTREAM_PENDING_MAXIMUM = "brama_upstream_pending_maximum", Gauge, ["upstream"],
        "how many may wait";
    UPSTREAM_REFUSED = "brama_upstream_refused", Counter, ["upstream", "reason"],
        "requests that got no turn";
    UPSTREAM_RETRIES = "brama_upstream_retries", Counter, ["upstream"],
        "attempts after the first one";
    SERVER_STATE = "brama_upstream_server_state", Gauge, ["upstream", "server", "state"],
        "1 for the state that a server is in";
    SERVER_REQUESTS = "brama_upstream_server_requests", Gauge, ["upstream", "server"],
        "requests that a server has";
    SERVER_FAILURES = "brama_upstream_server_failures", Counter, ["upstream", "server"],
        "requests that a server failed";
    SERVER_EJECTIONS = "brama_upstream_server_ejections", Counter, ["upstream", "server"],
        "how often a server was put out for its failures";
    AUDIT_WRITTEN = "brama_audit_records_written", Counter, [],
        "records of the audit log that were written, those of its chain too";
    AUDIT_LOST = "brama_audit_records_lost", Counter, [],
        "records of the audit log that were not written because there was no room for them";
    AUDIT_FAILURES = "brama_audit_write_failures", Counter, [],
        "attempts to write the audit log that failed and are made again";
    AUDIT_QUEUE = "brama_audit_queue_bytes", Gauge, [],
        "bytes of records that wait to be written into the audit log";
    AUDIT_QUEUE_MAXIMUM = "brama_audit_queue_maximum_bytes", Gauge, [],
        "how many may wait; 0 without an audit log";
    AUDIT_SYNCED = "brama_audit_last_sync_timestamp_seconds", Gauge, [],
        "when it was last made sure that the audit log is on the disk; 0 when it never was";
    AUDIT_WELL = "brama_audit_well", Gauge, [],
        "1 when records of the audit log can be written, or there is none";
    ACCESS_LOG_LOST = "brama_access_log_lines_lost", Counter, [],
        "lines that were not written because nobody took them";
    LOG_LOST = "brama_log_lines_lost", Counter, [],
        "lines of the program's log that were not written because nobody took them";
    SPANS = "brama_spans", Counter, ["result"],
        "spans of traces: sent, or lost because too many waited, their request had too many, or the collector did not take them";
    CLOCK_JUMPS = "brama_clock_jumps", Counter, [],
        "times that the clock of the machine jumped by more than a minute";
    ROWS_LEFT_OUT = "brama_scrape_rows_left_out", Gauge, [],
        "rows that this answer has no room for";
}
