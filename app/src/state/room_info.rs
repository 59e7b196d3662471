//! The room itself.

use crate::{
    i18n::Strings,
    wire::{Files, InvalidText, PostingRules, RoomName, UserId, trim_message},
};
use leptos::prelude::*;
use std::sync::Arc;

/// The room of the page.
#[derive(Clone, Copy)]
pub struct RoomInfoState {
    /// The texts of the page's language.
    pub strings: &'static Strings,
    /// The name of the room.
    pub name: StoredValue<RoomName>,
    /// Its title.
    pub title: RwSignal<String>,
    /// Its topic; empty if it has none.
    pub topic: RwSignal<String>,
    /// For how many hours its messages are kept; `None` without limit.
    pub kept_hours: RwSignal<Option<u32>>,
    /// The rules for the posts of the user.
    pub posting: RwSignal<PostingRules>,
    /// The user moderates it.
    pub moderates: bool,
    /// The users whom the user has blocked.
    pub blocked: StoredValue<Vec<UserId>>,
    /// The page shows the newest messages and is updated live. Any other page stays as the server has rendered it, and
    /// its forms are submitted.
    pub is_latest_page: bool,
}

impl RoomInfoState {
    /// Returns `true` if `room` is the room of the page.
    pub fn is_here(self, room: &RoomName) -> bool {
        self.name.with_value(|here| here == room)
    }

    /// Returns `true` if the user has blocked another one.
    pub fn is_blocked(self, other: UserId) -> bool {
        self.blocked.with_value(|blocked| blocked.contains(&other))
    }

    /// Returns a text as it can be posted with `files`.
    ///
    /// # Errors
    /// Returns one sentence for the author if the text is no valid message. The sentence is empty if the text is.
    pub fn validate_message(self, text: &str, files: &Files) -> Result<Arc<str>, String> {
        trim_message(text).map(Into::into).or_else(|invalid| match invalid {
            InvalidText::Blank if !files.is_empty() => Ok(files.names().into()),
            InvalidText::Blank => Err(String::new()),
            InvalidText::TooLong { over } => Err((self.strings.too_long)(over)),
        })
    }

    /// Returns the path of the room's page.
    pub fn path(self) -> String {
        self.name.with_value(RoomName::path)
    }
}
