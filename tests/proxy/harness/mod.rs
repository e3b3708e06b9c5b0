//! Real programs on loopback: the gateway, portals behind it, clients before it. Each ends with its
//! owner, by its own process id.

mod apache;
mod authority;
pub(crate) mod cases;
mod citizen;
pub(crate) mod curl;
mod envoy;
mod gateway;
pub(crate) mod http_2;
mod load;
mod logins;
pub(crate) mod numbers;
mod pebble;
mod person;
mod plan;
mod portals;
mod ports;
mod program;
pub(crate) mod redis;
pub(crate) mod script;
mod sha256;
mod simulator;
mod systemd;
mod tomcat;
pub(crate) mod tools;
pub(crate) mod web_socket;
mod wire;

pub(crate) use apache::{Apache, readable_folder};
pub(crate) use authority::Authority;
pub(crate) use citizen::{Citizen, form, sign_in};
pub(crate) use envoy::{Envoy, envoy};
pub(crate) use gateway::Gateway;
pub(crate) use load::{Load, Tally};
pub(crate) use logins::Logins;
pub(crate) use pebble::{Pebble, PebbleOptions};
pub(crate) use person::{Page, Person};
pub(crate) use plan::{Plan, TOKEN, Tls};
pub(crate) use portals::{Nginx, node, python, python_on, source};
pub(crate) use ports::free_address;
pub(crate) use program::{PATIENCE, Program, on_host};
pub(crate) use script::{Script, Scripted};
pub(crate) use sha256::sha256;
pub(crate) use simulator::Simulator;
pub(crate) use systemd::{Successor, Systemd};
pub(crate) use tomcat::{HOME as TOMCAT, Tomcat};
pub(crate) use wire::{Answer, End, NoAnswer, Wire};
