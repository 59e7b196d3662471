//! The texts of the user interface in every language.
//!
//! A language is a folder that defines a [`Strings`], and a line in `languages!` below. A missing string is a compile
//! error. Texts that only the server renders are apart, in a [`ServerStrings`]: the browser does not download them.

mod default_names;
#[cfg(feature = "ssr")]
mod devices;
#[cfg(feature = "ssr")]
mod files;
#[cfg(feature = "ssr")]
mod moderation;
#[cfg(feature = "ssr")]
mod privacy;
#[cfg(feature = "ssr")]
mod problem;
mod search;
#[cfg(feature = "ssr")]
mod share;

#[cfg(feature = "ssr")]
pub use devices::DeviceStrings;
#[cfg(feature = "ssr")]
pub use files::FileStrings;
#[cfg(feature = "ssr")]
pub use moderation::ModerationStrings;
#[cfg(feature = "ssr")]
pub use privacy::PrivacyStrings;
#[cfg(feature = "ssr")]
pub use problem::{PageError, RoomFormError};
pub use search::{SearchProblem, SearchStrings};
#[cfg(feature = "ssr")]
pub use share::ShareStrings;

use crate::wire::{
    ErrorCode, InvalidName, RoomName,
    json::{FromJson, Json},
};
use std::sync::Arc;

/// Defines a struct of texts: constants, and functions that take arguments.
macro_rules! strings {
    ($(#[$attribute:meta])* $name:ident { $($field:tt)* } $($text:ident)* ; $($phrase:ident($($argument:ty),*))*) => {
        $(#[$attribute])*
        #[expect(missing_docs, reason = "the files of the languages show each text")]
        #[derive(Debug)]
        pub struct $name {
            $($field)*
            $(pub $text: &'static str,)*
            $(pub $phrase: fn($($argument),*) -> String,)*
        }
    };
}

macro_rules! languages {
    ($($lang:ident $module:ident)*) => {
        $(mod $module;)*

        /// A language of the user interface.
        #[expect(missing_docs, reason = "the names are BCP 47 tags")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum Lang {
            $($lang),*
        }

        impl Lang {
            /// All languages, the default first.
            pub const ALL: &[Self] = &[$(Self::$lang),*];

            /// Returns the language of this name.
            fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($lang) => Some(Self::$lang),)*
                    _ => None,
                }
            }

            /// Returns the texts of this language.
            pub fn strings(self) -> &'static Strings {
                match self {
                    $(Self::$lang => &$module::STRINGS),*
                }
            }

            /// Returns the parts of generated names.
            fn name_parts(self) -> &'static default_names::NameParts {
                match self {
                    $(Self::$lang => &$module::NAME_PARTS),*
                }
            }
        }
    };
}

languages! {
    En en
    Zh zh
}

strings! {
    /// The texts of the user interface in one language that both sides render.
    Strings {
        pub lang: Lang,
        /// The texts that only the server renders.
        #[cfg(feature = "ssr")]
        pub server: &'static ServerStrings,
    }
    // The BCP 47 tag.
    tag
    // Navigation.
    lobby lobby_topic skip_to_composer rooms your_rooms other_rooms all_rooms new_room home private_room members
    you_suffix
    // The room.
    room_menu share copied create_room
    // Messages.
    messages older newer history_notice back_to_latest room_empty message_deleted edited new_messages_separator
    latest permalink copy_invite lessons today yesterday undo
    code copy_code show_less
    more_actions reply replying_to cancel_reply in_reply_to earlier_message
    present draft
    react reaction_failed too_many_reactions mark_unread edit
    room_not_found did_you_mean question_mark
    // The composer and the message menu.
    send edit_or_delete delete_only message_text_label save delete cancel try_again discard
    // The connection.
    connecting offline reload origin_rejected storage_unavailable cookies_disabled
    // The profile.
    you_are your_name name_ambiguous cannot_save_without_cookies
    // Settings.
    settings close
    // Notifications.
    notify_denied notify_unsupported
    ;
    composer_label(&str)
    unread(u32)
    unread_mentions(u32)
    new_messages(usize)
    show_all_lines(usize)
    member_count(usize)
    more_members(usize)
    next_retry(u64)
    deleted_messages(usize)
    undo_in(u64)
    typing(&[String])
    joined(&[String])
    reacted(&[Arc<str>], usize)
    too_long(usize)
    command_error(ErrorCode)
    invalid_name(InvalidName)
    older_unread(u32)
    kept_for(u32)
    slow_mode(u32)
    utc(u64, usize, u64, u64, u64)
    utc_day(u64, usize, u64)
}

#[cfg(feature = "ssr")]
strings! {
    /// The texts of the user interface in one language that only the server renders.
    ServerStrings {}
    // The name of the language in itself.
    native_name
    // Navigation.
    app_description no_other_rooms more_rooms
    // The room.
    copy copy_failed qr save_room room_name_label new_room_hint private_label private_hint topic_label
    // Messages.
    jump_to_day
    completions completion_hint pasted_code format_as_code formatting formatting_bold formatting_italic
    formatting_struck formatting_block formatting_quote formatting_list
    message_actions more_emoji search_emoji recent_emoji no_emoji insert_emoji copy_text copy_as_markdown copy_as_quote
    marked_unread copy_message_failed
    leave leave_hint
    // The connection.
    app_unavailable
    // Settings.
    theme system light dark language other_device device_intro create_device_link device_link_usage link_label
    confirm_device_link device_link_warning shortcuts
    // Shortcuts.
    shortcut_help shortcut_help_in_field shortcut_switcher shortcut_next_unread shortcut_next_room
    shortcut_previous_room shortcut_latest shortcut_edit_last shortcut_send shortcut_new_line shortcut_messages shortcut_reply
    shortcut_copy shortcut_markdown
    // Notifications.
    notify notify_off notify_mentions notify_all sound
    // Pages without a room.
    go_to_lobby
    ;
    room_form_error(&RoomFormError)
    page_error(&PageError)
    page_error_title(&PageError)
    device_link_new_user(&str)
    device_link_current_user(&str)
}

impl Strings {
    /// Returns the title of a room: the lobby has a title in each language.
    pub fn title_of(&self, room: &RoomName, title: String) -> String {
        if room.is_lobby() { self.lobby.into() } else { title }
    }

    /// Returns the topic of a room: the lobby has a default topic in each language.
    pub fn topic_of(&self, room: &RoomName, topic: String) -> String {
        if topic.is_empty() && room.is_lobby() { self.lobby_topic.into() } else { topic }
    }
}

impl FromJson for Lang {
    fn from_json(json: &Json<'_>) -> Option<Self> {
        json.text().and_then(Self::from_name)
    }
}

impl Lang {
    /// Returns the language of a tag such as `zh-CN`. Only the primary subtag counts.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.iter().copied().find(|lang| first(lang.strings().tag) == first(tag.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_subtag_chooses_the_language() {
        assert_eq!(
            (Lang::from_tag("ZH-hant"), Lang::from_tag("en"), Lang::from_tag("x")),
            (Some(Lang::Zh), Some(Lang::En), None)
        );
    }
}
