//! How many commands come to the writer.

use crate::store::WriterLoad;
use std::time::{Duration, Instant};

/// The time over which commands are counted, at least.
const WINDOW: Duration = Duration::from_millis(250);

/// Commands a second beyond which the index does not try to follow them: about as many messages as it adds while others write.
const FLOOD: f64 = 2_000.0;

/// The rate of commands.
pub(super) struct CommandRate {
    /// When the present window began.
    since: Instant,
    /// Commands in the present window.
    commands: usize,
    /// There were too many in the window before.
    is_flooded: bool,
}

impl CommandRate {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, commands: 0, is_flooded: false }
    }

    /// Counts the commands of a commit, and returns how busy they keep the writer.
    pub(super) fn load(&mut self, commands: usize, now: Instant) -> WriterLoad {
        self.commands += commands;
        let window = now - self.since;
        if window >= WINDOW {
            self.is_flooded = self.commands as f64 > FLOOD * window.as_secs_f64();
            (self.since, self.commands) = (now, 0);
        }
        match commands {
            _ if self.is_flooded => WriterLoad::Flooded,
            0 | 1 => WriterLoad::Idle,
            _ => WriterLoad::Busy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writer_is_flooded_by_a_rate_not_by_a_burst() {
        let mut now = Instant::now();
        let mut rate = CommandRate::new(now);
        let mut after = |milliseconds, commands| {
            now += Duration::from_millis(milliseconds);
            rate.load(commands, now)
        };
        assert_eq!(after(0, 1), WriterLoad::Idle);
        assert_eq!(after(1, 400), WriterLoad::Busy, "the window has not ended");
        assert_eq!(after(249, 99), WriterLoad::Busy, "2,000 a second");
        assert_eq!(after(250, 501), WriterLoad::Flooded);
        assert_eq!(after(1, 1), WriterLoad::Flooded, "more come, though none waits now");
        assert_eq!(after(249, 2), WriterLoad::Busy);
        assert_eq!(after(1, 1), WriterLoad::Idle);
    }
}
