//! The user's commands: they are shown at once, and stored until the server has answered.

use super::{command_id::new_id, storage::RoomStorage};
use crate::{
    base::link,
    client::{Command, OutboxOperation, PendingRename},
    page_data::NameError,
    state::{RoomState, rename_error},
    wire::{CommandId, DisplayName, ErrorCode, Files, InvalidText, Seq, trim_message},
};
use leptos::prelude::*;

/// Returns the browser's storage for the room.
pub(super) fn storage(room: RoomState) -> RoomStorage {
    room.info.name.with_value(RoomStorage::new)
}

/// Shows a command of the user, stores it and sends it.
pub fn submit(room: RoomState, operation: OutboxOperation) {
    let (command, user) = (Command { id: new_id(), operation }, room.profile.user.get_untracked());
    room.timeline.change(|timeline| timeline.add_local(&command, user));
    send(room, command);
}

/// Replaces the text of the user's own message.
///
/// # Errors
/// Returns a sentence for the author if the text is no valid message.
pub(super) fn edit(room: RoomState, target: Seq, text: &str) -> Result<(), String> {
    let text = match trim_message(text) {
        Err(InvalidText::Blank) => return Err((room.info.strings.command_error)(ErrorCode::Blank)),
        _ => room.info.validate_message(text, &Files::default())?,
    };
    submit(room, OutboxOperation::Edit { target, text });
    Ok(())
}

/// Gives a reaction to a message, or takes back the one that the user has given.
pub(super) fn react(room: RoomState, target: Seq, emoji: &str) {
    let you = room.profile.user.with_untracked(|user| user.id);
    let has_given = room.timeline.with_timeline(|timeline| timeline.has_reacted(target, emoji, you));
    submit(room, OutboxOperation::React { target, emoji: emoji.into(), on: !has_given });
}

/// Stores a command that is shown already, and sends it.
pub(super) fn send(room: RoomState, command: Command) {
    warn_unless_stored(room, storage(room).store_command(&command));
    room.timeline.with_session(|session| session.outbox.push(command));
    room.connection.wake();
}

/// Sends a refused command again, under the same id.
pub(super) fn retry(room: RoomState, id: CommandId) {
    if let Some(command) = room.timeline.change(|timeline| timeline.retry(id)) {
        send(room, command);
    }
}

/// Discards a command that is not sent.
pub fn discard(room: RoomState, id: CommandId) {
    room.timeline.change(|timeline| timeline.remove_pending(id));
    storage(room).remove_command(id);
}

/// Restores the pending commands of an earlier page of this tab, and of tabs that are gone.
pub(super) fn restore(room: RoomState) {
    for (command, refused) in storage(room).take_commands() {
        let (id, user) = (command.id, room.profile.user.get_untracked());
        if room.timeline.with_timeline(|timeline| timeline.has_pending(id)) {
            continue;
        }
        room.timeline.change(|timeline| timeline.add_local(&command, user));
        match refused {
            Some(why) => room.timeline.change(|timeline| timeline.fail(id, why)),
            None => send(room, command),
        }
    }
}

/// Shows the user's new name, and sends it. Returns `false` if the name is not valid.
pub(super) fn rename(room: RoomState, name: &str) -> bool {
    let name: DisplayName = match name.parse() {
        Ok(name) => name,
        Err(invalid) => {
            let error = rename_error(room.info.strings, NameError::Invalid(invalid));
            room.profile.rename_error.set(error);
            return false;
        }
    };
    room.profile.rename_error.set(String::new());
    let previous = room.profile.user.with_untracked(|user| user.name.clone());
    room.profile.user.update(|user| user.name = name.clone());
    let rename = PendingRename { id: new_id(), name, previous };
    room.timeline.with_session(|session| session.pending_rename = Some(rename));
    room.connection.wake();
    true
}

/// Stores a message for the latest page of the room, which posts it, and opens that page. Returns `false` if the browser
/// does not store it; nothing has happened then.
pub fn post_on_latest_page(room: RoomState, operation: OutboxOperation) -> bool {
    let command = Command { id: new_id(), operation };
    let is_stored = storage(room).store_command(&command);
    if is_stored {
        let _ = storage(room).set_draft("", None);
        let _ = window().location().set_href(&link(&room.info.path()));
    }
    is_stored
}

/// Returns the draft that was stored for the room, and shows the message that it replies to, unless the address names
/// another one.
pub fn restore_draft(room: RoomState) -> String {
    let (text, reply_to) = storage(room).draft();
    if let Some(seq) = reply_to.filter(|_| room.timeline.reply_target().is_none()) {
        room.timeline.start_reply(seq);
    }
    text
}

/// Stores the draft of the room, with the message that it replies to.
pub fn store_draft(room: RoomState, text: &str) {
    let is_stored = storage(room).set_draft(text, room.timeline.reply_target());
    if !text.is_empty() {
        warn_unless_stored(room, is_stored);
    }
}

/// Warns the user for as long as the browser does not store what they write.
pub(super) fn warn_unless_stored(room: RoomState, is_stored: bool) {
    let storage_unavailable = Some(room.info.strings.storage_unavailable);
    let warning = room.connection.storage_warning;
    let shown = warning.get_untracked();
    if !is_stored {
        if shown.is_none() {
            warning.set(storage_unavailable);
        }
    } else if shown == storage_unavailable
        && room.timeline.session.with_value(|session| session.outbox.is_empty())
    {
        warning.set(None);
    }
}
