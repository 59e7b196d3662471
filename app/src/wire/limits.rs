//! The limits of the protocol, each with its unit and the reaction of the server when a client exceeds it.

/// The UTF-8 bytes of a message after trimming. A longer message is rejected with `too_long`.
pub const MAX_MESSAGE_BYTES: usize = 8_192;

/// The bytes of one WebSocket message of a client. JSON may write one byte as six (`\u0000`), so the longest message
/// fits. A longer WebSocket message closes the connection with 1009.
pub const MAX_FRAME_BYTES: usize = 64 * 1_024;

/// The characters of a display name after trimming. A longer name is rejected with `bad_name`.
pub const MAX_NAME_CHARS: usize = 32;

/// The characters of a room's title after trimming.
pub const MAX_TITLE_CHARS: usize = 48;

/// The characters of a room's topic after trimming.
pub const MAX_TOPIC_CHARS: usize = 200;

/// The characters of a room name.
pub const MAX_ROOM_NAME_CHARS: usize = 64;

/// The missed events that a join replays. If more are missing, the reply has `reset: true`.
pub const MAX_CATCH_UP_EVENTS: u64 = 10_000;

/// The messages on a page if the client does not set a limit.
pub const DEFAULT_PAGE_SIZE: u32 = 50;

/// The most messages on a page.
pub const MAX_PAGE_SIZE: u32 = 500;

/// The encoded bytes of a page of messages or events, of a frame and of the data of a room's page. Further entries are
/// on the next page or in the next frame. One message or event always fits.
pub const MAX_PAGE_BYTES: usize = 256 * 1_024;

/// The users that a member list contains: in `joined`, on a page and after `presence`. The count includes all users.
pub const MAX_LISTED_MEMBERS: usize = 200;

/// The rooms that one connection may join. A further join is rejected with `error`.
pub const MAX_JOINED_ROOMS: usize = 100;

/// The most events in one HTTP response.
pub const MAX_EVENTS_PER_RESPONSE: u32 = 1_000;

/// The consecutive malformed messages after which the server closes the connection with 1008.
pub const MAX_CONSECUTIVE_MALFORMED: u32 = 20;

/// The idle time in milliseconds after which a client sends `ping`.
pub const HEARTBEAT_INTERVAL_MS: u64 = 15_000;

/// The time in milliseconds after which a client without `pong` closes the connection.
pub const PONG_TIMEOUT_MS: u64 = 5_000;

/// Rooms besides its own that a page follows, at most: the first of the user's rooms.
pub const MAX_FOLLOWED_ROOMS: usize = 30;

/// Rooms of others that a list shows, at most; the page of all rooms has them all.
pub const MAX_LISTED_ROOMS: usize = 20;

/// The names in a message that are mentions, at most. Further ones are text.
pub const MAX_MENTIONS: usize = 20;

/// The files of a message, at most.
pub const MAX_FILES: usize = 10;

/// The characters of the name of a file. A longer name is cut before its extension.
pub const MAX_FILE_NAME_CHARS: usize = 100;

/// The characters of the description of a file. A longer one is cut.
pub const MAX_ALT_CHARS: usize = 500;

/// Unread messages that are counted, at most.
pub const MAX_UNREAD_COUNT: u32 = 100;
