//! The time by which a sweep goes: a clock that jumps must not remove what it should not.

use app::wire::Millis;
use std::time::Duration;
use tokio::time::Instant;

/// The most by which the clock of the store may run ahead of the time that has passed for the process.
const MAX_JUMP: Duration = Duration::from_secs(60 * 60);

/// The time for which a clock that has jumped ahead is not believed. A wrong one is corrected by then.
const HOLD: Duration = Duration::from_secs(60 * 60);

/// The clock of the store as a sweep believes it. A clock that jumps back delays what expires. One that jumps ahead by more
/// than an hour, as after a standby of the machine too, is believed when it has stayed there for an hour.
#[derive(Debug, Default)]
pub struct SweepClock {
    /// A time that was believed, and when it was read.
    known: Option<(Millis, Instant)>,
    /// When the clock was first found too far ahead.
    ahead_since: Option<Instant>,
}

impl SweepClock {
    /// Returns the time for a sweep; `None` while the clock is not believed.
    pub fn believe(&mut self, time: Millis, read_at: Instant) -> Option<Millis> {
        let allowed = self.known.map(|(known, at)| known + millis(read_at - at) + millis(MAX_JUMP));
        if allowed.is_none_or(|allowed| time <= allowed) {
            self.ahead_since = None;
        } else if self.ahead_since.is_none() {
            self.ahead_since = Some(read_at);
            tracing::warn!("the clock has jumped ahead; nothing expires for an hour");
            return None;
        } else if self.ahead_since.is_some_and(|since| read_at - since < HOLD) {
            return None;
        }
        self.ahead_since = None;
        self.known = Some((time, read_at));
        Some(time)
    }
}

fn millis(duration: Duration) -> Millis {
    duration.as_millis() as Millis
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    #[tokio::test]
    async fn a_clock_that_jumps_ahead_is_believed_after_an_hour() {
        let (mut clock, start) = (SweepClock::default(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let time = |seconds: u64| seconds * 1_000;
        assert_eq!(clock.believe(time(0), at(0)), Some(0));
        assert_eq!(clock.believe(time(60), at(60)), Some(time(60)));
        // Ten years ahead, and back.
        let far = 10 * 365 * 24 * HOUR;
        assert_eq!(clock.believe(time(far), at(120)), None);
        assert_eq!(clock.believe(time(far + 60), at(180)), None);
        assert_eq!(clock.believe(time(240), at(240)), Some(time(240)));
        // A standby of a day: the clock is right, and stays.
        let day = 24 * HOUR;
        assert_eq!(clock.believe(time(day), at(300)), None);
        assert_eq!(clock.believe(time(day + HOUR - 1), at(300 + HOUR - 1)), None);
        assert_eq!(clock.believe(time(day + HOUR), at(300 + HOUR)), Some(time(day + HOUR)));
        assert_eq!(clock.believe(time(day + HOUR + 1), at(301 + HOUR)), Some(time(day + HOUR + 1)));
        // Back: nothing expires earlier.
        assert_eq!(clock.believe(time(5), at(302 + HOUR)), Some(time(5)));
    }
}
