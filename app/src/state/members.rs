//! The users present, and those who are typing.

use crate::{
    client::{
        TypingUser,
        members::{apply_presence, present_count, sorted},
    },
    wire::{Millis, User, UserId, limits::MAX_LISTED_MEMBERS},
};
use leptos::prelude::*;

/// Users who have come of whom a page remembers that it has shown it, at most.
const MAX_KNOWN: usize = 1_000;

/// The users present, and those who are typing.
#[derive(Debug, Clone, Copy)]
pub struct MembersState {
    /// The first of the users present, by name.
    pub members: RwSignal<Vec<User>>,
    /// The number of all users present, as the server has counted them.
    pub count: RwSignal<u32>,
    /// The users who are typing.
    pub typing: RwSignal<Vec<TypingUser>>,
    /// The names of users who have come since the newest message.
    pub arrivals: RwSignal<Vec<String>>,
    /// The users who have come, and the day on which that was shown.
    known: StoredValue<Vec<(UserId, u64)>>,
}

impl MembersState {
    pub(super) fn new(members: Vec<User>, count: u32) -> Self {
        Self {
            members: RwSignal::new(sorted(members)),
            count: RwSignal::new(count),
            typing: RwSignal::default(),
            arrivals: RwSignal::default(),
            known: StoredValue::default(),
        }
    }

    /// Returns how many users are present.
    pub fn present(self) -> usize {
        present_count(self.members.with(Vec::len), self.count.get())
    }

    /// Replaces the users present.
    pub fn replace(self, members: Vec<User>, count: u32) {
        self.members.set(sorted(members));
        self.count.set(count);
    }

    /// Changes the name of a user who is listed or typing.
    pub fn update_user(self, user: &User) {
        let is_typing = |typing: &TypingUser| typing.user.id == user.id;
        if self.typing.with_untracked(|typing| typing.iter().any(is_typing)) {
            self.typing.update(|typing| {
                typing.iter_mut().filter(|it| is_typing(it)).for_each(|it| it.user = user.clone());
            });
        }
        if self.members.with_untracked(|members| members.iter().any(|member| member.id == user.id)) {
            self.members.update(|members| {
                let others = std::mem::take(members);
                *members = apply_presence(others, vec![user.clone()], &[], user.id);
            });
        }
    }

    /// Shows that users come, before they are listed: each once a day. `you` is the user of the page.
    pub fn show_arrivals(self, you: UserId, here: &[User], day: u64) {
        let is_listed = |user: &User| {
            self.members.with_untracked(|members| members.iter().any(|member| member.id == user.id))
        };
        let is_new = |user: &&User| {
            user.id != you
                && !is_listed(user)
                && !self.known.with_value(|known| known.contains(&(user.id, day)))
        };
        // If a long list is full, a user may be added to it only because another one has left.
        let is_whole = self.members.with_untracked(Vec::len) < MAX_LISTED_MEMBERS;
        let new: Vec<&User> = here.iter().filter(|_| is_whole).filter(is_new).collect();
        if !new.is_empty() {
            self.known.update_value(|known| {
                known.extend(new.iter().map(|user| (user.id, day)));
                let excess = known.len().saturating_sub(MAX_KNOWN);
                known.drain(..excess);
            });
            self.arrivals.update(|names| names.extend(new.iter().map(|user| user.disambiguated())));
        }
    }

    /// Shows no arrivals any more, since a message has come after them.
    pub fn clear_arrivals(self) {
        if self.arrivals.with_untracked(|names| !names.is_empty()) {
            self.arrivals.update(Vec::clear);
        }
    }

    /// Applies a change of the users present, of whom there are `count` now. `you` is the user of the page.
    pub fn apply_presence(self, you: UserId, here: Vec<User>, gone: &[UserId], count: u32) {
        if !here.is_empty() || !gone.is_empty() {
            self.members
                .update(|members| *members = apply_presence(std::mem::take(members), here, gone, you));
        }
        self.count.set(count);
        self.typing.update(|typing| typing.retain(|typing| !gone.contains(&typing.user.id)));
    }

    /// Shows that a user is typing, until [`expire_typing`](Self::expire_typing) at `until`. The name is that of the list: the
    /// signal may have passed a change of the name on the way between two servers.
    pub fn show_typing(self, user: User, until: Millis) {
        let is_user = |member: &&User| member.id == user.id;
        let listed = self.members.with_untracked(|members| members.iter().find(is_user).cloned());
        let user = listed.unwrap_or(user);
        self.typing.update(|typing| {
            typing.retain(|typing| typing.user.id != user.id);
            typing.push(TypingUser { user, until });
        });
    }

    /// Removes the users whose typing has timed out.
    pub fn expire_typing(self, now: Millis) {
        self.typing.update(|typing| typing.retain(|typing| typing.until > now));
    }

    /// Shows a user as typing no longer, since a message of theirs has arrived.
    pub fn clear_typing(self, user: UserId) {
        if self.typing.with_untracked(|typing| typing.iter().any(|typing| typing.user.id == user)) {
            self.typing.update(|typing| typing.retain(|typing| typing.user.id != user));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64, name: &str) -> User {
        User::new(UserId(id), name.parse().unwrap())
    }

    #[test]
    fn typing_shows_the_name_of_the_list_if_the_signal_has_an_old_one() {
        Owner::new().with(|| {
            let state = MembersState::new(vec![user(1, "Bob"), user(2, "Cem")], 2);
            state.show_typing(user(1, "Lively Falcon"), 10);
            state.show_typing(user(3, "Dee"), 10);
            let names = || {
                state.typing.with_untracked(|typing| {
                    typing.iter().map(|it| it.user.name.to_string()).collect::<Vec<_>>()
                })
            };
            assert_eq!(names(), ["Bob", "Dee"]);
            state.update_user(&user(3, "Dora"));
            assert_eq!(names(), ["Bob", "Dora"]);
        });
    }
}
