-- The settings that the administrator changes while the server runs, by name.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Who may enter a room and post there.
ALTER TABLE room ADD COLUMN members_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN mode INTEGER NOT NULL DEFAULT 0;  -- 0 everyone posts, 1 its owner and moderators, 2 no user
ALTER TABLE room ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;  -- seconds between two posts of a user

-- What users are in rooms, and on the server ('' as room): 1 a member, 2 a moderator, 3 the administrator.
CREATE TABLE role (
    person INTEGER NOT NULL,
    room   TEXT    NOT NULL,
    role   INTEGER NOT NULL,
    PRIMARY KEY (person, room)
) WITHOUT ROWID;
CREATE INDEX role_by_room ON role (room, person, role);

-- What a user (16 hexadecimal digits) or a network (192.0.2.1/32) may not do in a room, or on the server ('').
CREATE TABLE restriction (
    id      INTEGER PRIMARY KEY,
    subject TEXT    NOT NULL,
    room    TEXT    NOT NULL,
    kind    INTEGER NOT NULL,  -- 0 write, 1 enter
    until   INTEGER,           -- milliseconds since 1970 UTC; NULL for ever
    at      INTEGER NOT NULL,
    by      INTEGER NOT NULL,
    reason  TEXT    NOT NULL,
    UNIQUE (subject, room, kind)
);
CREATE INDEX restriction_by_room ON restriction (room, at);

-- When users last posted in rooms in slow mode.
CREATE TABLE pace (
    person INTEGER NOT NULL,
    room   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (person, room)
) WITHOUT ROWID;
CREATE INDEX pace_by_time ON pace (at);

-- Invitations to rooms, and to the server (''), by the SHA-256 of their secrets.
CREATE TABLE invitation (
    id         INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    room       TEXT    NOT NULL,
    by         INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    most       INTEGER,           -- uses; NULL for no limit
    uses       INTEGER NOT NULL
);
CREATE INDEX invitation_by_room ON invitation (room, expires_at);

-- What moderators have done. Numbers are not used again.
CREATE TABLE action (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   INTEGER NOT NULL,
    word    TEXT    NOT NULL,
    room    TEXT    NOT NULL,  -- '' for the server
    subject TEXT,
    until   INTEGER,
    detail  TEXT    NOT NULL,
    reason  TEXT    NOT NULL
);
CREATE INDEX action_by_room ON action (room, id);

-- Messages that users have reported.
CREATE TABLE report (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    by     INTEGER NOT NULL,
    room   TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    reason TEXT    NOT NULL,
    UNIQUE (by, room, seq)
);
CREATE INDEX report_by_room ON report (room, id);

-- Users whose messages a user does not want to see.
CREATE TABLE blocked (
    person INTEGER NOT NULL,
    other  INTEGER NOT NULL,
    PRIMARY KEY (person, other)
) WITHOUT ROWID;
