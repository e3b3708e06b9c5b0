//! A world to test in. Everything listens on port 0 of loopback; time is moved by hand.

mod browser;
mod portal;
mod world;

pub(crate) use browser::{Answer, Browser, Delivery, SessionCookie};
pub(crate) use world::{World, world};
