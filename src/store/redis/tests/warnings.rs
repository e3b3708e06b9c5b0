//! What the log says of a server that is not set up well.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::servers::Program;
use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn has(&self, text: &str) -> bool {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&log).contains(text)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Uses a server until something stands in the log. All tasks run on this thread, and so are heard.
async fn log_of(program: &Program, lines: &str, until: &str) -> Log {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let server = Server::start(program, lines);
    let store = connect(&server);
    until_used(&store).await;
    until_watching(&store).await;
    eventually(until, || async { log.has(until) }).await;
    log
}

#[tokio::test]
async fn warns_of_a_server_that_throws_records_away() {
    let Some(program) = Program::redis() else { return };
    let log = log_of(&program, "maxmemory-policy allkeys-lru", "set maxmemory-policy").await;
    assert!(log.has("allkeys-lru"));
}

#[tokio::test]
async fn says_nothing_of_a_server_that_keeps_everything() {
    let Some(program) = Program::redis() else { return };
    let log = log_of(&program, "", "redis is listened to").await;
    assert!(!log.has("maxmemory-policy"));
    assert!(!log.has("WARN"));
}

#[tokio::test]
async fn says_that_it_could_not_find_out() {
    let Some(program) = Program::redis() else { return };
    let log = log_of(&program, "rename-command INFO \"\"", "does not tell").await;
    assert!(log.has("maxmemory-policy"));
}
