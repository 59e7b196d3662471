//! The SQL statements of sweeps, exports and erasures.

/// Sets how long a room keeps its messages.
pub(super) const SET_RETENTION: &str = "UPDATE room SET retention = ?2 WHERE name = ?1";

/// Rooms by name after a name, as a sweep looks at them.
pub(super) const SELECT_AGING_ROOMS: &str = "
    SELECT r.name, r.retention, r.owner IS NOT NULL, r.head, r.visited_at,
        (SELECT at FROM event WHERE room = r.name AND seq > r.expired ORDER BY seq LIMIT 1)
    FROM room r WHERE r.name > ?1 ORDER BY r.name LIMIT ?2";

/// One room, as a sweep looks at it, and up to which event it has expired.
pub(super) const SELECT_AGING_ROOM: &str = "
    SELECT r.name, r.retention, r.owner IS NOT NULL, r.head, r.visited_at, NULL, r.expired FROM room r WHERE r.name = ?1";

/// The oldest events of a room after a position.
pub(super) const SELECT_OLDEST_EVENTS: &str =
    "SELECT seq, at, kind FROM event WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

/// The edited messages of a range.
pub(super) const SELECT_EDITED: &str =
    "SELECT seq FROM change WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND text IS NOT NULL";

/// Removes the present states of a range of messages.
pub(super) const DELETE_CHANGES_OF_RANGE: &str =
    "DELETE FROM change WHERE room = ?1 AND seq > ?2 AND seq <= ?3";

/// Removes the reactions to a range of messages.
pub(super) const DELETE_REACTIONS_OF_RANGE: &str =
    "DELETE FROM reactions WHERE room = ?1 AND seq > ?2 AND seq <= ?3";

/// Removes whom a range of messages addresses.
pub(super) const DELETE_MENTIONS_OF_RANGE: &str =
    "DELETE FROM mention WHERE room = ?1 AND seq > ?2 AND seq <= ?3";

/// Removes the content of a range of events. Those that say what has expired stay: a client that was away needs them.
pub(super) const EXPIRE_EVENTS: &str = "
    UPDATE event SET kind = -1, text = '', reply_to = NULL, target = NULL, mentions = NULL
    WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND kind <> 6";

/// Sets up to which event a room has expired.
pub(super) const SET_EXPIRED: &str = "UPDATE room SET expired = ?2 WHERE name = ?1";

/// The time of an event.
pub(super) const SELECT_EVENT_TIME: &str = "SELECT at FROM event WHERE room = ?1 AND seq = ?2";

/// The number of messages of a room with few events, deleted ones included, up to two.
pub(super) const COUNT_MESSAGES: &str =
    "SELECT count(*) FROM (SELECT 1 FROM event WHERE room = ?1 AND kind = 0 LIMIT 2)";

/// Some users with a read marker in a room.
pub(super) const SELECT_MARKERS_OF_ROOM: &str = "SELECT person FROM reading WHERE room = ?1 LIMIT ?2";

/// Removes the events of a room.
pub(super) const DELETE_EVENTS: &str = "DELETE FROM event WHERE room = ?1";

/// Removes the row of a room.
pub(super) const DELETE_ROOM: &str = "DELETE FROM room WHERE name = ?1";

/// Records when a user was in a room, unless that is recorded for a time after `?3`.
pub(super) const RECORD_ROOM_VISIT: &str =
    "UPDATE room SET visited_at = ?2 WHERE name = ?1 AND visited_at <= ?3";

/// Messages and reactions of a user among the events of some rows.
pub(super) const SELECT_USER_RECORDS: &str = "
    SELECT e.row, e.room, e.seq, e.at, e.id, e.kind, coalesce(c.text, e.text), e.reply_to, e.target, c.at, e.files
    FROM event e LEFT JOIN change c ON e.kind = 0 AND c.room = e.room AND c.seq = e.seq
    WHERE e.row > ?1 AND e.row <= ?2 AND e.author = ?3 AND e.text <> '' AND (
        e.kind = 0 OR e.kind = 3 AND NOT EXISTS (
            SELECT 1 FROM event l
            WHERE l.room = e.room AND l.target = e.target AND l.author = e.author AND l.text = e.text AND l.kind > 2
                AND l.row > e.row
        ) AND EXISTS (SELECT 1 FROM reactions x WHERE x.room = e.room AND x.seq = e.target)
    )
    ORDER BY e.row LIMIT ?4";

/// The data of a user besides messages: kind, room, number, time, reason. Each part is read from an index by user.
pub(super) const SELECT_USER_RIGHTS: &str = "
    SELECT 0, room, role, 0, '' FROM role WHERE person = ?1
    UNION ALL SELECT 1, '', other, 0, '' FROM blocked WHERE person = ?1
    UNION ALL SELECT 2, room, seq, at, reason FROM report WHERE by = ?1
    LIMIT ?3 OFFSET ?2";

/// The last row of the events.
pub(super) const SELECT_LAST_ROW: &str = "SELECT max(row) FROM event";

/// Begins an erasure. That of a user without a row, who has written nothing, has ended.
pub(super) const INSERT_ERASURE: &str = "
    INSERT INTO erasure (person, started_at, finished_at)
    VALUES (?1, ?2, CASE WHEN EXISTS (SELECT 1 FROM person WHERE id = ?1) THEN NULL ELSE ?2 END)
    ON CONFLICT (person) DO NOTHING";

/// The progress of an erasure.
pub(super) const SELECT_ERASURE: &str =
    "SELECT started_at, erased, finished_at, row FROM erasure WHERE person = ?1";

/// The erasures under way.
pub(super) const SELECT_UNFINISHED_ERASURES: &str =
    "SELECT person FROM erasure WHERE finished_at IS NULL ORDER BY started_at LIMIT ?1";

/// Moves an erasure on.
pub(super) const UPDATE_ERASURE: &str =
    "UPDATE erasure SET row = ?2, erased = erased + ?3 WHERE person = ?1 AND finished_at IS NULL";

/// Ends an erasure.
pub(super) const FINISH_ERASURE: &str =
    "UPDATE erasure SET finished_at = ?2, erased = erased + ?3 WHERE person = ?1 AND finished_at IS NULL";

/// Removes every read marker of a user.
pub(super) const DELETE_MARKERS_OF_USER: &str = "DELETE FROM reading WHERE person = ?1";

/// Removes the number of read markers of a user.
pub(super) const DELETE_MARKER_COUNT: &str = "DELETE FROM visitor WHERE person = ?1";

/// Remove what users may and may not do in a room, and what is reported from it.
pub(super) const DELETE_RIGHTS_OF_ROOM: [&str; 5] = [
    "DELETE FROM role WHERE room = ?1",
    "DELETE FROM restriction WHERE room = ?1",
    "DELETE FROM pace WHERE room = ?1",
    "DELETE FROM invitation WHERE room = ?1",
    "DELETE FROM report WHERE room = ?1",
];

/// Remove what belongs to a user besides messages, the name and read markers. The generation of the cookies stays: without it
/// those from before would be valid.
pub(super) const DELETE_RECORDS_OF_USER: [&str; 6] = [
    "DELETE FROM pace WHERE person = ?1",
    "DELETE FROM blocked WHERE person = ?1",
    "DELETE FROM report WHERE by = ?1",
    "DELETE FROM device WHERE person = ?1",
    "DELETE FROM recovery_code WHERE person = ?1",
    // The upkeep removes their bytes.
    "UPDATE file SET touched_at = 0 WHERE owner = ?1 AND posted = 0",
];

/// Removes the roles of a user.
pub(super) const DELETE_ROLES_OF_USER: &str = "DELETE FROM role WHERE person = ?1";
