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
            "SELECT n.id, r.name, r.title, r.topic, r.owner, r.private, r.contested, r.title_key, r.title_sort,
                 r.members_only, r.mode, r.slow,
                 r.retention, r.expired, r.visited_at
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
                 e.mentions, e.files
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
        Table::Setting => "SELECT name, value FROM setting ORDER BY name",
        // The server has no number; its name '' comes before those of rooms.
        Table::Role => {
            "SELECT r.person, coalesce(n.id, 0), r.role FROM role r LEFT JOIN room_number n ON n.name = r.room
             WHERE (r.room = '' OR n.id IS NOT NULL) AND (?1 IS NULL OR (r.person, coalesce(n.id, 0)) > (?1, ?2))
             ORDER BY r.person, r.room"
        }
        Table::Restriction => {
            "SELECT r.id, r.subject, coalesce(n.id, 0), r.kind, r.until, r.at, r.by, r.reason
             FROM restriction r LEFT JOIN room_number n ON n.name = r.room
             WHERE (r.room = '' OR n.id IS NOT NULL) AND r.id > coalesce(?1, 0) ORDER BY r.id"
        }
        Table::Invitation => {
            "SELECT i.id, i.hash, coalesce(n.id, 0), i.by, i.expires_at, i.most, i.uses
             FROM invitation i LEFT JOIN room_number n ON n.name = i.room
             WHERE (i.room = '' OR n.id IS NOT NULL) AND i.id > coalesce(?1, 0) ORDER BY i.id"
        }
        Table::Action => {
            "SELECT a.id, a.at, a.actor, a.word, coalesce(n.id, 0), a.subject, a.until, a.detail, a.reason
             FROM action a LEFT JOIN room_number n ON n.name = a.room
             WHERE (a.room = '' OR n.id IS NOT NULL) AND a.id > coalesce(?1, 0) ORDER BY a.id"
        }
        Table::Report => {
            "SELECT p.id, p.at, p.by, n.id, p.seq, p.reason FROM report p CROSS JOIN room_number n ON n.name = p.room
             WHERE p.id > coalesce(?1, 0) ORDER BY p.id"
        }
        Table::Blocked => {
            "SELECT person, other FROM blocked WHERE ?1 IS NULL OR (person, other) > (?1, ?2) ORDER BY person, other"
        }
        Table::Device => {
            "SELECT id, person, browser, system, added_at, seen_at FROM device
             WHERE ?1 IS NULL OR id > ?1 ORDER BY id"
        }
        Table::SignOut => {
            "SELECT person, generation FROM sign_out WHERE ?1 IS NULL OR person > ?1 ORDER BY person"
        }
        Table::RecoveryCode => {
            "SELECT person, hash, created_at FROM recovery_code WHERE ?1 IS NULL OR person > ?1 ORDER BY person"
        }
        Table::Erasure => {
            "SELECT person, started_at, erased, finished_at FROM erasure WHERE ?1 IS NULL OR person > ?1 ORDER BY person"
        }
        Table::Content => {
            "SELECT number, hash, bytes, unused, removing FROM content WHERE number > coalesce(?1, 0) ORDER BY number"
        }
        Table::File => {
            "SELECT number, id, owner, room, info, size, received, touched_at, content, ready, message, posted FROM file
             WHERE number > coalesce(?1, 0) ORDER BY number"
        }
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
        Table::Setting => "SELECT count(*) FROM setting",
        // What is about a room that does not exist says nothing.
        Table::Role => {
            "SELECT count(*) FROM role r LEFT JOIN room_number n ON n.name = r.room WHERE r.room = '' OR n.id IS NOT NULL"
        }
        Table::Restriction => {
            "SELECT count(*) FROM restriction r LEFT JOIN room_number n ON n.name = r.room WHERE r.room = '' OR n.id IS NOT NULL"
        }
        Table::Invitation => {
            "SELECT count(*) FROM invitation i LEFT JOIN room_number n ON n.name = i.room WHERE i.room = '' OR n.id IS NOT NULL"
        }
        Table::Action => {
            "SELECT count(*) FROM action a LEFT JOIN room_number n ON n.name = a.room WHERE a.room = '' OR n.id IS NOT NULL"
        }
        Table::Report => "SELECT count(*) FROM report p CROSS JOIN room_number n ON n.name = p.room",
        Table::Blocked => "SELECT count(*) FROM blocked",
        Table::Device => "SELECT count(*) FROM device",
        Table::SignOut => "SELECT count(*) FROM sign_out",
        Table::RecoveryCode => "SELECT count(*) FROM recovery_code",
        Table::Erasure => "SELECT count(*) FROM erasure",
        Table::Content => "SELECT count(*) FROM content",
        Table::File => "SELECT count(*) FROM file",
    }
}
