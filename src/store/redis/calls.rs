//! Sends commands to the server that has the key.
//!
//! 1. A redirection is followed, at most [`REDIRECTIONS`] times: a node that redirects did nothing.
//! 2. A script that a server does not know is sent in full: nothing was done either.
//! 3. Nothing else is sent twice.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use redis::{Cmd, Pipeline, Value};

use super::error::CommandError;
use super::node::Node;
use super::scripts::Script;
use super::topology::{Topology, slot};
use crate::store::Unavailable;

/// How often a command may be sent on to another node.
const REDIRECTIONS: usize = 3;

/// How many commands go to a server in one go.
const BATCH: usize = 256;

/// A command with one key.
pub(super) struct Call {
    pub(super) key: String,
    pub(super) what: What,
    pub(super) arguments: Vec<Bytes>,
}

/// What is to be done.
#[derive(Clone, Copy)]
pub(super) enum What {
    Command(&'static str),
    Script(&'static Script),
}

impl Call {
    fn command(&self, in_full: bool) -> Cmd {
        let mut command = match self.what {
            What::Command(name) => redis::cmd(name),
            What::Script(script) if in_full => {
                let mut command = redis::cmd("EVAL");
                command.arg(script.text).arg(1);
                command
            }
            What::Script(script) => {
                let mut command = redis::cmd("EVALSHA");
                command.arg(script.digest()).arg(1);
                command
            }
        };
        command.arg(&self.key);
        for argument in &self.arguments {
            command.arg(&argument[..]);
        }
        command
    }
}

/// Sends one command, to the node that has its key, and returns what it answers.
pub(super) async fn call(topology: &Topology, call: &Call) -> Result<Value, Unavailable> {
    let outcome = match follow(topology, call, false).await {
        Err(CommandError::NoScript) => follow(topology, call, true).await,
        outcome => outcome,
    };
    Ok(outcome?)
}

async fn follow(topology: &Topology, call: &Call, in_full: bool) -> Result<Value, CommandError> {
    let command = call.command(in_full);
    let mut node = topology.find(slot(&call.key)).await?;
    let mut outcome = noted(topology, node.send(&command).await);
    for _ in 0..REDIRECTIONS {
        outcome = match outcome {
            Err(CommandError::Moved(to)) if topology.is_cluster() => {
                node = topology.node(&to);
                node.send(&command).await
            }
            Err(CommandError::Ask(to)) if topology.is_cluster() => {
                node = topology.node(&to);
                let mut commands = Pipeline::new();
                commands.cmd("ASKING").add_command(command.clone());
                node.send_all(&commands).await.and_then(|mut values| {
                    values.pop().unwrap_or_else(|| Err(CommandError::Away("no answer".to_owned())))
                })
            }
            outcome => return outcome,
        };
        outcome = noted(topology, outcome);
    }
    outcome
}

fn noted<T>(topology: &Topology, outcome: Result<T, CommandError>) -> Result<T, CommandError> {
    if outcome.as_ref().is_err_and(CommandError::concerns_topology) {
        topology.hint();
    }
    outcome
}

/// Sends many commands, one round trip to each server for [`BATCH`] of them. Servers are asked at
/// the same time. The answers have the order of the commands.
pub(super) async fn call_all(
    topology: &Topology,
    calls: &[Call],
) -> Result<Vec<Value>, Unavailable> {
    let mut parts: HashMap<_, (Arc<Node>, Vec<usize>)> = HashMap::new();
    for (index, call) in calls.iter().enumerate() {
        let node = topology.find(slot(&call.key)).await?;
        let part = parts.entry(node.address().clone()).or_insert_with(|| (node, Vec::new()));
        part.1.push(index);
    }
    let asking = parts.into_values().map(|(node, indexes)| async move {
        let mut answers = Vec::with_capacity(indexes.len());
        for batch in indexes.chunks(BATCH) {
            answers.extend(send_batch(topology, &node, calls, batch).await?);
        }
        Ok::<_, Unavailable>(answers)
    });
    let mut values = vec![Value::Nil; calls.len()];
    for answers in join_all(asking).await {
        for (index, value) in answers? {
            values[index] = value;
        }
    }
    Ok(values)
}

async fn send_batch(
    topology: &Topology,
    node: &Node,
    calls: &[Call],
    batch: &[usize],
) -> Result<Vec<(usize, Value)>, Unavailable> {
    let mut commands = Pipeline::new();
    // Servers forget scripts when they start; telling them again costs less than asking.
    let script = batch.iter().find_map(|&index| match calls[index].what {
        What::Script(script) => Some(script),
        What::Command(_) => None,
    });
    if let Some(script) = script {
        commands.cmd("SCRIPT").arg("LOAD").arg(script.text);
    }
    for &index in batch {
        commands.add_command(calls[index].command(false));
    }
    let mut answers = noted(topology, node.send_all(&commands).await)?.into_iter();
    if script.is_some() {
        answers.next();
    }
    let mut values = Vec::with_capacity(batch.len());
    for &index in batch {
        let answer = answers.next();
        let answer = answer.ok_or_else(|| Unavailable("answers are missing".to_owned()))?;
        let value = match noted(topology, answer) {
            Err(CommandError::NoScript | CommandError::Moved(_) | CommandError::Ask(_)) => {
                call(topology, &calls[index]).await?
            }
            answer => answer?,
        };
        values.push((index, value));
    }
    Ok(values)
}
