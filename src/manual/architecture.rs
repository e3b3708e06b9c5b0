//! Why the house is built as it is.
//!
//! The map is on the front page of the library ([`crate`]). This page gives the reasons.
//!
//! # One process in front of the portal
//!
//! A portal that is to be connected to the national node needs SAML with HTTP-Artifact, XML
//! signatures with ECDSA, and assertions encrypted with ECDH-ES after a key derivation that no
//! library follows. That is months of work, and each mistake in it signs in the wrong person.
//! Brama does it once, in front of the portal. The portal gets plain HTTP requests with one signed
//! header.
//!
//! Two ways to deploy it are supported:
//!
//! - **Beside the portal**: `listen.http` on loopback, a proxy that ends TLS in front, the portal
//!   behind.
//! - **At the edge**: `listen.https` with a certificate; the portal behind it.
//!
//! Sessions live near, in the memory of each process, and behind that in a place for records
//! ([`crate::store::RecordStore`]): a file of one process, or servers of Redis that replicas share
//! ([`super::sessions`]). What became of logins, and what must not be used
//! twice, are records of the same place.
//!
//! # A worker for each core
//!
//! Each worker is a thread with a runtime of its own, its own listening sockets and its own
//! connections to upstreams ([`crate::server::workers`]). A request is read, decided and answered by
//! one task, which never moves to another core and waits for no lock that is held for long. Shared
//! are sessions, keys, tokens, settings and what is known of the servers of upstreams.
//!
//! # HTTP/1.1 of our own
//!
//! A library that is kind to its input hides from us what another server would read otherwise, and
//! one that is made for every use costs a task and two queues for each connection to an upstream. So
//! [`crate::wire`] reads and writes HTTP/1.1: strict, with one buffer for each connection, and with
//! headers that are slices of the bytes as they came. The tokens are cut by `httparse`. HTTP/2, which
//! is framed without doubt, is left to hyper.
//!
//! # Floors
//!
//! Imports point down. It keeps the part that decides who somebody is (floors 1 and 2) free of
//! sockets, files and clocks, so it can be run offline: `brama explain` runs the very function that
//! a login runs, [`crate::saml::examine::examine`]. What differs is what is expected. A login
//! refuses an answer when any check could not be made
//! ([`crate::saml::examine::Examination::for_login`]); `explain` lists such checks as not made.
//!
//! Each module owns its `Settings`. [`crate::config`] raises the text of the file into them;
//! nothing below imports it. A `Settings` value cannot be wrong, so nothing is checked at the time
//! of a request that could have been checked at the start.
//!
//! # Proof instead of memory
//!
//! A checked thing has its own type with a private constructor. Nobody has to remember that a check
//! was made; whoever holds the value knows. The chain is on the front page.
//!
//! The two links that matter most:
//!
//! - The assertion inside an answer has **no signature of its own**. Its authenticity comes from
//!   the signatures around the encryption. So [`crate::saml::answer::Answer::open`] is a method of
//!   the verified answer, and the encrypted element is taken from the verified `Response` alone.
//! - A request is forwarded only with a [`crate::gate::Pass`]. It names the route and the session.
//!   The proxy has no other source for an identity.
//!
//! # One decision
//!
//! [`crate::gate::Door::decide`] is the only place that decides who may go where. It sees a canonical
//! host and a path that was decoded once ([`crate::gate::facts::Facts`]). What no route covers is
//! denied.
//!
//! # Tokens are minted, not made per request
//!
//! Signing costs. A token is minted once for a session and a release, and kept until a fifth of its
//! life is left ([`crate::identity::token::Tokens::token`]). A *release* is an audience with a list
//! of claims; two routes with the same release share a token.
//!
//! The subject is a pairwise pseudonym ([`crate::identity::claims::PairwiseSecret::pseudonym`]):
//! two audiences cannot tell that they serve the same person, unless both are given the PESEL.
//!
//! # Keys that change by the clock
//!
//! [`crate::identity::keyring::KeyRing`] holds the previous, the current and the next key. The next
//! one is published a whole period before it signs. So a backend that caches the key set never
//! meets a key that it could not have known.
//!
//! # Errors become answers in one place
//!
//! Layers below know no status codes. [`crate::http::answer`] turns an error into a page for people
//! or JSON for programs. Both carry the stable reason code and the number of the request; neither
//! carries what the log says.
//!
//! # One parser
//!
//! Bytes are first looked at within bounds ([`crate::xml::scan`]): size, depth, counts, and nothing
//! that the node never sends. That look takes nothing out of the message. Then one parser builds
//! one tree ([`crate::xml::tree::Document`]). The signature is verified on this tree and the
//! content is read from this tree. Nothing is written out and parsed again in between. The
//! decrypted assertion is a text of its own and goes the same way.
