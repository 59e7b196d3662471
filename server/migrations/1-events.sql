-- The log. An ordinary rowid table: full-text search needs the integer key.
-- Times are milliseconds since 1970 UTC; people are 64 bits, stored as signed integers.
CREATE TABLE event (
    row      INTEGER PRIMARY KEY,
    room     TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    id       BLOB    NOT NULL CHECK (length(id) = 16),
    author   INTEGER NOT NULL,
    kind     INTEGER NOT NULL, -- 0: message
    text     TEXT,
    reply_to INTEGER
);
CREATE UNIQUE INDEX event_by_room ON event (room, seq);
CREATE UNIQUE INDEX event_by_id ON event (id);

-- The newest seq of each room, written in the commit that raises it.
CREATE TABLE room (
    name TEXT    PRIMARY KEY,
    head INTEGER NOT NULL
) WITHOUT ROWID;

-- The names that people chose. Who has chosen none has no row.
CREATE TABLE person (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL
);

-- The identity of this log: one row.
CREATE TABLE log (
    id TEXT NOT NULL
);
