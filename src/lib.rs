//! Brama: placeholder
#![allow(missing_docs)]
pub mod base;
pub mod http;
pub mod identity;
pub mod pages;
pub mod saml;
pub mod server;
pub mod xml;
