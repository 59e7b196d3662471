//! The SQL statements of the search.

/// Up to which row the events are in the index.
pub(super) const SELECT_INDEXED: &str = "SELECT row FROM index_progress";

/// Moves that row.
pub(super) const UPDATE_INDEXED: &str = "UPDATE index_progress SET row = ?1";

/// Moves that row back to the last event: the rows of removed events are used again.
pub(super) const LOWER_INDEXED: &str =
    "UPDATE index_progress SET row = min(row, coalesce((SELECT max(row) FROM event), 0))";

/// Events after a row, as they are indexed.
pub(super) const SELECT_UNINDEXED: &str = "
    SELECT e.row, e.room, coalesce(r.private, 1), e.author, CASE e.kind WHEN 0 THEN e.text ELSE '' END, e.at, e.id
    FROM event e LEFT JOIN room r ON r.name = e.room WHERE e.row > ?1 ORDER BY e.row LIMIT ?2";

/// An event, as it is indexed.
pub(super) const SELECT_INDEXED_EVENT: &str = "
    SELECT e.row, e.room, coalesce(r.private, 1), e.author, CASE e.kind WHEN 0 THEN e.text ELSE '' END, e.at, e.id
    FROM event e LEFT JOIN room r ON r.name = e.room WHERE e.row = ?1";

/// Whether a row is still this event with this text.
pub(super) const IS_UNCHANGED: &str = "SELECT kind = 0 AND id = ?2 AND text = ?3 FROM event WHERE row = ?1";

/// The row of an event.
pub(super) const SELECT_ROW: &str = "SELECT row FROM event WHERE room = ?1 AND seq = ?2";

/// The rows of the messages of a range of events that have a text.
pub(super) const SELECT_ROWS_OF_RANGE: &str =
    "SELECT row FROM event WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND kind = 0 AND text <> ''";

/// Adds a message to the index.
pub(super) const INSERT_INDEXED: &str = "INSERT INTO message_index (rowid, words) VALUES (?1, ?2)";

/// Removes a message from the index, which has had these words.
pub(super) const DELETE_INDEXED: &str =
    "INSERT INTO message_index (message_index, rowid, words) VALUES ('delete', ?1, ?2)";

/// Merges some segments of the index, if there are several of one size.
pub(super) const MERGE_INDEX: &str = "INSERT INTO message_index (message_index, rank) VALUES ('merge', ?1)";

/// A number that increases with every row that the connection changes.
pub(super) const SELECT_TOTAL_CHANGES: &str = "SELECT total_changes()";

/// The version of what is in the index.
pub(super) const SELECT_INDEX_VERSION: &str = "SELECT version FROM index_progress";

/// Empties the index.
pub(super) const CLEAR_INDEX: &str = "INSERT INTO message_index (message_index) VALUES ('delete-all')";

/// Begins an index of another version.
pub(super) const BEGIN_INDEX: &str = "UPDATE index_progress SET row = 0, version = ?1";

/// Messages that match in a range of rows, newest first.
pub(super) const SELECT_HITS: &str = "
    SELECT e.room, e.seq, e.at, e.author, p.name, p.alike, p.number, e.text
    FROM message_index CROSS JOIN event e ON e.row = message_index.rowid LEFT JOIN person p ON p.id = e.author
    WHERE message_index MATCH ?1 AND message_index.rowid >= ?2 AND message_index.rowid < ?3 AND e.kind = 0
    ORDER BY message_index.rowid DESC";

/// The time of the first event from a row on.
pub(super) const SELECT_TIME_FROM: &str = "SELECT at FROM event WHERE row >= ?1 ORDER BY row LIMIT 1";

/// Users of a skeleton, and the one with a number among them if it is given.
pub(super) const SELECT_AUTHORS: &str =
    "SELECT id FROM person WHERE key = ?1 AND (?2 IS NULL OR number = ?2) ORDER BY number LIMIT ?3";

/// Rooms that a user or a network may not enter.
pub(super) const SELECT_REMOVED_FROM: &str = "
    SELECT DISTINCT room FROM restriction
    WHERE subject IN (?1, ?2) AND room <> '' AND kind = 1 AND (until IS NULL OR until > ?3) LIMIT ?4";
