//! The statements of an import. The first parameter of most is the number of the room.

/// The lock under which users begin to erase everything.
pub(super) const ERASURE_LOCK: i64 = 29_368_549_872_370_434;

/// A room, locked as for appending, with up to which event it has expired and its last position.
pub(super) const LOCK_ROOM: &str = "SELECT r.id, r.expired FROM room r WHERE r.name = $1 FOR NO KEY UPDATE";

pub(super) const SELECT_HEAD: &str = "SELECT coalesce(max(e.seq), 0) FROM event e WHERE e.room = $1";

pub(super) const SELECT_IDS: &str =
    "SELECT e.seq, e.id FROM event e WHERE e.room = $1 AND e.seq >= $2 AND e.seq <= $3";

pub(super) const SELECT_TAKEN_IDS: &str = "SELECT e.id FROM event e WHERE e.id = ANY ($1)";

pub(super) const SELECT_PLACES: &str = "
    SELECT e.seq, e.kind, e.author, s.at IS NOT NULL AND s.text IS NULL, x.summary
    FROM event e LEFT JOIN message_state s ON s.room = e.room AND s.seq = e.seq
    LEFT JOIN reactions x ON x.room = e.room AND x.seq = e.seq
    WHERE e.room = $1 AND e.seq = ANY ($2)";

pub(super) const SELECT_GIVEN: &str = "
    SELECT DISTINCT ON (e.target, e.author, e.text) e.target, e.author, e.text, e.kind = 3
    FROM unnest($2::int8[], $3::int8[], $4::text[]) AS k (target, author, emoji)
    JOIN event e ON e.room = $1 AND e.target = k.target AND e.author = k.author AND e.text = k.emoji AND e.kind > 2
    ORDER BY e.target, e.author, e.text, e.seq DESC";

pub(super) const SELECT_ERASED: &str = "SELECT e.user_id FROM erasure e WHERE e.user_id = ANY ($1)";

pub(super) const INSERT_EVENTS: &str = "
    INSERT INTO event (room, seq, at, author, id, kind, text, reply_to, target, mentions, files)
    SELECT $1, e.* FROM unnest(
        $2::int8[], $3::int8[], $4::int8[], $5::uuid[], $6::int2[], $7::text[], $8::int8[], $9::int8[], $10::text[],
        $11::text[]
    ) AS e (seq, at, author, id, kind, text, reply_to, target, mentions, files)";

/// Gives files, which no message has, to messages.
pub(super) const POST_FILES: &str = "
    UPDATE file f SET message = p.message, posted = true, touched_at = now_millis()
    FROM unnest($1::uuid[], $2::uuid[]) AS p (id, message) WHERE f.id = p.id";

pub(super) const UPSERT_STATES: &str = "
    INSERT INTO message_state (room, seq, at, text) SELECT $1, c.* FROM unnest($2::int8[], $3::int8[], $4::text[]) AS c
    ON CONFLICT (room, seq) DO UPDATE SET at = excluded.at, text = excluded.text";

pub(super) const UPDATE_TEXTS: &str = "
    UPDATE event e SET text = coalesce(c.text, ''), mentions = c.mentions
    FROM unnest($2::int8[], $3::text[], $4::text[]) AS c (seq, text, mentions)
    WHERE e.room = $1 AND e.seq = c.seq AND e.seq < $5";

/// Removes the texts of the edits of messages before a position.
pub(super) const PURGE_EDITS_BEFORE: &str = "
    UPDATE event e SET text = '', mentions = NULL
    WHERE e.room = $1 AND e.target = ANY ($2) AND e.kind = 1 AND e.seq < $3 AND e.text <> ''";

pub(super) const DELETE_MENTIONS: &str = "DELETE FROM mention m WHERE m.room = $1 AND m.seq = ANY ($2)";

pub(super) const DELETE_REACTIONS: &str = "DELETE FROM reactions x WHERE x.room = $1 AND x.seq = ANY ($2)";

pub(super) const INSERT_MENTIONS: &str = "
    INSERT INTO mention (user_id, room, seq) SELECT m.user_id, $1, m.seq FROM unnest($2::int8[], $3::int8[]) AS m (user_id, seq)
    ON CONFLICT DO NOTHING";

pub(super) const UPSERT_REACTIONS: &str = "
    INSERT INTO reactions (room, seq, last, summary)
    SELECT $1, x.* FROM unnest($2::int8[], $3::int8[], $4::text[]) AS x
    ON CONFLICT (room, seq) DO UPDATE SET last = excluded.last, summary = excluded.summary";

/// A room that the import has created is as active as its last event.
pub(super) const UPDATE_ACTIVITY: &str = "
    UPDATE room_activity a SET at = CASE WHEN $3 THEN $2 ELSE greatest(a.at, $2) END WHERE a.room = $1";
