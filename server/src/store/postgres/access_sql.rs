//! The SQL of rights and moderators: each read is one statement, answered from indexes.

/// The generation of access, and the rights of users in rooms or on the server (an empty name), in their order. The networks
/// are empty if they are not known.
pub(super) const SELECT_STANDINGS: &str = "
    SELECT l.access_generation, (SELECT s.value FROM setting s WHERE s.name = 'access'),
        EXISTS (SELECT FROM user_account u WHERE u.id = n.user_id OFFSET 0)
            OR EXISTS (SELECT FROM read_marker m WHERE m.user_id = n.user_id OFFSET 0),
        (SELECT o.role FROM role o WHERE o.user_id = n.user_id AND o.room = 0),
        (SELECT o.role FROM role o WHERE o.user_id = n.user_id AND o.room = r.id),
        x.server_ban, x.server_mute, x.room_ban, x.room_mute,
        r.id, coalesce(r.owner = n.user_id, false), coalesce(r.members_only, false), coalesce(r.mode, 0::int2),
        coalesce(r.slow, 0),
        EXISTS (SELECT FROM read_marker m WHERE m.user_id = n.user_id AND m.room = r.id OFFSET 0)
    FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS n (user_id, room, subject, network, o)
    CROSS JOIN log l
    LEFT JOIN LATERAL (
        SELECT f.id, f.owner, f.members_only, f.mode, f.slow FROM room f WHERE f.name = n.room
    ) r ON true
    CROSS JOIN LATERAL (
        SELECT
            max(e.ends) FILTER (WHERE e.room = 0 AND e.kind = 1) AS server_ban,
            max(e.ends) FILTER (WHERE e.room = 0 AND e.kind = 0) AS server_mute,
            max(e.ends) FILTER (WHERE e.room > 0 AND e.kind = 1) AS room_ban,
            max(e.ends) FILTER (WHERE e.room > 0 AND e.kind = 0) AS room_mute
        FROM (
            SELECT t.room, t.kind, coalesce(t.until, 9223372036854775807) AS ends
            FROM unnest(ARRAY[n.subject, n.network]) AS s (subject)
            CROSS JOIN unnest(ARRAY[0, r.id]) AS p (room)
            JOIN restriction t ON t.subject = s.subject AND t.room = p.room
            WHERE t.until IS NULL OR t.until > now_millis()
        ) e
    ) x
    ORDER BY n.o";

pub(super) const SELECT_SETTINGS: &str = "SELECT name, value FROM setting";

/// The generation of access, and the changes after another one.
pub(super) const SELECT_ACCESS_CHANGES: &str = "
    SELECT l.access_generation, c.subject, c.room, c.generation FROM log l
    LEFT JOIN LATERAL (
        SELECT * FROM access_change a WHERE a.generation > $1 ORDER BY a.generation LIMIT 1000
    ) c ON true
    ORDER BY c.generation";

/// The number of a room in a scope: 0 for the server, NULL for a room that does not exist.
macro_rules! scope {
    () => {
        "(SELECT CASE WHEN $1::text = '' THEN 0 ELSE (SELECT r.id FROM room r WHERE r.name = $1) END)"
    };
}

pub(super) const SELECT_ROLES: &str = concat!(
    "SELECT o.user_id, o.role FROM role o WHERE o.room = ",
    scope!(),
    " AND o.role >= $2 AND o.user_id > $3 ORDER BY o.user_id LIMIT $4"
);

pub(super) const SELECT_RESTRICTIONS: &str = concat!(
    "SELECT t.subject, t.kind, t.until, t.by, t.reason FROM restriction t WHERE t.room = ",
    scope!(),
    " AND (t.until IS NULL OR t.until > now_millis()) ORDER BY t.at DESC LIMIT $2"
);

/// The columns of an invitation `i`.
macro_rules! invitation_columns {
    () => {
        "i.hash, (SELECT r.name FROM room r WHERE r.id = i.room), i.by, i.expires_at, i.most, i.uses"
    };
}

pub(super) const SELECT_INVITATIONS: &str = concat!(
    "SELECT ",
    invitation_columns!(),
    " FROM invitation i WHERE i.room = ",
    scope!(),
    " AND i.expires_at > now_millis() AND (i.most IS NULL OR i.uses < i.most) ORDER BY i.expires_at LIMIT $2"
);

pub(super) const SELECT_INVITATION: &str = concat!(
    "SELECT ",
    invitation_columns!(),
    " FROM invitation i WHERE i.hash = $1 AND i.expires_at > now_millis()"
);

/// The columns of an entry `a` of the log.
macro_rules! action_columns {
    () => {
        "a.id, a.at, a.actor, a.word, (SELECT r.name FROM room r WHERE r.id = a.room), a.subject, a.until, a.detail, a.reason"
    };
}

pub(super) const SELECT_LOG: &str = concat!(
    "SELECT ",
    action_columns!(),
    " FROM action a WHERE a.room = ",
    scope!(),
    " AND a.id < $2 ORDER BY a.id DESC LIMIT $3"
);

pub(super) const SELECT_WHOLE_LOG: &str =
    concat!("SELECT ", action_columns!(), " FROM action a WHERE a.id < $1 ORDER BY a.id DESC LIMIT $2");

/// The columns of a report `p`.
macro_rules! report_columns {
    () => {
        "p.id, p.at, p.by, (SELECT r.name FROM room r WHERE r.id = p.room), p.seq, p.reason"
    };
}

pub(super) const SELECT_REPORTS: &str = concat!(
    "SELECT ",
    report_columns!(),
    " FROM report p WHERE p.room = ",
    scope!(),
    " ORDER BY p.id DESC LIMIT $2"
);

pub(super) const SELECT_ALL_REPORTS: &str =
    concat!("SELECT ", report_columns!(), " FROM report p ORDER BY p.id DESC LIMIT $1");

pub(super) const SELECT_BLOCKED: &str = "SELECT b.other FROM blocked b WHERE b.user_id = $1 LIMIT $2";
