//! # Numbers for whoever watches
//!
//! `GET /metrics` on the operations listener (`operations.listen`, loopback by default), without a token.
//! It is answered nowhere else. The text is that of Prometheus, or OpenMetrics for whoever asks for it
//! (`Accept: application/openmetrics-text`). Once in 15 seconds is often enough:
//!
//! ```text
//! scrape_configs:
//!   - job_name: brama
//!     static_configs: [{ targets: ["127.0.0.1:9480"] }]
//! ```
//!
//! No number says anything about a person, and no client chooses a label: they come from the code, from
//! the configuration, or are addresses that names in it resolve to. An answer has at most 10000 rows and
//! says how many it left out.
//!
//! All counters begin at zero with the process. A new configuration keeps them, but for those of an
//! upstream whose own settings changed. A successor (`SIGUSR2`) begins anew, and while both run, the
//! operations listener is answered by either.
//!
//! Names and labels are stable: a metric is never given another meaning. Names that begin with
//! `process_` are those of every Prometheus library.
//!
//! There is no metric by route and no distribution of answer times: the access log has both for each
//! request, and a request that simply passes costs the numbers one addition.
//!
//! # All of them
//!
//! The last column is what to be woken for, as a query or a bound.
//!
//! | metric | kind | labels | what it says | alert |
//! |---|---|---|---|---|
//! | `brama_build_info` | info | `version` | which program this is |  |
//! | `process_start_time_seconds` | gauge |  | when the process began, in seconds since the epoch | `changes(process_start_time_seconds[15m]) > 2`: it starts again and again |
//! | `process_cpu_seconds_total` | counter |  | time that the process had of the processors |  |
//! | `process_resident_memory_bytes` | gauge |  | memory that is resident | more than the limit of the container less a tenth |
//! | `process_open_fds` | gauge |  | open file descriptors | `process_open_fds > 0.8 * process_max_fds` |
//! | `process_max_fds` | gauge |  | how many file descriptors may be open |  |
//! | `process_threads` | gauge |  | threads of the operating system |  |
//! | `brama_workers` | gauge |  | workers that serve citizens |  |
//! | `brama_leaving` | gauge |  | 1 from the moment that the process was told to stop or has a successor |  |
//! | `brama_successions_total` | counter | `result` | attempts to start a successor (SIGUSR2) (`ready`, `failed`) |  |
//! | `brama_config_reloads_total` | counter | `result` | attempts to apply a new configuration (`applied`, `refused`) |  |
//! | `brama_config_last_reload_successful` | gauge |  | 1 when the configuration that was read last is the one in use | `== 0` |
//! | `brama_config_last_reload_success_timestamp_seconds` | gauge |  | when the configuration in use was applied |  |
//! | `brama_requests_total` | counter | `class` | answers to clients, by class of status | `sum(rate(brama_requests_total{class="5xx"}[5m])) / sum(rate(brama_requests_total[5m])) > 0.02` |
//! | `brama_refusals_total` | counter | `code` | requests and logins that were refused, by reason code | `rate(brama_refusals_total{code=~"login.signature_.*\|login.replayed_.*"}[5m]) > 0`; `increase(brama_refusals_total{code="login.our_request_refused"}[5m]) > 0` |
//! | `brama_connections` | gauge |  | connections of clients that are open | `brama_connections > 0.8 * brama_connections_maximum` |
//! | `brama_connections_maximum` | gauge |  | how many may be open |  |
//! | `brama_connections_accepted_total` | counter |  | connections of clients that were accepted |  |
//! | `brama_connections_refused_total` | counter | `reason` | connections that ended before they spoke HTTP: `proxy` (no PROXY header, or a wrong one), `per_address`, `tls`, `handshake_timeout` | `rate(brama_connections_refused_total{reason="per_address"}[5m]) > 10`: a flood, or a balancer that is not listed |
//! | `brama_accept_errors_total` | counter |  | connections that the system would not hand over | `increase(brama_accept_errors_total[5m]) > 0`: out of descriptors, most likely |
//! | `brama_http2_connections_cut_total` | counter | `reason` | HTTP/2 connections that were cut because of what their client did (as RFC 9113 7 names it, such as `enhance_your_calm` and `protocol_error`, or `no_pong`) | `rate(brama_http2_connections_cut_total{reason="enhance_your_calm"}[5m]) > 1`: rapid resets and their kin |
//! | `brama_logins_begun_total` | counter |  | browsers that were sent to the node |  |
//! | `brama_logins_finished_total` | counter | `assurance` | citizens who came back and were signed in (`low`, `substantial`, `high`) | `sum(increase(brama_logins_finished_total[15m])) == 0 and sum(increase(brama_logins_begun_total[15m])) > 20`: nobody comes back |
//! | `brama_logins_of_other_browsers_total` | counter |  | logins that ended because their answer came to another browser than the one that began them | a rise that lasts: somebody lures citizens into logins of theirs, or something takes our cookies away |
//! | `brama_step_ups_total` | counter |  | requests of signed-in citizens that needed a surer or a newer login |  |
//! | `brama_logouts_total` | counter | `outcome` | sign-outs (as in the log: `signed_out_everywhere`, `node_did_not_confirm`, `node_not_asked`, `not_signed_in`) |  |
//! | `brama_sessions` | gauge |  | sessions that this process knows | `brama_sessions > 0.9 * brama_sessions_maximum`: beyond it the oldest are forgotten |
//! | `brama_sessions_maximum` | gauge |  | how many it can know |  |
//! | `brama_sessions_ended_total` | counter | `cause` | sessions that were ended here before their time: `signed_out`, `replaced` (by the login after it, as a step-up does), `elsewhere`, `operator` |  |
//! | `brama_forms` | gauge |  | forms that this process keeps across logins |  |
//! | `brama_forms_bytes` | gauge |  | their bytes | `brama_forms_bytes > 0.9 * brama_forms_bytes_maximum`: soon those who keep most lose some |
//! | `brama_forms_bytes_maximum` | gauge |  | how many bytes they may have |  |
//! | `brama_forms_kept_total` | counter |  | forms that were kept across a login |  |
//! | `brama_limit_networks` | gauge |  | networks whose attempts to sign in are remembered |  |
//! | `brama_limit_networks_maximum` | gauge |  | how many can be remembered |  |
//! | `brama_node_exchange_duration_seconds` | histogram | `purpose` | time that exchanges with the node took (`resolve`, `logout`) | `histogram_quantile(0.95, sum by (le) (rate(brama_node_exchange_duration_seconds_bucket[5m]))) > 3` |
//! | `brama_node_exchanges_total` | counter | `purpose`, `result` | exchanges with the node: ok, or the reason code | `sum(rate(brama_node_exchanges_total{result!="ok"}[5m])) / sum(rate(brama_node_exchanges_total[5m])) > 0.1` |
//! | `brama_node_exchanges_under_way` | gauge |  | exchanges with the node that are under way |  |
//! | `brama_node_exchanges_maximum` | gauge |  | how many may be under way |  |
//! | `brama_node_turned_away_total` | counter |  | exchanges that found no turn in time | `increase(brama_node_turned_away_total[5m]) > 0` |
//! | `brama_store_up` | gauge | `place` | 1 when the store answered last time (`memory`, `file`, `redis`) | `== 0` for a minute |
//! | `brama_store_events_up` | gauge |  | 1 when this process hears of ends at other replicas at once | `== 0` for a minute: each session that is used is asked for again |
//! | `brama_store_away_seconds` | gauge |  | how long the store has been away; 0 when it is not | more than half of `session.grace` |
//! | `brama_store_last_success_timestamp_seconds` | gauge |  | when the store last did what it was asked for |  |
//! | `brama_store_operation_duration_seconds` | histogram | `operation` | time that the store took, errors included |  |
//! | `brama_store_errors_total` | counter | `operation` | operations that the store could not do | `sum(rate(brama_store_errors_total[5m])) > 0` |
//! | `brama_certificate_expiry_timestamp_seconds` | gauge | `use`, `name`, `file` | when a certificate ends, in seconds since the epoch; `use` is `citizens`, `signing` (our messages to the node) or `node` (pinned); `file` is known for citizens only | `brama_certificate_expiry_timestamp_seconds - time() < 14 * 86400` |
//! | `brama_certificate_reloads_total` | counter | `result` | changed certificates for citizens that were taken, or could not be used (`taken`, `refused`) |  |
//! | `brama_certificate_reload_failed` | gauge | `file` | 1 when the files changed last could not be used and the pair before them stays | `== 1` |
//! | `brama_upstream_requests` | gauge | `upstream` | requests under way |  |
//! | `brama_upstream_requests_maximum` | gauge | `upstream` | how many may be under way |  |
//! | `brama_upstream_pending` | gauge | `upstream` | requests that wait for their turn | `> 0` for five minutes: the portal is slower than it is asked |
//! | `brama_upstream_pending_maximum` | gauge | `upstream` | how many may wait |  |
//! | `brama_upstream_refused_total` | counter | `upstream`, `reason` | requests that got no turn (`queue_full`, `waited`) | `rate(brama_upstream_refused_total[5m]) > 0` |
//! | `brama_upstream_retries_total` | counter | `upstream` | attempts after the first one |  |
//! | `brama_upstream_server_state` | gauge | `upstream`, `server`, `state` | 1 for the state that a server is in (`up`, `starting`, `ejected`, `down`, `draining`) | `brama_upstream_server_state{state=~"down\|ejected"} == 1` |
//! | `brama_upstream_server_requests` | gauge | `upstream`, `server` | requests that a server has |  |
//! | `brama_upstream_server_failures_total` | counter | `upstream`, `server` | requests that a server failed |  |
//! | `brama_upstream_server_ejections_total` | counter | `upstream`, `server` | how often a server was put out for its failures | `increase(brama_upstream_server_ejections_total[15m]) > 3` |
//! | `brama_access_log_lines_lost_total` | counter |  | lines that were not written because nobody took them | `increase(brama_access_log_lines_lost_total[5m]) > 0` |
//! | `brama_scrape_rows_left_out` | gauge |  | rows that this answer has no room for | `> 0` |
//!
//! # What is where
//!
//! - **Logins that fail** are in `brama_refusals_total` under the codes of [`super::reasons`] that begin
//!   with `login.`, limits of networks too (`login.too_many_starts`, `login.too_many_returns`,
//!   `login.too_many_failures`), and so is a full queue at the node (`login.node_busy`).
//! - **Sessions that simply run out** are in no counter: nobody notices the moment.
//! - **`brama_sessions`** is what this process knows. With a store there may be more elsewhere, and one
//!   session may be known to several replicas: do not add them up.
//! - **The store** is one place for all kinds of records; so it is up or away for all of them.
