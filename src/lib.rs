//! Brama: placeholder
#![allow(missing_docs)]
pub mod base;
pub mod xml;
