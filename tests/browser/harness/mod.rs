//! The demo or two portals, the browser, and the citizen in front of it. Everything listens on free
//! ports of loopback and ends with the test.

mod axe;
mod browser;
mod citizen;
mod gallery;
mod portals;
#[path = "../../proxy/harness/ports.rs"]
mod ports;
mod program;
mod tools;

pub(crate) use axe::Axe;
pub(crate) use browser::Scripts;
pub(crate) use citizen::{Citizen, visit, visit_demo};
pub(crate) use gallery::{Exhibits, visit_gallery};
pub(crate) use portals::{A, B, TOKEN, serve, visit_operators, visit_portals, visit_portals_at};
