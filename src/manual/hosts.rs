//! Several portals on unrelated hosts behind one gateway.
//!
//! # What to configure
//!
//! ```toml
//! [portal]
//! public_url = "https://portal.example.gov.pl"       # registered at the node
//! other_urls = ["https://library.example.org"]
//!
//! [[route]]
//! host = "library.example.org"
//! path = "/"
//! upstream = "library"
//! ```
//!
//! | | |
//! |---|---|
//! | at the node | nothing more: it knows the assertion consumer service of `public_url` and sends everybody there |
//! | DNS | every host leads to this gateway, or to what stands in front of it |
//! | certificates | one for each host (`[[listen.certificates]]`), or one with all names; `check` warns where one is missing |
//! | routes | each names its `host`; left out, it is that of `public_url` |
//! | scheme and port | all portals have the same scheme; each may have a port of its own, but not a host in common |
//! | a proxy in front | passes on the `Host` that it decided by (nginx: `$host`); or writes `X-Forwarded-Host`, and is listed and believed for it (`trusted_for`, [`super::operations`]) |
//!
//! A host that routes name and that stands in neither key is for the public: `access` must be `public`
//! there, and nobody is ever signed in. A host that no route names is refused.
//!
//! # What happens
//!
//! A citizen opens `https://library.example.org/book?id=7` and is not signed in there.
//!
//! 1. The library's host remembers what is wanted: which host, the path with its query, the level, the
//!    age of the login. It sets its own small binding cookie and sends the browser to
//!    `https://portal.example.gov.pl/.brama/cross?id=...`. Nothing else stands in the address.
//! 2. There the citizen signs in as ever. Whoever is signed in there already, surely and recently enough,
//!    goes on at once: the node is not asked, and the citizen sees no page.
//! 3. The browser is sent back to `https://library.example.org/.brama/arrive?code=...`. The code is good
//!    once, for a minute, at that host, in that browser. The host gives the browser a session cookie of
//!    its own, and the citizen is where they wanted to go.
//!
//! A higher level or a newer login that a route of the library needs goes the same way, and so does a form
//! that met an ended session ([`super::forms`]): it waits at the host where it was typed. A script of the
//! library without a session gets 401 and JSON; the address in it is the library's own `login`.
//!
//! # One session
//!
//! The cookies differ from host to host, the session does not ([`crate::session::linked`]). We chose one
//! record with several cookies over several records that know each other, because then nothing has to be
//! kept equal:
//!
//! | | |
//! |---|---|
//! | idle time | a sign of life at one host is one for all |
//! | absolute end | that of the login, however late a host was first visited |
//! | signing out | at any host; it ends everywhere at once, tunnels too, and the page stays at that host |
//! | ended by an operator, or by a login elsewhere | everywhere at once; each host tells the citizen why |
//! | `session.maximum_per_person` | counts one, and `brama sessions list` shows one |
//! | a login anew for a higher level | the session before it ends; at other hosts the next page brings the new one, without the node |
//! | `sid` in tokens | the same at all hosts; `sub` differs by audience as ever |
//! | `iss` in tokens | the origin of `public_url` at all hosts: one gateway signs, with one set of keys |
//! | `/.brama/jwks.json` | the same at all hosts |
//! | `/.brama/session`, `keepalive`, `logout` | at each host for its own cookie, and for pages of its own origin only: the other portals are other sites |
//! | the assertion consumer service, `finish`, `cross` | at the registered host only; `arrive` at the others only |
//!
//! What the browser keeps of pages of another host is not cleared by signing out here; pages that were
//! sent with an identity are marked `private` or as the portal says.
//!
//! A cookie is good at its own host and nowhere else: neither is that of the registered host good at the
//! library, nor the other way round, nor that of one other host at a third. So a portal that is broken
//! into, which sees none of our cookies anyway, could not use what it learns at another.
//!
//! The keys of the crossings live in the place of `[store]`: a crossing may begin at one replica, go on at
//! a second, and end at a third.
//!
//! # When it goes wrong
//!
//! Every refusal is a page with a reason of its own (`crossing.*`, [`super::reasons`]) and a button,
//! and never a redirect: nobody is sent in circles. One wish leads to the node ten times at the most.
//!
//! - **`crossing.code_of_other_browser` for everybody at one host**: the binding cookie does not come
//!   back. Does something in front take cookies away, or answer for two hosts from one cache?
//! - **`crossing.unknown_code` for everybody**: the replicas do not share a store.
//! - **The browser cannot reach the registered host**: both hosts must be open to the same people. A
//!   portal for the inside alone cannot have its citizens sign in outside.
//!
//! Changing `other_urls` needs no restart. Whoever is on the way to a host that is taken out gets
//! `crossing.unknown_host`; sessions there end for the citizen with the next request, and go on at the
//! other hosts.
