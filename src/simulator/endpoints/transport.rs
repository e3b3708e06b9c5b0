//! The part of the control API that is about connections: TLS that is wrong, bad hours.

use serde::Deserialize;
use serde_json::{Value, json};

use super::json::parse;
use crate::simulator::front::{Schedule, TlsFault};
use crate::simulator::node::Node;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    fault: Option<String>,
}

/// Sets what is wrong with TLS; `null` is nothing.
pub(super) fn set_tls(node: &Node, body: &[u8]) -> Result<Value, String> {
    let Tls { fault } = parse(body)?;
    let fault = fault.map(|text| text.parse::<TlsFault>()).transpose()?;
    node.set_tls(fault).map_err(|error| error.to_string())?;
    Ok(json!({ "fault": fault.map(|fault| fault.to_string()) }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    schedule: Option<String>,
}

/// Begins a schedule; `null` ends it.
pub(super) fn set_schedule(node: &Node, body: &[u8]) -> Result<Value, String> {
    let Hours { schedule } = parse(body)?;
    let schedule = schedule.map(|text| text.parse::<Schedule>()).transpose()?;
    let told = schedule.as_ref().map(ToString::to_string);
    node.equipment.front.set_schedule(schedule);
    Ok(json!({ "schedule": told }))
}
