//! Connections on which nothing has come for a while: each gives up its task, and waits as a row of a table.
//!
//! 1. A task, its timer and what the runtime keeps of a socket are two kilobytes; a row is a tenth of that. Most
//!    connections that a balancer or a proxy in front keeps to us wait at any time.
//! 2. Sockets of TCP without TLS are parked. With TLS most of what a connection needs is the state of TLS, which
//!    stays whatever holds it.
//! 3. The kernel tells which of them has something to read, or was closed by its client. The first gets a task
//!    again, and the second is closed here.
//! 4. Parked connections count as open, for the whole program and for their client's address.
//! 5. One for which the kernel has no room here keeps its task. That is so too once the stop has come: those that have
//!    sent something are served still, and all others are closed.

use std::collections::BTreeSet;
use std::future::pending;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;
use slab::Slab;
use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error};

use crate::base::shutdown::Shutdown;

/// The connections of a listener that wait; `T` is what is known of each.
#[derive(Debug)]
pub(super) struct Parking<T> {
    epoll: AsyncFd<OwnedFd>,
    table: Mutex<Table<T>>,
    /// Tells that one was parked whose time is over before that of all others.
    earlier_end: Notify,
}

#[derive(Debug)]
struct Table<T> {
    rows: Slab<Row<T>>,
    /// When each has waited long enough, with its number.
    ends: BTreeSet<(Instant, usize)>,
    is_open: bool,
}

#[derive(Debug)]
struct Row<T> {
    socket: std::net::TcpStream,
    until: Instant,
    known: T,
}

impl<T> Parking<T> {
    /// Makes an empty table.
    ///
    /// # Errors
    /// When the system has no descriptor for it, or there is no runtime.
    #[expect(
        deprecated,
        reason = "what would take its place is unsafe for the sake of types that lend their descriptor away; \
                  this one is owned, and closed with what watches it"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let epoll = AsyncFd::new(epoll::create(epoll::CreateFlags::CLOEXEC)?)?;
        let table = Table { rows: Slab::new(), ends: BTreeSet::new(), is_open: true };
        Ok(Self { epoll, table: Mutex::new(table), earlier_end: Notify::new() })
    }

    /// Has a connection wait here until that time. It comes back when there is no room for it, and when the stop
    /// has come.
    pub(super) fn park(
        &self,
        socket: TcpStream,
        until: Instant,
        known: T,
    ) -> Result<(), (TcpStream, T)> {
        let mut table = self.lock();
        if !table.is_open {
            return Err((socket, known));
        }
        let number = table.rows.vacant_key();
        let data = epoll::EventData::new_u64(number as u64);
        if let Err(error) = epoll::add(self.epoll.get_ref(), &socket, data, WAITED_FOR) {
            debug!(%error, "an idle connection keeps its task");
            return Err((socket, known));
        }
        // What came since is told at once: the kernel says what is there, and not only what is new.
        match socket.into_std() {
            Ok(socket) => {
                table.rows.insert(Row { socket, until, known });
                table.ends.insert((until, number));
                if table.ends.first() == Some(&(until, number)) {
                    self.earlier_end.notify_one();
                }
            }
            Err(error) => debug!(%error, "an idle connection was lost"),
        }
        Ok(())
    }

    /// Hands those back that have something to read, and closes those that have waited long enough, until the
    /// stop.
    pub(super) async fn serve(
        &self,
        mut stop: Shutdown,
        mut wake: impl FnMut(std::net::TcpStream, T),
    ) {
        let mut wake_all = |rows: Vec<Row<T>>| {
            rows.into_iter().for_each(|row| wake(row.socket, row.known));
        };
        loop {
            tokio::select! {
                ready = self.ready() => wake_all(ready),
                () = self.first_end() => wake_all(self.take_those_over()),
                () = stop.wait() => break,
            }
        }
        self.lock().is_open = false;
        // A request that is there already is answered.
        while let Ok(ready) = self.take_ready() {
            wake_all(ready);
        }
        *self.lock() = Table { rows: Slab::new(), ends: BTreeSet::new(), is_open: false };
    }

    async fn ready(&self) -> Vec<Row<T>> {
        loop {
            // An error means that the runtime ends.
            let Ok(mut guard) = self.epoll.readable().await else { return pending().await };
            match guard.try_io(|_| self.take_ready()) {
                Ok(Ok(ready)) => return ready,
                Ok(Err(error)) => {
                    error!(%error, "parked connections cannot be looked at, and end with their time");
                    return pending().await;
                }
                Err(_) => {}
            }
        }
    }

    /// Takes some that have something to read out of the table; that nobody has is an error, "would block".
    fn take_ready(&self) -> io::Result<Vec<Row<T>>> {
        let mut events = Vec::with_capacity(AT_ONCE);
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        while let Err(error) =
            epoll::wait(self.epoll.get_ref(), spare_capacity(&mut events), Some(&at_once))
        {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        if events.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut table = self.lock();
        let found = events.into_iter().filter_map(|event| {
            let row = self.take(&mut table, usize::try_from(event.data.u64()).ok()?)?;
            let flags = event.flags;
            // A client that has said its last may have asked before.
            (!flags.intersects(LEFT) || row.has_something_to_read()).then_some(row)
        });
        Ok(found.collect())
    }

    /// Waits until one has waited long enough, or another may be the first of which that is so.
    async fn first_end(&self) {
        let first = self.lock().ends.first().map(|(until, _)| *until);
        let over = async {
            match first {
                Some(until) => sleep_until(until).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = over => {}
            () = self.earlier_end.notified() => {}
        }
    }

    /// Closes those that have waited long enough, and returns those of them that have something to read all the same: a
    /// busy worker hears of the time and of a request in one turn.
    fn take_those_over(&self) -> Vec<Row<T>> {
        let (now, mut over) = (Instant::now(), Vec::new());
        let mut table = self.lock();
        while let Some((until, number)) = table.ends.first().copied()
            && until <= now
        {
            over.extend(self.take(&mut table, number).filter(Row::has_something_to_read));
        }
        over
    }

    /// Takes one out. The kernel tells no more of it here: the runtime has a place of its own for that.
    fn take(&self, table: &mut Table<T>, number: usize) -> Option<Row<T>> {
        let row = table.take(number)?;
        epoll::delete(self.epoll.get_ref(), &row.socket).ok()?;
        Some(row)
    }

    fn lock(&self) -> MutexGuard<'_, Table<T>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Table<T> {
    fn take(&mut self, number: usize) -> Option<Row<T>> {
        let row = self.rows.try_remove(number)?;
        self.ends.remove(&(row.until, number));
        if self.rows.is_empty() {
            // What many needed is given back when all have gone, and not before: rows do not move.
            self.rows = Slab::new();
        }
        Some(row)
    }
}

impl<T> Row<T> {
    fn has_something_to_read(&self) -> bool {
        SockRef::from(&self.socket)
            .peek(&mut [MaybeUninit::uninit()])
            .is_ok_and(|length| length > 0)
    }
}

/// What is told of a socket, once.
const WAITED_FOR: epoll::EventFlags =
    epoll::EventFlags::IN.union(epoll::EventFlags::RDHUP).union(epoll::EventFlags::ONESHOT);
/// What is told of one whose client has left, or will say no more.
const LEFT: epoll::EventFlags =
    epoll::EventFlags::RDHUP.union(epoll::EventFlags::HUP).union(epoll::EventFlags::ERR);
/// How many are woken in one go.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests;
