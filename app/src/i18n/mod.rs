//! What the screen says, in every language.
//!
//! A language is one file that fills in [`Strings`], and its line in `languages!` below. A string that is
//! missing in one of them does not compile.

mod default_names;
mod problem;

pub use problem::{PageError, RoomFormError};

use crate::wire::{ErrorCode, InvalidName, RoomName};

macro_rules! strings {
    ($($text:ident)* ; $($phrase:ident($($argument:ty),*))*) => {
        /// Everything that the screen says in one language: texts, and phrases about something.
        #[expect(missing_docs, reason = "what each says stands in the files of the languages")]
        #[derive(Debug)]
        pub struct Strings {
            pub lang: Lang,
            $(pub $text: &'static str,)*
            $(pub $phrase: fn($($argument),*) -> String,)*
        }
    };
}

macro_rules! languages {
    ($($lang:ident $module:ident)*) => {
        $(mod $module;)*

        /// A language of the screen.
        #[expect(missing_docs, reason = "they are called what they are called")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum Lang {
            $($lang),*
        }

        impl Lang {
            /// Every language, the first for whoever understands none of them.
            pub const ALL: &[Self] = &[$(Self::$lang),*];

            /// What the screen says in this language.
            pub fn strings(self) -> &'static Strings {
                match self {
                    $(Self::$lang => &$module::STRINGS),*
                }
            }

            /// What names are made of, for those who have not chosen one.
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
    // The language itself: its BCP 47 tag and its own name.
    tag native_name
    // Where one is.
    app_description lobby lobby_topic skip_to_composer rooms your_rooms other_rooms all_rooms new_room home private_room members you_suffix
    no_other_rooms more_rooms
    // The room.
    room_menu share copy copied copy_failed qr save_room
    room_name_label create_room new_room_hint private_label private_hint topic_label
    // Messages.
    messages older newer history_notice back_to_latest room_empty message_deleted edited new_messages_separator latest permalink today yesterday undo
    room_not_found did_you_mean question_mark leave leave_hint files_unsupported
    // Writing.
    send edit_or_delete delete_only message_text_label save delete cancel try_again discard
    // The connection.
    connecting offline origin_rejected app_unavailable reload storage_unavailable cookies_disabled
    // Who.
    you_are your_name name_ambiguous
    // Settings.
    settings theme system light dark language other_device device_intro create_device_link device_link_usage link_label confirm_device_link
    device_link_warning shortcuts close
    // Shortcuts.
    shortcut_help shortcut_help_in_field shortcut_next_unread shortcut_next_room shortcut_previous_room shortcut_latest shortcut_edit_last shortcut_send shortcut_new_line
    // Notifications.
    notify notify_off notify_mentions notify_all notify_denied notify_unsupported sound
    // Offline and pages without a room.
    go_to_lobby ;

    composer_label(&str)
    unread(u32)
    new_messages(usize)
    member_count(usize)
    more_members(usize)
    next_retry(u64)
    deleted_messages(usize)
    undo_in(u64)
    typing(&[String])
    too_long(usize)
    command_error(ErrorCode)
    invalid_name(InvalidName)
    room_form_error(&RoomFormError)
    page_error(&PageError)
    page_error_title(&PageError)
    device_link_new_user(&str)
    device_link_current_user(&str)
    older_unread(u32)
    utc(u64, usize, u64, u64, u64)
    utc_day(u64, usize, u64)
}

impl Strings {
    /// What a room is called, as the screen says it: the lobby has a name in each language.
    pub fn title_of(&self, room: &RoomName, title: String) -> String {
        if room.is_lobby() { self.lobby.into() } else { title }
    }

    /// What a room is about, as the screen says it: the lobby explains itself.
    pub fn topic_of(&self, room: &RoomName, topic: String) -> String {
        if topic.is_empty() && room.is_lobby() { self.lobby_topic.into() } else { topic }
    }
}

impl Lang {
    /// The language of a tag such as `zh-CN`, by its first part.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.iter().copied().find(|lang| first(lang.strings().tag) == first(tag.trim()))
    }

    /// The language that whoever sent `Accept-Language` likes best of ours (RFC 9110, section 12.5.4).
    pub fn accepted(header: &str) -> Option<Self> {
        let weighed = header.split(',').filter_map(|offer| {
            let (tag, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight =
                weight.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())?;
            Some((Self::from_tag(tag)?, weight)).filter(|_| weight > 0.0)
        });
        // The first of equals, so not `max_by`.
        weighed.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(lang, _)| lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_a_browser_likes_best_is_chosen_by_its_weight() {
        for (header, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Lang::Zh)),
            ("en-GB, zh;q=0.9", Some(Lang::En)),
            ("de, fr;q=0.8, zh-TW;q=0.5, en;q=0.4", Some(Lang::Zh)),
            ("zh;q=0, en;q=0.1", Some(Lang::En)),
            ("de", None),
            ("", None),
            (";;,=q", None),
        ] {
            assert_eq!(Lang::accepted(header), lang, "{header}");
        }
    }

    #[test]
    fn a_tag_is_known_by_its_first_part() {
        assert_eq!(
            (Lang::from_tag("ZH-hant"), Lang::from_tag("en"), Lang::from_tag("x")),
            (Some(Lang::Zh), Some(Lang::En), None)
        );
    }
}
