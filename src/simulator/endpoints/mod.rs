//! HTTP around the node: which path does what.

mod browser;
mod control;
mod message;
mod soap;

pub(super) use self::browser::Browser;
pub(super) use self::soap::Soap;
