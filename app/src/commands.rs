//! The commands of the user on the page of a room.
//!
//! The server compiles it too, for the event handlers of the components that it renders; it never calls them.

#[cfg(feature = "hydrate")]
use crate::browser::{attention, dom, load_older, outbox, typing};
use crate::{
    client::OutboxOperation,
    state::RoomState,
    wire::{Files, MentionHint},
};

/// The commands of a room's page. Components ask for them with [`use_state`](crate::state::use_state).
#[derive(Clone, Copy)]
pub struct Commands {
    room: RoomState,
}

impl From<RoomState> for Commands {
    fn from(room: RoomState) -> Self {
        Self { room }
    }
}

#[cfg_attr(not(feature = "hydrate"), expect(clippy::unused_self, reason = "the server gives no commands"))]
impl Commands {
    /// Posts a message, in which names mean `mentions` and which shows `files`. It is shown at once and sent as soon as possible.
    ///
    /// # Errors
    /// Returns one sentence for the author if the text is no valid message. The sentence is empty if the text is.
    pub fn post(self, text: &str, mentions: Vec<MentionHint>, files: Files) -> Result<(), String> {
        let text = self.room.info.validate_message(text, &files)?;
        self.stop_typing();
        let reply_to = self.room.timeline.take_reply();
        self.submit(OutboxOperation::Post { text, reply_to, mentions, files });
        Ok(())
    }

    /// Stores a message for the latest page of the room, which posts it, and opens that page. Returns `false` if the browser
    /// does not store it; nothing has happened then.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub fn post_on_latest_page(
        self,
        text: &str,
        mentions: Vec<MentionHint>,
        files: Files,
    ) -> Result<bool, String> {
        let text = self.room.info.validate_message(text, &files)?;
        #[cfg(feature = "hydrate")]
        let is_stored = {
            let reply_to = self.room.timeline.reply_target();
            outbox::post_on_latest_page(self.room, OutboxOperation::Post { text, reply_to, mentions, files })
        };
        #[cfg(not(feature = "hydrate"))]
        let is_stored = text.is_empty() && mentions.is_empty() && files.is_empty();
        Ok(is_stored)
    }

    /// Lets the composer reply to no message.
    pub fn cancel_reply(self) {
        self.room.timeline.take_reply();
        Self::focus_composer();
    }

    /// Returns the draft that was stored for the room, and shows the message that it replies to.
    pub fn restore_draft(self) -> String {
        #[cfg(feature = "hydrate")]
        return outbox::restore_draft(self.room);
        #[cfg(not(feature = "hydrate"))]
        String::new()
    }

    /// Stores the draft of the room, with the message that it replies to.
    pub fn store_draft(self, text: &str) {
        #[cfg(feature = "hydrate")]
        outbox::store_draft(self.room, text);
        #[cfg(not(feature = "hydrate"))]
        let _ = text;
    }

    /// Records that the user types, which the other users see.
    pub fn on_input(self) {
        #[cfg(feature = "hydrate")]
        typing::on_input(self.room);
    }

    /// Records that the text was sent or cleared.
    pub fn stop_typing(self) {
        #[cfg(feature = "hydrate")]
        typing::stop(self.room);
    }

    /// Moves the focus to the composer, on devices with a physical keyboard.
    pub fn focus_composer() {
        #[cfg(feature = "hydrate")]
        dom::focus_composer();
    }

    /// Shows the newest messages.
    pub fn go_to_end(self) {
        #[cfg(feature = "hydrate")]
        load_older::go_to_end(self.room);
    }

    /// Shows older messages, if there are any.
    pub fn load_older(self) {
        #[cfg(feature = "hydrate")]
        load_older::load_older(self.room);
    }

    /// Shows newer messages, if the newest one is not shown.
    pub fn load_newer(self) {
        #[cfg(feature = "hydrate")]
        load_older::load_newer(self.room);
    }

    /// Marks the messages in view as read, if the user attends to the page.
    pub fn look(self) {
        #[cfg(feature = "hydrate")]
        attention::look(self.room);
    }

    fn submit(self, operation: OutboxOperation) {
        #[cfg(feature = "hydrate")]
        outbox::submit(self.room, operation);
        #[cfg(not(feature = "hydrate"))]
        drop(operation);
    }
}
