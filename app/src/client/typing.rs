//! The users who are typing in the room: other users, and the user of this browser.

use crate::wire::{Millis, User};

/// Milliseconds for which a typing signal of another user is valid.
pub const TYPING_TIMEOUT_MS: Millis = 6_000;

/// Milliseconds between two typing signals of this browser, at least.
const MIN_SIGNAL_INTERVAL_MS: Millis = 3_000;

/// Another user who is typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypingUser {
    /// The user.
    pub user: User,
    /// When the user counts as having stopped, unless another signal arrives.
    pub until: Millis,
}

/// Decides when this browser sends a typing signal. Plain data; the time is passed in.
#[derive(Debug, Clone, Copy, Default)]
pub struct TypingNotifier {
    last_signal: Millis,
    is_signal_due: bool,
    /// There is text that is not sent yet.
    is_typing: bool,
}

/// The caller's action after input of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypingAction {
    /// Nothing: a signal is scheduled already.
    None,
    /// It sends a signal now.
    Signal,
    /// It calls [`TypingNotifier::signal`] in this many milliseconds.
    SignalIn(Millis),
}

impl TypingNotifier {
    /// Records input of the user.
    pub fn on_input(&mut self, now: Millis) -> TypingAction {
        let was_typing = std::mem::replace(&mut self.is_typing, true);
        let next = self.last_signal + MIN_SIGNAL_INTERVAL_MS;
        if now >= next {
            self.signal(now);
            TypingAction::Signal
        } else if was_typing {
            TypingAction::None
        } else {
            TypingAction::SignalIn(next - now)
        }
    }

    /// Makes a signal due, if the user is still typing. Returns `true` if one is due then.
    pub fn signal(&mut self, now: Millis) -> bool {
        if self.is_typing {
            *self = Self { last_signal: now, is_signal_due: true, is_typing: true };
        }
        self.is_typing
    }

    /// Records that the text was sent or cleared.
    pub fn stop(&mut self) {
        self.is_typing = false;
    }

    /// Returns `true` if a signal is to be sent now, and takes it as sent. It is not queued: after a reconnection it
    /// would be out of date.
    pub fn take_signal(&mut self) -> bool {
        std::mem::take(&mut self.is_signal_due) && self.is_typing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_three_seconds_apart_while_the_user_types() {
        let mut notifier = TypingNotifier::default();
        assert_eq!((notifier.on_input(10_000), notifier.take_signal()), (TypingAction::Signal, true));
        assert_eq!((notifier.on_input(11_000), notifier.take_signal()), (TypingAction::None, false));
        assert_eq!((notifier.on_input(13_000), notifier.take_signal()), (TypingAction::Signal, true));
    }

    #[test]
    fn new_text_soon_after_a_message_is_signaled_after_the_interval() {
        let mut notifier = TypingNotifier::default();
        notifier.on_input(10_000);
        notifier.stop();
        assert!(!notifier.take_signal(), "the message is sent");
        assert_eq!(notifier.on_input(11_000), TypingAction::SignalIn(2_000));
        assert!(notifier.signal(13_000) && notifier.take_signal());
        notifier.stop();
        assert!(!notifier.signal(20_000), "the user has stopped");
    }
}
