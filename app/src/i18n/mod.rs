//! What the screen says, in every language.
//!
//! A language is one file that fills in [`Words`], and its line in `languages!` below. A string that is
//! missing in one of them does not compile.

mod default_names;
mod problem;

pub use problem::{RoomTrouble, Trouble};

use crate::wire::{ErrorCode, InvalidName, RoomName};

macro_rules! words {
    ($($text:ident)* ; $($phrase:ident($($argument:ty),*))*) => {
        /// Everything that the screen says in one language: texts, and phrases about something.
        #[expect(missing_docs, reason = "what each says stands in the files of the languages")]
        #[derive(Debug)]
        pub struct Words {
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
            pub fn words(self) -> &'static Words {
                match self {
                    $(Self::$lang => &$module::WORDS),*
                }
            }

            /// What names are made of, for those who have not chosen one.
            fn given(self) -> &'static default_names::Given {
                match self {
                    $(Self::$lang => &$module::GIVEN),*
                }
            }
        }
    };
}

languages! {
    En en
    Zh zh
}

words! {
    // The language itself: its BCP 47 tag and its own name.
    tag own_name
    // Where one is.
    about_hubbub lobby lobby_topic skip rooms your_rooms other_rooms all_rooms new_room home private_room people is_you
    no_rooms more_rooms
    // The room.
    room_menu share copy copied copy_failed qr rename_room
    new_room_title new_room_topic new_room_make new_room_hint new_private private_hint title topic_label
    // Messages.
    messages older newer history back_to_now empty deleted edited new_here latest permalink today yesterday undo
    no_such_room did_you_mean question_mark make_it leave leave_hint no_files
    // Writing.
    send edit_or_delete delete_only what_it_says save delete cancel try_again discard
    // The connection.
    connecting offline foreign_page no_app reload no_storage no_cookies
    // Who.
    you_are your_name alike
    // Settings.
    settings theme system light dark language device device_intro device_make device_here link device_go
    device_safe shortcuts close
    // Shortcuts.
    key_help key_help_writing key_unread key_next key_previous key_latest key_edit key_send key_line
    // Notifications.
    notify notify_off notify_mentions notify_all notify_refused notify_unable sound
    // Offline and pages without a room.
    to_lobby ;

    message_to(&str)
    unread(u32)
    new_messages(usize)
    people_here(usize)
    more_people(usize)
    next_try(u64)
    deletions(usize)
    undo_in(u64)
    typing(&[String])
    too_long(usize)
    refused(ErrorCode)
    bad_name(InvalidName)
    room_trouble(&RoomTrouble)
    trouble(&Trouble)
    trouble_title(&Trouble)
    device_as(&str)
    device_else(&str)
    older_unread(u32)
    utc(u64, usize, u64, u64, u64)
    utc_day(u64, usize, u64)
}

impl Words {
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
    pub fn of_tag(tag: &str) -> Option<Self> {
        let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.iter().copied().find(|lang| first(lang.words().tag) == first(tag.trim()))
    }

    /// The language that whoever sent `Accept-Language` likes best of ours (RFC 9110, section 12.5.4).
    pub fn accepted(header: &str) -> Option<Self> {
        let weighed = header.split(',').filter_map(|offer| {
            let (tag, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let weight =
                weight.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())?;
            Some((Self::of_tag(tag)?, weight)).filter(|_| weight > 0.0)
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
            (Lang::of_tag("ZH-hant"), Lang::of_tag("en"), Lang::of_tag("x")),
            (Some(Lang::Zh), Some(Lang::En), None)
        );
    }
}
