//! The SQL statements. Each is answered from an index, so its cost does not grow with the history of a room.

pub(super) use super::upkeep_sql::*;

/// Events of a room after a position. A superseded edit has the present text of the message.
pub(super) const SELECT_EVENTS_AFTER: &str = "
    SELECT e.seq, e.at, e.id, e.author, p.name, p.alike, p.number, e.kind,
        CASE WHEN e.kind = 1 AND e.text = '' THEN coalesce(c.text, '') ELSE e.text END, e.reply_to, e.target,
        e.mentions, e.files
    FROM event e LEFT JOIN person p ON p.id = e.author
    LEFT JOIN change c ON e.kind = 1 AND c.room = e.room AND c.seq = e.target
    WHERE e.room = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3";

/// Messages of a room before a position, newest first, with their last change and their reactions. Those that have expired
/// are not scanned.
pub(super) const SELECT_MESSAGES_BEFORE: &str = "
    SELECT e.seq, e.at, e.id, e.author, p.name, p.alike, p.number, e.text, e.reply_to, c.at, c.text,
        e.mentions, r.last, r.summary, e.files
    FROM event e LEFT JOIN person p ON p.id = e.author
    LEFT JOIN change c ON c.room = e.room AND c.seq = e.seq
    LEFT JOIN reactions r ON r.room = e.room AND r.seq = e.seq
    WHERE e.room = ?1 AND e.seq < ?2 AND e.seq > coalesce((SELECT expired FROM room WHERE name = ?1), 0)
        AND e.kind = 0 ORDER BY e.seq DESC LIMIT ?3";

/// A user's name, whether it is ambiguous, their number among the users of its skeleton, and the skeleton.
pub(super) const SELECT_USER: &str = "SELECT name, alike, number, key FROM person WHERE id = ?1";

/// The two users of a skeleton with the highest numbers. A rename needs no more.
pub(super) const SELECT_USERS_BY_SKELETON: &str =
    "SELECT id, number FROM person WHERE key = ?1 ORDER BY number DESC LIMIT 2";

/// The place of a user among all users by name.
pub(super) const SELECT_PLACE_OF_USER: &str = "SELECT key, number FROM person WHERE id = ?1";

/// Users by name, after a place and before a skeleton.
pub(super) const SELECT_USERS_AFTER: &str =
    "SELECT id FROM person WHERE (key, number) > (?1, ?2) AND key < ?3 ORDER BY key, number LIMIT ?4";

/// The read markers of a user, most recently used first.
pub(super) const SELECT_READ_MARKERS: &str = "
    SELECT room, seq FROM reading WHERE person = ?1 ORDER BY at DESC, room DESC LIMIT ?2 OFFSET ?3";

/// The read marker of a user in one room.
pub(super) const SELECT_READ_MARKER: &str = "SELECT seq FROM reading WHERE person = ?1 AND room = ?2";

/// The number of messages of other users after a position.
pub(super) const COUNT_UNREAD: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM event
        WHERE room = ?1 AND seq > ?2 AND kind = 0 AND author <> ?3 AND text <> ''
            AND NOT EXISTS (SELECT 1 FROM blocked WHERE person = ?3 AND other = author)
        LIMIT ?4)";

/// The number of messages that address a user after a position. Those of users whom they have blocked do not count.
pub(super) const COUNT_MENTIONS: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM mention m
        WHERE m.person = ?1 AND m.room = ?2 AND m.seq > ?3 AND NOT EXISTS (
            SELECT 1 FROM event e CROSS JOIN blocked b ON b.person = ?1 AND b.other = e.author
            WHERE e.room = m.room AND e.seq = m.seq)
        LIMIT ?4)";

/// The users of a skeleton, and whether each has a read marker in a room.
pub(super) const SELECT_NAMESAKES: &str = "
    SELECT p.id, r.seq IS NOT NULL FROM person p LEFT JOIN reading r ON r.person = p.id AND r.room = ?2
    WHERE p.key = ?1 ORDER BY p.number LIMIT ?3";

/// Moves an existing read marker forward.
pub(super) const MOVE_READ_MARKER: &str =
    "UPDATE reading SET seq = ?3, at = ?4 WHERE person = ?1 AND room = ?2 AND seq < ?3";

/// Moves an existing read marker, also back.
pub(super) const SET_READ_MARKER: &str =
    "UPDATE reading SET seq = ?3, at = ?4 WHERE person = ?1 AND room = ?2 AND seq <> ?3";

/// The first read marker of a user in a room.
pub(super) const INSERT_READ_MARKER: &str = "
    INSERT INTO reading (person, room, seq, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (person, room) DO NOTHING";

/// Adds one to the number of read markers of a user, and returns it.
pub(super) const INCREMENT_MARKER_COUNT: &str = "
    INSERT INTO visitor (person, visits) VALUES (?1, 1)
    ON CONFLICT (person) DO UPDATE SET visits = visits + 1 RETURNING visits";

/// Evicts the marker that a user moved least recently, except the one in a given room.
pub(super) const EVICT_READ_MARKER: &str = "
    DELETE FROM reading WHERE person = ?1 AND room =
        (SELECT room FROM reading WHERE person = ?1 AND room <> ?2 ORDER BY at LIMIT 1)
    RETURNING room";

/// Removes the read marker of a user in a room.
pub(super) const DELETE_READ_MARKER: &str = "DELETE FROM reading WHERE person = ?1 AND room = ?2";

/// Subtracts one from the number of read markers of a user.
pub(super) const DECREMENT_MARKER_COUNT: &str = "UPDATE visitor SET visits = visits - 1 WHERE person = ?1";

/// The author and position of the event with an id.
pub(super) const SELECT_EVENT_BY_ID: &str = "SELECT author, room, seq, at FROM event WHERE id = ?1";

/// The author of a message that exists and was not deleted.
pub(super) const SELECT_MESSAGE_AUTHOR: &str = "
    SELECT e.author FROM event e LEFT JOIN change c ON c.room = e.room AND c.seq = e.seq
    WHERE e.room = ?1 AND e.seq = ?2 AND e.kind = 0 AND (c.at IS NULL OR c.text IS NOT NULL)";

/// Appends an event, unless its id was used before.
pub(super) const INSERT_EVENT: &str = "
    INSERT INTO event (room, seq, at, id, author, kind, text, reply_to, target, mentions, files)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO NOTHING";

/// The present text of a message; NULL if it was deleted.
pub(super) const UPSERT_CHANGE: &str = "
    INSERT INTO change (room, seq, at, text) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (room, seq) DO UPDATE SET at = excluded.at, text = excluded.text";

/// Replaces the text and its mentions in the event of a message.
pub(super) const UPDATE_EVENT_TEXT: &str =
    "UPDATE event SET text = ?3, mentions = ?4 WHERE room = ?1 AND seq = ?2";

/// Adds a message that addresses a user.
pub(super) const INSERT_MENTION: &str = "INSERT INTO mention (person, room, seq) VALUES (?1, ?2, ?3)";

/// Forgets whom a message addresses.
pub(super) const DELETE_MENTIONS: &str = "DELETE FROM mention WHERE room = ?1 AND seq = ?2";

/// Removes the text of the newest edit of a message before a row, which that row supersedes.
pub(super) const PURGE_PREVIOUS_EDIT: &str = "
    UPDATE event SET text = '', mentions = NULL WHERE row = (
        SELECT row FROM event WHERE room = ?1 AND target = ?2 AND kind = 1 AND row < ?3 ORDER BY row DESC LIMIT 1)";

/// The kind and the position of the last event with which a user gave an emoji to a message, or took it back.
pub(super) const SELECT_LAST_REACTION: &str = "
    SELECT kind, seq FROM event WHERE room = ?1 AND target = ?2 AND author = ?3 AND text = ?4 AND kind > 2
    ORDER BY row DESC LIMIT 1";

/// The reactions to a message.
pub(super) const SELECT_REACTIONS: &str = "SELECT summary FROM reactions WHERE room = ?1 AND seq = ?2";

/// Replaces the reactions to a message.
pub(super) const UPSERT_REACTIONS: &str = "
    INSERT INTO reactions (room, seq, last, summary) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (room, seq) DO UPDATE SET last = excluded.last, summary = excluded.summary";

/// Removes the reactions to a message.
pub(super) const DELETE_REACTIONS: &str = "DELETE FROM reactions WHERE room = ?1 AND seq = ?2";

/// The id of the command that appended an event, and its row.
pub(super) const SELECT_EVENT_AT: &str = "SELECT id, row FROM event WHERE room = ?1 AND seq = ?2";

/// A name of a user, with its skeleton and their number there.
pub(super) const UPSERT_USER: &str = "
    INSERT INTO person (id, name, key, alike, number) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, key = excluded.key, alike = excluded.alike, number = excluded.number";

/// Another spelling of a user's name, with the same skeleton.
pub(super) const UPDATE_USER_NAME: &str = "UPDATE person SET name = ?2 WHERE id = ?1";

/// Records whether another user has a confusable name.
pub(super) const SET_AMBIGUOUS: &str = "UPDATE person SET alike = ?2 WHERE id = ?1";

/// Users whose names have no skeleton yet.
pub(super) const SELECT_USERS_WITHOUT_SKELETON: &str = "SELECT id, name FROM person WHERE key IS NULL";

/// The skeleton of a user's name.
pub(super) const SET_NAME_SKELETON: &str = "UPDATE person SET key = ?2 WHERE id = ?1";

/// Numbers the users of each skeleton by their first events; users without events come last. It scans all users and
/// events, so it runs only after the rule for skeletons has changed.
pub(super) const NUMBER_ALL_USERS: &str = "
    UPDATE person SET number = ranked.number, alike = ranked.users > 1
    FROM (
        SELECT p.id, row_number() OVER first AS number, count(*) OVER (PARTITION BY p.key) AS users
        FROM person p LEFT JOIN (SELECT author, min(row) AS row FROM event GROUP BY author) e ON e.author = p.id
        WINDOW first AS (PARTITION BY p.key ORDER BY e.row IS NULL, e.row, p.id)
    ) ranked
    WHERE ranked.id = person.id";

/// The latest position of a room.
pub(super) const SELECT_HEAD: &str = "SELECT head FROM room WHERE name = ?1";

/// Moves the latest position of a room.
pub(super) const UPDATE_HEAD: &str = "UPDATE room SET head = ?2 WHERE name = ?1";

/// Moves the latest position of a room, and the room to the top of the most recently active ones.
pub(super) const UPDATE_HEAD_AND_ACTIVITY: &str = "UPDATE room SET head = ?2, active_at = ?3 WHERE name = ?1";

/// A room with its description.
pub(super) const SELECT_ROOM: &str =
    "SELECT name, head, title, topic, owner, private, contested, retention FROM room WHERE name = ?1";

/// Public rooms by name after a name, without those in which a user has a read marker.
pub(super) const LIST_ROOMS_BY_NAME: &str = "
    SELECT name, head, title, topic, owner, private, contested, retention FROM room r
    WHERE private = 0 AND name > ?1
        AND NOT EXISTS (SELECT 1 FROM reading WHERE person = ?2 AND room = r.name)
    ORDER BY name LIMIT ?3";

/// Public rooms but the lobby by title after a title and a name, without those in which a user has a read marker.
pub(super) const LIST_ROOMS_BY_TITLE: &str = "
    SELECT name, head, title, topic, owner, private, contested, retention FROM room r
    WHERE private = 0 AND (title_sort, name) > (?1, ?2) AND name <> 'lobby'
        AND NOT EXISTS (SELECT 1 FROM reading WHERE person = ?3 AND room = r.name)
    ORDER BY title_sort, name LIMIT ?4";

/// Public rooms but the lobby, most recently active first, after a time and a name, without those in which a user has a
/// read marker.
pub(super) const LIST_ROOMS_BY_ACTIVITY: &str = "
    SELECT name, head, title, topic, owner, private, contested, retention FROM room r
    WHERE private = 0 AND active_at <= ?1 AND (active_at < ?1 OR name > ?2) AND name <> 'lobby'
        AND NOT EXISTS (SELECT 1 FROM reading WHERE person = ?3 AND room = r.name)
    ORDER BY active_at DESC, name LIMIT ?4";

/// The description of a room. A new room is active at the time of its creation.
pub(super) const UPSERT_ROOM: &str = "
    INSERT INTO room (name, head, title, topic, owner, private, contested, title_key, title_sort, active_at,
        retention, visited_at)
    VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9)
    ON CONFLICT (name) DO UPDATE SET title = excluded.title, topic = excluded.topic,
        contested = excluded.contested, title_key = excluded.title_key, title_sort = excluded.title_sort";

/// The public room whose title has a skeleton.
pub(super) const SELECT_ROOM_BY_TITLE_SKELETON: &str = "SELECT name FROM room WHERE title_key = ?1";

/// A public room whose title columns are not filled in.
pub(super) const SELECT_ROOM_WITHOUT_TITLE_SORT: &str =
    "SELECT 1 FROM room WHERE private = 0 AND title_sort IS NULL LIMIT 1";

/// Public rooms by name whose title columns are not filled in, with or without a title of their own. It scans all rooms,
/// so it runs only after the rule for titles has changed.
pub(super) const SELECT_ROOMS_WITHOUT_TITLE_SORT: &str = "
    SELECT name, title, topic, owner, private, contested, retention FROM room
    WHERE private = 0 AND title_sort IS NULL AND (title IS NOT NULL) = ?1 AND name > ?2 ORDER BY name LIMIT ?3";

/// Sets the columns that follow from the title of a room.
pub(super) const SET_TITLE_COLUMNS: &str =
    "UPDATE room SET title_key = ?2, contested = ?3, title_sort = ?4 WHERE name = ?1";

/// The user of a link that has not expired at a time, and whether it was used.
pub(super) const SELECT_DEVICE_LINK: &str =
    "SELECT person, used_at IS NOT NULL FROM device_link WHERE hash = ?1 AND expires_at > ?2";

/// Adds a link.
pub(super) const INSERT_DEVICE_LINK: &str =
    "INSERT INTO device_link (hash, person, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";

/// Marks a link as used.
pub(super) const USE_DEVICE_LINK: &str = "UPDATE device_link SET used_at = ?2 WHERE hash = ?1";

/// Removes the unused link of a user.
pub(super) const DELETE_UNUSED_DEVICE_LINK: &str =
    "DELETE FROM device_link WHERE person = ?1 AND used_at IS NULL";

/// Removes some of the links that have expired at a time.
pub(super) const DELETE_EXPIRED_DEVICE_LINKS: &str = "
    DELETE FROM device_link WHERE hash IN
        (SELECT hash FROM device_link WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 2)";

/// The number of links. SQLite counts pages, not rows.
pub(super) const COUNT_DEVICE_LINKS: &str = "SELECT count(*) FROM device_link";

/// The existence of a user's row, and the generation of their cookies.
pub(super) const SELECT_SIGN_IN_STATE: &str = "
    SELECT EXISTS (SELECT 1 FROM person WHERE id = ?1),
        coalesce((SELECT generation FROM sign_out WHERE person = ?1), 0)";

/// The devices of a user, those seen last first.
pub(super) const SELECT_DEVICES: &str = "
    SELECT id, browser, system, added_at, seen_at FROM device WHERE person = ?1 ORDER BY seen_at DESC, rowid DESC";

/// A row if a user has signed a device out.
pub(super) const SELECT_SIGN_OUT: &str = "SELECT 1 FROM sign_out WHERE person = ?1";

/// Records that a listed device was seen.
pub(super) const UPDATE_DEVICE: &str = "
    UPDATE device SET seen_at = ?3, browser = coalesce(?4, browser), system = coalesce(?5, system) WHERE id = ?1 AND person = ?2";

/// Adds a device.
pub(super) const INSERT_DEVICE: &str = "
    INSERT INTO device (id, person, added_at, seen_at, browser, system) VALUES (?1, ?2, ?3, ?3, ?4, ?5)
    ON CONFLICT (id) DO NOTHING";

/// Removes the devices of a user that were seen least recently, but one: of the others as many stay as the last parameter
/// says.
pub(super) const DELETE_EXCESS_DEVICES: &str = "
    DELETE FROM device WHERE id IN (
        SELECT id FROM device WHERE person = ?1 AND id <> ?2 ORDER BY seen_at DESC, rowid DESC LIMIT -1 OFFSET ?3)";

/// Removes a device of a user.
pub(super) const DELETE_DEVICE: &str = "DELETE FROM device WHERE id = ?2 AND person = ?1";

/// Removes the devices of a user but one; NULL for none.
pub(super) const DELETE_DEVICES: &str = "DELETE FROM device WHERE person = ?1 AND id IS NOT ?2";

/// Begins the next generation of a user's cookies.
pub(super) const UPSERT_SIGN_OUT: &str = "
    INSERT INTO sign_out (person, generation) VALUES (?1, 1)
    ON CONFLICT (person) DO UPDATE SET generation = generation + 1";

/// When the recovery code of a user was created.
pub(super) const SELECT_RECOVERY_CODE: &str = "SELECT created_at FROM recovery_code WHERE person = ?1";

/// Sets the recovery code of a user.
pub(super) const UPSERT_RECOVERY_CODE: &str = "
    INSERT INTO recovery_code (person, hash, created_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at";

/// Removes the recovery code of a user.
pub(super) const DELETE_RECOVERY_CODE: &str = "DELETE FROM recovery_code WHERE person = ?1";

/// Uses a recovery code up.
pub(super) const REDEEM_RECOVERY_CODE: &str = "DELETE FROM recovery_code WHERE hash = ?1 RETURNING person";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SqliteStore, sqlite::connection::open_reader};

    /// Returns the query plan of SQLite, a line for each table.
    fn plan(statement: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hubbub.db");
        let _store = SqliteStore::open(&file).unwrap();
        let reader = open_reader(&file).unwrap();
        let mut plan = reader.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        for parameter in 1..=plan.parameter_count() {
            plan.raw_bind_parameter(parameter, 1).unwrap();
        }
        let mut rows = plan.raw_query();
        std::iter::from_fn(|| rows.next().unwrap().map(|row| row.get(3).unwrap())).collect()
    }

    #[test]
    fn every_query_uses_an_index_and_none_sorts() {
        for statement in [
            SELECT_EVENTS_AFTER,
            SELECT_MESSAGES_BEFORE,
            SELECT_USER,
            SELECT_USERS_BY_SKELETON,
            SELECT_PLACE_OF_USER,
            SELECT_USERS_AFTER,
            SELECT_USERS_WITHOUT_SKELETON,
            SELECT_HEAD,
            SELECT_ROOM,
            SELECT_ROOM_BY_TITLE_SKELETON,
            SELECT_ROOM_WITHOUT_TITLE_SORT,
            SELECT_READ_MARKERS,
            SELECT_READ_MARKER,
            SELECT_NAMESAKES,
            DELETE_MENTIONS,
            SELECT_EVENT_BY_ID,
            SELECT_MESSAGE_AUTHOR,
            UPDATE_EVENT_TEXT,
            SELECT_EVENT_AT,
            SELECT_LAST_REACTION,
            SELECT_REACTIONS,
            DELETE_REACTIONS,
            SELECT_DEVICE_LINK,
            USE_DEVICE_LINK,
            DELETE_UNUSED_DEVICE_LINK,
            SELECT_DEVICES,
            SELECT_SIGN_OUT,
            UPDATE_DEVICE,
            DELETE_DEVICE,
            DELETE_DEVICES,
            SELECT_RECOVERY_CODE,
            DELETE_RECOVERY_CODE,
            REDEEM_RECOVERY_CODE,
            SELECT_AGING_ROOM,
            SELECT_EDITED,
            DELETE_CHANGES_OF_RANGE,
            DELETE_REACTIONS_OF_RANGE,
            DELETE_MENTIONS_OF_RANGE,
            EXPIRE_EVENTS,
            SELECT_OLDEST_EVENTS,
            SELECT_USER_RECORDS,
            SELECT_LAST_ROW,
            SELECT_ERASURE,
            DELETE_MARKERS_OF_USER,
            RECORD_ROOM_VISIT,
        ] {
            for step in plan(statement) {
                let is_subquery = step.contains("SUBQUERY");
                assert!(step.starts_with("SEARCH") || is_subquery, "{statement}: {step}");
                assert!(!step.contains("(room=?)"), "{statement} scans a room: {step}");
            }
        }
        let purge = plan(PURGE_PREVIOUS_EDIT).join("; ");
        assert!(purge.contains("INDEX event_by_target (room=? AND target=? AND rowid<?)"), "{purge}");
        assert!(!purge.contains("SCAN") && !purge.contains("SORT"), "{purge}");
        for (list, index) in [
            (LIST_ROOMS_BY_NAME, "room_by_name (name>?)"),
            (LIST_ROOMS_BY_TITLE, "room_by_title ((title_sort,name)>(?,?))"),
            (LIST_ROOMS_BY_ACTIVITY, "room_by_activity (active_at<?)"),
        ] {
            let steps = plan(list).join("; ");
            assert!(steps.contains(index), "{steps}");
            assert!(!steps.contains("SCAN") && !steps.contains("TEMP B-TREE"), "{steps}");
        }
        let aging = plan(SELECT_AGING_ROOMS).join("; ");
        assert!(aging.contains("PRIMARY KEY (name>?)"), "{aging}");
        assert!(aging.contains("event_by_room (room=? AND seq>?)"), "{aging}");
        let markers = plan(SELECT_MARKERS_OF_ROOM).join("; ");
        assert!(markers.contains("reading_by_room (room=?)"), "{markers}");
        let erasures = plan(SELECT_UNFINISHED_ERASURES).join("; ");
        assert!(erasures.contains("erasure_unfinished") && !erasures.contains("TEMP B-TREE"), "{erasures}");
        let rights = plan(SELECT_USER_RIGHTS).join("; ");
        assert!(!rights.contains("SCAN") && !rights.contains("TEMP B-TREE"), "{rights}");
        let mentions = plan(COUNT_MENTIONS).join("; ");
        assert!(mentions.contains("PRIMARY KEY (person=? AND room=? AND seq>?)"), "{mentions}");
        let unread = plan(COUNT_UNREAD).join("; ");
        assert!(unread.contains("SEARCH event USING INDEX event_by_room (room=? AND seq>?)"), "{unread}");
    }
}
