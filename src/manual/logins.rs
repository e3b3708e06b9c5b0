//! How a login goes on, and whose it is.
//!
//! # The way
//!
//! ```text
//!   browser                            gateway                                node
//!      │  GET /tax                        │                                     │
//!      ├─────────────────────────────────►│ begins: nothing is kept here        │
//!      │  page with SAMLRequest, RelayState                                     │
//!      │  + cookie of this login (sealed) │                                     │
//!      │◄─────────────────────────────────┤                                     │
//!      │  POST SAMLRequest, RelayState    │                                     │
//!      ├───────────────────────────────────────────────────────────────────────►│
//!      │  page with SAMLart, RelayState   │                 the citizen signs in│
//!      │◄───────────────────────────────────────────────────────────────────────┤
//!      │  POST acs: SAMLart, RelayState   │  (from another site: no cookies     │
//!      ├─────────────────────────────────►│   but the twin, where there is one) │
//!      │  303 finish?state=…&ticket=…     │ delivered: nothing is kept here     │
//!      │◄─────────────────────────────────┤                                     │
//!      │  GET finish, cookie of this login│                                     │
//!      ├─────────────────────────────────►│ claimed: the handle is kept         │
//!      │                                  │  ArtifactResolve                    │
//!      │                                  ├────────────────────────────────────►│
//!      │                                  │  ArtifactResponse                   │
//!      │                                  │◄────────────────────────────────────┤
//!      │  page that leads to /tax         │ signed in, or refused: kept for     │
//!      │  + session cookie                │ a minute, for the same browser      │
//!      │◄─────────────────────────────────┤                                     │
//! ```
//!
//! # Its states
//!
//! | state | where it is | what leads on |
//! |---|---|---|
//! | begun | in a cookie of the browser, sealed: where the citizen wanted to go, the level, the `ID` of our request ([`crate::flow::pending`]) | the node's answer, for `session.login_timeout` |
//! | delivered | in the address that the delivering browser is sent to, sealed: the artifact ([`crate::flow::ticket`]) | the same browser with the cookie, for a minute |
//! | claimed | in the store, under a digest of the handle ([`crate::flow::outcome`]) | the exchange with the node, which goes on when the browser is gone |
//! | signed in, refused | there | the same browser is told again, for a minute; then the login is used |
//! | ended | there | nothing: its answer came to another browser than the one that began it |
//!
//! So a login that has only begun costs memory nowhere, and one that ends costs some 200 bytes until
//! `session.login_timeout` is over, of which each network has its share ([`crate::flow::room`]).
//!
//! # Whose it is
//!
//! Of everything that is kept under a handle, four questions are asked: who began it, who delivered what it
//! waits for, what a foreign page can make a browser do to it, and what one network can take from others.
//!
//! | what | who began it | who delivered | a foreign page | one network |
//! |---|---|---|---|---|
//! | a login | the browser with its cookie | the browser with its ticket; both must be one | can have a citizen answer a thief's login: it ends, nobody gets the answer. Can fetch `acs` and `finish` without end: not a navigation, counts for nobody | begins cost nothing; handles of ended logins are shared out |
//! | step-up, `max_age` | as above: a login of its own | as above | can lead to `login?assurance=…`: never lowers what is asked | as above |
//! | the outcome of a login | as above | as above: state, ticket and cookie together | nothing | as above |
//! | a wish to be signed in at another host | the browser with the cookie of the wish at that host | the first browser that brings it to the registered host | can have a citizen bring a thief's wish: the code goes to the citizen's browser, which lacks the thief's cookie; the first use spends it | shared out |
//! | a code that hands a session over | the registered host, for a wish | the browser that is sent there; it must have the cookie of the wish | cannot read it: no `Referer`, no opener, no frame | shared out |
//! | a kept form | the browser that typed it, from a page of the portal | nobody delivers anything to it | cannot have one kept, opened or sent | shared out, in bytes too |
//! | sign-out | the citizen, by a button of ours | the node's answer comes to our own question, over our own connection | can lead to the page that asks, and not press its button | nothing is kept |
//!
//! # Several tabs, and what breaks
//!
//! - **Tabs.** Each login has a cookie of its own (`__Host-brama-login-…`; `-xlogin-` when another site's page
//!   led to it, so that such a page pushes out none of the citizen's own), so tabs that begin at the same
//!   moment do not overwrite each other's. A browser has twelve of them at most, with 4 KiB of values
//!   together; the earliest make room.
//! - **Reload, double click, "back".** The same browser is told the same for a minute, without another
//!   question to the node. Later it is led on to the page when somebody is signed in, and begins again
//!   otherwise.
//! - **A connection that breaks** while the node is slow: the exchange goes on, and the outcome waits.
//! - **A process that is killed** while it asks the node: the artifact may be spent, and the login is lost.
//!   The citizen begins again, and is usually still known to the node.
//! - **Another site's link to the portal.** When the login was begun by another site's page, the step to
//!   the portal after it counts as that site's: cookies with `SameSite=Strict` stay behind, and
//!   `Sec-Fetch-Site` says `cross-site`, as it would have without a login. The page that leads on has no
//!   origin for that (CSP `sandbox`). A fragment of such a link is lost over the login.
