//! English.

#[cfg(feature = "ssr")]
mod server;

use super::{Lang, Strings, default_names::NameParts};
use crate::wire::{InvalidName, ErrorCode, limits::MAX_MESSAGE_BYTES};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Returns a number of hours in the largest unit without a rest.
pub(super) fn amount(hours: u32) -> String {
    let (n, unit) = match hours {
        24 => return "a day".into(),
        168 => return "a week".into(),
        8_760 => return "a year".into(),
        hours if hours % 24 == 0 => (hours / 24, "day"),
        hours => (hours, "hour"),
    };
    if n == 1 { format!("an {unit}") } else { format!("{n} {unit}s") }
}

pub(super) static STRINGS: Strings = Strings {
    lang: Lang::En,
    #[cfg(feature = "ssr")]
    server: &server::SERVER_STRINGS,
    tag: "en",

    lobby: "Lobby",
    lobby_topic: "Open to everyone with the link. Create a room for anything else.",
    skip_to_composer: "Skip to message box",
    rooms: "Rooms",
    your_rooms: "Your rooms",
    other_rooms: "Other rooms",
    all_rooms: "All rooms",
    new_room: "New room",
    home: ": lobby",
    private_room: "private",
    members: "People",
    you_suffix: "(you)",

    room_menu: "Room details",
    share: "Share this room",
    copied: "Copied",
    create_room: "Create room",

    messages: "Messages",
    older: "Older messages",
    newer: "Newer messages",
    history_notice: "You are viewing older messages.",
    back_to_latest: "Back to latest",
    room_empty: "No messages yet. Share the link to get started.",
    copy_invite: "Copy invite link",
    lessons: "**bold**, *italic*, `code`, > quote\n@ completes a name, : an emoji\nShift Enter begins a new line",
    message_deleted: "Deleted",
    undo: "Undo",
    edited: "edited",
    new_messages_separator: "new",
    latest: "Jump to latest",
    permalink: "Link to this message",
    today: "Today",
    yesterday: "Yesterday",
    code: "Code",
    copy_code: "Copy",
    show_less: "Show less",
    more_actions: "More",
    reply: "Reply",
    replying_to: "Replying to",
    cancel_reply: "Cancel reply",
    in_reply_to: "In reply to",
    earlier_message: "an earlier message",
    present: "here",
    draft: "Draft",
    react: "React",
    reaction_failed: "The server did not accept this reaction.",
    too_many_reactions: "A message can have at most 20 different reactions.",
    mark_unread: "Mark unread",
    edit: "Edit",
    room_not_found: "This room does not exist yet.",
    did_you_mean: "Did you mean ",
    question_mark: "?",

    send: "Send",
    edit_or_delete: "Edit or delete",
    delete_only: "Delete message",
    message_text_label: "Message text",
    save: "Save",
    delete: "Delete",
    cancel: "Cancel",
    try_again: "Try again",
    discard: "Discard",

    connecting: "Connecting…",
    offline: "Offline. Your messages will be sent when you reconnect.",
    reload: "Reload",
    origin_rejected: "The server rejects messages from this address. The administrator finds the address in the log and can allow it with --public-url or --allow-origin.",
    storage_unavailable: "This browser stores no data for this site. Unsent messages are lost when you close this tab.",
    cookies_disabled: "This browser stores no cookies for this site. You are a new user each time the page loads, and unsent messages are lost when you close this tab.",

    you_are: "You are ",
    your_name: "Your name",
    name_ambiguous: "Another user has the same or a similar name. The tag distinguishes you.",
    cannot_save_without_cookies: "Your browser stores no cookies for this site, so this cannot be saved. Allow cookies, then try again.",

    settings: "Settings",
    close: "Close",

    notify_denied: "Your browser blocks notifications for this site. Allow them in its settings, then choose again.",
    notify_unsupported: "Notifications are not available here. They need HTTPS or localhost.",

    composer_label: |room| format!("Message to {room}"),
    unread: |n| if n >= 100 { "99+ unread".into() } else { format!("{n} unread") },
    unread_mentions: |n| match n {
        1 => "1 unread mention".into(),
        2..100 => format!("{n} unread mentions"),
        _ => "99+ unread mentions".into(),
    },
    show_all_lines: |n| format!("Show all {n} lines"),
    new_messages: |n| if n == 1 { "1 new message".into() } else { format!("{n} new messages") },
    more_members: |n| format!("and {n} more"),
    member_count: |n| if n == 1 { "1 person here".into() } else { format!("{n} people here") },
    next_retry: |seconds| match seconds {
        0 => " Reconnecting.".into(),
        1 => " Retrying in 1 second.".into(),
        more => format!(" Retrying in {more} seconds."),
    },
    deleted_messages: |n| if n == 1 { "Deleted".into() } else { format!("{n} messages deleted") },
    undo_in: |seconds| format!("Undo ({seconds} s)"),
    typing: |names| match names {
        [one] => format!("{one} is typing…"),
        [one, two] => format!("{one} and {two} are typing…"),
        _ => "Several people are typing…".into(),
    },
    joined: |names| match names {
        [one] => format!("{one} joined"),
        [one, two] => format!("{one} and {two} joined"),
        names => format!("{} people joined", names.len()),
    },
    reacted: |names, count| {
        let others = count.saturating_sub(names.len());
        let (last, first) = match names {
            [] => return format!("{count} people"),
            names if others > 0 => (format!("{others} more"), names),
            [first @ .., last] => (last.to_string(), first),
        };
        if first.is_empty() { last } else { format!("{} and {last}", first.join(", ")) }
    },
    too_long: |over| format!("This message is {over} bytes too long (at most {MAX_MESSAGE_BYTES})."),
    command_error: |code| {
        match code {
            ErrorCode::Blank => "Please enter a message.",
            ErrorCode::TooLong => return format!("A message can have at most {MAX_MESSAGE_BYTES} bytes."),
            ErrorCode::RateLimited => "You are sending too fast. Please wait a moment.",
            ErrorCode::NoSuchRoom => {
                "A room address has 1 to 64 of a-z, 0-9 and -, and does not start or end with -."
            }
            ErrorCode::NoSuchMessage => "This message no longer exists.",
            ErrorCode::NoSuchFile => "A file of this message is no longer there, or was sent already.",
            ErrorCode::NotAllowed => "You are not allowed to change this.",
            ErrorCode::NotAdmitted => "You need an invitation or the password of this server first.",
            ErrorCode::Banned => "A moderator has ended your access to this server.",
            ErrorCode::Removed => "A moderator has removed you from this room.",
            ErrorCode::Muted => "A moderator has muted you: you can read, but not write.",
            ErrorCode::PostsClosed => "Only the owner and the moderators of this room can post here.",
            ErrorCode::SignedOut => "This device was signed out.",
            ErrorCode::InvalidName => {
                "This name is not allowed: it is reserved, ends like a tag (#2), or has hidden characters."
            }
            ErrorCode::ReadOnly => "Posting is disabled at the moment.",
            ErrorCode::Internal => "The server could not save or load this. Please try again in a moment.",
            _ => "The server did not accept this. Please reload the page and try again.",
        }
        .into()
    },
    invalid_name: |bad| {
        match bad {
            InvalidName::Blank => "Please enter a name.",
            InvalidName::TooLong => "A name can have at most 32 characters.",
            InvalidName::Hidden => "A name cannot contain hidden characters, line breaks or direction marks.",
            InvalidName::Tag => "A name cannot end like a tag (#2).",
            InvalidName::Reserved => "This name is reserved. Please choose another one.",
        }
        .into()
    },
    older_unread: |n| match n {
        1 => "1 older unread message".into(),
        100.. => "More than 100 older unread messages".into(),
        n => format!("{n} older unread messages"),
    },
    slow_mode: |seconds| match seconds {
        60 => "Slow mode: one message per person in a minute.".into(),
        3_600 => "Slow mode: one message per person in an hour.".into(),
        seconds if seconds % 60 == 0 => format!("Slow mode: one message per person in {} minutes.", seconds / 60),
        seconds => format!("Slow mode: one message per person in {seconds} seconds."),
    },
    kept_for: |hours| format!("Messages are kept for {}.", amount(hours)),
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
