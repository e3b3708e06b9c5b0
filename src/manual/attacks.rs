//! Past attacks on SAML and on gateways, and our answer to each.
//!
//! Each entry says what the attack is, how it is answered, in which module, and which test fails
//! when the answer goes away. Many of the answers can be seen: the simulator gives each wrong
//! answer by name ([`crate::simulator::faults`]), and the test
//! `every_fault_is_refused_with_its_reason_and_every_quirk_is_accepted`
//! (`src/simulator/answer/tests.rs`) has one row for each, with the reason code.
//!
//! # On the node's answer
//!
//! ## Signature wrapping (XSW 1 to 8)
//!
//! The signed element stays in the message, somewhere else, so its signature holds. A forged one
//! stands where the reader looks. *Somorovsky and others, "On Breaking SAML", 2012*, list eight
//! places for the two.
//!
//! Answer: what is verified and what is read are one value. [`crate::xml::signature::verify`] is
//! given the very element that will be read. The signature must be its direct child, the one
//! `Reference` must be `#` and the element's own `ID`, no signature may be left over anywhere in
//! the document, no `ID` may occur twice, and at the end the library must name that same element as
//! the one it digested. Everything below is read from it by walking down, and each child that must
//! be there once is an error when it is there twice ([`crate::xml::tree`]).
//!
//! | faults | where the forged element stands | reason |
//! |---|---|---|
//! | `wrapped-1`, `wrapped-2` | `ArtifactResponse`; the original in or beside its signature | `login.signature_profile`, `login.signature_reference` |
//! | `wrapped-3` | `Response` before the original | `login.unexpected_answer` |
//! | `wrapped-4` | `Response` around the original | `login.signature_missing` |
//! | `wrapped-5` | `Response` with the original's signature, the original in `StatusDetail` | `login.signature_reference` |
//! | `wrapped-6` | `Response`, the original inside its signature | `login.signature_profile` |
//! | `wrapped-7`, `wrapped-8` | `Response` of the same `ID`; the original in `Extensions` or `ds:Object` | `login.signature_duplicate_id` |
//! | `wrapped-9` to `wrapped-11` | `EncryptedAssertion` before, after, in place of the original | `login.signature_digest_mismatch` |
//! | `wrapped-12`, `wrapped-13` | `ArtifactResponse` beside the original in the SOAP body, or the original in the header | `login.unexpected_answer`, `login.signature_missing` |
//!
//! Tests: the row of each fault; `refuses_a_signature_that_is_missing_moved_or_one_too_many` in
//! `src/xml/signature/tests.rs`.
//!
//! ## Comment truncation
//!
//! `<NameID>admin<!-- -->.evil</NameID>`: canonicalisation drops the comment, so the signature
//! holds, and a reader that takes only the first text node reads `admin` (2018, many libraries).
//!
//! Answer: [`crate::xml::scan`] refuses a message with a comment, a processing instruction, a CDATA
//! section or a document type, before a tree is built. The node sends none. The same holds for the
//! decrypted assertion. Tests: `refuses_what_the_node_never_sends`; the faults `comment`,
//! `comment-in-value`, `cdata`, `doctype`, `processing-instruction`.
//!
//! ## Two parsers
//!
//! One parser verifies the signature, another one reads the identity, and they disagree about the
//! same bytes (2024 and 2025, ruby-saml: REXML and Nokogiri).
//!
//! Answer: one tree ([`crate::xml::tree::Document`]) serves verification and reading. Nothing is
//! written out and parsed again. The bounded look before it ([`crate::xml::scan`]) uses another
//! reader, but it decides only whether the message is looked at at all; nothing is taken from it.
//!
//! ## Duplicate identifiers
//!
//! Two elements have one `ID`; the signature is resolved to one, the reader takes the other.
//!
//! Answer: before any digest, an identifier that occurs twice refuses the message, in whatever
//! spelling or namespace the attribute is (`ID`, `Id`, `id`, `AssertionID`). Fault `duplicate-id`,
//! reason `login.signature_duplicate_id`.
//!
//! ## Trust in `KeyInfo`
//!
//! The message carries its own certificate, and the verifier believes it. Several clients of this
//! very node do.
//!
//! Answer: keys come only from `node.certificates`
//! ([`crate::xml::signature::TrustedCertificates`]). The library runs with pinned keys only, and
//! the key that it used must be one of the pinned certificates. Tests:
//! `refuses_a_signature_of_another_key_even_with_its_certificate_inside`; the faults
//! `foreign-signature` and `foreign-inner-signature`, reason `login.signature_not_trusted`.
//!
//! ## Algorithm confusion
//!
//! The message says HMAC, and the verifier takes the public key for the HMAC secret. Or it says
//! SHA-1. Or an XSLT transform runs a program. Or a `Reference` fetches a foreign address.
//!
//! Answer: an allow-list ([`crate::xml::algorithms`]) of signature and digest methods; exactly two
//! transforms in one order; one reference to the element itself. All of it is checked before
//! anything is computed. Tests: `refuses_what_the_profile_does_not_have`; the faults
//! `hmac-signature`, `sha1-digest`, `transform-xslt`, `inclusive-c14n`, `two-references`,
//! `external-reference`.
//!
//! ## The unsigned encrypted assertion
//!
//! Everybody can encrypt to our public key. An assertion that opens proves nothing about who wrote
//! it, and the node's assertions have no signature inside.
//!
//! Answer: `Response` and `ArtifactResponse` must both be signed by the node before anything is
//! decrypted ([`crate::saml::answer::Answer::verify`]), and only the verified answer can be opened
//! ([`crate::saml::answer::Answer::open`]). Exactly one `EncryptedAssertion` and no plain one.
//! Faults `unsigned-response`, `unsigned-artifact-response`, `unsigned-both`, `two-assertions`,
//! `plain-assertion`.
//!
//! ## Decryption oracles
//!
//! A service that answers differently for different failures of decryption is a tool for decrypting
//! (*Jager and Somorovsky, 2011*, on CBC).
//!
//! Answer: only authenticated encryption (AES-GCM); no CBC, no RSA. After the shape and the
//! algorithms are checked, every failure is one error
//! ([`crate::xml::decryption::Error::Failed`]). It is reached only behind two valid signatures.
//! Tests: `tries_every_key_and_gives_one_answer_when_none_fits`,
//! `every_changed_byte_of_the_ciphertexts_gives_the_one_answer`.
//!
//! ## TLS in place of a signature
//!
//! HTTP-Artifact is often read as "the answer came from the node over TLS, so it is genuine". Then
//! whoever has any certificate that the system trusts can be the node.
//!
//! Answer: the server's certificate is always verified ([`crate::flow::node`]), and it counts for
//! nothing: the signatures are checked all the same.
//!
//! ## Replay
//!
//! An artifact or an assertion is used a second time.
//!
//! Answer: a login is claimed once ([`crate::flow::outcome::Outcomes::claim`]); artifact
//! and assertion are remembered for as long as they could be used
//! ([`crate::flow::replay::ReplayGuard`]); and the assertion must answer this login's own request.
//! When the guard is full, logins are refused rather than entries forgotten. With `kind = "memory"`
//! nothing is remembered after a restart; a ticket of before is good for what is left of its minute
//! then, and the node refuses the artifact. Tests:
//! `refuses_a_second_use_until_it_expires`, `refuses_rather_than_forget_when_it_is_full`,
//! `of_two_that_claim_at_once_one_is_the_first`, `a_ticket_is_good_once`.
//!
//! ## An answer for somebody else
//!
//! A genuine assertion, made for another provider, another address or another request.
//!
//! Answer: audience, recipient, `InResponseTo` at three levels, issuer at three levels, and both
//! parties of the key derivation must be ours ([`crate::saml::answer`],
//! [`crate::saml::assertion::Assertion::read`]). Faults `audience`, `recipient`,
//! `in-response-to-assertion`, `party-u`, `party-v` and their neighbours.
//!
//! ## A weaker login than asked for
//!
//! The request asks for *high*; the answer says *low*.
//!
//! Answer: the level of the answer is compared with the level of this login's request, and each
//! route compares the session's level with its own. Faults `assurance-too-low`,
//! `assurance-unknown`.
//!
//! ## A login link that asks for less
//!
//! A citizen edits `assurance=high` in the link to `login` into `low`, or takes `max_age` out.
//!
//! Answer: of the link, the route of `return_to` and the service the highest level and the least age
//! hold ([`crate::http::demand`]), and the gate asks again when the citizen arrives. Tests
//! `a_login_link_asks_for_more_than_service_and_route_and_never_for_less`,
//! `where_the_service_asks_for_high_nobody_is_named_with_less`.
//!
//! ## A spelling that only the portal takes for the same
//!
//! A public `/` covers `/Admin`, `/adminx`, `/panel./dash`, `/files../x`; the portal behind takes them for
//! what a stricter route protects.
//!
//! Answer: a segment that ends in a dot is refused ([`crate::http::path`]); with `ignores_case` an
//! upstream's paths are compared without case ([`crate::gate::policy`]); of the rest `check` warns, and
//! says the shape in which there is nothing to go round ([`super::policy`]). Tests
//! `each_path_has_one_meaning_or_none`, `paths_are_compared_without_case_where_the_upstream_ignores_it`,
//! `no_spelling_goes_past_a_rule_where_the_upstream_ignores_case`.
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
//! # On the browser
//!
//! ## Login CSRF
//!
//! The attacker signs in as themselves and makes the victim's browser present the artifact. The
//! victim then works in the attacker's account.
//!
//! Answer: the node's page posts across sites, so no cookie is there at the assertion consumer
//! service, and nothing is decided there. The browser is sent to `finish`, where the cookie of the
//! beginning must be present ([`crate::http::endpoints::finish`]). Test:
//! `another_browser_cannot_finish_a_login`; reason `login.other_browser`.
//!
//! ## The theft of an answer
//!
//! The reverse: the attacker begins a login with a program, and keeps its cookie and its `RelayState`. A
//! page of theirs posts the request to the node in the victim's browser. The victim signs in at the
//! genuine node, whose page posts the artifact to us, under a `RelayState` that the attacker knows; the
//! attacker, who has the cookie, asks for the session.
//!
//! Answer: who delivers must be who began. The browser that delivers gets a ticket in its redirect, and
//! nobody else does ([`crate::flow::ticket`]); `finish` needs handle, ticket and cookie together. A ticket
//! without the cookie ends the login for good, tells the victim so, and is counted
//! (`brama_logins_of_other_browsers_total`). Where the browser sends cookies across sites, a twin of the
//! login's cookie is asked for at the consumer service already. Tests:
//! `a_citizens_answer_is_not_the_thiefs_who_began_the_login`,
//! `such_a_login_has_ended_for_good_even_if_the_artifact_leaks`,
//! `a_thief_who_delivers_first_gets_nothing_of_the_citizens`,
//! `a_browser_that_sends_its_twins_is_known_at_the_consumer_service`, and in a real browser
//! `a_lure_page_gets_nothing_of_the_citizen_who_signs_in`.
//!
//! ## A preset cookie
//!
//! A script of a public page of the portal sets the cookie of a login beforehand, to share it with the
//! victim's browser; or sets a second session cookie beside ours (`Partitioned`), so that neither is
//! found.
//!
//! Answer: each login has a cookie of its own name with a fresh value, which only we can make; of several
//! values of one name a few are tried ([`crate::http::cookie`]). Tests:
//! `a_cookie_that_a_script_preset_fixes_nothing`,
//! `a_second_session_cookie_that_a_script_set_locks_nobody_out`.
//!
//! ## A foreign page that keeps others out
//!
//! A page in any tab of an office fetches our places without end, and what is refused counts for the
//! office's network.
//!
//! Answer: `acs`, `finish`, `cross` and `arrive` ask first whether a person goes there (`Sec-Fetch-Mode`,
//! `Sec-Fetch-Dest`), before anything is counted; a handle that we do not know is no failure of a network.
//! Tests: `a_foreign_page_counts_for_nobody`,
//! `what_a_foreign_page_has_a_browser_fetch_is_not_counted_against_its_network`.
//!
//! ## A cross-site link that becomes the portal's own
//!
//! A foreign page links to the portal, the citizen signs in, and the step from our page to the portal
//! counts as one of the portal's own pages.
//!
//! Answer: it is remembered whose page led to the login, and where it was another site's, the page that
//! leads on has no origin ([`crate::pages::arriving`]). Test, in a real browser:
//! `a_link_of_another_site_stays_one_over_the_login`.
//!
//! ## Session fixation
//!
//! The attacker plants a session id and waits for the victim to sign in with it.
//!
//! Answer: each login makes a fresh id, and the session that the browser had before ends
//! ([`crate::flow::finish`], step 6). On HTTPS the cookies have the `__Host-` prefix, so no
//! sub-domain can set them; a cookie that is there twice counts as absent
//! ([`crate::http::cookie`]). Tests: `secure_cookies_have_every_attribute_of_the_host_prefix`,
//! `finds_a_cookie_that_is_there_once`.
//!
//! ## Logout by a foreign page
//!
//! Answer: a GET only asks. A POST ends a session when it comes from our own origin or carries the
//! token of the asking page ([`crate::http::endpoints::logout`]).
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
//!
//! ## A session handed to another host
//!
//! Portals on unrelated hosts cannot share a cookie, so the session is handed over in an address, as an
//! authorization code is (RFC 9700 2.1). Addresses are seen: in histories, logs, `Referer`. So codes are
//! stolen, used twice, and, the other way round, given to a citizen who is then signed in as the thief.
//!
//! Answer ([`crate::flow::crossing`]), attempt by attempt:
//!
//! | attempt | answer |
//! |---|---|
//! | use a code that was seen | it is bound to the browser that began there, and the first use spends it, whoever comes |
//! | use it twice, at two replicas at once | it is swapped for a used one in the store, once |
//! | use it at another host, or later | bound to its host; a minute |
//! | give a code to a citizen | the citizen's browser has another binding, and only that host can set it |
//! | bring the wish of a citizen, seen on the way, with another session | a wish belongs to the first browser that brings it |
//! | lead a citizen to a wish of the thief, and wait for the code | the code arrives in the citizen's browser, is refused, and is spent by that |
//! | have it told by `Referer` or kept by a cache | `no-referrer` and `no-store` on every answer on the way |
//! | have a citizen sent elsewhere | host and path are kept on our side; the host is one of the configuration |
//! | get a code by a script or a frame | only a navigation crosses |
//! | stay signed in at one host after signing out at another | there is one session; the cookies only lead to it |
//!
//! Tests in `tests/integration/hosts.rs`: `a_stolen_code_is_refused_and_worth_nothing_afterwards`,
//! `of_two_uses_at_once_one_gives_a_session`, `nobody_is_signed_in_as_somebody_else_by_a_link`,
//! `the_cookie_of_one_host_is_worth_nothing_at_another`,
//! `signing_out_at_one_host_ends_it_at_all_and_stays_there`.
//!
//! ## Open redirect
//!
//! `return_to=//evil.example` and its relatives.
//!
//! Answer: [`crate::flow::return_to::ReturnTo`] takes a path of visible ASCII that begins with one
//! slash and has no backslash; anything else is the front page. It is kept on our side and does not
//! travel through the node. Test: `nothing_leads_away`.
//!
//! ## Script in pages
//!
//! Answer: everything interpolated is escaped, and each page has a policy that names the hashes of
//! its own style and script ([`crate::pages`]). Tests: `escapes_every_argument_of_every_page`,
//! `policy_names_the_hashes_of_the_style_and_script_in_the_page`.
//!
//! # On the gateway
//!
//! ## Sending the identity header
//!
//! Answer: removed from every request, on every path, before anything is decided
//! ([`crate::http::hygiene::clean_request`]). A portal's answer cannot carry one either. Tests:
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
//! Answer: [`crate::http::path`] refuses what two servers could read in two ways: dot segments,
//! empty segments, encoded slashes and backslashes, encoded semicolons, control characters, broken
//! percent signs. The gate sees the path decoded once and without parameters. Case is not folded;
//! see the threat model about portals that ignore it. Tests:
//! `refuses_what_two_servers_could_read_in_two_ways`, `decodes_once_and_drops_parameters`.
//!
//! ## Another method
//!
//! `GET /admin` is closed, and nobody thought of `POST`, or of `HEAD`; or a public `POST` says
//! `X-HTTP-Method-Override: DELETE`.
//!
//! Answer: a place whose rules name methods refuses all others with 405, and no wider rule has a say
//! there ([`crate::gate::policy`]). Methods are compared letter by letter. Headers that claim another
//! method are refused where rules name methods ([`crate::http::hygiene::method`]). Tests:
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
//! answered with 404 ([`crate::http::host`]). Links that we make do not come from `Host`.
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
//! ([`crate::http::destination`]). Tests:
//! `a_destination_that_cannot_be_judged_or_may_not_be_written_to_is_refused`,
//! `a_destination_goes_on_as_the_portal_knows_it_when_the_same_session_may_write_there`.
//!
//! ## A stream that is never closed
//!
//! Somebody opens a stream of events, a long poll, or a download that they take slowly, and goes on
//! reading in a session that was ended, or at a place that was closed or made stricter meanwhile.
//!
//! Answer: whatever lasts is judged again, with its session and by the policy of the moment, and ends
//! within a second ([`crate::http::lasting`]). Whoever waits looks, for the upstream, or for a client that
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
//! needed, and get no cookie. A browser keeps one binding cookie however often it begins. Starts,
//! returns and refusals are limited for each network ([`crate::http::limits`]); what is remembered of
//! networks is bounded, and a flood from ever new ones shuts nobody out. Tests:
//! `ten_thousand_fetches_begin_no_login_and_set_no_cookie`,
//! `ten_thousand_navigations_of_one_browser_keep_one_binding_cookie`,
//! `one_network_cannot_push_out_the_logins_of_others`,
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
//! Answer: removed; the portal gets what we saw ourselves ([`crate::http::hygiene`]).
//!
//! ## Another spelling of a protected path
//!
//! `/Admin`, `/adminx`, `/panel./dash`, `/files../private`, `/admin.json`, `/index.php/admin`: the gateway finds
//! the rule of a shorter path, and the portal serves the protected page.
//!
//! Answer: what two servers could read in two ways is refused ([`crate::http::path`]), but a portal may take
//! any other path for the same. Rules for that have `/` as the strictest ([`super::upstream_paths`]).
//! Tests, with nginx, Apache, Express and PHP, such as
//! `no_spelling_reaches_nginx_where_the_strictest_rule_is_for_all` and
//! `what_gets_through_to_nginx_where_all_is_public_is_what_the_manual_says`.
//!
//! ## The host that a proxy in front denies
//!
//! The proxy in front has two hosts, and lets a client reach only one. Through that one the client sends
//! `X-Forwarded-Host` or `Forwarded: host=` with the other, or names one in the request line and the
//! other in `Host`; the proxy passes it on, and we are asked for the host that was denied.
//!
//! Answer: a listed proxy is believed for the host only when `listen.trusted_for` names it; `Forwarded`
//! fills no gap of `X-Forwarded-*` ([`crate::http::forwarded`]); what we ship and print clears the rest
//! and passes on the host that the proxy decided by. Tests, with nginx and its two hosts:
//! `a_host_that_nginx_denies_by_address_is_not_reached_through_another`,
//! `a_host_that_nginx_wants_a_certificate_for_is_not_reached_through_another`.
//!
//! # On the key derivation
//!
//! ## Leading zeros
//!
//! One shared secret in 256 begins with a zero byte. Who drops it cannot open those answers; the
//! login fails for no visible reason.
//!
//! Answer: the secret keeps its length ([`crate::xml::decryption`]). Test:
//! `opens_when_the_shared_secret_begins_with_a_zero`; quirk `leading-zero-z`.
//!
//! ## Points that are not on the curve
//!
//! A public key off the curve leaks bits of the private key.
//!
//! Answer: uncompressed points on P-256 or P-384 only, and the agreement of AWS-LC checks that the
//! point is on the curve. It too is reached only behind two valid signatures.
