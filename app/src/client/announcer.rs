//! What a screen reader reads out: each message while few come; while many do, now and then how many.

use crate::wire::Millis;

/// Milliseconds in which few or many may come.
const SPAN_MS: Millis = 4_000;

/// Messages that are read out one by one in that time, at most.
const FEW: usize = 4;

/// Counts what comes. Plain data; time is passed in.
#[derive(Debug, Clone, Default)]
pub struct Aloud {
    /// When this span began.
    since: Millis,
    /// What has come in it.
    come: usize,
    /// What of that was not read out.
    unsaid: usize,
    many: bool,
}

impl Aloud {
    /// So many messages come. Whether each of them is read out.
    pub fn come(&mut self, count: usize, now: Millis) -> bool {
        if self.come == 0 && !self.many {
            self.since = now;
        }
        self.come += count;
        self.many |= self.come > FEW;
        if self.many {
            self.unsaid += count;
        }
        self.reads()
    }

    /// Whether what comes now is read out.
    pub fn reads(&self) -> bool {
        !self.many
    }

    /// At the end of a span: how many have come that were not read out, if any.
    pub fn pause(&mut self, now: Millis) -> Option<usize> {
        if now < self.since + SPAN_MS {
            return None;
        }
        self.many &= self.come > FEW;
        (self.since, self.come) = (now, 0);
        Some(std::mem::take(&mut self.unsaid)).filter(|unsaid| *unsaid > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_messages_are_read_out_one_by_one() {
        let mut aloud = Aloud::default();
        for now in 1..20 {
            assert!(aloud.come(1, now * 2_000), "message {now}");
            assert_eq!(aloud.pause(now * 2_000), None);
        }
    }

    #[test]
    fn of_many_only_the_number_is_read_out_until_it_is_calm_again() {
        let mut aloud = Aloud::default();
        assert!(aloud.come(FEW, 1_000));
        assert!(!aloud.come(7, 1_100) && !aloud.come(30, 2_000));
        assert_eq!((aloud.pause(4_900), aloud.pause(5_000), aloud.reads()), (None, Some(37), false));
        assert!(!aloud.come(2, 6_000), "not calm yet");
        assert_eq!((aloud.pause(9_000), aloud.reads()), (Some(2), true));
        assert!(aloud.come(1, 9_500));
        assert_eq!(aloud.pause(20_000), None);
    }
}
