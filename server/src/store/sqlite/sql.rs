//! What SQLite is asked, every one of it answered from an index: nobody waits longer in a room that has
//! seen years.

/// The next events of a room. An edit that another one followed says what the message says now.
pub(super) const AFTER: &str = "
    SELECT e.seq, e.at, e.id, e.author, p.name, p.alike, p.number, e.kind,
        CASE WHEN e.kind = 1 AND e.text = '' THEN coalesce(c.text, '') ELSE e.text END, e.reply_to, e.target
    FROM event e LEFT JOIN person p ON p.id = e.author
    LEFT JOIN change c ON e.kind = 1 AND c.room = e.room AND c.seq = e.target
    WHERE e.room = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3";

/// The messages before one, newest first, with what became of them.
pub(super) const BEFORE: &str = "
    SELECT e.seq, e.at, e.id, e.author, p.name, p.alike, p.number, e.text, e.reply_to, c.at, c.text
    FROM event e LEFT JOIN person p ON p.id = e.author
    LEFT JOIN change c ON c.room = e.room AND c.seq = e.seq
    WHERE e.room = ?1 AND e.seq < ?2 AND e.kind = 0 ORDER BY e.seq DESC LIMIT ?3";

/// A user's name, whether another user's is confusable with it, and their number among those.
pub(super) const PERSON: &str = "SELECT name, alike, number, key FROM person WHERE id = ?1";

/// The two users of a key with the highest numbers, which is all that a rename needs to know of them.
pub(super) const BY_KEY: &str = "SELECT id, number FROM person WHERE key = ?1 ORDER BY number DESC LIMIT 2";

/// Where a user has been most recently, with their read markers.
pub(super) const VISITS: &str = "
    SELECT room, seq FROM reading WHERE person = ?1 ORDER BY at DESC, room DESC LIMIT ?2 OFFSET ?3";

/// How far somebody has read in one room.
pub(super) const READ_UP_TO: &str = "SELECT seq FROM reading WHERE person = ?1 AND room = ?2";

/// How many messages of others stand after a place.
pub(super) const UNREAD: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM event WHERE room = ?1 AND seq > ?2 AND kind = 0 AND author <> ?3 AND text <> '' LIMIT ?4)";

/// Moves a read marker that is there forward.
pub(super) const MOVE_MARKER: &str =
    "UPDATE reading SET seq = ?3, at = ?4 WHERE person = ?1 AND room = ?2 AND seq < ?3";

/// The first read marker of a user in a room.
pub(super) const INSERT_MARKER: &str = "
    INSERT INTO reading (person, room, seq, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (person, room) DO NOTHING";

/// One more read marker of a user, and how many they have now.
pub(super) const COUNT_MARKER: &str = "
    INSERT INTO visitor (person, visits) VALUES (?1, 1)
    ON CONFLICT (person) DO UPDATE SET visits = visits + 1 RETURNING visits";

/// Evicts the marker that a user has moved least recently, but not the one in a room.
pub(super) const EVICT_MARKER: &str = "
    DELETE FROM reading WHERE person = ?1 AND room =
        (SELECT room FROM reading WHERE person = ?1 AND room <> ?2 ORDER BY at LIMIT 1)
    RETURNING room";

/// Removes the read marker of a user in a room.
pub(super) const REMOVE_MARKER: &str = "DELETE FROM reading WHERE person = ?1 AND room = ?2";

/// One read marker of a user less.
pub(super) const UNCOUNT_MARKER: &str = "UPDATE visitor SET visits = visits - 1 WHERE person = ?1";

/// Who used an id before, and for what.
pub(super) const BY_ID: &str = "SELECT author, room, seq, at FROM event WHERE id = ?1";

/// Who posted a message that was not deleted.
pub(super) const AUTHOR_OF: &str = "
    SELECT e.author FROM event e LEFT JOIN change c ON c.room = e.room AND c.seq = e.seq
    WHERE e.room = ?1 AND e.seq = ?2 AND e.kind = 0 AND (c.at IS NULL OR c.text IS NOT NULL)";

/// One more event, unless its id was used before.
pub(super) const INSERT: &str = "
    INSERT INTO event (room, seq, at, id, author, kind, text, reply_to, target)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO NOTHING";

/// What a message says now; nothing where it was deleted.
pub(super) const CHANGE: &str = "
    INSERT INTO change (room, seq, at, text) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (room, seq) DO UPDATE SET at = excluded.at, text = excluded.text";

/// A message's own event has what the message says now; nothing if it was deleted.
pub(super) const REPLACE_TEXT: &str = "UPDATE event SET text = ?3 WHERE room = ?1 AND seq = ?2";

/// The newest edit before a row is superseded: its text is gone.
pub(super) const PURGE_EDIT_BEFORE: &str = "
    UPDATE event SET text = '' WHERE row = (
        SELECT row FROM event WHERE room = ?1 AND target = ?2 AND kind = 1 AND row < ?3 ORDER BY row DESC LIMIT 1)";

/// The command that made an event, and its row.
pub(super) const EVENT_AT: &str = "SELECT id, row FROM event WHERE room = ?1 AND seq = ?2";

/// Another name of a user, with its key and their number there.
pub(super) const RENAME: &str = "
    INSERT INTO person (id, name, key, alike, number) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (id) DO UPDATE
    SET name = excluded.name, key = excluded.key, alike = excluded.alike, number = excluded.number";

/// Another spelling of a user's name, with the same key.
pub(super) const RESPELL: &str = "UPDATE person SET name = ?2 WHERE id = ?1";

/// Whether somebody else is called alike.
pub(super) const SET_AMBIGUOUS: &str = "UPDATE person SET alike = ?2 WHERE id = ?1";

/// Users whose names have no key yet.
pub(super) const KEYLESS: &str = "SELECT id, name FROM person WHERE key IS NULL";

/// The key of a user's name.
pub(super) const SET_KEY: &str = "UPDATE person SET key = ?2 WHERE id = ?1";

/// Numbers the users of each key by their first words, those who have said nothing last. Once after the rule for
/// keys has changed: it walks through all users and events.
pub(super) const NUMBER_ALL: &str = "
    UPDATE person SET number = ranked.number, alike = ranked.users > 1
    FROM (
        SELECT p.id, row_number() OVER first AS number, count(*) OVER (PARTITION BY p.key) AS users
        FROM person p LEFT JOIN (SELECT author, min(row) AS row FROM event GROUP BY author) e ON e.author = p.id
        WINDOW first AS (PARTITION BY p.key ORDER BY e.row IS NULL, e.row, p.id)
    ) ranked
    WHERE ranked.id = person.id";

/// A room's newest event.
pub(super) const HEAD: &str = "UPDATE room SET head = ?2 WHERE name = ?1";

/// Every room, how far it has come, when something happened there last, and what else is known about it.
pub(super) const ROOMS: &str = "
    SELECT r.name, r.head, e.at, r.title, r.topic, r.owner, r.private, r.contested
    FROM room r LEFT JOIN event e ON e.room = r.name AND e.seq = r.head";

/// What is known about a room.
pub(super) const ABOUT: &str = "
    INSERT INTO room (name, head, title, topic, owner, private, contested, title_key)
    VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (name) DO UPDATE SET title = excluded.title, topic = excluded.topic,
        contested = excluded.contested, title_key = excluded.title_key";

/// Public rooms whose titles have a key: one, or some of an older file. Of any number two say whether there is
/// another one.
pub(super) const BY_TITLE_KEY: &str = "SELECT name FROM room WHERE title_key = ?1 AND private = 0 LIMIT 2";

/// Public rooms whose titles have no key yet.
pub(super) const ROOMS_WITHOUT_KEY: &str = "
    SELECT name, title, topic, owner, private, contested FROM room WHERE title_key IS NULL AND private = 0";

/// Rooms by their addresses whose titles other public rooms have too, but for one room of each title. Once after
/// the rule for keys has changed: it walks through all rooms.
pub(super) const CONTESTED_ROOMS: &str = "
    SELECT name, title, topic, owner, private, contested FROM (
        SELECT *, row_number() OVER (PARTITION BY title_key ORDER BY title IS NULL, name) AS place
        FROM room WHERE private = 0 AND title_key <> '')
    WHERE place > 1 AND title IS NULL";

/// The key of a room's title, and whether it shows the room's address.
pub(super) const SET_TITLE_KEY: &str = "UPDATE room SET title_key = ?2, contested = ?3 WHERE name = ?1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{SqliteStore, sqlite::schema::open_reader};

    /// How SQLite would go about it: a line for each table.
    fn plan(statement: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hubbub.db");
        let _log = SqliteStore::open(&file).unwrap();
        let reader = open_reader(&file).unwrap();
        let mut plan = reader.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        for parameter in 1..=plan.parameter_count() {
            plan.raw_bind_parameter(parameter, 1).unwrap();
        }
        let mut rows = plan.raw_query();
        std::iter::from_fn(|| rows.next().unwrap().map(|row| row.get(3).unwrap())).collect()
    }

    #[test]
    fn nothing_walks_through_a_table_or_a_room_and_nothing_is_sorted() {
        for statement in [
            AFTER,
            BEFORE,
            PERSON,
            BY_KEY,
            KEYLESS,
            BY_TITLE_KEY,
            ROOMS_WITHOUT_KEY,
            VISITS,
            READ_UP_TO,
            BY_ID,
            AUTHOR_OF,
            REPLACE_TEXT,
            EVENT_AT,
        ] {
            for step in plan(statement) {
                assert!(step.starts_with("SEARCH"), "{statement}: {step}");
                assert!(!step.contains("(room=?)"), "{statement} walks through a room: {step}");
            }
        }
        let purge = plan(PURGE_EDIT_BEFORE).join("; ");
        assert!(purge.contains("USING INDEX event_by_target (room=? AND target=? AND rowid<?)"), "{purge}");
        assert!(!purge.contains("SCAN") && !purge.contains("SORT"), "{purge}");
        let rooms = plan(ROOMS).join("; ");
        assert!(rooms.contains("SEARCH e USING INDEX event_by_room (room=? AND seq=?)"), "{rooms}");
        let unread = plan(UNREAD).join("; ");
        assert!(unread.contains("SEARCH event USING INDEX event_by_room (room=? AND seq>?)"), "{unread}");
    }
}
