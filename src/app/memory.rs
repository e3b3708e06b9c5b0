//! Memory that a peak needed goes back to the system when the peak is over.
//!
//! The allocator gives back what was freed a while ago only when it has other work, and after a peak
//! there is none: a gateway would keep the memory of its busiest minute through the night. At the end
//! of a thread it looks around the whole program too, so a thread that ends is how we ask it; every
//! other way is a call that Rust cannot check.

use std::thread;
use std::time::Duration;

use tokio::time::sleep;
use tracing::debug;

/// Has the allocator give back what it does not need, now and then, for as long as the program runs.
pub(super) async fn give_back() {
    loop {
        sleep(PAUSE).await;
        // A thread that allocates nothing is none for the allocator.
        let ends_at_once = || drop(std::hint::black_box(Box::new(0_u64)));
        let name = "brama-memory".to_owned();
        if let Err(error) = thread::Builder::new().name(name).spawn(ends_at_once) {
            debug!(%error, "memory is not given back now");
        }
    }
}

/// Longer than the allocator waits until it takes freed memory for not needed, a second.
const PAUSE: Duration = Duration::from_secs(5);
