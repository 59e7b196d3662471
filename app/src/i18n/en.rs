//! English.

use super::{Lang, RoomFormError, PageError, Strings, default_names::NameParts};
use crate::wire::{InvalidName, ErrorCode, limits::MAX_MESSAGE_BYTES};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) static STRINGS: Strings = Strings {
    lang: Lang::En,
    tag: "en",
    native_name: "English",

    app_description: "Group chat in one binary. Everyone with the link talks, and nothing is lost.",
    lobby: "Lobby",
    lobby_topic: "Everyone with this link talks here, and nothing is lost. Make a room for anything else.",
    skip_to_composer: "Skip to writing",
    rooms: "Rooms",
    your_rooms: "Your rooms",
    other_rooms: "Other rooms",
    all_rooms: "All rooms",
    new_room: "New room",
    home: "Hubbub: the lobby",
    private_room: "private",
    members: "People",
    you_suffix: "(you)",
    no_other_rooms: "No other rooms yet.",
    more_rooms: "More rooms",

    room_menu: "About this room",
    share: "Share this room",
    copy: "Copy link",
    copied: "Copied",
    copy_failed: "Your browser did not let us copy. The link is selected: copy it by hand.",
    qr: "QR code of the link",
    save_room: "Save",
    room_name_label: "What is it called?",
    room_topic_label: "What is it about?",
    create_room: "Make room",
    new_room_hint: "A room is also made by writing the first message at its address: /r/any-name",
    private_label: "Private",
    private_hint: "An address nobody can guess, on no list. Whoever has the link is in.",
    title_label: "Title",
    topic_label: "Topic (optional)",

    messages: "Messages",
    older: "Older messages",
    newer: "Newer messages",
    history_notice: "These are older messages.",
    back_to_latest: "Back to now",
    room_empty: "Nobody has said anything yet. Share the link, and begin.",
    message_deleted: "Deleted",
    undo: "Undo",
    edited: "edited",
    new_messages_separator: "new",
    latest: "Jump to latest",
    permalink: "Link to this message",
    today: "Today",
    yesterday: "Yesterday",
    room_not_found: "This room does not exist yet.",
    did_you_mean: "Did you mean ",
    question_mark: "?",
    create_this_room: "Make it",
    leave: "Leave this room",
    leave_hint: "It goes from your list. Its address still leads here.",
    files_unsupported: "Pictures cannot be sent here yet.",

    send: "Send",
    edit_or_delete: "Edit or delete",
    delete_only: "Delete this message",
    message_text_label: "What this message says",
    save: "Save",
    delete: "Delete",
    cancel: "Cancel",
    try_again: "Try again",
    discard: "Discard",

    connecting: "Connecting…",
    offline: "Offline. Your messages wait here and will be sent.",
    origin_rejected: "The server refuses what is sent from this address. Its operator finds the address in the log and can allow it with --public-url or --allow-origin.",
    app_unavailable: "The live part of this page does not run in this browser: messages that come later need a reload.",
    reload: "Reload",
    storage_unavailable: "This browser keeps nothing for this site: what you write waits only while this tab is open.",
    cookies_disabled: "This browser keeps no cookies for this site: you are somebody new each time the page loads, and what you write waits only while this tab is open.",

    you_are: "You are ",
    your_name: "Your name",
    name_ambiguous: "Somebody else has this name, or one that looks like it. The tag tells you apart.",

    settings: "Settings",
    theme: "Theme",
    system: "System",
    light: "Light",
    dark: "Dark",
    language: "Language",
    other_device: "Another device",
    device_intro: "Be yourself on another device too: your name, your rooms, and how far you have read.",
    create_device_link: "Make a link",
    device_link_usage: "Open this link on the other device within 10 minutes. It works once.",
    link_label: "Link",
    confirm_device_link: "Continue",
    device_link_warning: "Whoever opens it is you: show it to nobody else.",
    shortcuts: "Keyboard shortcuts",
    close: "Close",

    shortcut_help: "This list",
    shortcut_help_in_field: "This list, while you write",
    shortcut_next_unread: "Next unread room",
    shortcut_next_room: "Next room",
    shortcut_previous_room: "Previous room",
    shortcut_latest: "Jump to latest",
    shortcut_edit_last: "Edit your last message (while nothing is written)",
    shortcut_send: "Send",
    shortcut_new_line: "New line",

    notify: "Notifications",
    notify_off: "Off",
    notify_mentions: "When I am mentioned",
    notify_all: "Every message",
    notify_denied: "Your browser refuses notifications for this site. Allow them in its settings, then choose again.",
    notify_unsupported: "This browser has no notifications here. They need HTTPS, or this very machine.",
    sound: "With a sound",

    go_to_lobby: "Go to the lobby",

    composer_label: |room| format!("Message to {room}"),
    unread: |n| if n >= 100 { "99+ unread".into() } else { format!("{n} unread") },
    new_messages: |n| if n == 1 { "1 new message".into() } else { format!("{n} new messages") },
    more_members: |n| format!("and {n} more"),
    member_count: |n| if n == 1 { "1 person here".into() } else { format!("{n} people here") },
    next_retry: |seconds| match seconds {
        0 => " Trying now.".into(),
        1 => " Next try in a second.".into(),
        more => format!(" Next try in {more} seconds."),
    },
    deleted_messages: |n| if n == 1 { "Deleted".into() } else { format!("{n} messages deleted") },
    undo_in: |seconds| format!("Undo ({seconds} s)"),
    typing: |names| match names {
        [one] => format!("{one} is typing…"),
        [one, two] => format!("{one} and {two} are typing…"),
        _ => "Several people are typing…".into(),
    },
    too_long: |over| format!("This is {over} bytes too long for one message ({MAX_MESSAGE_BYTES} at most)."),
    command_error: |code| {
        match code {
            ErrorCode::Blank => "There is nothing in this message.",
            ErrorCode::TooLong => return format!("A message has at most {MAX_MESSAGE_BYTES} bytes."),
            ErrorCode::RateLimited => "That was too fast. Wait a moment, then try again.",
            ErrorCode::NoSuchRoom => {
                "A room's address has 1 to 64 of a-z, 0-9 and -, and neither starts nor ends with -."
            }
            ErrorCode::NoSuchMessage => "That message is not there any more.",
            ErrorCode::NotAllowed => "That is somebody else's to change.",
            ErrorCode::InvalidName => {
                "This name cannot be chosen: it is reserved, ends like a tag (#2), or has hidden characters."
            }
            ErrorCode::ReadOnly => "Nothing can be posted here now.",
            ErrorCode::Internal => "The server could not store or read this now. Try again in a moment.",
            _ => "The server did not understand this. Reload the page, then try again.",
        }
        .into()
    },
    invalid_name: |bad| {
        match bad {
            InvalidName::Blank => "A name needs something one can see.",
            InvalidName::TooLong => "A name has at most 32 characters.",
            InvalidName::Hidden => "A name has visible characters on one line: this one hides some, or turns the text around.",
            InvalidName::Tag => "This name ends like a tag (#2), which only the server gives. Leave that out.",
            InvalidName::Reserved => "This name is reserved: it would speak for the server. Choose another one.",
        }
        .into()
    },
    room_form_error: |trouble| match trouble {
        RoomFormError::Title(InvalidName::Blank) => "A room needs a title that one can see.".into(),
        RoomFormError::Title(InvalidName::TooLong) => "A title has at most 48 characters.".into(),
        RoomFormError::Topic(InvalidName::TooLong) => "A topic has at most 200 characters.".into(),
        RoomFormError::Title(_) | RoomFormError::Topic(_) => {
            "It has characters that hide, break the line or turn it around.".into()
        }
        RoomFormError::TitleTaken(title, _) => format!("There is a room called “{title}” already: "),
        RoomFormError::CookiesDisabled => (STRINGS.page_error)(&PageError::CookiesDisabled),
        RoomFormError::Command(code) => (STRINGS.command_error)(*code),
    },
    page_error: |trouble| {
        match trouble {
            PageError::NotFound => "A room's address is made of a-z, 0-9 and -, at most 64 of them. The lobby is always open.",
            PageError::Command(code) => return (STRINGS.command_error)(*code),
            PageError::Room(trouble) => return (STRINGS.room_form_error)(trouble),
            PageError::ForeignOrigin => "This came from a page of another site, so nothing was done.",
            PageError::InvalidForm => "This form is not one of ours, so nothing was done.",
            PageError::InvalidSeq => "A place in a room is a number.",
            PageError::LinkUsed => "Each link works once. Make a new one on the device where you are yourself.",
            PageError::LinkExpired => {
                "A link works for 10 minutes, and only until the server restarts. Make a new one on the device where you are yourself."
            }
            PageError::CookiesDisabled => "Your browser keeps no cookies for this site, so this would be forgotten at once. Allow them, then try again.",
            PageError::Offline => "This page was not seen here before. Come back to it when there is a network; what you wrote in other rooms waits there.",
            PageError::Internal => "The server failed to do this. Try again in a moment.",
        }
        .into()
    },
    page_error_title: |trouble| {
        match trouble {
            PageError::NotFound => "There is nothing here",
            PageError::Offline => "You are offline",
            PageError::LinkUsed => "This link has been used",
            PageError::LinkExpired => "This link is too old",
            _ => "That did not work",
        }
        .into()
    },
    device_link_new_user: |name| format!("From now on you are {name} here."),
    device_link_current_user: |name| format!("Until now you were {name} here."),
    older_unread: |n| match n {
        1 => "1 unread message before these".into(),
        100.. => "More than 100 unread messages before these".into(),
        n => format!("{n} unread messages before these"),
    },
    utc: |_, month, day, hour, minute| format!("{day} {} {hour:02}:{minute:02} UTC", MONTHS[month - 1]),
    utc_day: |year, month, day| format!("{day} {} {year}", MONTHS[month - 1]),
};

pub(super) static NAME_PARTS: NameParts = NameParts {
    adjectives: [
        "Quiet", "Brave", "Calm", "Clever", "Curious", "Eager", "Early", "Fair", "Gentle", "Glad", "Golden",
        "Happy", "Honest", "Jolly", "Keen", "Kind", "Lively", "Lucky", "Merry", "Modest", "Nimble", "Noble",
        "Patient", "Plucky", "Proud", "Quick", "Silver", "Steady", "Sunny", "Warm", "Wise", "Witty",
    ],
    separator: " ",
    animals: [
        "Otter", "Badger", "Bear", "Beaver", "Crane", "Deer", "Dolphin", "Falcon", "Finch", "Fox", "Hare",
        "Hawk", "Hedgehog", "Heron", "Ibis", "Jay", "Koala", "Lark", "Lynx", "Marten", "Mole", "Moose",
        "Newt", "Owl", "Panda", "Raven", "Robin", "Seal", "Swan", "Tern", "Turtle", "Wren",
    ],
};
