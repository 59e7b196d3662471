//! The users present, and those who are typing.

use super::Live;
use crate::client::members::present_count;
#[cfg(feature = "hydrate")]
use crate::{
    client::{TYPING_TIMEOUT_MS, TypingAction, TypingUser, members::apply_presence},
    clock::steady,
    wire::{User, UserId},
};
use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use std::time::Duration;

/// Milliseconds by which a timer is later than the timeout that it waits for.
#[cfg(feature = "hydrate")]
const TIMER_SLACK_MS: u64 = 50;

impl Live {
    /// Returns how many users are present.
    pub fn present(&self) -> usize {
        present_count(self.people.with(Vec::len), self.people_count.get())
    }
}

#[cfg(feature = "hydrate")]
impl Live {
    /// Changes the name of a user in the list.
    pub(crate) fn update_member(&self, user: &User) {
        if self.people.with_untracked(|members| members.iter().any(|member| member.id == user.id)) {
            self.people.update(|members| {
                let others = std::mem::take(members);
                *members = apply_presence(others, vec![user.clone()], &[], user.id);
            });
        }
    }

    /// Applies a change of the list of the users present, of whom there are `count` now.
    pub(crate) fn apply_presence(&self, here: Vec<User>, gone: &[UserId], count: u32) {
        if !here.is_empty() || !gone.is_empty() {
            let you = self.you.with_untracked(|you| you.id);
            let apply = |members: &mut Vec<User>| {
                *members = apply_presence(std::mem::take(members), here, gone, you);
            };
            self.people.update(apply);
        }
        self.people_count.set(count);
        self.typing.update(|typing| typing.retain(|typing| !gone.contains(&typing.user.id)));
    }

    /// Shows that a user is typing, until that times out.
    pub(crate) fn show_typing(&self, user: User) {
        let until = steady() + TYPING_TIMEOUT_MS;
        self.typing.update(|typing| {
            typing.retain(|typing| typing.user.id != user.id);
            typing.push(TypingUser { user, until });
        });
        let live = *self;
        set_timeout(move || live.expire_typing(), Duration::from_millis(TYPING_TIMEOUT_MS + TIMER_SLACK_MS));
    }

    fn expire_typing(&self) {
        let now = steady();
        self.typing.update(|typing| typing.retain(|typing| typing.until > now));
    }

    /// Shows a user as typing no longer, since a message of theirs has arrived.
    pub(crate) fn clear_typing(&self, user: UserId) {
        if self.typing.with_untracked(|typing| typing.iter().any(|typing| typing.user.id == user)) {
            self.typing.update(|typing| typing.retain(|typing| typing.user.id != user));
        }
    }

    /// Records that the user types, which the other users see now and then.
    pub fn on_input(&self) {
        match self.with_session(|session| session.typing.on_input(steady())) {
            TypingAction::Signal => self.work.update(|work| *work += 1),
            TypingAction::SignalIn(ms) => {
                let live = *self;
                set_timeout(move || live.signal_typing(), Duration::from_millis(ms));
            }
            TypingAction::None => {}
        }
    }

    /// Records that the text was sent or cleared.
    pub fn stop_typing(&self) {
        self.with_session(|session| session.typing.stop());
    }

    fn signal_typing(&self) {
        if self.with_session(|session| session.typing.signal(steady())) {
            self.work.update(|work| *work += 1);
        }
    }
}
