//! The limits of the protocol, each with its unit and what happens past it.

/// UTF-8 bytes that a message may have after trimming. More is `too_long`.
pub const MAX_MESSAGE_BYTES: usize = 8_192;

/// Bytes that one WebSocket message of a client may have. JSON may write one byte as six
/// (`\u0000`), so a longest message fits with room to spare; more closes the connection with 1009.
pub const MAX_FRAME_BYTES: usize = 64 * 1_024;

/// Characters that a person's name may have, after trimming. More is `bad_name`.
pub const MAX_NAME_CHARS: usize = 32;

/// Characters that a room's title may have, after trimming.
pub const MAX_TITLE_CHARS: usize = 48;

/// Characters that a room's topic may have, after trimming.
pub const MAX_TOPIC_CHARS: usize = 200;

/// Characters that a room's name may have.
pub const MAX_ROOM_NAME_CHARS: usize = 64;

/// Missed events that a join still sends one by one. More is answered with `reset: true`.
pub const MAX_CATCH_UP_EVENTS: u64 = 10_000;

/// Messages on the newest page, where nothing else is asked for.
pub const DEFAULT_PAGE_SIZE: u32 = 50;

/// Most messages that one page may hold.
pub const MAX_PAGE_SIZE: u32 = 500;

/// Bytes at which a page of messages or events, a frame and a room's page end, encoded as they are sent. What does
/// not fit is on the next page or in the next frame; one message or event always fits.
pub const MAX_PAGE_BYTES: usize = 256 * 1_024;

/// Users whom a list of those present names, in `joined`, on a page and after a `presence`. A count has all of them.
pub const MAX_LISTED_MEMBERS: usize = 200;

/// Rooms that one connection may have joined. One more is an `error`.
pub const MAX_JOINED_ROOMS: usize = 100;

/// Most events that one HTTP answer may hold.
pub const MAX_EVENTS_PER_RESPONSE: u32 = 1_000;

/// Malformed messages in a row after which a connection is closed with 1008.
pub const MAX_CONSECUTIVE_MALFORMED: u32 = 20;

/// Silence in milliseconds after which a client sends `ping`.
pub const HEARTBEAT_INTERVAL_MS: u64 = 15_000;

/// Milliseconds that a client waits for `pong` before it takes the socket for dead.
pub const PONG_TIMEOUT_MS: u64 = 5_000;

/// Rooms besides its own that a page follows, at most: the first of the user's rooms.
pub const MAX_FOLLOWED_ROOMS: usize = 30;

/// Rooms of others that a list shows, at most; the page of all rooms has them all.
pub const MAX_LISTED_ROOMS: usize = 20;

/// Unread messages that are counted, at most.
pub const MAX_UNREAD_COUNT: u32 = 100;
