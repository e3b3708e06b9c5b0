//! Attacks on the browser, and our answers.
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
//! `Sec-Fetch-Dest`), before anything is counted. A page can also go somewhere itself, again and again: a
//! handle that we do not know, or that is another browser's, is no failure of a network; only what comes
//! back to the browser that began it is counted as a return; and logins that another site's page led to
//! have a count and cookies of their own, so they keep nobody from beginning one and push out none.
//! Tests: `a_foreign_page_counts_for_nobody`,
//! `what_a_foreign_page_has_a_browser_fetch_is_not_counted_against_its_network`,
//! `a_return_too_many_is_turned_away_and_the_login_is_not_spent`,
//! `foreign_pages_that_begin_logins_keep_nobody_from_beginning_one`.
//!
//! ## A cross-site link that becomes the portal's own
//!
//! A foreign page links to the portal, the citizen signs in, and the step from our page to the portal
//! counts as one of the portal's own pages.
//!
//! Answer: it is remembered whose page led to the login, and where it was another site's, the page that
//! leads on has no origin ([`crate::pages::arriving`]), and neither has a page with a button that a citizen
//! sees when something went wrong on the way. Test, in a real browser:
//! `a_link_of_another_site_stays_one_over_the_login`.
//!
//! ## Session fixation
//!
//! The attacker plants a session id and waits for the victim to sign in with it.
//!
//! Answer: each login makes a fresh id, and the session that the browser had before ends
//! ([`crate::flow::finish`]). On HTTPS the cookies have the `__Host-` prefix, so no
//! sub-domain can set them; a cookie that a script set before the login is taken away by it
//! ([`crate::http::cookie`]). Tests: `secure_cookies_have_every_attribute_of_the_host_prefix`,
//! `a_planted_session_cookie_becomes_nobodys_session`,
//! `a_live_session_that_a_script_planted_is_taken_away_by_the_login`.
//!
//! ## Logout by a foreign page
//!
//! Answer: a GET only asks. A POST ends a session when it comes from our own origin or carries the
//! token of the asking page ([`crate::http::endpoints::logout`]).
//!
//! ## A session handed to another host
//!
//! Portals on unrelated hosts cannot share a cookie, so the session is handed over in an address, as an
//! authorization code is (RFC 9700 2.1). Addresses are seen: in histories, logs, `Referer`. So codes are
//! stolen, used twice, and, the other way round, given to a citizen who is then signed in as the thief.
//!
//! Answer ([`crate::flow::handoff`]), attempt by attempt:
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
//! slash and has no backslash; anything else is the front page. It is sealed in the cookie of its
//! login, and does not travel through the node. Test: `nothing_leads_away`.
//!
//! ## Script in pages
//!
//! Answer: everything interpolated is escaped, and each page has a policy that names the hashes of
//! its own style and script ([`crate::pages`]). Tests: `escapes_every_argument_of_every_page`,
//! `policy_names_the_hashes_of_the_style_and_script_in_the_page`.
