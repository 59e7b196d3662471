//! English.

use super::{Lang, RoomTrouble, Trouble, Words, default_names::Given};
use crate::wire::{InvalidName, ErrorCode, limits::MESSAGE_BYTES};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) static WORDS: Words = Words {
    lang: Lang::En,
    tag: "en",
    own_name: "English",

    about_hubbub: "Group chat in one binary. Everyone with the link talks, and nothing is lost.",
    lobby: "Lobby",
    lobby_topic: "Everyone with this link talks here, and nothing is lost. Make a room for anything else.",
    skip: "Skip to writing",
    rooms: "Rooms",
    your_rooms: "Your rooms",
    other_rooms: "Other rooms",
    all_rooms: "All rooms",
    new_room: "New room",
    home: "Hubbub: the lobby",
    private_room: "private",
    people: "People",
    is_you: "(you)",
    no_rooms: "No other rooms yet.",
    more_rooms: "More rooms",

    room_menu: "About this room",
    share: "Share this room",
    copy: "Copy link",
    copied: "Copied",
    copy_failed: "Your browser did not let us copy. The link is selected: copy it by hand.",
    qr: "QR code of the link",
    rename_room: "Save",
    new_room_title: "What is it called?",
    new_room_topic: "What is it about?",
    new_room_make: "Make room",
    new_room_hint: "A room is also made by writing the first message at its address: /r/any-name",
    new_private: "Private",
    private_hint: "An address nobody can guess, on no list. Whoever has the link is in.",
    title: "Title",
    topic_label: "Topic (optional)",

    messages: "Messages",
    older: "Older messages",
    newer: "Newer messages",
    history: "These are older messages.",
    back_to_now: "Back to now",
    empty: "Nobody has said anything yet. Share the link, and begin.",
    deleted: "Deleted",
    undo: "Undo",
    edited: "edited",
    new_here: "new",
    latest: "Jump to latest",
    permalink: "Link to this message",
    today: "Today",
    yesterday: "Yesterday",
    no_such_room: "This room does not exist yet.",
    did_you_mean: "Did you mean ",
    question_mark: "?",
    make_it: "Make it",
    leave: "Leave this room",
    leave_hint: "It goes from your list. Its address still leads here.",
    no_files: "Pictures cannot be sent here yet.",

    send: "Send",
    edit_or_delete: "Edit or delete",
    delete_only: "Delete this message",
    what_it_says: "What this message says",
    save: "Save",
    delete: "Delete",
    cancel: "Cancel",
    try_again: "Try again",
    discard: "Discard",

    connecting: "Connecting…",
    offline: "Offline. Your messages wait here and will be sent.",
    foreign_page: "The server refuses what is sent from this address. Its operator finds the address in the log and can allow it with --public-url or --allow-origin.",
    no_app: "The live part of this page does not run in this browser: messages that come later need a reload.",
    reload: "Reload",
    no_storage: "This browser keeps nothing for this site: what you write waits only while this tab is open.",
    no_cookies: "This browser keeps no cookies for this site: you are somebody new each time the page loads, and what you write waits only while this tab is open.",

    you_are: "You are ",
    your_name: "Your name",
    alike: "Somebody else has this name, or one that looks like it. The tag tells you apart.",

    settings: "Settings",
    theme: "Theme",
    system: "System",
    light: "Light",
    dark: "Dark",
    language: "Language",
    device: "Another device",
    device_intro: "Be yourself on another device too: your name, your rooms, and how far you have read.",
    device_make: "Make a link",
    device_here: "Open this link on the other device within 10 minutes. It works once.",
    link: "Link",
    device_go: "Continue",
    device_safe: "Whoever opens it is you: show it to nobody else.",
    shortcuts: "Keyboard shortcuts",
    close: "Close",

    key_help: "This list",
    key_help_writing: "This list, while you write",
    key_unread: "Next unread room",
    key_next: "Next room",
    key_previous: "Previous room",
    key_latest: "Jump to latest",
    key_edit: "Edit your last message (while nothing is written)",
    key_send: "Send",
    key_line: "New line",

    notify: "Notifications",
    notify_off: "Off",
    notify_mentions: "When I am mentioned",
    notify_all: "Every message",
    notify_refused: "Your browser refuses notifications for this site. Allow them in its settings, then choose again.",
    notify_unable: "This browser has no notifications here. They need HTTPS, or this very machine.",
    sound: "With a sound",

    to_lobby: "Go to the lobby",

    message_to: |room| format!("Message to {room}"),
    unread: |n| if n >= 100 { "99+ unread".into() } else { format!("{n} unread") },
    new_messages: |n| if n == 1 { "1 new message".into() } else { format!("{n} new messages") },
    more_people: |n| format!("and {n} more"),
    people_here: |n| if n == 1 { "1 person here".into() } else { format!("{n} people here") },
    next_try: |seconds| match seconds {
        0 => " Trying now.".into(),
        1 => " Next try in a second.".into(),
        more => format!(" Next try in {more} seconds."),
    },
    deletions: |n| if n == 1 { "Deleted".into() } else { format!("{n} messages deleted") },
    undo_in: |seconds| format!("Undo ({seconds} s)"),
    typing: |names| match names {
        [one] => format!("{one} is typing…"),
        [one, two] => format!("{one} and {two} are typing…"),
        _ => "Several people are typing…".into(),
    },
    too_long: |over| format!("This is {over} bytes too long for one message ({MESSAGE_BYTES} at most)."),
    refused: |code| {
        match code {
            ErrorCode::Blank => "There is nothing in this message.",
            ErrorCode::TooLong => return format!("A message has at most {MESSAGE_BYTES} bytes."),
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
    bad_name: |bad| {
        match bad {
            InvalidName::Blank => "A name needs something one can see.",
            InvalidName::TooLong => "A name has at most 32 characters.",
            InvalidName::Hidden => "A name has visible characters on one line: this one hides some, or turns the text around.",
            InvalidName::Tag => "This name ends like a tag (#2), which only the server gives. Leave that out.",
            InvalidName::Reserved => "This name is reserved: it would speak for the server. Choose another one.",
        }
        .into()
    },
    room_trouble: |trouble| match trouble {
        RoomTrouble::Title(InvalidName::Blank) => "A room needs a title that one can see.".into(),
        RoomTrouble::Title(InvalidName::TooLong) => "A title has at most 48 characters.".into(),
        RoomTrouble::Topic(InvalidName::TooLong) => "A topic has at most 200 characters.".into(),
        RoomTrouble::Title(_) | RoomTrouble::Topic(_) => {
            "It has characters that hide, break the line or turn it around.".into()
        }
        RoomTrouble::Taken(title, _) => format!("There is a room called “{title}” already: "),
        RoomTrouble::NoCookies => (WORDS.trouble)(&Trouble::NoCookies),
        RoomTrouble::Refused(code) => (WORDS.refused)(*code),
    },
    trouble: |trouble| {
        match trouble {
            Trouble::NothingHere => "A room's address is made of a-z, 0-9 and -, at most 64 of them. The lobby is always open.",
            Trouble::Refused(code) => return (WORDS.refused)(*code),
            Trouble::Room(trouble) => return (WORDS.room_trouble)(trouble),
            Trouble::Foreign => "This came from a page of another site, so nothing was done.",
            Trouble::NotOurs => "This form is not one of ours, so nothing was done.",
            Trouble::NoPlace => "A place in a room is a number.",
            Trouble::UsedLink => "Each link works once. Make a new one on the device where you are yourself.",
            Trouble::StaleLink => {
                "A link works for 10 minutes, and only until the server restarts. Make a new one on the device where you are yourself."
            }
            Trouble::NoCookies => "Your browser keeps no cookies for this site, so this would be forgotten at once. Allow them, then try again.",
            Trouble::Offline => "This page was not seen here before. Come back to it when there is a network; what you wrote in other rooms waits there.",
            Trouble::Failed => "The server failed to do this. Try again in a moment.",
        }
        .into()
    },
    trouble_title: |trouble| {
        match trouble {
            Trouble::NothingHere => "There is nothing here",
            Trouble::Offline => "You are offline",
            Trouble::UsedLink => "This link has been used",
            Trouble::StaleLink => "This link is too old",
            _ => "That did not work",
        }
        .into()
    },
    device_as: |name| format!("From now on you are {name} here."),
    device_else: |name| format!("Until now you were {name} here."),
    older_unread: |n| match n {
        1 => "1 unread message before these".into(),
        100.. => "More than 100 unread messages before these".into(),
        n => format!("{n} unread messages before these"),
    },
    utc: |_, month, day, hour, minute| format!("{day} {} {hour:02}:{minute:02} UTC", MONTHS[month - 1]),
    utc_day: |year, month, day| format!("{day} {} {year}", MONTHS[month - 1]),
};

pub(super) static GIVEN: Given = Given {
    adjectives: [
        "Quiet", "Brave", "Calm", "Clever", "Curious", "Eager", "Early", "Fair", "Gentle", "Glad", "Golden",
        "Happy", "Honest", "Jolly", "Keen", "Kind", "Lively", "Lucky", "Merry", "Modest", "Nimble", "Noble",
        "Patient", "Plucky", "Proud", "Quick", "Silver", "Steady", "Sunny", "Warm", "Wise", "Witty",
    ],
    joint: " ",
    animals: [
        "Otter", "Badger", "Bear", "Beaver", "Crane", "Deer", "Dolphin", "Falcon", "Finch", "Fox", "Hare",
        "Hawk", "Hedgehog", "Heron", "Ibis", "Jay", "Koala", "Lark", "Lynx", "Marten", "Mole", "Moose",
        "Newt", "Owl", "Panda", "Raven", "Robin", "Seal", "Swan", "Tern", "Turtle", "Wren",
    ],
};
