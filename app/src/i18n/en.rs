//! English.

use super::{Lang, RoomFormError, PageError, Strings, default_names::NameParts};
use crate::wire::{InvalidName, ErrorCode, limits::MAX_MESSAGE_BYTES};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) static STRINGS: Strings = Strings {
    lang: Lang::En,
    tag: "en",
    native_name: "English",

    app_description: "Group chat in one binary. Everyone with the link can join, and no message is lost.",
    lobby: "Lobby",
    lobby_topic: "Open to everyone with the link. Create a room for anything else.",
    skip_to_composer: "Skip to message box",
    rooms: "Rooms",
    your_rooms: "Your rooms",
    other_rooms: "Other rooms",
    all_rooms: "All rooms",
    new_room: "New room",
    home: "Hubbub: lobby",
    private_room: "private",
    members: "People",
    you_suffix: "(you)",
    no_other_rooms: "No other rooms yet.",
    more_rooms: "More rooms",

    room_menu: "Room details",
    share: "Share this room",
    copy: "Copy link",
    copied: "Copied",
    copy_failed: "Copying failed. The link is selected: please copy it yourself.",
    qr: "QR code of the link",
    save_room: "Save",
    room_name_label: "Room name",
    create_room: "Create room",
    new_room_hint: "You can also open /r/any-name and send the first message.",
    private_label: "Private",
    private_hint: "The address cannot be guessed and is not listed. Anyone with the link can join.",
    topic_label: "Topic (optional)",

    messages: "Messages",
    older: "Older messages",
    newer: "Newer messages",
    history_notice: "You are viewing older messages.",
    back_to_latest: "Back to latest",
    room_empty: "No messages yet. Share the link to get started.",
    jump_to_day: "Jump to a day",
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
    reply: "Reply",
    replying_to: "Replying to",
    cancel_reply: "Cancel reply",
    in_reply_to: "In reply to",
    earlier_message: "an earlier message",
    completions: "Suggestions",
    present: "here",
    completion_hint: "names of people and emoji",
    draft: "Draft",
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
    more_actions: "More",
    react: "React",
    more_emoji: "More emoji",
    search_emoji: "Search emoji",
    recent_emoji: "Recently used",
    no_emoji: "No emoji found.",
    insert_emoji: "Insert emoji",
    reaction_failed: "The server did not accept this reaction.",
    too_many_reactions: "A message can have at most 20 different reactions.",
    copy_text: "Copy text",
    copy_as_quote: "Quote in reply",
    mark_unread: "Mark unread",
    marked_unread: "Marked as unread",
    copy_message_failed: "Copying failed.",
    edit: "Edit",
    room_not_found: "This room does not exist yet.",
    did_you_mean: "Did you mean ",
    question_mark: "?",
    leave: "Leave room",
    leave_hint: "The room is removed from your list. You can rejoin at its address.",
    files_unsupported: "Sending files is not supported yet.",

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
    origin_rejected: "The server rejects messages from this address. The administrator finds the address in the log and can allow it with --public-url or --allow-origin.",
    app_unavailable: "Live updates do not work in this browser. Reload to see later messages.",
    reload: "Reload",
    storage_unavailable: "This browser stores no data for this site. Unsent messages are lost when you close this tab.",
    cookies_disabled: "This browser stores no cookies for this site. You are a new user each time the page loads, and unsent messages are lost when you close this tab.",

    you_are: "You are ",
    your_name: "Your name",
    name_ambiguous: "Another user has the same or a similar name. The tag distinguishes you.",

    settings: "Settings",
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
    close: "Close",

    shortcut_help: "Show shortcuts",
    shortcut_help_in_field: "Show shortcuts while you type",
    shortcut_next_unread: "Next unread room",
    shortcut_next_room: "Next room",
    shortcut_previous_room: "Previous room",
    shortcut_latest: "Jump to latest",
    shortcut_edit_last: "Edit your last message (if the message box is empty)",
    shortcut_send: "Send",
    shortcut_new_line: "New line",
    shortcut_messages: "Move through the messages (Shift Tab in the message box)",
    shortcut_reply: "Reply to the message",
    shortcut_copy: "Copy its link, quote it, mark it unread, edit it, delete it",

    notify: "Notifications",
    notify_off: "Off",
    notify_mentions: "When I am mentioned",
    notify_all: "Every message",
    notify_denied: "Your browser blocks notifications for this site. Allow them in its settings, then choose again.",
    notify_unsupported: "Notifications are not available here. They need HTTPS or localhost.",
    sound: "Play a sound",

    go_to_lobby: "Go to the lobby",

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
    room_form_error: |trouble| match trouble {
        RoomFormError::Title(InvalidName::Blank) => "Please enter a room name.".into(),
        RoomFormError::Title(InvalidName::TooLong) => "A room name can have at most 48 characters.".into(),
        RoomFormError::Topic(InvalidName::TooLong) => "A topic can have at most 200 characters.".into(),
        RoomFormError::Title(_) | RoomFormError::Topic(_) => {
            "It cannot contain hidden characters, line breaks or direction marks.".into()
        }
        RoomFormError::TitleTaken(title, _) => format!("A room named “{title}” already exists: "),
        RoomFormError::CookiesDisabled => (STRINGS.page_error)(&PageError::CookiesDisabled),
        RoomFormError::Command(code) => (STRINGS.command_error)(*code),
    },
    page_error: |trouble| {
        match trouble {
            PageError::NotFound => "A room address has at most 64 of a-z, 0-9 and -. The lobby is always open.",
            PageError::Command(code) => return (STRINGS.command_error)(*code),
            PageError::Room(trouble) => return (STRINGS.room_form_error)(trouble),
            PageError::ForeignOrigin => "The form was sent from another site. Nothing was changed.",
            PageError::InvalidForm => "The form is invalid. Nothing was changed.",
            PageError::InvalidSeq => "The message number is invalid.",
            PageError::LinkUsed => "Each link works once. Please create a new one on your other device.",
            PageError::LinkExpired => {
                "A link works for 10 minutes, and only until the server restarts. Please create a new one on your other device."
            }
            PageError::CookiesDisabled => "Your browser stores no cookies for this site, so this cannot be saved. Allow cookies, then try again.",
            PageError::Offline => "This page is not available offline. Messages from other rooms will be sent when you reconnect.",
            PageError::Internal => "The server failed. Please try again in a moment.",
        }
        .into()
    },
    page_error_title: |trouble| {
        match trouble {
            PageError::NotFound => "Page not found",
            PageError::Offline => "You are offline",
            PageError::LinkUsed => "This link has been used",
            PageError::LinkExpired => "This link has expired",
            PageError::Command(ErrorCode::SignedOut) => "You are signed out",
            _ => "Something went wrong",
        }
        .into()
    },
    device_link_new_user: |name| format!("Continue as {name} on this device."),
    device_link_current_user: |name| format!("You are currently {name} here."),
    older_unread: |n| match n {
        1 => "1 older unread message".into(),
        100.. => "More than 100 older unread messages".into(),
        n => format!("{n} older unread messages"),
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
