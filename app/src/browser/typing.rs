//! The users who are typing: the user of the page, and the others.

use crate::{
    client::{TYPING_TIMEOUT_MS, TypingAction},
    clock::steady,
    state::{MembersState, RoomState},
    wire::User,
};
use leptos::prelude::set_timeout;
use std::time::Duration;

/// Milliseconds by which a timer is later than the timeout that it waits for.
const TIMER_SLACK_MS: u64 = 50;

/// Records that the user types, and signals it to the others from time to time.
pub fn on_input(room: RoomState) {
    match room.timeline.with_session(|session| session.typing.on_input(steady())) {
        TypingAction::Signal => room.connection.wake(),
        TypingAction::SignalIn(ms) => set_timeout(move || signal(room), Duration::from_millis(ms)),
        TypingAction::None => {}
    }
}

fn signal(room: RoomState) {
    if room.timeline.with_session(|session| session.typing.signal(steady())) {
        room.connection.wake();
    }
}

/// Records that the text was sent or cleared.
pub fn stop(room: RoomState) {
    room.timeline.with_session(|session| session.typing.stop());
}

/// Shows that another user is typing, until that times out.
pub(super) fn show(members: MembersState, user: User) {
    members.show_typing(user, steady() + TYPING_TIMEOUT_MS);
    let timeout = Duration::from_millis(TYPING_TIMEOUT_MS + TIMER_SLACK_MS);
    set_timeout(move || members.expire_typing(steady()), timeout);
}
