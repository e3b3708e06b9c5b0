//! The pages for readers: they lead somewhere ([`pages`]), what they tell to type runs ([`commands`]), and
//! what they say of tests, keys and codes is there ([`named`]).

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says no by a panic")]

mod commands;
mod named;
mod pages;
