//! The tables that are filled, with the columns and the order of their rows.

/// A table of the database. The order of the variants is the order in which the tables are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// The rooms, numbered in the order of their names.
    Room,
    /// When public rooms were active last.
    RoomActivity,
    /// The users and their names.
    User,
    /// The events of all rooms.
    Event,
    /// The present state of messages that were edited or deleted.
    MessageState,
    /// The reactions to messages.
    Reactions,
    /// The read markers of users.
    ReadMarker,
    /// Links to other devices. They are few: see [`MAX_DEVICE_LINKS`](crate::store::MAX_DEVICE_LINKS).
    DeviceLink,
    /// The settings of the server. They are few.
    Setting,
    /// The roles of users in rooms, and on the server.
    Role,
    /// The restrictions of users and networks.
    Restriction,
    /// Invitations to rooms, and to the server.
    Invitation,
    /// The actions of moderators.
    Action,
    /// Messages that users have reported.
    Report,
    /// Users whom others have blocked.
    Blocked,
    /// The devices of users.
    Device,
    /// The generations of the cookies of users who have signed devices out.
    SignOut,
    /// The recovery codes of users.
    RecoveryCode,
    /// Users who have erased everything, and those whose erasure has to begin again.
    Erasure,
    /// The contents in the object store.
    Content,
    /// Uploads, and the files of messages.
    File,
}

/// The place of a row in the order of its table: one number, or two. The second one is 0 for tables whose rows have one.
pub type Key = (i64, i64);

/// The progress of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The table of the last chunk. Earlier ones are complete.
    pub table: Table,
    /// The key of the last row; `None` if the chunk was the whole table.
    pub after: Option<Key>,
}

/// A column of a table.
pub(in super::super) struct Column {
    pub(in super::super) name: &'static str,
    pub(in super::super) kind: Kind,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    /// A text in one line.
    Text,
    /// The text of a message.
    MessageText,
    Bytes,
    Uuid,
}

impl Kind {
    /// Returns the object id of the type in PostgreSQL, the same in every database.
    pub(in super::super) fn oid(self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Bytes => 17,
            Self::Int8 => 20,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Text | Self::MessageText => 25,
            Self::Uuid => 2950,
        }
    }
}

/// Declares columns as `name Kind, …`.
macro_rules! columns {
    ($($name:ident $kind:ident),*) => { &[$(Column { name: stringify!($name), kind: Kind::$kind }),*] };
}

impl Table {
    /// Every table, in the order in which they are filled.
    pub const ALL: [Self; 21] = [
        Self::Room,
        Self::RoomActivity,
        Self::User,
        Self::Event,
        Self::MessageState,
        Self::Reactions,
        Self::ReadMarker,
        Self::DeviceLink,
        Self::Setting,
        Self::Role,
        Self::Restriction,
        Self::Invitation,
        Self::Action,
        Self::Report,
        Self::Blocked,
        Self::Device,
        Self::SignOut,
        Self::RecoveryCode,
        Self::Erasure,
        Self::Content,
        Self::File,
    ];

    /// Returns the name of the table in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::RoomActivity => "room_activity",
            Self::User => "user_account",
            Self::Event => "event",
            Self::MessageState => "message_state",
            Self::Reactions => "reactions",
            Self::ReadMarker => "read_marker",
            Self::DeviceLink => "device_link",
            Self::Setting => "setting",
            Self::Role => "role",
            Self::Restriction => "restriction",
            Self::Invitation => "invitation",
            Self::Action => "action",
            Self::Report => "report",
            Self::Blocked => "blocked",
            Self::Device => "device",
            Self::SignOut => "sign_out",
            Self::RecoveryCode => "recovery_code",
            Self::Erasure => "erasure",
            Self::Content => "content",
            Self::File => "file",
        }
    }

    /// Returns the table with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Returns the columns. The first ones are those of the key.
    pub(in super::super) fn columns(self) -> &'static [Column] {
        match self {
            Self::Room => columns![
                id Int4, name Text, title Text, topic Text, owner Int8, private Bool, contested Bool, title_key Text,
                title_sort Text, members_only Bool, mode Int2, slow Int4,
                retention Int4, expired Int8, visited_at Int8
            ],
            Self::RoomActivity => columns![room Int4, at Int8],
            Self::User => columns![
                id Int8, name Text, skeleton Text, ambiguous Bool, number Int8, generation Int8
            ],
            Self::Event => columns![
                room Int4, seq Int8, at Int8, author Int8, id Uuid, kind Int2, text MessageText, reply_to Int8, target Int8,
                mentions Text, files Text
            ],
            Self::MessageState => columns![room Int4, seq Int8, at Int8, text MessageText],
            Self::Reactions => columns![room Int4, seq Int8, last Int8, summary Text],
            Self::ReadMarker => columns![user_id Int8, room Int4, seq Int8, moved_at Int8],
            Self::DeviceLink => columns![hash Bytes, user_id Int8, expires_at Int8, used_at Int8],
            Self::Setting => columns![name Text, value Text],
            Self::Role => columns![user_id Int8, room Int4, role Int2],
            Self::Restriction => columns![
                id Int8, subject Text, room Int4, kind Int2, until Int8, at Int8, by Int8, reason Text
            ],
            Self::Invitation => columns![
                id Int8, hash Bytes, room Int4, by Int8, expires_at Int8, most Int4, uses Int4
            ],
            Self::Action => columns![
                id Int8, at Int8, actor Int8, word Text, room Int4, subject Text, until Int8, detail Text, reason Text
            ],
            Self::Report => columns![id Int8, at Int8, by Int8, room Int4, seq Int8, reason Text],
            Self::Blocked => columns![user_id Int8, other Int8],
            Self::Device => {
                columns![id Int8, user_id Int8, browser Text, system Text, added_at Int8, seen_at Int8]
            }
            Self::SignOut => columns![user_id Int8, generation Int8],
            Self::RecoveryCode => columns![user_id Int8, hash Bytes, created_at Int8],
            Self::Erasure => columns![user_id Int8, started_at Int8, erased Int8, finished_at Int8],
            Self::Content => columns![number Int8, hash Bytes, bytes Int8, unused Bool, removing Bool],
            Self::File => columns![
                number Int8, id Uuid, owner Int8, room Text, info Text, size Int8, received Int8, touched_at Int8, content Bytes,
                ready Bool, message Uuid, posted Bool
            ],
        }
    }

    /// Returns the number of columns of the key; 0 for a table that is one chunk.
    pub(in super::super) fn key_columns(self) -> usize {
        match self {
            Self::Room
            | Self::RoomActivity
            | Self::User
            | Self::Device
            | Self::SignOut
            | Self::RecoveryCode
            | Self::Erasure
            | Self::Content
            | Self::File => 1,
            Self::Restriction | Self::Invitation | Self::Action | Self::Report => 1,
            Self::Event | Self::MessageState | Self::Reactions | Self::ReadMarker => 2,
            Self::Role | Self::Blocked => 2,
            Self::DeviceLink | Self::Setting => 0,
        }
    }

    /// Returns the names of the columns, separated by commas.
    pub(in super::super) fn column_list(self) -> String {
        let names: Vec<_> = self.columns().iter().map(|column| column.name).collect();
        names.join(", ")
    }
}
