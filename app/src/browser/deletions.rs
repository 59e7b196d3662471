//! Deletions that can still be undone: the message is hidden at once, the command is sent some seconds later.

use crate::{
    base::link,
    browser::dom::element,
    client::{Command, Operation},
    clock::steady,
    state::{Live, commands::new_id},
    wire::{Millis, Seq},
};
use leptos::prelude::*;
use std::time::Duration;
use web_sys::HtmlElement;

/// For how many milliseconds a deletion can be undone.
const UNDO_MS: Millis = 6_000;

/// For how many milliseconds more while the button that undoes it has the focus.
const FOCUSED_MS: Millis = 1_000;

impl Live {
    /// Hides a message and sends its deletion after [`UNDO_MS`], unless that is undone before.
    pub(crate) fn hold_deletion(&self, target: Seq) {
        let command = Command { id: new_id(), operation: Operation::Delete { target } };
        // If the browser ends this page without a word, the next one sends it.
        self.keeps(self.storage().store_command(&command));
        let you = self.you.get_untracked();
        self.change(|feed| feed.hold_deletion(&command, you));
        self.count_deletions(steady() + UNDO_MS);
        self.end_deletion_in(command, UNDO_MS);
    }

    /// Shows the messages again whose deletion has not been sent.
    pub fn undo_deletions(&self) {
        for command in self.with_feed(crate::client::Timeline::held_deletions) {
            self.forget(command.id);
        }
        self.deletions.set(None);
        self.focus_composer();
    }

    /// Sends every deletion that is held, since the page may be about to end.
    pub(crate) fn end_deletions(&self) {
        let room = self.room.get_value();
        for command in self.with_feed(crate::client::Timeline::held_deletions) {
            if let Operation::Delete { target } = command.operation {
                // The socket may be gone before it has sent more than the first. The server deletes a message once.
                let _ = window().navigator().send_beacon(&link(&format!("/r/{room}/{target}/delete")));
            }
            self.end_deletion(&command);
        }
    }

    fn end_deletion_in(&self, command: Command, ms: Millis) {
        let live = *self;
        let end = move || {
            let has_focus = element::<HtmlElement>("undo")
                .is_some_and(|undo| Some(undo.into()) == document().active_element());
            if has_focus {
                live.end_deletion_in(command.clone(), FOCUSED_MS);
            } else {
                live.end_deletion(&command);
            }
        };
        set_timeout(end, Duration::from_millis(ms));
    }

    fn end_deletion(&self, command: &Command) {
        if let Some(command) = self.change(|feed| feed.release_deletion(command.id)) {
            self.send(command);
            let until = self.deletions.get_untracked().map_or(0, |(_, until)| until);
            self.count_deletions(until);
        }
    }

    fn count_deletions(&self, until: Millis) {
        let held = self.with_feed(crate::client::Timeline::held_deletions).len();
        self.deletions.set((held > 0).then_some((held, until)));
    }
}
