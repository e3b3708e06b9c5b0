//! The long texts: what does not fit beside one function.
//!
//! They live in the source so that their links are checked with the rest of the documentation.
//!
//! - [`architecture`]: why the house is built as it is.
//! - [`threat_model`]: who attacks, what is defended, what is not.
//! - [`attacks`]: past attacks on SAML and on gateways, and our answer to each.
//! - [`forms`]: what a citizen typed when the session had ended.
//! - [`hosts`]: several portals on unrelated hosts.
//! - [`logins`]: how a login goes on, and whose it is.
//! - [`metrics`]: the numbers, and what to be woken for.
//! - [`operations`]: keys, certificates, logs, stopping.
//! - [`policy`]: who may go where, and how to find out why.
//! - [`reasons`]: the codes in logs and on pages, and what to do about each.
//! - [`replicas`]: several gateways behind a balancer, restarted without a failed request.
//! - [`sessions`]: how sessions live, where they are kept, and what is seen while that is away.
//! - [`upstream_paths`]: what programs behind take for the same path, and what to configure.
//! - [`protocols`]: HTTP: what is spoken, what is refused, how connections end.
//! - [`glossary`]: the Polish terms.

pub mod architecture;
pub mod attacks;
pub mod forms;
pub mod glossary;
pub mod hosts;
pub mod logins;
pub mod metrics;
pub mod operations;
pub mod policy;
pub mod protocols;
pub mod reasons;
pub mod replicas;
pub mod sessions;
pub mod threat_model;
pub mod upstream_paths;
