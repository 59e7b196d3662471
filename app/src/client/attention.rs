//! Whether a person attends to the page: what is merely in sight has not been read.

use crate::wire::Millis;

/// Milliseconds after the last activity for which a person is taken to attend.
const ATTENTION_MS: Millis = 60_000;

/// When there was last activity: a pointer, a key, a touch or a scroll. Plain data; time is passed in and
/// never goes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    active: Millis,
    attends: bool,
}

/// How attention has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has not.
    None,
    /// The person attends now.
    Gained,
    /// The person no longer attends.
    Lost,
}

impl Attention {
    /// The page was opened, which is an activity.
    pub fn opened(now: Millis) -> Self {
        Self { active: now, attends: false }
    }

    /// Takes note of activity.
    pub fn active(&mut self, now: Millis) {
        self.active = now;
    }

    /// Whether the person attended at the last [`update`](Self::update).
    pub fn attends(&self) -> bool {
        self.attends
    }

    /// Decides at `now`, in a window that has the focus or has not.
    pub fn update(&mut self, has_focus: bool, now: Millis) -> Change {
        let attends = has_focus && now < self.active + ATTENTION_MS;
        match (std::mem::replace(&mut self.attends, attends), attends) {
            (false, true) => Change::Gained,
            (true, false) => Change::Lost,
            _ => Change::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_needs_the_focus_and_activity_within_a_minute() {
        let mut attention = Attention::opened(5);
        assert_eq!(attention.update(false, 5), Change::None);
        assert_eq!((attention.update(true, 6), attention.attends()), (Change::Gained, true));
        assert_eq!(attention.update(true, 5 + ATTENTION_MS - 1), Change::None);
        assert_eq!((attention.update(true, 5 + ATTENTION_MS), attention.attends()), (Change::Lost, false));
        attention.active(200_000);
        assert_eq!(attention.update(true, 200_000), Change::Gained);
        assert_eq!(attention.update(false, 200_001), Change::Lost);
    }
}
