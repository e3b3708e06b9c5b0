//! Why a request was refused: the reason codes, what each means and what to do.
//!
//! They are stable: in the log, on the page, in JSON (`error`).
//!
//! # The way back from the node
//!
//! | code | what it means | what to do |
//! |---|---|---|
//! | `login.malformed_artifact` | no `SAMLart`, or one that is none | a stray request; if many, is the ACS address right? |
//! | `login.not_a_form`, `login.form_broken`, `login.form_too_large`, `login.form_too_slow` | the post is not the node's | nothing |
//! | `login.unknown_relay_state` | we made no such handle | after a restart without `portal.state_directory`, at a replica with another `store.secret_files`: begin again |
//! | `login.expired` | longer than `session.login_timeout` at the node | begin again; raise the time if it happens much |
//! | `login.already_used` | the page was loaded again more than a minute later, and nobody is signed in | begin again |
//! | `login.other_browser` | the answer came to a browser that did not begin the login, or that keeps no cookies; the login has ended | allow cookies; if it happens to many, somebody lures citizens into logins of theirs ([`super::logins`]) |
//! | `login.no_ticket` | `finish` by a browser that did not deliver the answer | begin again; if many, somebody tries to get what others deliver |
//! | `login.ticket_expired` | more than a minute between the answer and `finish` | begin again |
//! | `login.no_navigation` | 403: a script, an image or a frame asked for a place that only a person goes to; it counts for nobody | nothing |
//! | `login.too_many_returns` | 429: the network came back from the node more than `limits.login_returns` times a minute | a stray script or an attack; a large office goes into `limits.except`; is the client's address right? |
//! | `login.too_many_failures` | 429: more than `limits.login_failures` logins of the network were refused in a minute | look what was refused before; as above |
//!
//! # A login that does not begin
//!
//! | code | what it means | what to do |
//! |---|---|---|
//! | `session.too_many_unknown` | 429: the network named more than `limits.unknown_sessions` sessions a minute that the store does not know | somebody shows cookies of sessions that have ended again and again (invented ones have no mark of ours and count for nobody), perhaps behind the same address as others (a mobile network, an office): citizens whom this replica has seen go on, others wait for a moment; a large office after a restart goes into `limits.except` |
//! | `login.too_many_starts` | 429: the network began more than `limits.login_starts` logins in a minute | a large office goes into `limits.except`; if it is everybody, is the client's address right (`listen.trusted_proxies`)? |
//! | `login.outage` | 503: `node.outage` is on | switch it off when the node is back |
//!
//! # Crossing to another host
//!
//! See [`super::hosts`].
//!
//! | code | status | what it means | what to do |
//! |---|---|---|---|
//! | `crossing.unknown_wish` | 403 | nobody at another host wants anything under this handle | after a restart, or when it is long over: begin again |
//! | `crossing.wish_expired` | 403 | the login took longer than twice `session.login_timeout` | begin again |
//! | `crossing.wish_used` | 409 | the page was loaded again, or one went back to it | go on at the other host |
//! | `crossing.wish_of_other_browser` | 403 | a handle was seen by somebody else, or cookies are off | if many, an attack |
//! | `crossing.too_many_tries` | 403 | the wish led to the node ten times and never to a session that will do | does the browser keep the session cookie of `public_url`? |
//! | `crossing.unknown_host` | 404 | the portal was taken out of `portal.other_urls` meanwhile | nothing |
//! | `crossing.unknown_code` | 403 | no such code, or it is long over | do all replicas share the store? |
//! | `crossing.code_expired` | 403 | the browser took longer than a minute from one host to the other | begin again; do the clocks of the replicas agree? |
//! | `crossing.code_used` | 409 | the page was loaded again, or one went back to it | nothing |
//! | `crossing.code_for_other_host` | 403 | a code was brought to a host that it was not made for | does something in front change `Host`? else an attack |
//! | `crossing.code_of_other_browser` | 403 | the binding cookie of the other host is not there or another one | a stolen code; for everybody, does something take cookies away? |
//! | `crossing.session_ended` | 403 | the session ended between the two hosts | begin again |
//! | `crossing.no_navigation` | 403 | a script or a frame wanted to cross | nothing |
//!
//! # Asking the node
//!
//! | code | what it means | what to do |
//! |---|---|---|
//! | `login.node_unreachable` | no connection, or TLS failed; `detail` says which | name, firewall, `extra_ca_file`, `client_certificate` |
//! | `login.node_timeout` | longer than `node.timeout` | the node's state; the network |
//! | `login.node_busy` | `node.max_concurrent` exchanges are under way, and `node.max_waiting` wait or `node.waiting_timeout` was over; the login is not spent, a reload goes on | is the node slow? then raise it |
//! | `login.node_http_status` | an HTTP error without SOAP | `resolve_url`; the node's state |
//! | `login.node_answer_broken` | the answer broke off | the network; try again |
//! | `login.answer_too_large` | more than `node.max_answer` | something else answers there |
//! | `login.cannot_sign` | our key does not sign | `check`; report it |
//! | `login.replay_guard_full` | a million logins are remembered | more logins an hour than one process is made for |
//!
//! # What the node says
//!
//! | code | what it means | what to do |
//! |---|---|---|
//! | `login.cancelled` | the citizen gave up, or the means of identification failed | nothing |
//! | `login.refused_by_node` | `RequestDenied` | `detail`; ask the operator |
//! | `login.unknown_person` | `UnknownPrincipal` | nothing; support for the citizen |
//! | `login.our_request_refused` | `Requester`: our message is wrong | issuer, `provider_name`, registered certificate, ACS |
//! | `login.node_failed`, `login.other_node_status` | the node failed | try again; ask the operator |
//! | `login.soap_fault` | a SOAP fault; `detail` has its text | as `our_request_refused` |
//! | `login.artifact_unknown_to_node` | success without a `Response` | the artifact is spent or old: begin again; is the clock right? |
//!
//! # The answer is not believed
//!
//! None of these happens in good health. One is a mistake in the configuration; many, out of
//! nowhere, are an attack or a change at the node. The gateway keeps no answers. Whoever has one
//! captured, from the sandbox for instance, can run `brama explain` on it.
//!
//! | code | what it means | what to do |
//! |---|---|---|
//! | `login.signature_not_trusted` | not signed by a pinned certificate | `node.certificates`: the right environment? a new certificate? |
//! | `login.signature_digest_mismatch` | changed after it was signed | something between rewrites XML |
//! | `login.signature_missing`, `login.signature_count`, `login.signature_duplicate_id`, `login.signature_profile`, `login.signature_reference`, `login.signature_algorithm`, `login.signature_transform` | not the node's form of a signature | an attack, or the node changed: compare with the operator |
//! | `login.malformed_answer`, `login.xml_construct_not_allowed`, `login.xml_limit`, `login.unexpected_answer` | not an answer of the node's shape | what answers at `resolve_url`? |
//! | `login.artifact_response_issuer`, `login.response_issuer`, `login.assertion_issuer` | issued by somebody else | `node.issuer` |
//! | `login.artifact_response_in_response_to`, `login.response_in_response_to`, `login.assertion_in_response_to` | answers another request | an attack, or mixed-up answers |
//! | `login.artifact_response_issued_in_future`, `login.response_issued_in_future`, `login.assertion_issued_in_future`, `login.authn_instant_in_future`, `login.conditions_not_before`, `login.confirmation_not_before` | not yet valid | our clock is behind: NTP |
//! | `login.conditions_not_on_or_after`, `login.confirmation_not_on_or_after`, `login.session_not_on_or_after` | no longer valid | our clock is ahead: NTP |
//! | `login.no_assertion`, `login.several_assertions`, `login.assertion_not_encrypted` | not exactly one encrypted assertion | ask the operator |
//! | `login.encryption_profile`, `login.encryption_algorithm` | encrypted in another way | ask the operator |
//! | `login.encryption_party` | the key was derived for others | `service.issuer`, `node.issuer` |
//! | `login.decryption_failed` | none of our keys opens it | is the right `_enc_ec` registered? |
//! | `login.wrong_audience` | for another service | `service.issuer` |
//! | `login.wrong_recipient`, `login.wrong_destination` | for another address | `public_url` and `acs_path` against what is registered |
//! | `login.unexpected_assertion`, `login.unknown_condition` | not the node's form of an assertion | ask the operator |
//! | `login.assurance_unknown` | a level that is none | ask the operator |
//! | `login.assurance_too_low` | weaker than asked for | the citizen takes a stronger means |
//! | `login.not_fresh` | the citizen was to identify anew, and the node answered with an older login | does the node heed `ForceAuthn`? is its clock right? |
//! | `login.attribute_missing`, `login.attribute_repeated`, `login.attribute_malformed` | an attribute is not as required | `service.required_attributes`; cross-border persons have no PESEL |
//! | `login.replayed_artifact`, `login.replayed_assertion` | used before | begin again; if many, an attack |
//! | `login.check_not_made` | a check could not be made | report it: it should not happen |
//!
//! # Requests
//!
//! | code | status | what it means |
//! |---|---|---|
//! | `request.no_route` | 404 | no route covers host and path |
//! | `request.no_such_place` | 404 | nothing there below the prefix |
//! | `request.method_not_allowed` | 405 | one of our places with another method, or a place of which no route is for the method (`Allow` says which are) |
//! | `request.host` | 400 | not exactly one well-formed `Host`, or a target that names another |
//! | `request.malformed` | 400 | not HTTP, or HTTP that two programs could read in two ways ([`crate::wire::head`]) |
//! | `request.framing` | 400 | where the body ends is not clear ([`crate::wire::framing`]), or its chunks are wrong |
//! | `request.version` | 505 | neither HTTP/1.1 nor HTTP/1.0, or HTTP/2 where it is off |
//! | `request.target_too_long` | 414 | path and query are longer than `listen.max_target` |
//! | `request.header_too_large` | 431 | the head has too many bytes or fields |
//! | `request.expectation` | 417 | `Expect` with something else than `100-continue` |
//! | `request.timeout` | 408 | the head did not arrive in time, or nothing of the body came for too long |
//! | `request.body_broken` | 400 | the client stopped in the middle of the body |
//! | `request.body_too_large` | 413 | the body is longer than `max_body` |
//! | `request.ambiguous_path` | 400 | a path that could be read in two ways ([`crate::request::path`]) |
//! | `request.ambiguous_query` | 400 | a query with something else than visible ASCII |
//! | `request.forwarded_conflict` | 400 | a trusted proxy says two things of one request: let it replace the headers of its client, not add to them, and clear those that it does not write, `Forwarded` above all; one that writes both kinds must say the same in both |
//! | `request.forwarded_malformed` | 400 | a trusted proxy says something that cannot be read |
//! | `request.maintenance` | 503 | the route or the portal is closed for work |
//! | `request.identity_header_alias` | 400 | a header imitates one of ours |
//! | `request.connection_names_identity` | 400 | `Connection` names one of ours |
//! | `request.connection_names_end_to_end` | 400 | `Connection` names a header for the portal |
//! | `request.assurance` | 400 | `assurance` is none of the three levels |
//! | `request.method_override` | 400 | a header such as `X-HTTP-Method-Override` where rules name methods, or beside a `Destination` |
//! | `request.upgrade_not_allowed` | 501 | a WebSocket of HTTP/2 where `upgrade` of the route does not name it |
//! | `request.destination` | 400 | `MOVE` or `COPY` whose `Destination` is not there exactly once, or could be read in two ways ([`crate::gateway::destination`]) |
//! | `request.destination_not_allowed` | 403 | `MOVE` or `COPY` to where the same session may not do that, or write, or to another upstream; or something below one of the two places is stricter; `detail` says what |
//! | `request.second_place` | 403 | a method that names further places in its body (`BIND`, `MERGE`, `BMOVE`, ...) on a route that does not name it in `methods` |
//! | `request.max_age` | 400 | `max_age` of `login` is no number of seconds |
//! | `request.form_without_session` | 401 | a form was sent after the session ended and was not kept: another site sent it, its type is none of a form, there was no room, or `session.keep_forms` is zero |
//! | `request.frame_without_session` | 401 | a frame needs a sign-in, which needs the whole window |
//!
//! # Forms that are kept
//!
//! See [`super::forms`].
//!
//! | code | status | what it means |
//! |---|---|---|
//! | `form.too_large` | 413 | a form that needs a login is longer than `session.keep_forms`; nothing of it was kept |
//! | `form.too_slow`, `form.broken` | 408, 400 | a form that was to be kept did not arrive within a minute, or broke off |
//! | `form.unknown` | 410 | a kept form was sent before, has expired, or was typed in another browser |
//! | `form.from_elsewhere` | 403 | another site, or a browser that does not say, wanted a kept form to be sent or thrown away |
//!
//! # The policy
//!
//! Whoever gets one of these is signed in and stays so. Being sent to the node would not help.
//!
//! | code | status | what it means |
//! |---|---|---|
//! | `policy.not_adult` | 403 | the route is for adults, and the 18th birthday has not come yet |
//! | `policy.birthdate_unknown` | 403 | the route is for adults, and the node did not say when the citizen was born |
//! | `policy.no_pesel` | 403 | the route needs a PESEL, and the citizen has another identifier (cross-border); the page offers to sign in again |
//! | `policy.way_not_allowed` | 403 | the node named none of the route's `authorities`; the page offers to sign in again |
//!
//! # The portal and the rest
//!
//! | code | status | what it means |
//! |---|---|---|
//! | `upstream.unreachable` | 502 | no connection to the portal, or it broke; `detail` says why |
//! | `upstream.timeout` | 504 | no answer within `response_timeout` |
//! | `upstream.bad_answer` | 502 | the portal answered with something that is not HTTP, or not clearly; `detail` says what |
//! | `upstream.no_healthy_server` | 503 | health checks call every server down, or no name could be resolved yet; `detail` says which |
//! | `upstream.busy` | 503 | `max_requests` are under way and the queue is full, or no turn came within `pending_timeout` |
//! | `identity.cannot_sign` | 500 | the token key was refused; look at the state folder |
//! | `session.store_unavailable` | 503 | the place where sessions are kept cannot be reached; sessions that this process knows go on for `session.grace` |
//! | `session.signed_out_elsewhere` | 401 | the person signed in elsewhere and has more sessions than `session.maximum_per_person` |
//! | `session.ended_by_operator` | 401 | an operator ended the session |
//! | `session.ended_meanwhile` | 401, or an answer that breaks off | the session ended while an answer, an upload or a WebSocket of it was open ([`super::protocols`]); for long downloads there is `outlives_session` |
//! | `policy.changed_meanwhile` | 403, or an answer that breaks off | a new configuration would not let the same request pass any more, so what was open ended |
//! | `session.keepalive_from_elsewhere` | 403 | a page of another site asked to prolong the session |
//!
//! A program that asks without a session gets 401 and JSON with `login_required`, or
//! `step_up_required` when the level is too low or the login too old. That is no refusal and is
//! logged only as a request.
