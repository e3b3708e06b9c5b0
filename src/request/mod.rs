//! What a request is: which client sent it, for which host and path, with which headers and
//! cookies, and what lasts of it. Modules that receive, forward or answer requests import this, and
//! it imports none of them.
//!
//! [`context`] is one request with all that is known of it. [`service`] is what a listener carries
//! requests to.

pub mod access_record;
pub mod context;
pub mod cookie;
pub mod headers;
pub mod host;
pub mod interim;
pub mod lasting;
pub mod lenient_path;
pub mod networks;
pub mod path;
pub mod portal_cookie;
pub mod preflight;
pub mod probes;
pub mod recorded;
pub mod rules;
pub mod service;
pub mod via;
