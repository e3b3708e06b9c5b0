//! Attacks on the gateway, and our answers.
//!
//! ## Sending the identity header
//!
//! Answer: removed from every request, on every path, before anything is decided
//! ([`crate::request::headers::clean_request`]). A portal's answer cannot carry one either. Tests:
//! `removes_our_names_and_claims_of_earlier_proxies`,
//! `an_upstream_sets_no_cookie_and_no_identity_of_ours`.
//!
//! ## Folded header names
//!
//! CGI, WSGI and PHP hand headers to a program as variables, in which `-` and `_` are the same. So
//! `X_Brama_Assertion` arrives as `X-Brama-Assertion`.
//!
//! Answer: names are compared folded ([`crate::identity::headers::kinship`]). Another spelling of
//! one of ours is refused with 400 and `request.identity_header_alias`. Tests:
//! `recognises_our_names_and_every_alias_of_them`,
//! `every_byte_of_a_name_folds_to_a_refusal_or_a_removal`.
//!
//! ## `Connection` that names a header
//!
//! `Connection: X-Brama-Assertion` asks the next proxy to remove the header that we set.
//!
//! Answer: refused with 400 and `request.connection_names_identity`. And whatever `Connection`
//! names is removed before anything of ours is set. Test:
//! `refuses_aliases_and_a_connection_that_names_ours`.
//!
//! ## Path confusion
//!
//! `/public/..%2faccount`: the gateway sees a public place, the portal another one.
//!
//! Answer: [`crate::request::path`] refuses what two servers could read in two ways: dot segments,
//! empty segments, encoded slashes and backslashes, encoded semicolons, control characters, broken
//! percent signs. The gate sees the path decoded once and without parameters. Case is not folded;
//! see the threat model about portals that ignore it. Tests:
//! `each_path_has_one_meaning_or_none`.
//!
//! ## Another method
//!
//! `GET /admin` is closed, and nobody thought of `POST`, or of `HEAD`; or a public `POST` says
//! `X-HTTP-Method-Override: DELETE`.
//!
//! Answer: a place whose rules name methods refuses all others with 405, and no wider rule has a say
//! there ([`crate::gate::policy`]). Methods are compared letter by letter. Headers that claim another
//! method are refused where rules name methods ([`crate::request::headers::method_override`]). Tests:
//! `a_rule_that_names_the_method_wins_in_its_place_and_nowhere_else`,
//! `the_most_specific_rule_wins_in_any_order`,
//! `a_header_that_claims_another_method_does_not_go_round_a_rule`.
//!
//! ## A login that is older than it seems
//!
//! Somebody sits down at a computer where a citizen is still signed in at the node, and is asked for
//! nothing when a page wants a new login.
//!
//! Answer: a route with `max_age` asks the node for `ForceAuthn` and refuses an `AuthnInstant` from
//! before the login began, so a node that did not heed it is noticed ([`crate::flow::begin`],
//! [`crate::saml::expected`]). Tests:
//! `a_login_that_must_be_new_may_be_older_than_its_beginning_by_the_skew_and_no_more`,
//! `a_node_that_answers_with_an_older_login_does_not_bring_anybody_further`; reason `login.not_fresh`,
//! quirk `authn-instant-old`.
//!
//! ## Two hosts, or a host of its own
//!
//! Answer: exactly one `Host`, the same as in an absolute target; a host without a route is
//! answered with 404 ([`crate::request::host`]). Links that we make do not come from `Host`.
//!
//! ## Request smuggling
//!
//! `Transfer-Encoding` and `Content-Length` in one request.
//!
//! Answer: what two servers could read in two ways is refused, and its connection ends
//! ([`crate::manual::protocols`]). The rest is parsed once and written anew to the portal. Headers that
//! speak of one connection are not passed on, and not a byte goes on after an upgrade before the portal
//! has agreed to it (CVE-2026-2833). `tests/proxy/strictness` tries hundreds of requests before two
//! portals with different parsers.
//!
//! ## An answer for somebody else
//!
//! A request that the portal reads as two gets two answers. The second waits on the connection to the
//! portal, and the next citizen gets what was made for another.
//!
//! Answer: a connection on which anything came behind an answer is not used again. After a request with
//! a body, an answer without one, an interim answer, or a pause of 10 ms, the kernel is asked just before
//! the next request goes out whether anything came meanwhile
//! ([`crate::wire::reader::Reader::is_silent`]). What is still under way at that moment cannot be told
//! from an answer, so the portal must read requests as we do: that is the answer above. Tests:
//! `a_second_answer_that_nobody_asked_for_reaches_nobody`,
//! `what_came_over_tcp_unasked_is_heard_at_once`.
//!
//! ## Upgrade to a protocol that nobody watches
//!
//! `Upgrade: h2c`, to a portal that speaks HTTP/2 in the clear: after its `101` further requests go through
//! the tunnel, past every rule and with any identity header (h2c smuggling). The same with any protocol
//! that carries requests.
//!
//! Answer: only what a route names is asked for, `websocket` by default, and HTTP cannot be named
//! ([`crate::gate::protocols`]). A portal that switches to something else is not believed. Tests:
//! `http_2_in_the_clear_is_never_asked_for_and_no_request_goes_past_the_rules`,
//! `of_what_is_asked_for_the_portal_hears_what_the_route_names`.
//!
//! ## A second place in one request
//!
//! `MOVE /drafts/a` with `Destination: /published/a` writes to a place that no rule was asked about; `COPY`
//! of a collection takes along what a stricter route below it protects.
//!
//! Answer: both places, and what is below them, are judged for the same session, or it is refused
//! ([`crate::gateway::destination`]). Tests:
//! `a_destination_that_cannot_be_judged_or_may_not_be_written_to_is_refused`,
//! `a_destination_goes_on_as_the_portal_knows_it_when_the_same_session_may_write_there`.
//!
//! ## A stream that is never closed
//!
//! Somebody opens a stream of events, a long poll, or a download that they take slowly, and goes on
//! reading in a session that was ended, or at a place that was closed or made stricter meanwhile.
//!
//! Answer: whatever lasts is judged again, with its session and by the policy of the moment, and ends
//! within a second ([`crate::request::lasting`]). Whoever waits looks, for the upstream, or for a client that
//! does not take what there is. Tests: `a_stream_ends_with_its_session_and_nobody_elses_does`,
//! `a_download_that_its_client_does_not_take_ends_too`,
//! `a_new_configuration_ends_what_would_not_pass_any_more_and_nothing_else`.
//!
//! ## Rapid reset, endless CONTINUATION
//!
//! An HTTP/2 client opens streams and resets them at once (CVE-2023-44487), or sends a head that never
//! ends (CVE-2024-27316).
//!
//! Answer: streams, resets that wait to be noticed, mistakes, and the bytes of a head are bounded
//! ([`crate::server::limits::Limits`]); who exceeds them loses the connection.
//!
//! ## Floods of logins
//!
//! Somebody begins logins without end, to fill memory and to push the logins of others out, or tries
//! returns from the node until one fits.
//!
//! Answer: only a person who goes to a page begins a login; scripts and frames are told that it is
//! needed, and get no cookie. A login that has only begun is kept nowhere but in its browser, which has a
//! dozen of them at most. Starts,
//! returns and refusals are limited for each network ([`crate::gateway::limits`]); what is remembered of
//! networks is bounded, and a flood from ever new ones shuts nobody out. Tests:
//! `ten_thousand_fetches_begin_no_login_and_set_no_cookie`,
//! `ten_thousand_navigations_of_one_browser_leave_a_few_cookies`,
//! `nobody_pushes_out_the_logins_of_others_however_many_they_begin`,
//! `a_flood_from_ever_new_networks_neither_grows_nor_shuts_out`.
//!
//! ## Room that strangers fill
//!
//! A few hundred requests fill what is kept for people who have not signed in, and nobody else's form,
//! wish or login is kept for twenty minutes; or they announce a mebibyte each and send one byte.
//!
//! Answer: what has come is counted, and room is shared out by network ([`crate::flow::room`]): who has
//! most makes room for who has less. Tests: `in_memory_one_network_fills_no_room_for_forms_of_others` and
//! the same in a file and in Redis, `whoever_wishes_without_end_pushes_out_no_wish_of_another_network`,
//! `the_bounds_hold_and_no_network_loses_what_is_within_its_equal_share`.
//!
//! ## Invented sessions
//!
//! A neighbour behind the same address sends invented cookies after a restart, when only the store knows
//! who is signed in. It is asked for each, and a limit on that keeps the citizens of that address out.
//!
//! Answer: an id has a mark of 64 bits that only the secret of the servers makes
//! ([`crate::store::mark`]). Without it a cookie is nothing: nobody is asked and nobody pays for it. Tests:
//! `with_a_file_a_neighbour_who_invents_sessions_keeps_nobody_out_after_a_restart` and the same with
//! Redis, `whoever_shows_ended_sessions_again_and_again_is_held_off_from_the_store`.
//!
//! ## Claims of an earlier proxy
//!
//! `X-Forwarded-For: 127.0.0.1`, `X-Original-URL: /admin`.
//!
//! Answer: removed; the portal gets what we saw ourselves ([`crate::request::headers`]).
//!
//! ## The host that a proxy in front denies
//!
//! The proxy in front has two hosts, and lets a client reach only one. Through that one the client sends
//! `X-Forwarded-Host` or `Forwarded: host=` with the other, or names one in the request line and the
//! other in `Host`; the proxy passes it on, and we are asked for the host that was denied.
//!
//! Answer: a listed proxy is believed for the host only when `listen.trusted_for` names it; `Forwarded`
//! fills no gap of `X-Forwarded-*` ([`crate::request::headers::forwarded`]); what we ship and print clears the rest
//! and passes on the host that the proxy decided by. Tests, with nginx and its two hosts:
//! `a_host_that_nginx_denies_by_address_is_not_reached_through_another`,
//! `a_host_that_nginx_wants_a_certificate_for_is_not_reached_through_another`.
//!
//! ## Another spelling of a protected path
//!
//! `/Admin`, `/adminx`, `/panel./dash`, `/files../private`, `/admin.json`, `/index.php/admin`: the gateway finds
//! the rule of a shorter path, and the portal serves the protected page.
//!
//! Answer: what two servers could read in two ways is refused, a segment that ends in a dot among it
//! ([`crate::request::path`]); with `ignores_case` an upstream's paths are compared without case
//! ([`crate::gate::policy`]). A portal may take any other path for the same, so `check` warns, and says the
//! shape in which there is nothing to go round: `/` is the strictest
//! ([`crate::manual::upstream_paths`]). Tests: `each_path_has_one_meaning_or_none`,
//! `no_spelling_goes_past_a_rule_where_the_upstream_ignores_case`; with nginx, Apache, Express and PHP, such
//! as `no_spelling_reaches_nginx_where_the_strictest_rule_is_for_all` and
//! `what_gets_through_to_nginx_where_all_is_public_is_what_the_manual_says`.
//!
//! ## A second door
//!
//! A public route takes a prefix off, or is for another host, and leads to the same upstream as one that
//! asks for a login.
//!
//! Answer: `check` and every start compute where routes arrive at their upstreams, and warn. A property
//! test makes policies at random and holds gateway, `explain-policy` and the warnings together
//! (`random_policies_do_what_is_explained_and_second_doors_are_warned_of`).
//!
//! ## A login link that asks for less
//!
//! A citizen edits `assurance=high` in the link to `login` into `low`, or takes `max_age` out.
//!
//! Answer: of the link, the route of `return_to` and the service the highest level and the least age
//! hold ([`crate::gateway::demand`]), and the gate asks again when the citizen arrives. Tests
//! `a_login_link_asks_for_more_than_service_and_route_and_never_for_less`,
//! `where_the_service_asks_for_high_nobody_is_named_with_less`.
//!
//! ## A record of one's own, sealed anew
//!
//! Who has a session of their own knows the secret in its cookie. If that alone seals what is kept, and they
//! can also write to the store (a Redis that others use too, a file that was brought back from a copy), they
//! write themselves another level of assurance, or another person.
//!
//! Answer: the key of a record comes from the cookie and from a secret of the servers, which is not in the
//! store and which there always is ([`crate::store::seal`]). Tests:
//! `who_has_the_cookie_and_writes_to_the_place_seals_nothing_that_opens`,
//! `a_replica_without_a_secret_in_common_does_not_start_and_says_why`.
//!
//! ## A link where a file is to be written
//!
//! In a folder that others can write to, somebody puts a link under the name of a file that the program is
//! going to write: so it overwrites what only it may write, or writes its keys where others read them.
//!
//! Answer: files are made anew under names that nobody can guess (`O_EXCL`, `O_NOFOLLOW`), and moved
//! ([`crate::base::private`]); such folders, and keys that others can read, are errors
//! ([`crate::base::rights`]). Tests: `no_link_is_followed_whether_written_or_read`,
//! `check_says_which_files_are_open_to_others_and_what_to_run`.
