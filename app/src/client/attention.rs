//! The user's attention to the page: a message that is merely in view has not been read.

use crate::wire::Millis;

/// Milliseconds after the last activity for which the user is taken to attend.
const ATTENTION_MS: Millis = 60_000;

/// Tracks the last activity: a pointer, a key, a touch or a scroll. Plain data; the time is passed in and never goes
/// back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    last_activity: Millis,
    is_attentive: bool,
    has_attended: bool,
    /// The user has attended, and the window has lost the focus since.
    has_left: bool,
}

/// A change of the user's attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttentionChange {
    /// It has not changed.
    None,
    /// The user attends now.
    Gained,
    /// The user attends now, and has left the window since they last did.
    Returned,
    /// The user no longer attends.
    Lost,
}

impl Attention {
    /// Begins when the page is opened, which counts as activity.
    pub fn new(now: Millis) -> Self {
        Self { last_activity: now, ..Self::default() }
    }

    /// Records activity.
    pub fn on_activity(&mut self, now: Millis) {
        self.last_activity = now;
    }

    /// Returns `true` if the user attended at the last [`update`](Self::update).
    pub fn is_attentive(&self) -> bool {
        self.is_attentive
    }

    /// Decides whether the user attends at `now`, and returns what that changes. `has_focus` is the window's.
    pub fn update(&mut self, has_focus: bool, now: Millis) -> AttentionChange {
        let is_attentive = has_focus && now < self.last_activity + ATTENTION_MS;
        self.has_left |= self.has_attended && !has_focus;
        self.has_attended |= is_attentive;
        match (std::mem::replace(&mut self.is_attentive, is_attentive), is_attentive) {
            (false, true) if std::mem::take(&mut self.has_left) => AttentionChange::Returned,
            (false, true) => AttentionChange::Gained,
            (true, false) => AttentionChange::Lost,
            _ => AttentionChange::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_needs_the_focus_and_activity_within_a_minute() {
        let mut attention = Attention::new(5);
        assert_eq!(attention.update(false, 5), AttentionChange::None);
        assert_eq!((attention.update(true, 6), attention.is_attentive()), (AttentionChange::Gained, true));
        assert_eq!(attention.update(true, 5 + ATTENTION_MS - 1), AttentionChange::None);
        assert_eq!(attention.update(true, 5 + ATTENTION_MS), AttentionChange::Lost);
        assert!(!attention.is_attentive());
        attention.on_activity(200_000);
        assert_eq!(attention.update(true, 200_000), AttentionChange::Gained);
        assert_eq!(attention.update(false, 200_001), AttentionChange::Lost);
        assert_eq!(attention.update(true, 200_002), AttentionChange::Returned);
        assert_eq!(attention.update(true, 300_000), AttentionChange::Lost, "without activity");
        assert_eq!(attention.update(false, 300_001), AttentionChange::None);
        attention.on_activity(300_002);
        assert_eq!(attention.update(true, 300_003), AttentionChange::Returned);
    }
}
