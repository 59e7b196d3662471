//! The user's commands: they are shown at once, and stored until the server has answered.

use crate::{
    client::{Command, Operation, PendingRename},
    i18n::PageError,
    page_data::NameError,
    state::Live,
    wire::{CommandId, DisplayName, ErrorCode, InvalidText, Seq, trim_message},
};
use leptos::prelude::*;
use std::sync::Arc;

impl Live {
    /// Posts a message. It is shown at once and sent as soon as possible.
    ///
    /// # Errors
    /// Returns one sentence for the author if the text is no valid message; it is empty if the text is.
    pub fn post(&self, text: &str) -> Result<(), String> {
        let text = self.validate_message(text)?;
        #[cfg(feature = "hydrate")]
        self.stop_typing();
        self.give(Operation::Post { text });
        Ok(())
    }

    /// Replaces the text of an own message.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub fn edit(&self, target: Seq, text: &str) -> Result<(), String> {
        let text = match trim_message(text) {
            Err(InvalidText::Blank) => return Err((self.strings.command_error)(ErrorCode::Blank)),
            _ => self.validate_message(text)?,
        };
        self.give(Operation::Edit { target, text });
        Ok(())
    }

    /// Hides a message; its deletion is sent some seconds later, unless the user undoes it.
    pub fn delete(&self, target: Seq) {
        #[cfg(feature = "hydrate")]
        self.hold_deletion(target);
        #[cfg(not(feature = "hydrate"))]
        let _ = target;
    }

    /// Changes the user's name. Returns `false` if it is not valid.
    pub fn rename(&self, name: &str) -> bool {
        match name.parse::<DisplayName>() {
            Ok(name) => {
                self.name_problem.set(String::new());
                let previous = self.you.with_untracked(|you| you.name.clone());
                self.you.update(|you| you.name = name.clone());
                let rename = PendingRename { id: new_id(), name, previous };
                self.with_session(|session| session.pending_rename = Some(rename));
                self.work.update(|work| *work += 1);
                true
            }
            Err(bad) => {
                self.name_problem.set(self.rename_error(NameError::Invalid(bad)));
                false
            }
        }
    }

    /// Returns the sentence that explains why a name was refused.
    pub fn rename_error(&self, why: NameError) -> String {
        match why {
            NameError::Invalid(bad) => (self.strings.invalid_name)(bad),
            NameError::CookiesDisabled => (self.strings.page_error)(&PageError::CookiesDisabled),
            NameError::Command(code) => (self.strings.command_error)(code),
        }
    }

    /// Returns the text as it can be posted.
    fn validate_message(&self, text: &str) -> Result<Arc<str>, String> {
        trim_message(text).map(Into::into).map_err(|bad| match bad {
            InvalidText::Blank => String::new(),
            InvalidText::TooLong { over } => (self.strings.too_long)(over),
        })
    }

    /// Sends a refused command again, under the same id.
    pub fn retry(&self, id: CommandId) {
        if let Some(command) = self.change(|feed| feed.retry(id)) {
            self.send(command);
        }
    }

    /// Discards a refused command.
    pub fn forget(&self, id: CommandId) {
        self.change(|feed| feed.remove_pending(id));
        #[cfg(feature = "hydrate")]
        self.storage().remove_command(id);
    }

    fn give(&self, operation: Operation) {
        let command = Command { id: new_id(), operation };
        let you = self.you.get_untracked();
        self.change(|feed| feed.add_local(&command, you));
        self.send(command);
    }

    pub(crate) fn send(&self, command: Command) {
        #[cfg(feature = "hydrate")]
        self.keeps(self.storage().store_command(&command));
        self.with_session(|session| session.outbox.push(command));
        self.work.update(|work| *work += 1);
    }
}

/// What the socket needs of it.
#[cfg(feature = "hydrate")]
impl Live {
    /// Restores the pending commands of an earlier page of this tab, and of tabs that are gone.
    pub(crate) fn restore_outbox(&self) {
        for (command, refused) in self.storage().take_commands() {
            let (id, you) = (command.id, self.you.get_untracked());
            if self.with_feed(|feed| feed.has_pending(id)) {
                continue;
            }
            self.change(|feed| feed.add_local(&command, you));
            match refused {
                Some(why) => self.change(|feed| feed.fail(id, why)),
                None => self.send(command),
            }
        }
    }

    /// Goes on to the place to write. With a keyboard at hand one can write at once; on a phone the keyboard would
    /// cover the page.
    pub fn focus_composer(&self) {
        let has_mouse = crate::ui::enter::has_fine_pointer();
        if let Some(field) =
            crate::browser::dom::element::<web_sys::HtmlElement>("text").filter(|_| has_mouse)
        {
            let _ = field.focus();
        }
    }

    /// Keeps a message for the newest page of the room, which posts it, and goes there. Returns whether the browser
    /// has kept it; otherwise nothing has happened.
    ///
    /// # Errors
    /// As [`post`](Self::post).
    pub fn post_on_newest_page(&self, text: &str) -> Result<bool, String> {
        let command =
            Command { id: new_id(), operation: Operation::Post { text: self.validate_message(text)? } };
        let is_kept = self.storage().store_command(&command);
        if is_kept {
            self.keep_draft("");
            let _ =
                window().location().set_href(&self.room.with_value(|room| crate::base::link(&room.path())));
        }
        Ok(is_kept)
    }

    /// What was being written here when the page was left.
    pub fn draft(&self) -> String {
        self.storage().draft()
    }

    /// Keeps what is being written.
    pub fn keep_draft(&self, text: &str) {
        let kept = self.storage().set_draft(text);
        if !text.is_empty() {
            self.keeps(kept);
        }
    }

    /// Says so where the browser does not keep what is written, as long as that is so.
    pub(crate) fn keeps(&self, kept: bool) {
        let storage_unavailable = Some(self.strings.storage_unavailable);
        let said = self.unkept.get_untracked();
        if kept && said == storage_unavailable && self.session.with_value(|session| session.outbox.is_empty())
        {
            self.unkept.set(None);
        } else if !kept && said.is_none() {
            self.unkept.set(storage_unavailable);
        }
    }
}

/// A UUID of version 7 (RFC 9562, section 5.7): they grow with time, so the log's index stays cheap.
#[cfg(feature = "hydrate")]
pub(crate) fn new_id() -> CommandId {
    let mut random = [0; 10];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut random);
    }
    uuid::Builder::from_unix_timestamp_millis(crate::clock::now(), &random).into_uuid()
}

/// The server renders; it never posts from a page.
#[cfg(not(feature = "hydrate"))]
fn new_id() -> CommandId {
    CommandId::nil()
}
