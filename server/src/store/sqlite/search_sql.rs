//! The SQL statements of the search.

/// The last row up to which the events are in the index.
pub(super) const SELECT_INDEXED: &str = "SELECT row FROM index_progress";

/// Moves that row.
pub(super) const UPDATE_INDEXED: &str = "UPDATE index_progress SET row = ?1";

/// Moves that row back to the last event: the rows of removed events are used again.
pub(super) const LOWER_INDEXED: &str =
    "UPDATE index_progress SET row = min(row, coalesce((SELECT max(row) FROM event), 0))";

/// Forgets the times of rows after that row.
pub(super) const DELETE_LATER_TIMES: &str =
    "DELETE FROM index_time WHERE row > (SELECT row FROM index_progress)";

/// The time of the newest message of the index that is not late.
pub(super) const SELECT_INDEXED_AT: &str = "SELECT at FROM index_progress";

/// Moves that time.
pub(super) const UPDATE_INDEXED_AT: &str = "UPDATE index_progress SET at = ?1";

/// Notes the time of a row, unless that of one of the 256 rows before it is known.
pub(super) const INSERT_INDEX_TIME: &str = "
    INSERT INTO index_time (at, row)
    SELECT ?1, ?2 WHERE ?2 >= 256 + coalesce((SELECT row FROM index_time ORDER BY at DESC, row DESC LIMIT 1), 0)";

/// The last known row before a time.
pub(super) const SELECT_ROW_BEFORE: &str =
    "SELECT row FROM index_time WHERE at < ?1 ORDER BY at DESC, row DESC LIMIT 1";

/// The first known row of a time or later.
pub(super) const SELECT_ROW_FROM: &str = "SELECT row FROM index_time WHERE at >= ?1 ORDER BY at, row LIMIT 1";

/// The place of a late message.
pub(super) const SELECT_PLACE: &str = "SELECT place FROM late_message WHERE row = ?1";

/// Gives a late message the next place of a millisecond, which has the places from ?2 to ?3.
pub(super) const INSERT_PLACE: &str = "
    INSERT OR IGNORE INTO late_message (place, row)
    SELECT coalesce((SELECT max(place) + 1 FROM late_message WHERE place BETWEEN ?2 AND ?3), ?2), ?1";

/// Forgets the places of the late messages of a room.
pub(super) const DELETE_PLACES: &str =
    "DELETE FROM late_message WHERE row IN (SELECT row FROM event WHERE room = ?1)";

/// The last late message before a place.
pub(super) const SELECT_LAST_PLACE: &str =
    "SELECT place FROM late_message WHERE place < ?1 ORDER BY place DESC LIMIT 1";

/// The place from which on there are about 4,096 late messages before another place, and ?2 times so many more.
pub(super) const SELECT_RANGE_OF_PLACES: &str = "
    SELECT place FROM late_message WHERE row % 4096 = 0 AND place < ?1 ORDER BY place DESC LIMIT 1 OFFSET ?2";

/// Events after a row, as they are indexed.
pub(super) const SELECT_UNINDEXED: &str = "
    SELECT e.row, e.room, coalesce(r.private, 1), e.author, CASE e.kind WHEN 0 THEN e.text ELSE '' END, e.at, e.id,
        e.files IS NOT NULL
    FROM event e LEFT JOIN room r ON r.name = e.room WHERE e.row > ?1 ORDER BY e.row LIMIT ?2";

/// An event, as it is indexed.
pub(super) const SELECT_INDEXED_EVENT: &str = "
    SELECT e.row, e.room, coalesce(r.private, 1), e.author, CASE e.kind WHEN 0 THEN e.text ELSE '' END, e.at, e.id,
        e.files IS NOT NULL
    FROM event e LEFT JOIN room r ON r.name = e.room WHERE e.row = ?1";

/// Checks whether a row is still this event with this text.
pub(super) const IS_UNCHANGED: &str = "SELECT kind = 0 AND id = ?2 AND text = ?3 FROM event WHERE row = ?1";

/// The row of an event.
pub(super) const SELECT_ROW: &str = "SELECT row FROM event WHERE room = ?1 AND seq = ?2";

/// The row, the time and, if it is late, the place of an event.
pub(super) const SELECT_CURSOR: &str = "
    SELECT e.row, e.at, l.place FROM event e LEFT JOIN late_message l ON l.row = e.row WHERE e.room = ?1 AND e.seq = ?2";

/// The rows of the messages of a range of events that have a text.
pub(super) const SELECT_ROWS_OF_RANGE: &str =
    "SELECT row FROM event WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND kind = 0 AND text <> ''";

/// Adds a message to the index.
pub(super) const INSERT_INDEXED: &str = "INSERT INTO message_index (rowid, words) VALUES (?1, ?2)";

/// Removes a message from the index, which has had these words.
pub(super) const DELETE_INDEXED: &str =
    "INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', ?1, ?2)";

/// Writes the changes of the index to its pages.
pub(super) const FLUSH_INDEX: &str = "INSERT INTO message_index (message_index) VALUES ('flush')";

/// The segments of the index that have several pages.
pub(super) const SELECT_SEGMENTS: &str = "
    WITH RECURSIVE s (id) AS (
        SELECT min(segid) FROM message_index_idx UNION ALL
        SELECT (SELECT min(segid) FROM message_index_idx WHERE segid > s.id) FROM s WHERE s.id IS NOT NULL
    )
    SELECT id FROM s WHERE EXISTS (SELECT 1 FROM message_index_idx WHERE segid = s.id AND term > x'')";

/// The word by which a segment finds the page of a word: the page has no word before it.
pub(super) const SELECT_SEPARATOR: &str = "
    SELECT term FROM message_index_idx WHERE segid = ?1 AND term <= ?2 AND term > x'' ORDER BY term DESC LIMIT 1";

/// Replaces such a word.
pub(super) const UPDATE_SEPARATOR: &str =
    "UPDATE OR IGNORE message_index_idx SET term = ?3 WHERE segid = ?1 AND term = ?2";

/// The first word of the index from some bytes on.
pub(super) const SELECT_WORD_FROM: &str =
    "SELECT CAST(term AS BLOB) FROM index_word WHERE term >= CAST(?1 AS TEXT) ORDER BY term LIMIT 1";

/// Merges some segments of the index, if there are several of one size.
pub(super) const MERGE_INDEX: &str = "INSERT INTO message_index (message_index, rank) VALUES ('merge', ?1)";

/// A number that increases with every row that the connection changes.
pub(super) const SELECT_TOTAL_CHANGES: &str = "SELECT total_changes()";

/// The version of what is in the index.
pub(super) const SELECT_INDEX_VERSION: &str = "SELECT version FROM index_progress";

/// Empties the index.
pub(super) const CLEAR_INDEX: &str = "
    INSERT INTO message_index (message_index) VALUES ('delete-all'); DELETE FROM late_message; DELETE FROM index_time";

/// Begins an index of another version.
pub(super) const BEGIN_INDEX: &str = "UPDATE index_progress SET row = 0, at = 0, version = ?1";

/// Messages that match in a range of rows and of times, newest first.
pub(super) const SELECT_HITS: &str = "
    SELECT e.room, e.seq, e.at, e.author, p.name, p.alike, p.number, e.text, e.files IS NOT NULL, message_index.rowid
    FROM message_index CROSS JOIN event e ON e.row = message_index.rowid LEFT JOIN person p ON p.id = e.author
    WHERE message_index MATCH ?1 AND message_index.rowid >= ?2 AND message_index.rowid < ?3 AND e.kind = 0
        AND e.at >= ?4 AND e.at < ?5
    ORDER BY message_index.rowid DESC LIMIT ?6";

/// Late messages that match in a range of places and of times, newest first.
pub(super) const SELECT_LATE_HITS: &str = "
    SELECT e.room, e.seq, e.at, e.author, p.name, p.alike, p.number, e.text, e.files IS NOT NULL, message_index.rowid
    FROM message_index CROSS JOIN late_message l ON l.place = message_index.rowid CROSS JOIN event e ON e.row = l.row
    LEFT JOIN person p ON p.id = e.author
    WHERE message_index MATCH ?1 AND message_index.rowid >= ?2 AND message_index.rowid < ?3 AND e.kind = 0
        AND e.at >= ?4 AND e.at < ?5
    ORDER BY message_index.rowid DESC LIMIT ?6";

/// Users of a skeleton, and the one with a number among them if it is given.
pub(super) const SELECT_AUTHORS: &str =
    "SELECT id FROM person WHERE key = ?1 AND (?2 IS NULL OR number = ?2) ORDER BY number LIMIT ?3";

/// Rooms that a user or a network may not enter.
pub(super) const SELECT_REMOVED_FROM: &str = "
    SELECT DISTINCT room FROM restriction
    WHERE subject IN (?1, ?2) AND room <> '' AND kind = 1 AND (until IS NULL OR until > ?3) LIMIT ?4";
