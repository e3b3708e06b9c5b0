//! Brama (*gate* in Polish) stands in front of a portal and signs citizens in to it through the
//! Polish national identity node, login.gov.pl.
//!
//! A request without a session is sent to the node. A citizen who comes back gets a session, and
//! each further request reaches the portal with a signed identity (`X-Brama-Assertion`, a JWT)
//! that a backend in any language can check. The portal itself need not know SAML.
//!
//! This page is the map of the house. `brama` on the command line is [`cli::main`] and nothing
//! more; everything is in this library.
//!
//! # The floors
//!
//! A module imports from its own floor and from those below. `tests/architecture/main.rs` checks
//! it.
//!
//! | floor | modules | what is there |
//! |---|---|---|
//! | 9 | [`cli`], [`doctor`], [`simulator`], [`selftest`], [`browser`], [`report`], [`manual`] | the shell, what looks at a live environment, the node on a laptop, what examines and what is said of it, the long texts |
//! | 8 | [`app`], [`config`], [`operations`] | settings become a gateway; files become settings; health, metrics, operators |
//! | 7 | [`gateway`], [`companion`] | the way of a request: whose it is, whether it may pass, what is answered; the same asked by another proxy |
//! | 6 | [`proxy`], [`server`] | what goes on to portals; sockets, and HTTP to clients |
//! | 5 | [`request`] | what a request is: host, path, headers, cookies, what lasts of it |
//! | 4 | [`flow`], [`pages`] | a login begins, a login finishes, a citizen signs out; pages for people |
//! | 3 | [`gate`], [`session`], [`audit`] | who may go where; who is signed in; what is written down of it for years |
//! | 2 | [`saml`] | what is said to the node, and how its answer is believed |
//! | 1 | [`xml`], [`identity`], [`store`] | signatures and encryption; persons, claims, tokens; places for records |
//! | 0 | [`base`], [`wire`], [`observe`] | time, randomness, secrets; HTTP/1.1 as bytes; logs and numbers |
//!
//! `xml`, `identity`, `saml`, `gate` and `pages` do no I/O and ask no clock: keys, randomness and time
//! are arguments.
//! So whatever decides which person is signed in can be tested with plain values.
//!
//! # The chain of types
//!
//! "Was it checked?" is answered by the compiler. Each of these is made in one place only, and the
//! next step asks for it:
//!
//! 1. [`xml::signature::Verified`]: an element whose signature a pinned certificate made. Only
//!    [`xml::signature::verify`] makes one.
//! 2. [`saml::answer::Answer`] and [`saml::answer::Opened`]: the verified answer of the node, and
//!    its assertion, decrypted. An answer is opened only when both of its signatures hold.
//! 3. [`saml::assertion::Assertion`]: an assertion of which every condition holds.
//! 4. [`identity::person::Person`]: who it is. Only an assertion has one.
//! 5. [`session::Session`]: a signed-in citizen, begun from an assertion. At other hosts a
//!    [linked session](session::linked) leads to the same one.
//! 6. [`gate::Pass`]: a request that may go on, and in whose name. Only
//!    [`gate::RouteMatch::decide`] makes one.
//! 7. [`proxy::forward`]: takes a [`gate::Pass`] and nothing less.
//!
//! # One request, all the way
//!
//! 1. A connection arrives at a worker's [`server::listener`], with TLS or without. Its requests
//!    are read by [`wire`] (HTTP/1.1) or hyper (HTTP/2) and become calls of [`gateway::Worker`].
//!    [`gateway::stack`] is the way of every request, in one function.
//! 2. [`request::headers::forwarded`], [`request::host`] and [`request::path`] settle who asks and
//!    what the request is for; what two servers could read in two ways is refused.
//!    [`request::headers::clean_request`] takes away whatever speaks in our name.
//! 3. Our own places ([`gateway::endpoints`]) are answered here. For all else
//!    [`gate::RouteMatch::decide`] says [`Pass`](gate::Decision::Pass) or why the request may
//!    not go on ([`gate::Denial`]): [`Login`](gate::Denial::Login), [`StepUp`](gate::Denial::StepUp),
//!    [`Refuse`](gate::Denial::Refuse), [`Closed`](gate::Denial::Closed),
//!    [`NoMethod`](gate::Denial::NoMethod) or [`NoRoute`](gate::Denial::NoRoute). [`gateway::denial`]
//!    turns that into an answer.
//! 4. No citizen is signed in: [`flow::Flows::begin`] seals what the login needs into a cookie
//!    ([`flow::pending`]), and [`pages::send_to_node`] takes the browser to the node with a signed
//!    `AuthnRequest`. A form that was on its way is kept meanwhile ([`gateway::forms`],
//!    [`flow::forms`]).
//! 5. The node's page brings an artifact to [`gateway::endpoints::acs`]. It comes across sites, so
//!    without cookies; the browser that brings it gets a ticket ([`flow::ticket`]) and is sent to
//!    [`gateway::endpoints::finish`], where its cookie is present.
//! 6. [`flow::Flows::finish`] needs both, claims the login ([`flow::outcome`]), asks the node what
//!    the artifact stands for ([`flow::node`]), has the answer examined
//!    ([`saml::examine::examine`]), makes sure that nothing is used twice ([`flow::replay`]) and
//!    begins a session.
//! 7. The browser goes to where the citizen wanted to go ([`flow::return_to`]). Now the gate says
//!    pass: [`proxy::forward`] sets the signed identity ([`identity::token`]) and streams the
//!    request to the portal, and its answer back.
//!
//! A portal on another host than the registered one takes a way around: the browser goes to the
//! registered host, is or gets signed in there, and brings back a code that is good once
//! ([`flow::handoff`]).
//!
//! # Where to start reading
//!
//! - [`app`]: how the parts are put together. Read it second.
//! - [`flow::finish`]: the heart of the program, one function with numbered steps.
//! - [`gateway::stack`]: the way of a request; [`gateway::decide`]: what every door does first.
//! - [`companion`]: how another proxy in front asks, and what it is told.
//! - [`gate::policy`] and [`gate::requirement`]: who may go where.
//! - [`xml::signature`] and [`saml::answer`]: why an answer is believed.
//! - [`manual::threat_model`] and [`manual::attacks`]: what is defended against, and how.
//! - [`manual::logins`]: how a login goes on, and whose it is.
//! - [`manual::operations`]: running it; [`manual::reasons`]: what each reason code means.
//! - [`manual::metrics`]: the numbers, and what to be woken for.
//! - [`config::file`]: every key of the configuration. `brama reference` prints the same.

// Floor 0
pub mod base;
pub mod observe;
pub mod wire;
// Floor 1
pub mod identity;
pub mod store;
pub mod xml;
// Floor 2
pub mod saml;
// Floor 3
pub mod audit;
pub mod gate;
pub mod session;
// Floor 4
pub mod flow;
pub mod pages;
// Floor 5
pub mod request;
// Floor 6
pub mod proxy;
pub mod server;
// Floor 7
pub mod companion;
pub mod gateway;
// Floor 8
pub mod app;
pub mod config;
pub mod operations;
// Floor 9
#[cfg(feature = "tools")]
pub mod browser;
pub mod cli;
#[cfg(feature = "tools")]
pub mod doctor;
pub mod manual;
#[cfg(feature = "tools")]
pub mod report;
#[cfg(feature = "tools")]
pub mod selftest;
#[cfg(feature = "tools")]
pub mod simulator;
