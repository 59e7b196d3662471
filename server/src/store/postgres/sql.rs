//! The SQL of the reads. Each is one statement, so that what it returns belongs together, and each is answered from indexes.
//!
//! A limit in rows and one in bytes bound what the server sends. Whatever is looked up for each row stands in a subquery or
//! a `LATERAL`, so that the cost depends on the rows of the answer alone.

/// The columns that describe a room `r`, with its `head`.
macro_rules! room_columns {
    () => {
        "r.name, r.title, r.topic, r.owner, r.private, r.contested,
         coalesce((SELECT max(h.seq) FROM event h WHERE h.room = r.id), 0) AS head, r.retention"
    };
}

/// The messages of a room before a position, newest first, with their last change and their reactions: rows as long as those
/// before them have fewer bytes of text than the limit. Those that have expired are not scanned.
macro_rules! page {
    ($room:literal, $expired:literal, $before:literal, $limit:literal, $bytes:literal) => {
        concat!(
            "SELECT p.* FROM (
                SELECT m.seq, m.at, m.id, m.author, u.name, u.ambiguous, u.number, m.text, m.reply_to,
                    s.at AS changed_at, s.text IS NULL AS is_deleted, m.mentions, x.last, x.summary,
                    m.files,
                    sum(octet_length(m.text) + coalesce(octet_length(x.summary), 0) + coalesce(octet_length(m.files), 0))
                        OVER (ORDER BY m.seq DESC) - octet_length(m.text) - coalesce(octet_length(x.summary), 0)
                        - coalesce(octet_length(m.files), 0) AS bytes
                FROM (
                    SELECT e.seq, e.at, e.id, e.author, e.text, e.reply_to, e.room, e.mentions, e.files FROM event e
                    WHERE e.room = ",
            $room,
            " AND e.seq < ",
            $before,
            " AND e.seq > ",
            $expired,
            " AND e.kind = 0 ORDER BY e.seq DESC LIMIT ",
            $limit,
            "
                ) m
                LEFT JOIN user_account u ON u.id = m.author
                LEFT JOIN message_state s ON s.room = m.room AND s.seq = m.seq
                LEFT JOIN reactions x ON x.room = m.room AND x.seq = m.seq
            ) p WHERE p.bytes < ",
            $bytes,
            " ORDER BY p.seq DESC"
        )
    };
}

/// Events of a room after a position. A superseded edit has the present text of the message.
pub(super) const SELECT_EVENTS_AFTER: &str = "
    SELECT p.* FROM (
        SELECT c.*, sum(octet_length(c.text) + coalesce(octet_length(c.files), 0)) OVER (ORDER BY c.seq)
            - octet_length(c.text) - coalesce(octet_length(c.files), 0) AS bytes
        FROM (
            SELECT l.seq, l.at, l.id, l.author, u.name, u.ambiguous, u.number, l.kind,
                CASE WHEN l.kind = 1 AND l.text = '' THEN coalesce(s.text, '') ELSE l.text END AS text,
                l.reply_to, l.target,
                l.mentions, l.files
            FROM (
                SELECT * FROM event e
                WHERE e.room = (SELECT r.id FROM room r WHERE r.name = $1) AND e.seq > $2 ORDER BY e.seq LIMIT $3
            ) l
            LEFT JOIN user_account u ON u.id = l.author
            LEFT JOIN message_state s ON l.kind = 1 AND s.room = l.room AND s.seq = l.target
        ) c
    ) p WHERE p.bytes < $4 ORDER BY p.seq";

/// A boolean for each emoji of a message, in their order: `true` if the user has given it.
pub(super) const SELECT_HAS_REACTED: &str = "
    SELECT coalesce((
        SELECT e.kind = 3 FROM event e
        WHERE e.room = r.id AND e.target = n.seq AND e.author = $2 AND e.text = n.emoji AND e.kind > 2
        ORDER BY e.seq DESC LIMIT 1
    ), false)
    FROM unnest($3::int8[], $4::text[]) WITH ORDINALITY AS n (seq, emoji, o)
    JOIN room r ON r.name = $1 ORDER BY n.o";

/// A page of messages before a position.
pub(super) const SELECT_MESSAGES_BEFORE: &str = page!(
    "(SELECT r.id FROM room r WHERE r.name = $1)",
    "coalesce((SELECT r.expired FROM room r WHERE r.name = $1), 0)",
    "$2",
    "$3",
    "$4::int8"
);

/// A room as a user finds it: one row, or one for each message of its newest page. The page is empty if the events after
/// `$5` continue what the user has: if `$6`, or if the event there has the id `$7`.
pub(super) const SELECT_SNAPSHOT: &str = concat!(
    "WITH found AS MATERIALIZED (
        SELECT r.id, r.expired, (SELECT m.seq FROM read_marker m WHERE m.user_id = $2 AND m.room = r.id) AS read, ",
    room_columns!(),
    " FROM room r WHERE r.name = $1
    ), snapshot AS MATERIALIZED (
        SELECT f.*, coalesce($5::int8 <= f.head AND f.head - $5 <= $8
            AND ($6::bool OR (SELECT e.id = $7::uuid FROM event e WHERE e.room = f.id AND e.seq = $5)), false) AS resumes
        FROM found f
    )
    SELECT f.name, f.title, f.topic, f.owner, f.private, f.contested, f.head, f.retention, f.read, f.resumes, m.*
    FROM snapshot f LEFT JOIN LATERAL (",
    page!("f.id", "f.expired", "CASE WHEN f.resumes THEN 0 ELSE f.head + 1 END", "$3", "$4::int8"),
    ") m ON true ORDER BY m.seq DESC"
);

/// The heads of rooms, in their order.
pub(super) const SELECT_HEADS: &str = "
    SELECT coalesce((SELECT max(e.seq) FROM event e WHERE e.room = (SELECT r.id FROM room r WHERE r.name = n.name)), 0)
    FROM unnest($1::text[]) WITH ORDINALITY AS n (name, o) ORDER BY n.o";

/// The id of the command that appended an event.
pub(super) const SELECT_EVENT_ID: &str =
    "SELECT e.id FROM event e WHERE e.room = (SELECT r.id FROM room r WHERE r.name = $1) AND e.seq = $2";

/// Rooms by name. Those that do not exist are missing.
pub(super) const SELECT_ROOMS: &str = concat!(
    "SELECT ",
    room_columns!(),
    " FROM unnest($1::text[]) AS n (name) JOIN room r ON r.name = n.name"
);

/// Public rooms by name after a name, without those in which a user has a read marker.
pub(super) const LIST_ROOMS_BY_NAME: &str = concat!(
    "SELECT ",
    room_columns!(),
    " FROM room r
    WHERE NOT r.private AND r.name > coalesce($1::text, '')
        AND NOT EXISTS (SELECT FROM read_marker m WHERE m.user_id = $2 AND m.room = r.id OFFSET 0)
    ORDER BY r.name LIMIT $3"
);

/// Public rooms but the lobby by title after a title and a name, without those in which a user has a read marker.
pub(super) const LIST_ROOMS_BY_TITLE: &str = concat!(
    "SELECT ",
    room_columns!(),
    " FROM room r
    WHERE NOT r.private AND (r.title_sort, r.name) > (
            coalesce((SELECT a.title_sort FROM room a WHERE a.name = $1), $4::text), coalesce($1::text, ''))
        AND r.name <> 'lobby'
        AND NOT EXISTS (SELECT FROM read_marker m WHERE m.user_id = $2 AND m.room = r.id OFFSET 0)
    ORDER BY r.title_sort, r.name LIMIT $3"
);

/// Public rooms but the lobby, most recently active first, after a room, without those in which a user has a read marker.
/// The stored activity of a room may be a second old. So `$4` rooms more are read by it than are returned, and those are put
/// in the order of their last events.
pub(super) const LIST_ROOMS_BY_ACTIVITY: &str = concat!(
    "WITH start AS MATERIALIZED (
        SELECT CASE WHEN $1::text IS NULL THEN 9223372036854775807 ELSE coalesce((
            SELECT greatest(a.at, (SELECT e.at FROM event e WHERE e.room = r.id ORDER BY e.seq DESC LIMIT 1))
            FROM room r JOIN room_activity a ON a.room = r.id WHERE r.name = $1
        ), 0) END AS at
    ), active AS MATERIALIZED (
        SELECT c.room,
            greatest(c.at, (SELECT e.at FROM event e WHERE e.room = c.room ORDER BY e.seq DESC LIMIT 1)) AS at
        FROM (
            SELECT a.room, a.at FROM room_activity a
            WHERE a.at <= (SELECT at FROM start)
                AND NOT EXISTS (SELECT FROM read_marker m WHERE m.user_id = $2 AND m.room = a.room OFFSET 0)
            ORDER BY a.at DESC LIMIT $3::int8 + $4::int8
        ) c
    )
    SELECT ",
    room_columns!(),
    " FROM active a JOIN room r ON r.id = a.room, start s
    WHERE a.at < s.at OR (a.at = s.at AND r.name > coalesce($1::text, ''))
    ORDER BY a.at DESC, r.name LIMIT $3"
);

/// Users in the order of their ids: name, ambiguity and number if they have a row, and whether another user has the skeleton
/// of their generated name.
pub(super) const SELECT_USERS: &str = "
    SELECT u.name, u.ambiguous, u.number, EXISTS (SELECT FROM user_account s WHERE s.skeleton = n.skeleton OFFSET 0)
    FROM unnest($1::int8[], $2::text[]) WITH ORDINALITY AS n (id, skeleton, o)
    LEFT JOIN user_account u ON u.id = n.id ORDER BY n.o";

/// The place of a user among all users by name.
pub(super) const SELECT_PLACE_OF_USER: &str = "SELECT skeleton, number FROM user_account WHERE id = $1";

/// Users by name, after a place and before a skeleton.
pub(super) const SELECT_USERS_AFTER: &str = "
    SELECT id FROM user_account WHERE (skeleton, number) > ($1, $2) AND skeleton < $3
    ORDER BY skeleton, number LIMIT $4";

/// The read markers of a user, most recently used first.
pub(super) const SELECT_READ_MARKERS: &str = "
    SELECT (SELECT r.name FROM room r WHERE r.id = m.room), m.seq FROM (
        SELECT k.room, k.seq, k.moved_at FROM read_marker k
        WHERE k.user_id = $1 ORDER BY k.moved_at DESC, k.room DESC LIMIT $2 OFFSET $3
    ) m ORDER BY m.moved_at DESC, m.room DESC";

/// A page of the rooms of a user, then the rooms `$4`: a flag for the latter, the room, its read marker and its unread
/// messages.
pub(super) const SELECT_JOINED_ROOMS: &str = concat!(
    "WITH listed AS MATERIALIZED (
        SELECT false AS also, row_number() OVER (ORDER BY k.moved_at DESC, k.room DESC) AS o, NULL::text AS name, k.room, k.seq
        FROM (
            SELECT * FROM read_marker m WHERE m.user_id = $1 ORDER BY m.moved_at DESC, m.room DESC LIMIT $2 OFFSET $3
        ) k
        UNION ALL
        SELECT true, n.o, n.name, r.id, (SELECT m.seq FROM read_marker m WHERE m.user_id = $1 AND m.room = r.id)
        FROM unnest($4::text[]) WITH ORDINALITY AS n (name, o) LEFT JOIN room r ON r.name = n.name
    ), described AS MATERIALIZED (
        SELECT l.also, l.o, l.name AS asked, l.room, l.seq, ",
    room_columns!(),
    " FROM listed l LEFT JOIN room r ON r.id = l.room
    )
    SELECT coalesce(d.name, d.asked), d.title, d.topic, d.owner, d.private, d.contested, d.head, d.retention, d.also,
        coalesce(d.seq, d.head), (
            SELECT count(*) FROM (
                SELECT FROM event e
                WHERE e.room = d.room AND e.seq > greatest(coalesce(d.seq, d.head), d.head - $5) AND e.kind = 0
                    AND e.author <> $1 AND e.text <> ''
                    AND NOT EXISTS (SELECT FROM blocked b WHERE b.user_id = $1 AND b.other = e.author OFFSET 0) LIMIT $6
            ) c
        ), (
            SELECT count(*) FROM (
                SELECT FROM mention m
                WHERE m.user_id = $1 AND m.room = d.room AND m.seq > coalesce(d.seq, d.head)
                    AND EXISTS (
                        SELECT FROM event e WHERE e.room = m.room AND e.seq = m.seq AND e.text <> ''
                            AND NOT EXISTS (SELECT FROM blocked b WHERE b.user_id = $1 AND b.other = e.author OFFSET 0)
                        OFFSET 0
                    )
                LIMIT $6
            ) c
        )
    FROM described d ORDER BY d.also, d.o"
);

/// The unread messages of rooms after positions, in their order.
pub(super) const COUNT_UNREAD: &str = "
    SELECT (
        SELECT count(*) FROM (
            SELECT FROM event e
            WHERE e.room = r.id AND e.kind = 0 AND e.author <> $3 AND e.text <> ''
                AND NOT EXISTS (SELECT FROM blocked b WHERE b.user_id = $3 AND b.other = e.author OFFSET 0)
                AND e.seq > greatest(n.after, (SELECT max(h.seq) FROM event h WHERE h.room = r.id) - $4) LIMIT $5
        ) c
    )
    FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS n (name, after, o) LEFT JOIN room r ON r.name = n.name
    ORDER BY n.o";

/// The messages of rooms after positions that address a user, in their order. A server of an earlier version deletes messages
/// without their mentions.
pub(super) const COUNT_MENTIONS: &str = "
    SELECT (
        SELECT count(*) FROM (
            SELECT FROM mention m
            WHERE m.user_id = $3 AND m.room = r.id AND m.seq > n.after
                AND EXISTS (
                    SELECT FROM event e WHERE e.room = m.room AND e.seq = m.seq AND e.text <> ''
                        AND NOT EXISTS (SELECT FROM blocked b WHERE b.user_id = $3 AND b.other = e.author OFFSET 0)
                    OFFSET 0
                )
            LIMIT $4
        ) c
    )
    FROM unnest($1::text[], $2::int8[]) WITH ORDINALITY AS n (name, after, o) LEFT JOIN room r ON r.name = n.name
    ORDER BY n.o";

/// For each skeleton: the number of its users up to a limit, the number of those who are among `$4` or have a read marker in a
/// room, and one of them.
pub(super) const SELECT_NAMESAKES: &str = "
    SELECT s.users, s.here, s.id
    FROM unnest($2::text[]) WITH ORDINALITY AS n (skeleton, o)
    CROSS JOIN LATERAL (
        SELECT count(*) AS users, count(*) FILTER (WHERE m.is_here) AS here, min(u.id) FILTER (WHERE m.is_here) AS id
        FROM (SELECT u.id FROM user_account u WHERE u.skeleton = n.skeleton ORDER BY u.number LIMIT $3) u
        CROSS JOIN LATERAL (
            SELECT u.id = ANY ($4::int8[]) OR EXISTS (
                SELECT FROM read_marker r
                WHERE r.user_id = u.id AND r.room = (SELECT f.id FROM room f WHERE f.name = $1) OFFSET 0
            ) AS is_here
        ) m
    ) s
    ORDER BY n.o";

/// Those of some users that have a name or a read marker in a room.
pub(super) const SELECT_KNOWN_USERS: &str = "
    SELECT n.id FROM unnest($2::int8[]) AS n (id)
    WHERE EXISTS (SELECT FROM user_account u WHERE u.id = n.id OFFSET 0) OR EXISTS (
        SELECT FROM read_marker m
        WHERE m.user_id = n.id AND m.room = (SELECT r.id FROM room r WHERE r.name = $1) OFFSET 0
    )";

/// The existence of a user's row, the generation of their cookies, and their devices, those seen last first. One statement,
/// so that all are of one moment; without devices it returns one row, in which their columns are NULL.
pub(super) const SELECT_SIGN_INS: &str = "
    SELECT EXISTS (SELECT FROM user_account u WHERE u.id = $1),
        coalesce((SELECT s.generation FROM sign_out s WHERE s.user_id = $1), 0),
        d.id, d.browser, d.system, d.added_at, d.seen_at
    FROM (VALUES (true)) AS one LEFT JOIN LATERAL (
        SELECT e.id, e.browser, e.system, e.added_at, e.seen_at FROM device e
        WHERE e.user_id = $1 ORDER BY e.seen_at DESC, e.id DESC LIMIT $2
    ) d ON true";

/// Those of some users that have signed a device out.
pub(super) const SELECT_SIGNED_OUT_USERS: &str = "
    SELECT n.id FROM unnest($1::int8[]) AS n (id)
    WHERE EXISTS (SELECT FROM sign_out s WHERE s.user_id = n.id OFFSET 0)";

/// When the recovery code of a user was created.
pub(super) const SELECT_RECOVERY_CODE: &str = "SELECT created_at FROM recovery_code WHERE user_id = $1";

/// The user of a link that has not expired, and whether it was used.
pub(super) const SELECT_DEVICE_LINK: &str =
    "SELECT user_id, used_at IS NOT NULL FROM device_link WHERE hash = $1 AND expires_at > now_millis()";
