//! One server: its connections, and how much is asked of it at once.
//!
//! 1. Whatever happens, there is an answer within the timeout.
//! 2. At most [`IN_FLIGHT`] requests are under way; one that comes then is turned away.
//! 3. A request that waits in vain is not followed by others ([`super::breaker`]); a connection on
//!    which nothing is answered is thrown away, with all that waits in it.
//! 4. Connections are made when they are needed, by one task each, and not more often than the
//!    backoff allows. In between, what was wrong is said at once.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{info, warn};

use super::breaker::{Breaker, PATIENCE, Silence};
use super::dial::{Connection, Dialer};
use super::error::CommandError;
use super::settings::{Address, Settings};

/// How many requests may be under way to one server. Each carries a command or a pipeline.
const IN_FLIGHT: usize = 1024;

/// One server, with its connections and what bounds the requests to it.
pub(super) struct Node {
    address: Address,
    lanes: Vec<Arc<Lane>>,
    turn: AtomicUsize,
    permits: Semaphore,
    breaker: Breaker,
    timeout: Duration,
}

/// Room for one connection.
struct Lane {
    address: Address,
    dialer: Arc<Dialer>,
    backoff: (Duration, Duration),
    is_surveyed: Arc<AtomicBool>,
    live: Mutex<Option<Arc<LiveConnection>>>,
    dialing: Arc<tokio::sync::Mutex<Dialing>>,
}

/// A connection that is open, until it is found to be dead.
struct LiveConnection {
    connection: Connection,
    /// Timeouts without an answer in between.
    timeouts: AtomicU32,
}

/// What is known of attempts to connect.
#[derive(Default)]
struct Dialing {
    failed: Option<(Instant, CommandError)>,
    wait: Duration,
}

impl Node {
    /// Makes a server of so many connections, of which none is open.
    pub(super) fn new(address: Address, dialer: &Arc<Dialer>, settings: &Settings) -> Self {
        let is_surveyed = Arc::new(AtomicBool::new(false));
        let lane = || Lane {
            address: address.clone(),
            dialer: Arc::clone(dialer),
            backoff: settings.backoff,
            is_surveyed: Arc::clone(&is_surveyed),
            live: Mutex::default(),
            dialing: Arc::default(),
        };
        let lanes = (0..settings.pool).map(|_| Arc::new(lane())).collect();
        Self {
            lanes,
            turn: AtomicUsize::new(0),
            permits: Semaphore::new(IN_FLIGHT),
            breaker: Breaker::default(),
            timeout: settings.command_timeout,
            address,
        }
    }

    /// Returns the address that its connections go to.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a command, and returns what the server answers within the timeout.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, CommandError> {
        let mut values = self.exchange(Request::One(command)).await?;
        self.read(values.pop().unwrap_or_default())
    }

    /// Sends commands in one go; each has its own answer.
    pub(super) async fn send_all(
        &self,
        commands: &Pipeline,
    ) -> Result<Vec<Result<Value, CommandError>>, CommandError> {
        let values = self.exchange(Request::Many(commands)).await?;
        Ok(values.into_iter().map(|value| self.read(value)).collect())
    }

    fn read(&self, value: Value) -> Result<Value, CommandError> {
        match value {
            Value::ServerError(error) => Err(CommandError::of_server(&self.address, &error)),
            value => Ok(value),
        }
    }

    async fn exchange(&self, request: Request<'_>) -> Result<Vec<Value>, CommandError> {
        let away = |what: &str| CommandError::Away(format!("{} {what}", self.address));
        // 1. Neither too many, nor to one that does not answer.
        let _permit = self.permits.try_acquire().map_err(|_| away("is asked too much at once"))?;
        let silent = "did not answer several times, and is left alone for a moment";
        let pass = self.breaker.enter().ok_or_else(|| away(silent))?;
        // 2. The connections take turns.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.lanes.len();
        let lane = &self.lanes[turn];
        let mut used = None;
        let asking = async {
            let live = used.insert(lane.open().await?);
            Ok(request.send(live.connection.sender.clone()).await)
        };
        // 3. What came of it.
        let outcome = tokio::time::timeout(self.timeout, asking).await;
        match outcome {
            Err(_) => {
                let silence = pass.timed_out();
                if silence == Silence::LeftAlone {
                    warn!(server = %self.address, "redis does not answer, and is left alone");
                }
                match used {
                    Some(live) if silence == Silence::Noted => lane.timed_out(&live),
                    Some(live) => lane.close(&live),
                    None => {}
                }
                Err(away(&format!("did not answer within {} ms", self.timeout.as_millis())))
            }
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(Err(error))) if error.code().is_none() => {
                if let Some(live) = used {
                    lane.close(&live);
                }
                Err(CommandError::of(&self.address, &error))
            }
            Ok(Ok(answer)) => {
                if pass.answered() {
                    info!(server = %self.address, "redis answers again");
                }
                if let Some(live) = used {
                    live.timeouts.store(0, Ordering::Relaxed);
                }
                answer.map_err(|error| CommandError::of(&self.address, &error))
            }
        }
    }
}

enum Request<'r> {
    One(&'r Cmd),
    Many(&'r Pipeline),
}

impl Request<'_> {
    async fn send(self, mut connection: MultiplexedConnection) -> RedisResult<Vec<Value>> {
        match self {
            Self::One(command) => Ok(vec![connection.send_packed_command(command).await?]),
            Self::Many(commands) => {
                connection.send_packed_commands(commands, 0, commands.len()).await
            }
        }
    }
}

impl Lane {
    async fn open(self: &Arc<Self>) -> Result<Arc<LiveConnection>, CommandError> {
        if let Some(live) = self.live() {
            return Ok(live);
        }
        let mut dialing = Arc::clone(&self.dialing).lock_owned().await;
        // Another request may have been faster.
        if let Some(live) = self.live() {
            return Ok(live);
        }
        if let Some((when, failure)) = &dialing.failed
            && when.elapsed() < dialing.wait
        {
            return Err(failure.clone());
        }
        // A task of its own, so that it goes on when the caller has given up.
        let lane = Arc::clone(self);
        let task = tokio::spawn(async move {
            let outcome = lane.dial().await;
            dialing.note(lane.backoff, outcome.as_ref().err());
            outcome
        });
        task.await.unwrap_or_else(|_| Err(CommandError::Away("connecting was given up".to_owned())))
    }

    async fn dial(&self) -> Result<Arc<LiveConnection>, CommandError> {
        let connection = self.dialer.connect(&self.address).await?;
        if !self.is_surveyed.swap(true, Ordering::Relaxed) {
            tokio::spawn(survey(self.address.clone(), connection.sender.clone()));
        }
        let live = Arc::new(LiveConnection { connection, timeouts: AtomicU32::new(0) });
        *self.lock() = Some(Arc::clone(&live));
        Ok(live)
    }

    fn live(&self) -> Option<Arc<LiveConnection>> {
        self.lock().clone().filter(|live| !live.connection.is_over())
    }

    fn timed_out(&self, live: &Arc<LiveConnection>) {
        if live.timeouts.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            self.close(live);
        }
    }

    /// Throws a connection away, unless another has taken its place already.
    fn close(&self, over: &Arc<LiveConnection>) {
        let mut live = self.lock();
        if live.as_ref().is_some_and(|live| Arc::ptr_eq(live, over)) {
            *live = None;
        }
        over.connection.close();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<LiveConnection>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dialing {
    fn note(&mut self, (least, most): (Duration, Duration), failure: Option<&CommandError>) {
        match failure {
            Some(failure) => {
                self.failed = Some((Instant::now(), failure.clone()));
                self.wait = (self.wait * 2).clamp(least, most);
            }
            None => *self = Self::default(),
        }
    }
}

/// Warns when the server throws keys away to make room: what was used once could be used again.
async fn survey(address: Address, mut connection: MultiplexedConnection) {
    let mut command = redis::cmd("INFO");
    command.arg("memory");
    let asking = connection.send_packed_command(&command);
    let answer = tokio::time::timeout(SURVEY, asking).await;
    let Ok(Ok(Value::BulkString(text))) = answer else {
        info!(server = %address, "redis does not tell its maxmemory-policy; it must be noeviction");
        return;
    };
    if let Some(policy) = evicting(&String::from_utf8_lossy(&text)) {
        warn!(
            server = %address,
            policy,
            "redis may throw records away early: sessions end, and what was used can be used \
             again; set maxmemory-policy noeviction"
        );
    }
}

/// How long a server may take to describe itself.
const SURVEY: Duration = Duration::from_secs(2);

/// Returns the policy by which keys are thrown away, when there is one.
pub(super) fn evicting(memory: &str) -> Option<&str> {
    let policy = memory.lines().find_map(|line| line.trim().strip_prefix("maxmemory_policy:"))?;
    (policy != "noeviction").then_some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_policy_that_throws_keys_away() {
        let memory = |policy| format!("# Memory\r\nmaxmemory_policy:{policy}\r\nmaxmemory:0\r\n");
        assert_eq!(evicting(&memory("allkeys-lru")), Some("allkeys-lru"));
        assert_eq!(evicting(&memory("noeviction")), None);
    }
}
