//! HTTP around the node: which path does what.

mod browser;
mod control;
mod json;
mod logins;
mod message;
mod soap;
mod transport;

pub(super) use self::browser::Browser;
pub(super) use self::soap::Soap;
