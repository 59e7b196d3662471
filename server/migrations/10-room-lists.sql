-- The lists of public rooms are read from indexes. A room is active at the time of its last event, or of its creation.
ALTER TABLE room ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
UPDATE room SET active_at = coalesce(
    (SELECT event.at FROM event WHERE event.room = room.name AND event.seq = room.head), 0);
CREATE INDEX room_by_name ON room (name) WHERE private = 0;
CREATE INDEX room_by_activity ON room (active_at DESC, name) WHERE private = 0;

-- The title in lower case. NULL for private rooms, and until the program, which knows the rule, fills it in.
ALTER TABLE room ADD COLUMN title_sort TEXT;
CREATE INDEX room_by_title ON room (title_sort, name) WHERE private = 0;

-- No two public rooms have titles of one skeleton. Rooms of an older file that share a title keep it: all but one of
-- them have no skeleton.
DROP INDEX room_by_title_key;
UPDATE room SET title_key = NULL;
CREATE UNIQUE INDEX room_by_title_key ON room (title_key) WHERE title_key IS NOT NULL;
