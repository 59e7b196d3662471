//! The SQL of an export. No statement sorts rows: each walks along a table or an index.

use crate::store::transfer::Table;

/// Numbers the rooms in the order of their names: the same numbers whenever the same file is read.
pub(super) const NUMBER_ROOMS: &str = "
    CREATE TEMP TABLE room_number (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    INSERT INTO room_number (id, name) SELECT row_number() OVER (ORDER BY name), name FROM room";

/// A room whose newest event is another one than its row names.
pub(super) const SELECT_WRONG_HEAD: &str = "
    SELECT name FROM room
    WHERE head <> coalesce((SELECT max(seq) FROM event WHERE event.room = room.name), 0) LIMIT 1";

/// Returns the statement that reads the rows of a table after a key, in the columns of [`Table::columns`]. Its parameters are
/// the parts of the key; NULL stands before the first row.
pub(super) fn select(table: Table) -> &'static str {
    match table {
        Table::Room => {
            "SELECT n.id, r.name, r.title, r.topic, r.owner, r.private, r.contested, r.title_key, r.title_sort
             FROM room_number n CROSS JOIN room r ON r.name = n.name
             WHERE n.id > coalesce(?1, 0) ORDER BY n.id"
        }
        // The room that was active last keeps an older time.
        Table::RoomActivity => {
            "SELECT n.id, max(r.active_at, coalesce(
                 (SELECT e.at FROM event e WHERE e.room = r.name AND e.seq = r.head), 0))
             FROM room_number n CROSS JOIN room r ON r.name = n.name
             WHERE n.id > coalesce(?1, 0) AND r.private = 0 AND r.name <> 'lobby' ORDER BY n.id"
        }
        Table::User => {
            "SELECT id, name, key, alike, coalesce(number, 1), 1 FROM person
             WHERE ?1 IS NULL OR id > ?1 ORDER BY id"
        }
        Table::Event => {
            "SELECT n.id, e.seq, e.at, e.author, e.id, e.kind,
                 coalesce(CASE WHEN c.at IS NULL THEN e.text ELSE c.text END, ''), e.reply_to, e.target,
                 e.mentions
             FROM room_number n CROSS JOIN event e ON e.room = n.name
             LEFT JOIN change c ON e.kind = 0 AND c.room = e.room AND c.seq = e.seq
             WHERE n.id >= coalesce(?1, 0) AND (n.id > coalesce(?1, 0) OR e.seq > ?2) ORDER BY n.id, e.seq"
        }
        Table::MessageState => {
            "SELECT n.id, c.seq, c.at, c.text FROM room_number n CROSS JOIN change c ON c.room = n.name
             WHERE n.id >= coalesce(?1, 0) AND (n.id > coalesce(?1, 0) OR c.seq > ?2) ORDER BY n.id, c.seq"
        }
        Table::Reactions => {
            "SELECT n.id, x.seq, x.last, x.summary FROM room_number n CROSS JOIN reactions x ON x.room = n.name
             WHERE n.id >= coalesce(?1, 0) AND (n.id > coalesce(?1, 0) OR x.seq > ?2) ORDER BY n.id, x.seq"
        }
        Table::ReadMarker => {
            "SELECT r.person, n.id, r.seq, r.at FROM reading r CROSS JOIN room_number n ON n.name = r.room
             WHERE ?1 IS NULL OR (r.person, n.id) > (?1, ?2) ORDER BY r.person, r.room"
        }
        Table::DeviceLink => "SELECT hash, person, expires_at, used_at FROM device_link ORDER BY hash",
    }
}

/// Returns the statement that counts the rows of a table.
pub(super) fn count(table: Table) -> &'static str {
    match table {
        Table::Room => "SELECT count(*) FROM room",
        Table::RoomActivity => "SELECT count(*) FROM room WHERE private = 0 AND name <> 'lobby'",
        Table::User => "SELECT count(*) FROM person",
        Table::Event => "SELECT count(*) FROM event",
        Table::MessageState => "SELECT count(*) FROM change",
        Table::Reactions => "SELECT count(*) FROM reactions",
        // A marker of a room that does not exist shows nothing.
        Table::ReadMarker => "SELECT count(*) FROM reading r CROSS JOIN room_number n ON n.name = r.room",
        Table::DeviceLink => "SELECT count(*) FROM device_link",
    }
}
