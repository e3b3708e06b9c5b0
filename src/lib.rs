//! Brama: placeholder
#![allow(missing_docs)]
pub mod app;
pub mod base;
pub mod http;
pub mod identity;
pub mod observe;
pub mod pages;
pub mod proxy;
pub mod saml;
pub mod session;
pub mod cli;
pub mod config;
pub mod flow;
pub mod gate;
pub mod server;
pub mod xml;
