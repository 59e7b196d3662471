//! The texts that only the server renders.

use super::STRINGS;
use crate::{
    i18n::{PageError, RoomFormError, ServerStrings},
    wire::{ErrorCode, InvalidName},
};

pub(super) static SERVER_STRINGS: ServerStrings = ServerStrings {
    native_name: "English",

    app_description: "Group chat in one binary. Everyone with the link can join, and no message is lost.",
    no_other_rooms: "No other rooms yet.",
    more_rooms: "More rooms",

    copy: "Copy link",
    copy_failed: "Copying failed. The link is selected: please copy it yourself.",
    qr: "QR code of the link",
    save_room: "Save",
    room_name_label: "Room name",
    new_room_hint: "You can also open /r/any-name and send the first message.",
    private_label: "Private",
    private_hint: "The address cannot be guessed and is not listed. Anyone with the link can join.",
    topic_label: "Topic (optional)",

    jump_to_day: "Jump to a day",
    completions: "Suggestions",
    completion_hint: "names of people and emoji",
    pasted_code: "Did you paste code?",
    format_as_code: "Send as code",
    formatting: "Formatting",
    formatting_bold: "bold",
    formatting_italic: "italic",
    formatting_struck: "struck out",
    formatting_block: "several lines of code",
    formatting_quote: "a quote",
    formatting_list: "a list",
    message_actions: "Message actions",
    more_emoji: "More emoji",
    search_emoji: "Search emoji",
    recent_emoji: "Recently used",
    no_emoji: "No emoji found.",
    insert_emoji: "Insert emoji",
    copy_text: "Copy text",
    copy_as_markdown: "Copy as Markdown",
    copy_as_quote: "Quote in reply",
    marked_unread: "Marked as unread",
    copy_message_failed: "Copying failed.",
    leave: "Leave room",
    leave_hint: "The room is removed from your list. You can rejoin at its address.",

    app_unavailable: "Live updates do not work in this browser. Reload to see later messages.",

    theme: "Theme",
    system: "System",
    light: "Light",
    dark: "Dark",
    language: "Language",
    other_device: "Another device",
    device_intro: "Use the same name, rooms and read positions on another device.",
    create_device_link: "Create link",
    device_link_usage: "Open this link on the other device within 10 minutes. It works once.",
    link_label: "Link",
    confirm_device_link: "Continue",
    device_link_warning: "Anyone who opens this link becomes you. Do not share it.",
    shortcuts: "Keyboard shortcuts",

    shortcut_help: "Show shortcuts",
    shortcut_help_in_field: "Show shortcuts while you type",
    shortcut_switcher: "Go to a room",
    shortcut_next_unread: "Next unread room",
    shortcut_next_room: "Next room",
    shortcut_previous_room: "Previous room",
    shortcut_latest: "Jump to latest",
    shortcut_edit_last: "Edit your last message (if the message box is empty)",
    shortcut_send: "Send",
    shortcut_new_line: "New line",
    shortcut_messages: "Move through the messages (Shift Tab in the message box)",
    shortcut_reply: "Reply to the message",
    shortcut_markdown: "Copy it, or the selected messages, as Markdown",
    shortcut_copy: "Copy its link, quote it, mark it unread, edit it, delete it",

    notify: "Notifications",
    notify_off: "Off",
    notify_mentions: "When I am mentioned",
    notify_all: "Every message",
    sound: "Play a sound",

    go_to_lobby: "Go to the lobby",

    room_form_error: |trouble| match trouble {
        RoomFormError::Title(InvalidName::Blank) => "Please enter a room name.".into(),
        RoomFormError::Title(InvalidName::TooLong) => "A room name can have at most 48 characters.".into(),
        RoomFormError::Topic(InvalidName::TooLong) => "A topic can have at most 200 characters.".into(),
        RoomFormError::Title(_) | RoomFormError::Topic(_) => {
            "It cannot contain hidden characters, line breaks or direction marks.".into()
        }
        RoomFormError::TitleTaken(title, _) => format!("A room named “{title}” already exists: "),
        RoomFormError::CookiesDisabled => STRINGS.cannot_save_without_cookies.into(),
        RoomFormError::Command(code) => (STRINGS.command_error)(*code),
    },
    page_error: |trouble| {
        match trouble {
            PageError::NotFound => "A room address has at most 64 of a-z, 0-9 and -. The lobby is always open.",
            PageError::Command(code) => return (STRINGS.command_error)(*code),
            PageError::Room(trouble) => return (SERVER_STRINGS.room_form_error)(trouble),
            PageError::ForeignOrigin => "The form was sent from another site. Nothing was changed.",
            PageError::InvalidForm => "The form is invalid. Nothing was changed.",
            PageError::InvalidSeq => "The message number is invalid.",
            PageError::LinkUsed => "Each link works once. Please create a new one on your other device.",
            PageError::LinkExpired => {
                "A link works for 10 minutes, and only until the server restarts. Please create a new one on your other device."
            }
            PageError::CookiesDisabled => STRINGS.cannot_save_without_cookies,
            PageError::Offline => "This page is not available offline. Messages from other rooms will be sent when you reconnect.",
            PageError::NotShared => {
                "This browser was not ready to take what you share, and nothing was sent. Open the lobby, then share it once more."
            }
            PageError::Internal => "The server failed. Please try again in a moment.",
        }
        .into()
    },
    page_error_title: |trouble| {
        match trouble {
            PageError::NotFound => "Page not found",
            PageError::Offline => "You are offline",
            PageError::NotShared => "Please share it once more",
            PageError::LinkUsed => "This link has been used",
            PageError::LinkExpired => "This link has expired",
            PageError::Command(ErrorCode::SignedOut) => "You are signed out",
            _ => "Something went wrong",
        }
        .into()
    },
    device_link_new_user: |name| format!("Continue as {name} on this device."),
    device_link_current_user: |name| format!("You are currently {name} here."),
};
