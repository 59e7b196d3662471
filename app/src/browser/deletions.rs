//! Deletions that can still be undone: the message is hidden at once, the command is sent some seconds later.

use super::{
    command_id::new_id,
    dom,
    outbox::{discard, send, storage, warn_unless_stored},
};
use crate::{
    base::link,
    client::{Command, OutboxOperation, Timeline},
    clock::steady,
    state::RoomState,
    wire::{Millis, Seq},
};
use leptos::prelude::*;
use std::time::Duration;
use web_sys::HtmlElement;

/// Milliseconds for which a deletion can be undone.
const UNDO_MS: Millis = 6_000;

/// Milliseconds by which that is extended while the undo button has the focus.
const FOCUSED_UNDO_MS: Millis = 1_000;

/// Hides a message and sends its deletion after [`UNDO_MS`], unless the user undoes it before.
pub fn hold(room: RoomState, target: Seq) {
    let command = Command { id: new_id(), operation: OutboxOperation::Delete { target } };
    // If the browser ends this page without an event, the next page sends it.
    warn_unless_stored(room, storage(room).store_command(&command));
    let user = room.profile.user.get_untracked();
    room.timeline.change(|timeline| timeline.hold_deletion(&command, user));
    show_count(room, steady() + UNDO_MS);
    release_in(room, command, UNDO_MS);
}

/// Shows the messages again whose deletion has not been sent.
pub fn undo(room: RoomState) {
    for command in room.timeline.with_timeline(Timeline::held_deletions) {
        discard(room, command.id);
    }
    room.timeline.held_deletions.set(None);
    dom::focus_composer();
}

/// Sends every deletion that is held, since the page may be about to end.
pub(super) fn release_all(room: RoomState) {
    let name = room.info.name.get_value();
    for command in room.timeline.with_timeline(Timeline::held_deletions) {
        if let OutboxOperation::Delete { target } = command.operation {
            // The socket may be gone before it has sent more than the first. The server deletes a message once.
            let _ = window().navigator().send_beacon(&link(&format!("/r/{name}/{target}/delete")));
        }
        release(room, &command);
    }
}

fn release_in(room: RoomState, command: Command, ms: Millis) {
    let release = move || {
        let has_focus = dom::element::<HtmlElement>("undo")
            .is_some_and(|undo| Some(undo.into()) == document().active_element());
        if has_focus {
            release_in(room, command.clone(), FOCUSED_UNDO_MS);
        } else {
            release(room, &command);
        }
    };
    set_timeout(release, Duration::from_millis(ms));
}

fn release(room: RoomState, command: &Command) {
    if let Some(command) = room.timeline.change(|timeline| timeline.release_deletion(command.id)) {
        send(room, command);
        let until = room.timeline.held_deletions.get_untracked().map_or(0, |(_, until)| until);
        show_count(room, until);
    }
}

fn show_count(room: RoomState, until: Millis) {
    let count = room.timeline.with_timeline(Timeline::held_deletions).len();
    room.timeline.held_deletions.set((count > 0).then_some((count, until)));
}
