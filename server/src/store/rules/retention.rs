//! Rules about what is kept: what has expired, which rooms are abandoned, and what a user may do after an erasure.

use crate::store::{ABANDONED_AFTER, AgingRoom, MAX_ABANDONED_EVENTS, StoreError, StoreResult, Sweep};
use app::wire::{Millis, Operation, Retention};

/// Returns the time up to which messages of a room have expired; `None` if they are kept without limit.
pub(in crate::store) fn cutoff(room: Option<Retention>, sweep: Sweep) -> Option<Millis> {
    sweep.server.of_room(room).millis().map(|kept| sweep.now.saturating_sub(kept))
}

/// Counts the events that have expired, given the times of the oldest ones in the order of the log. An event expires after
/// all before it: so one whose time is too early, because a clock was wrong, expires with its neighbors. A time in the future
/// is wrong as well; it says nothing.
pub(in crate::store) fn count_expired(
    times: impl IntoIterator<Item = Millis>,
    now: Millis,
    cutoff: Millis,
) -> usize {
    let mut expired = 0;
    for (n, at) in times.into_iter().enumerate() {
        if at <= cutoff {
            expired = n + 1;
        } else if at <= now {
            break;
        }
    }
    expired
}

/// Decides whether a room is abandoned: its first message created it, it has no other one, and no user was in it for
/// [`ABANDONED_AFTER`]. The lobby never is.
pub(in crate::store) fn is_abandoned(room: &AgingRoom, messages: u32, now: Millis) -> bool {
    !room.room.is_lobby()
        && !room.has_owner
        && messages <= 1
        && room.head <= MAX_ABANDONED_EVENTS
        && room.visited_at.saturating_add(ABANDONED_AFTER) <= now
}

/// Decides whether a user may do an operation whose erasure has begun: only what removes something.
///
/// # Errors
/// [`StoreError::Erased`].
pub(in crate::store) fn authorize_erased(operation: &Operation) -> StoreResult<()> {
    match operation {
        Operation::Delete { .. } | Operation::React { on: false, .. } => Ok(()),
        _ => Err(StoreError::Erased),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ServerRetention;
    use app::wire::RoomName;

    fn post(reply_to: Option<u64>) -> Operation {
        Operation::Post { text: "hello".into(), reply_to }
    }

    const HOUR: Millis = 3_600_000;

    fn sweep(default: u32, is_limit: bool) -> Sweep {
        let server = ServerRetention { default: default.try_into().unwrap(), is_limit };
        Sweep { now: 100 * HOUR, server }
    }

    #[test]
    fn a_room_keeps_messages_as_it_says_and_at_most_as_a_limit_says() {
        let room = |hours: u32| Some(Retention::try_from(hours).unwrap());
        for (own, server, expected) in [
            (None, sweep(0, false), None),
            (None, sweep(10, false), Some(90)),
            (room(0), sweep(10, false), None),
            (room(0), sweep(10, true), Some(90)),
            (room(20), sweep(10, false), Some(80)),
            (room(20), sweep(10, true), Some(90)),
            (room(5), sweep(10, true), Some(95)),
            (room(5), sweep(0, true), Some(95)),
            (room(200), sweep(0, true), Some(0)),
        ] {
            assert_eq!(cutoff(own, server), expected.map(|hours: Millis| hours * HOUR), "{own:?} {server:?}");
        }
    }

    #[test]
    fn events_expire_in_log_order_whatever_the_clock_said() {
        for (times, expected) in [
            (&[][..], 0),
            (&[10, 20, 30], 2),
            (&[10, 20], 2),
            (&[30, 10], 0),
            // The second one was posted before its clock was set: the first one is younger.
            (&[30, 0, 40], 0),
            (&[10, 0, 40], 2),
            // One was posted while the clock was in the future.
            (&[10, 900, 20, 40], 3),
            (&[900, 40], 0),
            (&[10, 900], 1),
        ] {
            assert_eq!(count_expired(times.iter().copied(), 100, 25), expected, "{times:?}");
        }
    }

    #[test]
    fn room_is_abandoned_with_one_message_and_no_owner_or_visitor() {
        let now = 2 * ABANDONED_AFTER;
        let room = AgingRoom {
            room: "tea".parse().unwrap(),
            retention: None,
            has_owner: false,
            head: 3,
            oldest_at: Some(1),
            visited_at: ABANDONED_AFTER,
        };
        assert!(is_abandoned(&room, 1, now));
        assert!(!is_abandoned(&room, 2, now));
        assert!(!is_abandoned(&room, 1, now - 1));
        assert!(!is_abandoned(&AgingRoom { has_owner: true, ..room.clone() }, 1, now));
        assert!(!is_abandoned(&AgingRoom { head: MAX_ABANDONED_EVENTS + 1, ..room.clone() }, 1, now));
        assert!(!is_abandoned(&AgingRoom { room: RoomName::lobby(), ..room }, 1, now));
    }

    #[test]
    fn an_erased_user_may_only_remove() {
        let react = |on| Operation::React { target: 1, emoji: "👍".into(), on };
        for removes in [Operation::Delete { target: 1 }, react(false)] {
            assert!(authorize_erased(&removes).is_ok(), "{removes:?}");
        }
        for adds in [post(None), post(Some(1)), Operation::Edit { target: 1, text: "hi".into() }, react(true)]
        {
            assert!(matches!(authorize_erased(&adds), Err(StoreError::Erased)), "{adds:?}");
        }
    }
}
