-- Edits and deletes are events of their own (kind 1 and 2) about a message, the target.
ALTER TABLE event ADD COLUMN target INTEGER;

-- What became of the messages that were edited or deleted: their present state.
CREATE TABLE change (
    room TEXT    NOT NULL,
    seq  INTEGER NOT NULL, -- the message's
    at   INTEGER NOT NULL, -- when it was changed last
    text TEXT,             -- what it says now; NULL: it was deleted
    PRIMARY KEY (room, seq)
) WITHOUT ROWID;

-- What was said about a message, to be forgotten when it is deleted.
CREATE INDEX event_by_target ON event (room, target) WHERE target IS NOT NULL;
