//! What operators do is told, each time, with their name.

use std::sync::Arc;

use super::operators::Admin;
use super::problem::Problem;
use crate::base::clock::{SharedClock, Time};
use crate::observe::event::{AdminAction, Event};
use crate::observe::events::Events;
use crate::store::Unavailable;

/// Tells what operators do.
#[derive(Clone)]
pub struct Acts {
    events: Arc<Events>,
    clock: SharedClock,
}

impl Acts {
    /// Tells it to those who hear events.
    #[must_use]
    pub fn new(events: Arc<Events>, clock: SharedClock) -> Self {
        Self { events, clock }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(super) fn tell(&self, admin: &Admin, action: AdminAction<'_>) {
        let event = Event::AdminActed { admin: admin.name(), action };
        self.events.tell(self.now(), None, event);
    }
}

/// Does something to its end, and tells it, although whoever wanted it leaves before.
pub(super) async fn to_the_end<T: Send + 'static>(
    act: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(act).await.map_err(|error| Unavailable(error.to_string()))?
}

#[cfg(test)]
mod tests {
    use futures_util::future::poll_immediate;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_leaves_ends_nothing() {
        let (done, told) = oneshot::channel();
        let act = Box::pin(to_the_end(async move {
            tokio::task::yield_now().await;
            done.send(()).map_err(|()| Problem::NotFound)
        }));
        // It has begun when it is dropped.
        assert!(poll_immediate(act).await.is_none());
        told.await.unwrap();
    }
}
