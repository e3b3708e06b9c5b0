//! The program `brama run` as a proxy, between real portals and real clients.
//!
//! | file | behaviour |
//! |---|---|
//! | `admin` | the operations listener: operators, foreign pages, its OpenAPI document, the status page |
//! | `answers` | what portals answer, right and wrong, and what the client gets: a table of bytes |
//! | `backends` | the example backends of `deploy/backends`: test vectors, and who is there behind the gateway |
//! | `clock` | a clock of the machine that jumps |
//! | `companion` | other proxies that ask whether a request may pass: each door by its own words |
//! | `containers` | the image of `deploy/container`: built twice, and run with few rights; what the first process of a container does |
//! | `doctor` | faults of an environment, each planted: which the doctor names, and that nothing else turns red |
//! | `features` | streaming, upgrades, WebSockets, large bodies, every version of HTTP: a story each |
//! | `health` | what balancers and orchestrators hear; certificates that end and a clock that goes wrong, as told |
//! | `hostile` | slow and greedy clients, and how little the others notice |
//! | `hosts` | portals on unrelated hosts, with curl; at several replicas |
//! | `identity` | keys of signed identities: how they are fetched, which algorithms, keys of an operator's own |
//! | `lifecycle` | a new configuration, a stop, a portal that dies: all under load |
//! | `metrics` | the numbers for whoever watches |
//! | `monitoring` | `deploy/monitoring` by a real Prometheus: rules, alerts that fire, the dashboard |
//! | `network` | a balancer, two replicas, Redis and the node on hosts of their own: what citizens see when one of them, or the way to it, is lost |
//! | `outputs` | logs that nobody reads, pipes that break, files that may not grow |
//! | `packages` | the unit, manual pages, completions, shell scripts, and what a release says of itself |
//! | `portals` | the portals of `deploy/portals`: who is their user, and when their session ends |
//! | `reload` | who asks for a new configuration hears what became of it; memory that is read by nobody |
//! | `sessions` | how sessions live and end, for their citizens and for operators |
//! | `spellings` | other ways to write a protected path, at nginx, Apache, Express and PHP: what they take for it |
//! | `stores` | sessions that outlive a process, and a store that is away |
//! | `strictness` | which requests pass, which are refused, and what the portal sees: tables of bytes |
//! | `timer` | the session timer as a file: how it may be kept, and where it is |
//!
//! Portals are nginx, Apache, PHP, and small programs for Node and Python in `upstreams`; clients
//! are curl, Chromium, the WebSocket library of Python, and a socket that sends whatever it is told
//! to. What is not installed is skipped, and says so; with `BRAMA_JUDGES=required` it fails.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod admin;
mod answers;
mod backends;
mod clock;
mod companion;
mod containers;
mod doctor;
mod features;
mod harness;
mod health;
mod hostile;
mod hosts;
mod identity;
mod lifecycle;
mod metrics;
mod monitoring;
mod network;
mod outputs;
mod packages;
mod portals;
mod reload;
mod rollover;
mod sessions;
mod spellings;
mod stores;
mod strictness;
mod timer;
