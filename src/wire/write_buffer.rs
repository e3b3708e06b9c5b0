//! Room for what goes out at once: one for each thread, so that it is always near.
//!
//! A head is written, handed to the kernel, and done with in one turn. Room of its own for each
//! connection would be cold by the time of its next turn. A connection that cannot hand everything
//! over at once keeps the room until it can, and the next one gets other room.

use std::cell::Cell;

use bytes::BytesMut;

thread_local! {
    static ROOM: Cell<BytesMut> = Cell::default();
}

/// Takes the buffer of this thread, empty; it comes back by [`give_back`].
#[must_use]
pub fn take() -> BytesMut {
    let mut room = ROOM.take();
    room.clear();
    room.reserve(USUAL);
    room
}

/// Gives room back that is not needed any more. Of one that was filled to its end and written, nothing is
/// left to be seen, but it is there.
pub fn give_back(room: BytesMut) {
    if room.capacity() > MOST {
        return;
    }
    let kept = if room.capacity() == 0 { ROOM.take() } else { BytesMut::new() };
    ROOM.set(if kept.capacity() > 0 { kept } else { room });
}

/// Room for a usual head with a signed identity.
const USUAL: usize = 4 * 1024;
/// A buffer that has grown beyond so many bytes is not kept.
const MOST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_used_again_and_holds_nothing_of_before() {
        let mut room = take();
        room.extend_from_slice(b"secret");
        let place = room.as_ptr();
        give_back(room);
        let again = take();
        assert!(again.is_empty());
        assert_eq!(again.as_ptr(), place);
        assert_ne!(take().as_ptr(), place, "two at a time are two");
    }

    #[test]
    fn room_that_has_grown_is_kept_up_to_a_bound() {
        for (grown, is_kept) in [(MOST, true), (MOST + 1, false)] {
            give_back(BytesMut::with_capacity(grown));
            assert_eq!(take().capacity() > USUAL, is_kept, "{grown}");
        }
        let kept = take();
        let place = kept.as_ptr();
        give_back(kept);
        give_back(BytesMut::new());
        assert_eq!(take().as_ptr(), place, "nothing does not replace it");
    }
}
