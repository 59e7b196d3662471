-- Reactions are events of their own: kind 3 gives one to the message, the target, and kind 4 takes it back; the text is the
-- emoji. Such an event exists only if it changed something, so that the newest one says whether a user has given an emoji.
CREATE INDEX event_by_reaction ON event (room, target, author, text) WHERE kind > 2;

-- What these events make of a message.
CREATE TABLE reactions (
    room    TEXT    NOT NULL,
    seq     INTEGER NOT NULL, -- the message's
    last    INTEGER NOT NULL, -- the seq of the last event
    summary TEXT    NOT NULL, -- JSON: for each emoji [emoji, number of users, [ids of the first ones]]
    PRIMARY KEY (room, seq)
) WITHOUT ROWID;

-- The edits of a message, without its reactions: only the newest edit has a text.
DROP INDEX event_by_target;
CREATE INDEX event_by_target ON event (room, target) WHERE kind = 1;
